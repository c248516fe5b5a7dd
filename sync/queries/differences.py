"""The differences between BILL and Sage as people read them: by part, each with age and one thing to do.

What a person must do stands first, oldest first; what is explained or has settled stands last, and a
settled one leaves the list after some days and stays in the log.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q

from integrations.models import BillConnection
from sync.domain.packing import unpack
from sync.domain.reconciliation import COUNTED_ELSEWHERE, Mover, Part, PeriodSum
from sync.models import Discrepancy, Reconciliation, VendorLink
from sync.queries.paging import clean
from sync.queries.runs import StepShown, steps_of
from tenants.scoping import TenantQuerySet

SETTLED_DAYS = 7
MOST_SHOWN = 300


class Who(StrEnum):
    """Whose move it is; SETTLED is nobody's any more."""

    ALL = ""
    PERSON = "person"
    ITSELF = "itself"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the list is narrowed to; `period` is a fiscal period's name."""

    part: Part | None = None
    who: Who = Who.ALL
    period: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Wanted:
        """Read a query string; what it does not know it leaves out."""
        part, who = query.get("part", ""), query.get("who", "")
        return cls(
            part=next((one for one in Part if one == part), None),
            who=next((one for one in Who if one == who), Who.ALL),
            period=clean(query.get("period", ""), 10),
        )

    def query(self, **changes: Any) -> str:
        """The query string with these changes, "" for none set."""
        other = replace(self, **changes)
        pairs = {"part": other.part or "", "who": other.who.value, "period": other.period}
        return urlencode({key: str(value) for key, value in pairs.items() if value})

    def shows(self, row: Discrepancy) -> bool:
        """Whether this difference is among those wanted."""
        return (
            (self.part is None or row.part == self.part)
            and (self.who is Who.ALL or who_moves(row) is self.who)
            and (not self.period or row.period == self.period)
        )


def who_moves(row: Discrepancy) -> Who:
    """Whose move a difference is."""
    if row.settled_at is not None or row.mover == Mover.EXPLAINED:
        return Who.SETTLED
    return Who.PERSON if row.mover == Mover.PERSON else Who.ITSELF


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One part of the list, of the invoices one per period and currency; `apart` is theirs."""

    part: Part
    period: str = ""
    currency: str = ""
    rows: tuple[Discrepancy, ...] = ()
    apart: Decimal | None = None
    elsewhere: Decimal = Decimal(0)
    sentence: str = ""
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferencesPage:
    """The page; `last` is the comparison whose findings stand, `running` the one under way.

    `counted_elsewhere`: of those for a person, how many Review, Attention or Vendors count too.
    """

    last: Reconciliation | None
    running: Reconciliation | None
    sums: Mapping[str, Sequence[PeriodSum]]
    groups: Sequence[Group]
    by_part: Mapping[Part, int]
    by_who: Mapping[Who, int]
    counted_elsewhere: int
    shown: int
    total: int
    bill_read_at: datetime | None
    vendors: Mapping[str, uuid.UUID]

    @property
    def sage_read_at(self) -> datetime | None:
        """When anything was last read from Sage; parts that failed keep their own time."""
        parts = self.last.parts.values() if self.last else ()
        return max((datetime.fromisoformat(note["at"]) for note in parts), default=None)

    @property
    def steps(self) -> Sequence[StepShown]:
        """The steps of the comparison under way."""
        running = self.running
        return steps_of(running.steps, running.ended_at) if running else ()


def differences_page(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: Wanted, now: datetime
) -> DifferencesPage:
    """Gather the page; five queries."""
    runs = Reconciliation.objects.for_tenant(tenant_id).filter(company_id=company_id)
    last = runs.exclude(ended_at=None).order_by("-started_at", "pk").first()
    every = _listed(tenant_id, company_id, now)
    shown = [row for row in every if wanted.shows(row)]
    sums = [unpack(PeriodSum, one) for one in last.sums] if last else []
    bill = BillConnection.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return DifferencesPage(
        last=last,
        running=runs.filter(ended_at=None).first(),
        sums=_by_currency(sums),
        groups=_groups(shown[:MOST_SHOWN], sums, last, wanted),
        by_part={part: sum(row.part == part for row in every) for part in Part},
        by_who={who: sum(who_moves(row) is who for row in every) for who in Who},
        counted_elsewhere=sum(
            who_moves(row) is Who.PERSON and row.kind in COUNTED_ELSEWHERE for row in every
        ),
        shown=len(shown),
        total=len(every),
        bill_read_at=bill.values_list("last_ok_at", flat=True).first(),
        vendors=_vendor_links(tenant_id, company_id, shown),
    )


def _listed(tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> list[Discrepancy]:
    """Everything open, and what has settled lately; person first, oldest first, settled last."""
    rows = _rows(tenant_id, company_id).filter(
        Q(settled_at=None) | Q(settled_at__gte=now - timedelta(days=SETTLED_DAYS))
    )
    order = (Who.PERSON, Who.ITSELF, Who.SETTLED)
    return sorted(rows, key=lambda row: (order.index(who_moves(row)), row.first_seen_at, row.key))


def iter_differences(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: Wanted, now: datetime
) -> Iterator[Discrepancy]:
    """Every difference of the filter in the list's order; for an export."""
    yield from (row for row in _listed(tenant_id, company_id, now) if wanted.shows(row))


