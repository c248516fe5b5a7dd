"""Takes from BILL's own record of notifications what never reached our letter box."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from integrations.bill.client import BillClient
from integrations.bill.parse import parse_event
from integrations.bill.types import BillEvent, PastEvent
from integrations.errors import UnexpectedAnswer
from integrations.models import WebhookSubscription
from sync.models import WebhookEvent
from sync.services import turns
from tenants.scoping import tenant_scope

LONGEST = {"event_id": 100, "event_type": 60, "entity": 40, "entity_id": 60}


def take_in_missed(
    bill: BillClient, row: WebhookSubscription, *, since: datetime | None, now: datetime
) -> int:
    """Store the events of BILL's history that we have no row of; return how many.

    BILL's order is not documented. Pages are read until one that runs backwards in time ends
    before `since`, less a margin for events that were still being redelivered then.
    """
    horizon = since and since - timedelta(seconds=settings.CONNECTOR.webhook_history_seconds)
    count = 0
    for page in bill.iter_past_events(row.bill_id):
        count += _store(row, page, now)
        if horizon is not None and _has_passed(page, horizon):
            break
    if count:
        turns.ring(company_id=row.company_id)
    return count


def _has_passed(page: Sequence[PastEvent], horizon: datetime) -> bool:
    times = [event.created_at for event in page if event.created_at]
    return bool(times) and times == sorted(times, reverse=True) and times[-1] < horizon


def _store(row: WebhookSubscription, page: Sequence[PastEvent], now: datetime) -> int:
    events = {
        columns["event_id"]: (columns, past) for past in page if (columns := event_columns(past))
    }
    with tenant_scope(row.tenant_id):
        rows = WebhookEvent.objects.for_tenant(row.tenant_id).filter(company_id=row.company_id)
        known = set(rows.filter(event_id__in=events).values_list("event_id", flat=True))
        missed = [
            WebhookEvent(
                tenant_id=row.tenant_id,
                company_id=row.company_id,
                body=past.payload.encode("utf-8", "replace"),
                received_at=now,
                note="Taken from BILL's history.",
                **columns,
            )
            for key, (columns, past) in events.items()
            if key not in known
        ]
        WebhookEvent.objects.bulk_create(missed, ignore_conflicts=True, batch_size=500)
    return len(missed)


def event_columns(past: PastEvent) -> dict[str, str]:
    """The row's columns of a past event; its payload names the record, as a delivery does."""
    try:
        event = parse_event(past.payload)
    except UnexpectedAnswer:
        return columns_of(past.id, past.event_type)
    return told_columns(event)


def told_columns(event: BillEvent) -> dict[str, str]:
    """The row's columns of an event, as they fit the table."""
    return columns_of(event.event_id, event.event_type, event.entity, event.entity_id)


def columns_of(
    event_id: str, event_type: str, entity: str = "", entity_id: str = ""
) -> dict[str, str]:
    """Columns cut to their lengths, without what PostgreSQL cannot keep in a text."""
    given = {
        "event_id": event_id,
        "event_type": event_type,
        "entity": entity,
        "entity_id": entity_id,
    }
    return {name: _fit(text, LONGEST[name]) for name, text in given.items()}


def _fit(text: str, longest: int) -> str:
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean[:longest]
