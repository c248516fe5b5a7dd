"""What a comparison holds against Sage: approved bills, linked vendors, mapped accounts.

Read from our own rows alone, at the moment after Sage was read, so that a batch sent meanwhile is
known from the sync's own reading of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import F, Q

from integrations.bill.types import Approval, BillVendor, ListKind
from integrations.sage300.types import FiscalPeriod
from sync.domain.packing import unpack
from sync.domain.policy import Policy, PostingDateRule, UnassignedBills
from sync.domain.posting_date import home_period
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode, problem_from_dict
from sync.domain.reconciliation import Target
from sync.domain.reconciliation_lists import LinkedVendor, MappedAccount
from sync.domain.reconciliation_reasons import Claim
from sync.domain.words import period_name
from sync.models import Posting, VendorLink
from sync.models.posting import PostingQuerySet
from sync.models.vendor import LinkState
from sync.queries.bill_desks import Grounds
from sync.queries.mapping import NOT_FOR_LINES
from sync.queries.postings import BILL_AMOUNT

UNFINISHED = (
    PostingState.BLOCKED,
    PostingState.REVIEW,
    PostingState.READY,
    PostingState.IN_FLIGHT,
    PostingState.UNCERTAIN,
    PostingState.ATTENTION,
)
#: ISO 4217's code for a currency that is not known: BILL says only that it is another one.
OTHER_CURRENCY = "XXX"
COLUMNS = (
    "pk", "vendor_name", "invoice_number", "state", "invoice_date", "posting_date", "fiscal_year",
    "fiscal_period", "approval_seen_at", "since", "sentence", "problems", "changed_in_bill_at",
    "change_note", "is_skipped_by_person", "is_allowed_before_cutover", "in_sage_at", "sage_status",
    "sage_amount", "sage_batch_number", "sage_entry_number", "read_back_at", "cleared_in_sage_at",
    "order_number", "amount", "currency", "bill_vendor_id", "decided_by__name", "decided_by__email",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One claim with what our own row last read back of it."""

    claim: Claim
    order_number: str
    sage_status: str
    sage_amount: Decimal | None
    sage_period: str
    entry_number: int
    read_back_at: datetime | None
    is_cleared: bool


def looked_at(*, tenant_id: uuid.UUID, company_id: uuid.UUID, floor: date) -> PostingQuerySet:
    """The postings a comparison looks at: those dated from `floor` on, and what is unfinished."""
    rows = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    unfinished = Q(state__in=UNFINISHED) | (
        Q(state=PostingState.IN_SAGE)
        & (~Q(sage_status="Posted") | Q(changed_in_bill_at__isnull=False))
    )
    return rows.filter(Q(invoice_date__gte=floor) | Q(posting_date__gte=floor) | unfinished)


def first_day(periods: Sequence[FiscalPeriod], *, today: date, days: int) -> date:
    """The first day of the fiscal period of `days` ago; without a calendar, of that month."""
    day = today - timedelta(days=days)
    home = next((one for one in periods if one.first_date <= day <= one.last_date), None)
    return home.first_date if home else day.replace(day=1)


