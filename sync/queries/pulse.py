"""A company's pulse: a short text that is another one as soon as anything a page shows is another.

Every decision, every call and every person's act leaves a line in the log, so the latest line tells
of them; runs and the alarm clock are watched beside it. One query, three index look-ups.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from sync.models import DueWork, LogEntry, MappingRuleChange, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """`beat` is "" for a company for which nothing was ever due; `next_run_at` is UTC."""

    beat: str = ""
    next_run_at: datetime | None = None


def pulse_of(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> Pulse:
    """Take the pulse of a company."""
    lines = LogEntry.objects.for_tenant(tenant_id).filter(company_id=OuterRef("company_id"))
    runs = Run.objects.for_tenant(tenant_id).filter(company_id=OuterRef("company_id"))
    changes = MappingRuleChange.objects.for_tenant(tenant_id).filter(
        company_id=OuterRef("company_id")
    )
    latest_run = runs.order_by("-started_at", "-pk")
    seen = (
        DueWork.objects.filter(company_id=company_id, tenant_id=tenant_id)
        .values_list(
            "next_run_at",
            "rung_at",
            Subquery(lines.order_by("-at", "-pk").values("pk")[:1]),
            Subquery(latest_run.values("pk")[:1]),
            Subquery(latest_run.values("ended_at")[:1]),
            Subquery(changes.order_by("-at", "-pk").values("pk")[:1]),
        )
        .first()
    )
    if seen is None:
        return Pulse()
    return Pulse(beat=hashlib.sha256(repr(seen).encode()).hexdigest()[:16], next_run_at=seen[0])
