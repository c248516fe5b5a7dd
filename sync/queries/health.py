"""Every tenant with how it fares, sorted by the database, in one query however many there are.

Read in the operator's scope. Each figure is a small question to an index that holds only what is
unfinished or went wrong, so that a customer's past costs nothing here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from integrations.models import (
    BillConnection,
    BillQuotaRow,
    ConnectionState,
    Sage300Connection,
)
from sync.domain.health import Facts, Health
from sync.domain.policy import Policy
from sync.domain.posting_state import PostingState
from sync.models import Answer, CompanyPolicy, DueWork, Posting, Run
from sync.models.posting import BACKLOG
from tenants.models import Company, Tenant, TenantStatus

DAY = timedelta(hours=24)


def tenants_with_health(now: datetime, rows: QuerySet[Tenant] | None = None) -> QuerySet[Tenant]:
    """The tenants with `severity` (`Health.severity`) and the figures `facts_of` reads."""
    tenants = Tenant.objects.all() if rows is None else rows
    return (
        tenants.annotate(**_work(now), **_windows(), **_past_day(now), **_quota(now))
        .annotate(quota_percent=_percent())
        .annotate(severity=_severity(now))
    )


def worst_first() -> list[Any]:
    """The order of the list: how bad, then whose oldest bill waits longest."""
    return [F("severity").desc(), F("oldest").asc(nulls_last=True), F("name").asc()]


def facts_of(tenant: Any) -> Facts:
    """What an annotated tenant's row says."""
    return Facts(
        health=Health.of_severity(tenant.severity),
        companies=tenant.companies or 0,
        paused_reason=tenant.bill_paused or tenant.sage_paused or "",
        resting=tenant.resting or 0,
        resting_reason=tenant.resting_reason or "",
        behind_since=tenant.behind_since,
        attention=tenant.attention or 0,
        lost=tenant.lost or 0,
        lost_since=tenant.lost_since,
        bill_silent=tenant.bill_silent,
        sage_silent=tenant.sage_silent,
        quota_percent=tenant.quota_percent,
        quota_closed_until=tenant.quota_closed_until,
        suspended_at=tenant.suspended_at,
        suspended_by=tenant.suspended_by,
        suspended_reason=tenant.suspended_reason,
    )


def _severity(now: datetime) -> Case:
    near = settings.CONNECTOR.quota_near_percent
    rules = (
        (Health.SUSPENDED, Q(status=TenantStatus.SUSPENDED)),
        (Health.NEW, Q(works=0)),
        (Health.PAUSED, Q(bill_paused__isnull=False) | Q(sage_paused__isnull=False)),
        (Health.BEHIND, Q(behind_since__isnull=False)),
        (Health.REFUSED, Q(attention__gt=0)),
        (Health.SILENT, Q(bill_silent=True) | Q(sage_silent=True)),
        (Health.UNSETTLED, Q(lost__gt=0)),
        (Health.RESTING, Q(resting__gt=0)),
        (Health.QUOTA, Q(quota_percent__gte=near) | Q(quota_closed_until__gt=now)),
    )
    return Case(
        *(When(rule, then=Value(health.severity)) for health, rule in rules),
        default=Value(Health.FINE.severity),
        output_field=IntegerField(),
    )


def _work(now: datetime) -> dict[str, Any]:
    """Companies, whose turn is overdue, and what is approved and not in Sage."""
    late = now - timedelta(seconds=settings.CONNECTOR.behind_seconds)
    backlog = Posting.objects.filter(state__in=BACKLOG)
    resting = Company.objects.filter(tenant=OuterRef("pk"), is_paused=True)
    due = DueWork.objects.filter(tenant_id=OuterRef("pk"))
    behind = due.filter(next_run_at__lt=late).exclude(taken_until__gt=now)
    lost = backlog.filter(state=PostingState.UNCERTAIN)
    return {
        "companies": _per_tenant(Company.objects.all(), Count("pk")),
        "works": Coalesce(_per_tenant(DueWork.objects.all(), Count("pk")), 0),
        "resting": _per_tenant(Company.objects.filter(is_paused=True), Count("pk")),
        "resting_reason": Subquery(resting.order_by("pk").values("paused_reason")[:1]),
        "behind_since": Subquery(behind.order_by("next_run_at").values("next_run_at")[:1]),
        "backlog": Coalesce(_per_tenant(backlog, Count("pk")), 0),
        "oldest": _per_tenant(backlog, Min(Coalesce("approval_seen_at", "created_at"))),
        "attention": _per_tenant(backlog.filter(state=PostingState.ATTENTION), Count("pk")),
        "lost": _per_tenant(lost, Count("pk")),
        "lost_since": _per_tenant(lost, Min("since")),
    }