def find_comparison(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, run_id: uuid.UUID
) -> Reconciliation | None:
    """One comparison, None where there is none."""
    rows = Reconciliation.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return rows.filter(pk=run_id).first()


def count_for_people(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> int:
    """The open differences that need a person and are counted on no other page."""
    rows = _rows(tenant_id, company_id).filter(settled_at=None, mover=Mover.PERSON)
    return rows.exclude(kind__in=[kind.value for kind in COUNTED_ELSEWHERE]).count()


def _rows(tenant_id: uuid.UUID, company_id: uuid.UUID) -> TenantQuerySet[Discrepancy]:
    rows: TenantQuerySet[Discrepancy] = Discrepancy.objects.for_tenant(tenant_id)
    return rows.filter(company_id=company_id)


def _by_currency(sums: Sequence[PeriodSum]) -> dict[str, list[PeriodSum]]:
    found: dict[str, list[PeriodSum]] = {}
    for one in sums:
        found.setdefault(one.currency, []).append(one)
    return found


def _groups(
    rows: Sequence[Discrepancy],
    sums: Sequence[PeriodSum],
    last: Reconciliation | None,
    wanted: Wanted,
) -> list[Group]:
    """The parts in the page's order; one without a difference says what was compared."""
    told = last.parts if last else {}
    groups: list[Group] = []
    for part in Part:
        if wanted.part not in {None, part}:
            continue
        mine = [row for row in rows if row.part == part]
        note = told.get(part.value, {})
        read_at = datetime.fromisoformat(note["at"]) if note else None
        said = {"sentence": note.get("sentence", ""), "read_at": read_at}
        if part is Part.INVOICES and mine:
            groups += _by_period(mine, rows, sums, said)
        elif mine or (note and wanted.who is Who.ALL and not wanted.period):
            groups.append(Group(part=part, rows=tuple(mine), **said))
    return groups


def _by_period(
    mine: Sequence[Discrepancy],
    rows: Sequence[Discrepancy],
    sums: Sequence[PeriodSum],
    said: Mapping[str, Any],
) -> Iterator[Group]:
    apart = {(one.period, one.currency): one.apart for one in sums}
    keys = sorted({(row.period, row.currency) for row in mine}, reverse=True)
    for period, currency in keys:
        elsewhere = [
            row.amount or Decimal(0)
            for row in rows
            if row.part == Part.BATCHES and not row.settled_at
            and (row.period, row.currency) == (period, currency)
        ]  # fmt: skip
        yield Group(
            part=Part.INVOICES,
            period=period,
            currency=currency,
            rows=tuple(row for row in mine if (row.period, row.currency) == (period, currency)),
            apart=apart.get((period, currency)),
            elsewhere=sum(elsewhere, Decimal(0)),
            **said,
        )


def _vendor_links(
    tenant_id: uuid.UUID, company_id: uuid.UUID, rows: Sequence[Discrepancy]
) -> dict[str, uuid.UUID]:
    """Our link of every BILL vendor that some difference leads to."""
    ids = {row.target_id for row in rows if row.target == "vendor"}
    if not ids:
        return {}
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return dict(links.filter(bill_vendor_id__in=ids).values_list("bill_vendor_id", "pk"))
