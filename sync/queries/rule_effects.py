"""What rules touch: how many waiting bills use one, and what a change would send elsewhere.

Bills not yet in Sage would change; what lies in Sage stays as it is and is only told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from integrations.bill.types import Bill
from sync.domain.line_accounts import Chosen, choose_account
from sync.domain.mapping_rules import MappingRule
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.rule_trial import LineMove, kept_by_override, moves
from sync.domain.words import period_name
from sync.models import Posting
from sync.queries.bill_desks import Grounds, overrides_of

NOT_YET_SENT = (
    PostingState.WAITING,
    PostingState.BLOCKED,
    PostingState.REVIEW,
    PostingState.READY,
)
LOOK_BACK_DAYS = 90
MOST_WAITING, MOST_SENT = 5_000, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BillMoves:
    """One waiting bill and its lines that would go elsewhere."""

    posting: Posting
    lines: tuple[LineMove, ...]

    @property
    def amount(self) -> Decimal:
        """The sum of these lines."""
        return sum((line.amount or Decimal(0) for line in self.lines), Decimal(0))


@dataclass(slots=True, kw_only=True)
class PeriodMoves:
    """Lines of one fiscal period that lie in Sage and would have gone elsewhere."""

    period: str
    lines: int = 0
    amount: Decimal = Decimal(0)


@dataclass(slots=True, kw_only=True)
class Effect:
    """What a change of rules would do."""

    waiting: list[BillMoves] = field(default_factory=list)
    sent: dict[str, PeriodMoves] = field(default_factory=dict)
    kept: int = 0

    @property
    def amount(self) -> Decimal:
        """The sum of the waiting lines that change."""
        return sum((bill.amount for bill in self.waiting), Decimal(0))

    @property
    def sent_lines(self) -> int:
        """How many lines in Sage stay, though the new rules would have sent them elsewhere."""
        return sum(period.lines for period in self.sent.values())

    @property
    def sent_amount(self) -> Decimal:
        """The sum of those."""
        return sum((period.amount for period in self.sent.values()), Decimal(0))


def effect_of(
    grounds: Grounds,
    rules: Sequence[MappingRule],
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    now: datetime,
    candidate: MappingRule | None = None,
) -> Effect:
    """Compare the rules as they stand with `rules`; `candidate` is the one that is new in them."""
    effect = Effect()
    for posting, bill, overrides in waiting_bills(tenant_id=tenant_id, company_id=company_id):
        desk = grounds.desk(bill, overrides)
        if candidate is not None and overrides:
            effect.kept += kept_by_override(desk, candidate)
        lines = moves(desk, rules)
        if lines:
            effect.waiting.append(BillMoves(posting=posting, lines=lines))
    for posting, bill in _sent_bills(tenant_id, company_id, now):
        for line in moves(grounds.desk(bill), rules):
            name = period_name(posting.fiscal_year, posting.fiscal_period)
            period = effect.sent.setdefault(name, PeriodMoves(period=name))
            period.lines += 1
            period.amount += line.amount or Decimal(0)
    effect.sent = dict(sorted(effect.sent.items()))
    return effect


def uses_of_rules(
    grounds: Grounds, *, tenant_id: uuid.UUID, company_id: uuid.UUID
) -> dict[str, set[uuid.UUID]]:
    """By rule id, the waiting bills of which some line goes by this rule."""
    uses: dict[str, set[uuid.UUID]] = {}
    for posting, bill, overrides in waiting_bills(tenant_id=tenant_id, company_id=company_id):
        desk = grounds.desk(bill, overrides)
        for line in bill.lines:
            choice = choose_account(line, desk)
            if isinstance(choice, Chosen) and choice.rule is not None:
                uses.setdefault(choice.rule.id, set()).add(posting.pk)
    return uses


def waiting_bills(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID
) -> Iterator[tuple[Posting, Bill, dict[str, str]]]:
    """Every bill that is not in Sage yet and may still go there, with people's own choices."""
    postings = list(
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .in_state(*NOT_YET_SENT)
        .select_related("bill")
        .order_by("invoice_date", "pk")[:MOST_WAITING]
    )
    overrides = overrides_of(tenant_id, [posting.pk for posting in postings])
    for posting in postings:
        yield posting, unpack(Bill, posting.bill.snapshot), overrides.get(posting.pk, {})


def _sent_bills(
    tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime
) -> Iterator[tuple[Posting, Bill]]:
    since = now - timedelta(days=LOOK_BACK_DAYS)
    postings = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .in_state(PostingState.IN_SAGE)
        .filter(in_sage_at__gte=since)
        .select_related("bill")
        .order_by("-in_sage_at", "pk")[:MOST_SENT]
    )
    for posting in postings:
        yield posting, unpack(Bill, posting.bill.snapshot)
