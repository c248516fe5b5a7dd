"""Whether BILL tells us of changes: registering the letter box, testing it, its key, removing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

from integrations.errors import IntegrationError
from integrations.models import WebhookSubscription
from sync.services import subscriptions
from sync.services.clients import NotReady
from sync.services.listening import said
from sync.services.subscriptions import Desk
from sync.views.frame import go
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.models import Role
from tenants.scoping import tenant_scope

OWNERS = frozenset({Role.OWNER})


@require_POST
@company_view(write_roles=OWNERS, unscoped=True)
def register(request: CompanyRequest) -> HttpResponseBase:
    """Have BILL tell us of changes."""

    def act(desk: Desk) -> tuple[bool, str]:
        row = subscriptions.register(desk)
        is_on = row.status == WebhookSubscription.Status.REGISTERED
        return is_on, said(row)

    return _do(request, "webhook.registered", act)


@require_POST
@company_view(write_roles=OWNERS, unscoped=True)
def test(request: CompanyRequest) -> HttpResponseBase:
    """Have BILL send a test notification."""

    def act(desk: Desk) -> tuple[bool, str]:
        tested = subscriptions.test(desk)
        return tested.is_ok, tested.sentence

    return _do(request, "webhook.tested", act)


@require_POST
@company_view(write_roles=OWNERS, unscoped=True)
def rekey(request: CompanyRequest) -> HttpResponseBase:
    """Take a new signing key from BILL."""

    def act(desk: Desk) -> tuple[bool, str]:
        subscriptions.rekey(desk)
        return True, "BILL signs with a new key. The one before stays good for late deliveries."

    return _do(request, "webhook.key_changed", act)


@require_POST
@company_view(write_roles=OWNERS, unscoped=True)
def remove(request: CompanyRequest) -> HttpResponseBase:
    """Have BILL forget the letter box; polling goes on."""

    def act(desk: Desk) -> tuple[bool, str]:
        subscriptions.remove(desk)
        return True, "BILL does not tell us any more. It is read by the clock; nothing is lost."

    return _do(request, "webhook.removed", act)


def _do(
    request: CompanyRequest, action: str, act: Callable[[Desk], tuple[bool, str]]
) -> HttpResponseBase:
    now = timezone.now()
    try:
        is_done, sentence = act(_desk(request, now))
    except NotReady as refusal:
        is_done, sentence = False, str(refusal)
    except IntegrationError as error:
        is_done, sentence = False, error.sentence
    with tenant_scope(request.tenant.pk):
        audit.record(
            tenant=request.tenant, actor=audit.actor_of(request), action=action, now=now,
            subject=request.company.name, subject_id=request.company.pk,
            details={"is_done": is_done},
        )  # fmt: skip
    (messages.success if is_done else messages.warning)(request, sentence)
    return go(request, "connections")


def _desk(request: CompanyRequest, now: datetime) -> Desk:
    return subscriptions.open_desk(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        now=now,
        actor=audit.actor_of(request).name,
    )
