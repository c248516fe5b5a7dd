"""Keeps what a comparison found: a difference keeps its age, and one no longer found is settled."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sync.domain.reconciliation import Difference, Part
from sync.models import Discrepancy, Reconciliation
from sync.models.many_rows import insert_rows, write_rows

LENGTHS = {"title": 300, "detail": 1000, "do": 100, "target_id": 60}


def keep(
    run: Reconciliation, found: Sequence[Difference], *, parts: Collection[Part], now: datetime
) -> None:
    """Write the differences of the parts that were compared; inside the caller's scope."""
    rows = Discrepancy.objects.for_tenant(run.tenant_id).filter(company_id=run.company_id)
    known = {row.key: row for row in rows.filter(key__in=[one.key for one in found])}
    fresh: list[Discrepancy] = []
    changed: list[tuple[Discrepancy, dict[str, Any]]] = []
    for one in found:
        row = known.get(one.key)
        values = _columns(one, run, row, now)
        if row is None:
            owner = {"tenant_id": run.tenant_id, "company_id": run.company_id}
            fresh.append(Discrepancy(**owner, key=one.key, **values))
        else:
            changed.append((row, values))
    rows.filter(part__in=[part.value for part in parts], settled_at=None).exclude(
        key__in=[one.key for one in found]
    ).update(settled_at=now)
    insert_rows(fresh)
    write_rows(changed, guard="key")


def _columns(
    one: Difference, run: Reconciliation, row: Discrepancy | None, now: datetime
) -> dict[str, Any]:
    is_new = row is None or row.settled_at is not None
    began = min(one.since or now, now)
    return {
        "reconciliation": run,
        "part": one.part.value,
        "kind": one.kind.value,
        "mover": one.mover.value,
        "target": one.target.value,
        **{name: getattr(one, name)[:length] for name, length in LENGTHS.items()},
        "period": one.period[:10],
        "currency": one.currency[:3],
        "bills": one.bills,
        "amount": one.amount,
        "first_seen_at": began if is_new or row is None else min(row.first_seen_at, began),
        "last_seen_at": now,
        "settled_at": None,
    }


def last_finished(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> Reconciliation | None:
    """The comparison whose findings stand; inside the caller's scope."""
    rows = Reconciliation.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return rows.exclude(ended_at=None).order_by("-started_at", "pk").first()