def find_held(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    floor: date,
    policy: Policy,
    periods: Sequence[FiscalPeriod],
    zone: ZoneInfo,
    now: datetime,
) -> list[Held]:
    """Every bill that is approved in BILL or lies in Sage; inside the caller's scope."""
    rows = looked_at(tenant_id=tenant_id, company_id=company_id, floor=floor).annotate(
        bill_amount=BILL_AMOUNT,
        approval=F("bill__approval_status"),
        is_archived=F("bill__is_archived"),
        entered_at=F("bill__created_in_bill_at"),
    )
    wanted = (*COLUMNS, "bill_amount", "approval", "is_archived", "entered_at")
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    desk = _Desk(
        policy=policy,
        periods=periods,
        zone=zone,
        now=now,
        currencies=dict(links.values_list("bill_vendor_id", "snapshot__currency")),
    )
    return [
        _held(row, desk) for row in rows.order_by("pk").values(*wanted).iterator(chunk_size=2000)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """What every bill is judged by; `currencies` by BILL vendor, as BILL keeps them."""

    policy: Policy
    periods: Sequence[FiscalPeriod]
    zone: ZoneInfo
    now: datetime
    currencies: Mapping[str, str | None]


def _held(row: dict[str, Any], desk: _Desk) -> Held:
    amount = row["bill_amount"]
    claim = Claim(
        posting_id=str(row["pk"]),
        name=f"{row['vendor_name']} {row['invoice_number']}".strip() or "A bill without a number",
        state=PostingState(row["state"]),
        amount=row["amount"] or Decimal(0) if amount is None else amount,
        currency=_currency(row, desk),
        period=_home(row, desk),
        is_approved=_is_approved(row, desk.policy),
        since=row["changed_in_bill_at"] or row["since"],
        sentence=row["sentence"],
        problems=tuple(problem_from_dict(found) for found in row["problems"]),
        change_note=row["change_note"] if row["changed_in_bill_at"] else "",
        dealt_with="" if row["changed_in_bill_at"] else row["change_note"],
        who=_who(row) if row["is_skipped_by_person"] else "",
        is_before_cutover=_is_before_cutover(row, desk),
        was_in_sage=row["in_sage_at"] is not None,
        batch_number=row["sage_batch_number"] or 0,
    )
    return Held(
        claim=claim,
        order_number=row["order_number"],
        sage_status=row["sage_status"],
        sage_amount=row["sage_amount"],
        sage_period=_label(row["fiscal_year"], row["fiscal_period"]),
        entry_number=row["sage_entry_number"] or 0,
        read_back_at=row["read_back_at"],
        is_cleared=row["cleared_in_sage_at"] is not None,
    )


def _who(row: dict[str, Any]) -> str:
    return row["decided_by__name"] or row["decided_by__email"] or "a person"


def _is_approved(row: dict[str, Any], policy: Policy) -> bool:
    if row["is_archived"]:
        return False
    goes_unassigned = policy.unassigned_bills is UnassignedBills.POST
    return row["approval"] == Approval.APPROVED or (
        goes_unassigned and row["approval"] == Approval.UNASSIGNED
    )


def _currency(row: dict[str, Any], desk: _Desk) -> str:
    """BILL keeps a bill's currency on its vendor; one stopped for its currency is in another."""
    own = desk.policy.currency
    if row["in_sage_at"] is not None:
        return row["currency"] or own
    is_foreign = any(one["code"] == ProblemCode.FOREIGN_CURRENCY for one in row["problems"])
    known = desk.currencies.get(row["bill_vendor_id"]) or own
    return OTHER_CURRENCY if is_foreign and known == own else known


def _is_before_cutover(row: dict[str, Any], desk: _Desk) -> bool:
    first = desk.policy.cutover_date
    if first is None or row["is_allowed_before_cutover"]:
        return False
    entered = row["entered_at"]
    return entered is None or entered.astimezone(desk.zone).date() < first


def _home(row: dict[str, Any], desk: _Desk) -> str:
    """The period the bill belongs to; a day that was chosen when it was sent stays its own."""
    own = _label(row["fiscal_year"], row["fiscal_period"])
    rule = desk.policy.posting_date_rule
    if rule is not PostingDateRule.INVOICE_DATE and row["in_sage_at"] and own:
        return own
    found = home_period(
        rule=rule,
        periods=desk.periods,
        invoice_date=row["invoice_date"],
        approval_seen_date=(row["approval_seen_at"] or desk.now).astimezone(desk.zone).date(),
        today=desk.now.astimezone(desk.zone).date(),
    )
    return period_name(*found) if found else ""


def _label(year: str, period: str) -> str:
    return period_name(year, period) if year and period else ""


def find_linked(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> list[VendorLink]:
    """The links to compare; a vendor archived in BILL may rest in Sage too."""
    rows = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return list(rows.filter(state=LinkState.LINKED, is_archived=False).order_by("name", "pk"))


def linked_vendor(link: VendorLink, *, account: str, is_due: bool) -> LinkedVendor:
    """A link as the domain compares it."""
    vendor = unpack(BillVendor, link.snapshot)
    return LinkedVendor(number=link.sage_number, vendor=vendor, account=account, is_due=is_due)


def mapped_accounts(grounds: Grounds, *, known: frozenset[str]) -> list[MappedAccount]:
    """Everything that leads to a GL account; `known` are numbers that were in Sage before."""
    return [*_by_rule(grounds), *_by_default(grounds), *_by_number(grounds, known)]


def _by_rule(grounds: Grounds) -> Iterator[MappedAccount]:
    for rule in grounds.rules:
        is_row = rule.is_table_row
        yield MappedAccount(
            number=rule.gl_account,
            origin=f"mapped for {grounds.words_of(rule) or 'every line'}",
            target=Target.BILL_ACCOUNT if is_row else Target.RULES,
            target_id=rule.account_id if is_row else rule.id,
        )


def _by_default(grounds: Grounds) -> Iterator[MappedAccount]:
    policy = grounds.policy
    for number, words in (
        (policy.catch_all_account, "the catch-all account of your policy"),
        (policy.vendor_gl_account, "the default of new vendors, by your policy"),
    ):
        if number:
            yield MappedAccount(number=number, origin=words, target=Target.POLICY)
    for vendor_id, number in grounds.vendor_accounts.items():
        name = grounds.vendor_names.get(vendor_id, vendor_id)
        yield MappedAccount(
            number=number, origin=f"default of vendor {name}", target=Target.VENDOR_DEFAULTS
        )
    for group, number in grounds.group_accounts.items():
        yield MappedAccount(
            number=number, origin=f"default of vendor group {group}", target=Target.VENDOR_DEFAULTS
        )


def _by_number(grounds: Grounds, known: frozenset[str]) -> Iterator[MappedAccount]:
    """BILL accounts that go to the Sage account of their own number, as no rule says otherwise."""
    ruled = {rule.account_id for rule in grounds.rules if rule.is_table_row}
    for item in grounds.items.values():
        is_for_lines = item.kind is ListKind.ACCOUNT and item.account_type not in NOT_FOR_LINES
        if not is_for_lines or item.archived or not item.number or item.id in ruled:
            continue
        if grounds.accounts.find(item.number) or item.number in known:
            yield MappedAccount(
                number=item.number,
                origin=f"mapped for {item.name}, by number",
                target=Target.BILL_ACCOUNT,
                target_id=item.id,
            )
