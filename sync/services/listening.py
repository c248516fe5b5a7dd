"""Has BILL tell us of changes once it is connected, and says what came of it, never failing."""

from __future__ import annotations

from datetime import datetime

from integrations.errors import IntegrationError
from integrations.models import WebhookSubscription
from sync.services import subscriptions
from sync.services.clients import NotReady
from tenants.models import Company

LISTENS = "BILL tells us of changes as they happen."


def listen(company: Company, *, actor: str, now: datetime) -> str:
    """Register where BILL can reach us; a sentence either way. Opens its own scopes."""
    try:
        desk = subscriptions.open_desk(
            tenant_id=company.tenant_id, company_id=company.pk, now=now, actor=actor
        )
        row = subscriptions.register(desk)
    except NotReady as refusal:
        return str(refusal)
    except IntegrationError as error:
        return f"It is read by the clock for now: {error.sentence}"
    return said(row)


def said(row: WebhookSubscription) -> str:
    """What a subscription's row comes to, in a sentence."""
    return LISTENS if row.status == WebhookSubscription.Status.REGISTERED else row.reason
