"""The state of the house for its operators: what is due, what was refused at the door, BILL's limits.

Read in the operator's scope. Keys are shown as the first signs of their hashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Min, OuterRef, Q, Subquery, Sum

from integrations.models import BillConnection, BillQuotaRow, BillSessionRow, WebhookSubscription
from sync.models import DueWork, Refusal, WebhookEvent
from tenants.models import Tenant, TenantStatus

DAY = timedelta(hours=24)
SHOWN_KEYS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """What one developer key has used of BILL's hour; `sign_ins` within the last 60 minutes."""

    key: str
    companies: int
    calls: int
    percent: float
    sign_ins: int
    closed_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The figures; times are UTC."""

    due: int
    oldest_due_at: datetime | None
    suspended: int
    events: int
    unreadable: int
    events_waiting: int
    oldest_event_at: datetime | None
    refused: Sequence[tuple[str, int]]
    switched_off: int
    sessions: int
    sign_ins_refused: int
    keys: Sequence[KeyUse]


def house_of(now: datetime) -> House:
    """Gather them; eight small queries."""
    resting = Tenant.objects.filter(status=TenantStatus.SUSPENDED)
    waiting = (
        DueWork.objects.exclude(tenant_id__in=resting.values("pk"))
        .exclude(taken_until__gt=now)
        .filter(Q(next_run_at__lte=now) | Q(rung_at__lte=now))
        .aggregate(
            due=Count("pk"),
            oldest_due_at=Min("next_run_at", filter=Q(next_run_at__lte=now)),
        )
    )
    events = WebhookEvent.objects.aggregate(
        events=Count("pk", filter=Q(received_at__gte=now - DAY)),
        unreadable=Count("pk", filter=Q(received_at__gte=now - DAY, event_type="poison")),
        events_waiting=Count("pk", filter=Q(taken_in_at=None)),
        oldest_event_at=Min("received_at", filter=Q(taken_in_at=None)),
    )
    refused = Refusal.objects.filter(hour__gte=now - DAY).values("reason")
    sessions = BillSessionRow.objects.aggregate(
        sessions=Count("pk", filter=~Q(session="")),
        sign_ins_refused=Count("pk", filter=Q(refused_at__gte=now - DAY)),
    )
    return House(
        **waiting,
        **events,
        **sessions,
        suspended=resting.count(),
        refused=[
            (row["reason"], row["total"])
            for row in refused.annotate(total=Sum("count")).order_by("reason")
        ],
        switched_off=WebhookSubscription.objects.filter(
            status=WebhookSubscription.Status.SWITCHED_OFF
        ).count(),
        keys=_keys(now),
    )


def _keys(now: datetime) -> list[KeyUse]:
    """The keys with the fullest hours, and those that are closed."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    users = (
        BillConnection.objects.filter(quota_key=OuterRef("key"))
        .order_by()
        .values("quota_key")
        .annotate(n=Count("pk"))
        .values("n")
    )
    rows = (
        BillQuotaRow.objects.filter(Q(hour_started_at__gte=hour) | Q(closed_until__gt=now))
        .annotate(companies=Subquery(users))
        .order_by(F("closed_until").desc(nulls_last=True), "-calls", "key")[:SHOWN_KEYS]
    )
    since = (now - timedelta(hours=1)).timestamp()
    return [
        KeyUse(
            key=row.key[:8],
            companies=row.companies or 0,
            calls=row.calls,
            percent=100.0 * row.calls / settings.CONNECTOR.bill_calls_per_hour,
            sign_ins=sum(1 for at in row.logins if float(at) > since),
            closed_until=row.closed_until if row.closed_until and row.closed_until > now else None,
        )
        for row in rows
    ]
