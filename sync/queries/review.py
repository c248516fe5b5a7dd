"""The review page: bills ready for a person's yes, and for one of them exactly what Sage will get."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from integrations.bill.types import Bill
from integrations.sage300.types import GLAccount, SageVendor
from sync.domain.account_targets import usable
from sync.domain.deeds import Deed, Offer, mark_of, offers
from sync.domain.line_accounts import Chosen, choose_account, line_facts
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.models import Posting
from sync.queries.bill_desks import Grounds, grounds_of, overrides_of
from sync.queries.posting_story import standing_for_deeds

MOST_ROWS = 200
VIEWS = {"all": "All", "clear": "No warning", "warned": "Warning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """The list; `rows` are those of the chosen view, `amount` their sum."""

    rows: Sequence[Posting]
    counts: Mapping[str, int]
    amount: Decimal
    lines: int

    @property
    def mark(self) -> str:
        """Names the bills a person sees with their amounts, so that "all" means what was seen."""
        return mark_of((row.pk, row.amount) for row in self.rows)

    @property
    def approvable(self) -> Sequence[Posting]:
        """The rows a plain yes is enough for; a possible duplicate asks more."""
        return [row for row in self.rows if not is_duplicate(row)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """One debit: where it goes and why; `conditions` are what a rule could remember it by."""

    line_id: str
    text: str
    account: str
    account_name: str
    reason: str
    amount: Decimal | None
    trouble: str
    is_override: bool
    conditions: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillPanel:
    """One bill as Sage will get it, chosen anew from the rules as they stand."""

    posting: Posting
    bill: Bill
    lines: Sequence[LineShown]
    total: Decimal
    vendor: SageVendor
    targets: Sequence[GLAccount]
    offers: Sequence[Offer]
    place: int
    of: int
    next_id: uuid.UUID | None
    is_changeable: bool
    due_date: date | None
    request: str

    @property
    def approve(self) -> Offer | None:
        """The yes, where it is open."""
        yes = (Deed.APPROVE, Deed.ACCEPT_DUPLICATE)
        return next((offer for offer in self.offers if offer.deed in yes), None)

    @property
    def balances(self) -> bool:
        """Whether the lines add up to what Sage's payables get."""
        return self.posting.amount is not None and self.total == self.posting.amount


def review_page(*, tenant_id: uuid.UUID, company_id: uuid.UUID, view: str) -> ReviewPage:
    """The bills to review, oldest bill date first; one query."""
    rows = list(
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .in_state(PostingState.REVIEW)
        .order_by("invoice_date", "vendor_name", "pk")[:MOST_ROWS]
    )
    warned = [row for row in rows if row.warnings or row.problems]
    clear = [row for row in rows if not (row.warnings or row.problems)]
    chosen = {"clear": clear, "warned": warned}.get(view, rows)
    return ReviewPage(
        rows=chosen,
        counts={"all": len(rows), "clear": len(clear), "warned": len(warned)},
        amount=sum((row.amount or Decimal(0) for row in chosen), Decimal(0)),
        lines=sum(len(row.lines) for row in chosen),
    )


def is_duplicate(row: Posting) -> bool:
    """Whether a person must first say that it is another invoice."""
    return any(item["code"] == ProblemCode.POSSIBLE_DUPLICATE for item in row.problems)


def panel_of(posting: Posting, page: ReviewPage, *, zone: ZoneInfo) -> BillPanel:
    """One bill with debits, credit and reasons; `posting` comes with its bill."""
    grounds = grounds_of(tenant_id=posting.tenant_id, company_id=posting.company_id)
    bill = unpack(Bill, posting.bill.snapshot)
    overrides = overrides_of(posting.tenant_id, [posting.pk]).get(posting.pk, {})
    desk = grounds.desk(bill, overrides)
    lines = []
    for line in bill.lines:
        choice = choose_account(line, desk)
        is_chosen = isinstance(choice, Chosen)
        facts = line_facts(line, desk)
        lines.append(
            LineShown(
                line_id=line.id,
                text=line.description or "Line",
                account=choice.account.formatted if isinstance(choice, Chosen) else "",
                account_name=choice.account.description if isinstance(choice, Chosen) else "",
                reason=choice.reason if isinstance(choice, Chosen) else "",
                amount=line.amount,
                trouble="" if is_chosen else getattr(choice, "sentence", ""),
                is_override=line.id in overrides,
                conditions=_conditions(grounds, facts),
            )
        )
    ids = [row.pk for row in page.rows]
    place = ids.index(posting.pk) + 1 if posting.pk in ids else 0
    after = ids[place % len(ids)] if place and len(ids) > 1 else None
    is_changeable = posting.sage_batch_number is None and posting.state in {
        PostingState.REVIEW, PostingState.BLOCKED, PostingState.WAITING, PostingState.READY,
        PostingState.ATTENTION,
    }  # fmt: skip
    return BillPanel(
        posting=posting,
        bill=bill,
        lines=lines,
        total=sum((line.amount or Decimal(0) for line in bill.lines), Decimal(0)),
        vendor=desk.vendor,
        targets=usable(grounds.accounts),
        offers=offers(standing_for_deeds(posting, zone=zone)),
        place=place,
        of=len(ids),
        next_id=after,
        is_changeable=is_changeable,
        due_date=bill.due_date,
        request=json.dumps(posting.invoice, indent=1, ensure_ascii=False)
        if posting.invoice
        else "",
    )


def _conditions(grounds: Grounds, facts: object) -> list[tuple[str, str, str]]:
    """(dimension, its word, the name) for everything BILL says of the line, account first."""
    words = {
        "account_id": "account",
        "department_id": "department",
        "location_id": "location",
        "class_id": "class",
        "item_id": "item",
        "vendor_id": "vendor",
    }
    return [
        (name, words[name], grounds.name_of(name, value))
        for name in reversed(MOST_TELLING_FIRST)
        if (value := getattr(facts, name))
    ]