def _windows() -> dict[str, Any]:
    """Both connections: paused, silent, and the success that is longest ago."""
    found: dict[str, Any] = {}
    windows: tuple[tuple[str, type[Model]], ...] = (
        ("bill", BillConnection),
        ("sage", Sage300Connection),
    )
    for name, model in windows:
        rows = model._default_manager.filter(tenant=OuterRef("pk"))
        paused = rows.filter(state=ConnectionState.PAUSED).order_by("paused_at", "pk")
        found |= {
            f"{name}_paused": Subquery(paused.values("paused_reason")[:1]),
            f"{name}_silent": Exists(_silent(rows)),
            f"{name}_ok_at": _per_tenant(model._default_manager.all(), Min("last_ok_at")),
        }
    sage = Sage300Connection.objects.all()
    return {
        **found,
        "sage_median": _per_tenant(sage, Max("median_seconds")),
        "sage_slow": _per_tenant(sage, Max("slow_seconds")),
    }


def _silent(rows: Any) -> Any:
    """Those in use whose last good answer lies well before the last pass.

    Not every pass asks BILL, so a company that is rarely read may be quiet for its cadence.
    """
    margin = timedelta(seconds=settings.CONNECTOR.silent_seconds)
    served = DueWork.objects.filter(company_id=OuterRef("company_id")).values("served_at")[:1]
    policies = CompanyPolicy.objects.filter(company_id=OuterRef("company_id"))
    seconds = Cast(KeyTextTransform("cadence_seconds", "values"), FloatField())
    cadence = Coalesce(
        Subquery(policies.annotate(cadence=seconds).values("cadence")[:1]),
        float(Policy().cadence_seconds),
    )
    rest = ExpressionWrapper(Value(timedelta(seconds=1)) * cadence, output_field=DurationField())
    heard = ExpressionWrapper(F("last_ok_at") + Value(margin) + rest, output_field=DateTimeField())
    in_use = rows.filter(state=ConnectionState.OK, company__is_paused=False)
    dated = in_use.annotate(served=Subquery(served), heard_until=heard)
    return dated.filter(Q(heard_until__lt=F("served")) | Q(last_ok_at=None, served__isnull=False))


def _past_day(now: datetime) -> dict[str, Any]:
    """What went wrong within 24 hours."""
    answers = Answer.objects.filter(ended_at__gte=now - DAY)
    runs = Run.objects.filter(started_at__gte=now - DAY, outcome__in=["failed", "broke"])
    return {
        "day_refused": Coalesce(_per_tenant(answers.filter(outcome="rejected"), Count("pk")), 0),
        "day_lost": Coalesce(_per_tenant(answers.filter(outcome="unknown"), Count("pk")), 0),
        "day_runs": Coalesce(_per_tenant(runs, Count("pk")), 0),
    }


def _quota(now: datetime) -> dict[str, Any]:
    """The fullest of the hours of BILL that the tenant's developer keys count in."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    keys = (
        BillConnection.objects.filter(tenant=OuterRef(OuterRef("pk")))
        .exclude(quota_key="")
        .values("quota_key")
    )
    rows = BillQuotaRow.objects.filter(key__in=keys)
    used = rows.filter(hour_started_at__gte=hour).order_by("-calls").values("calls")[:1]
    closed = rows.filter(closed_until__gt=now).order_by("-closed_until").values("closed_until")[:1]
    return {
        "quota_calls": Coalesce(Subquery(used), 0),
        "quota_closed_until": Subquery(closed),
    }


def _percent() -> ExpressionWrapper[Any]:
    share = F("quota_calls") * 100.0 / Value(float(settings.CONNECTOR.bill_calls_per_hour))
    return ExpressionWrapper(share, output_field=FloatField())


def _per_tenant(rows: QuerySet[Any], figure: Any) -> Subquery:
    """One figure over the rows of each tenant, None where it has none."""
    grouped = rows.filter(tenant_id=OuterRef("pk")).order_by().values("tenant_id")
    return Subquery(grouped.annotate(figure=figure).values("figure"))
