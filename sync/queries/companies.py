"""A firm's companies at a glance: where each stands, whom it waits for, when it was last looked after."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q

from integrations.models import BillConnection, Sage300Connection
from sync.domain.posting_state import PostingState
from sync.models import Posting, Run
from sync.queries.shell import STOPPED
from tenants.models import Company

PRACTICE = frozenset({"practice", "sandbox"})
#: State, why it is paused, and what names the other side.
Window = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyShown:
    """One company; `database` is "" while Sage is not connected, `looked_at` UTC."""

    company: Company
    database: str
    is_practice: bool
    stops: tuple[str, ...]
    waiting: int
    to_review: int
    stopped: int
    in_sage: int
    looked_at: datetime | None


def companies_shown(tenant_id: uuid.UUID, companies: Sequence[Company]) -> list[CompanyShown]:
    """Gather all of them; four queries whatever their number."""
    counts: dict[uuid.UUID, Mapping[str, Any]] = {
        row["company_id"]: row
        for row in Posting.objects.for_tenant(tenant_id)
        .values("company_id")
        .annotate(
            waiting=Count("pk", filter=Q(state=PostingState.WAITING)),
            to_review=Count("pk", filter=Q(state=PostingState.REVIEW)),
            stopped=Count("pk", filter=Q(state__in=STOPPED)),
            in_sage=Count("pk", filter=Q(state=PostingState.IN_SAGE)),
        )
    }
    # Never whole rows: they would be decrypted for nothing.
    bill = _by_company(BillConnection, tenant_id, "environment")
    sage = _by_company(Sage300Connection, tenant_id, "company_database")
    runs = Run.objects.for_tenant(tenant_id).filter(outcome="ok").values("company_id")
    looked = dict(runs.annotate(at=Max("ended_at")).values_list("company_id", "at"))
    return [
        _shown(each, counts.get(each.pk, {}), bill.get(each.pk), sage.get(each.pk), looked)
        for each in companies
    ]


def _by_company(
    model: type[BillConnection] | type[Sage300Connection], tenant_id: uuid.UUID, field: str
) -> dict[uuid.UUID, Window]:
    rows = model.objects.for_tenant(tenant_id).values_list(
        "company_id", "state", "paused_reason", field
    )
    return {key: (state, reason, value) for key, state, reason, value in rows}


def _shown(
    company: Company,
    counts: Mapping[str, Any],
    bill: Window | None,
    sage: Window | None,
    looked: dict[uuid.UUID, datetime | None],
) -> CompanyShown:
    stops = [
        f"{name} is paused: {window[1]}"
        for name, window in (("BILL", bill), ("Sage 300", sage))
        if window is not None and window[0] == "paused"
    ]
    if company.is_paused:
        stops.insert(0, f"Paused by a person. {company.paused_reason}".strip())
    return CompanyShown(
        company=company,
        database=sage[2] if sage else "",
        is_practice=bill is not None and bill[2] in PRACTICE,
        stops=tuple(stops),
        waiting=counts.get("waiting", 0),
        to_review=counts.get("to_review", 0),
        stopped=counts.get("stopped", 0),
        in_sage=counts.get("in_sage", 0),
        looked_at=looked.get(company.pk),
    )
