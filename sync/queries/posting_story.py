"""One bill's story: what BILL says beside what Sage holds, why each account, and what happened.

What is said of Sage is what was read back from it. Before that, the same columns say what would be
sent, and nothing in them claims to be proved.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from integrations.bill.types import Bill
from integrations.sage300.types import DESCRIPTION_LENGTH, Invoice
from sync.domain.deeds import Offer, offers
from sync.domain.deeds import Standing as DeedStanding
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.problems import Problem, problem_from_dict
from sync.domain.words import count_of
from sync.models import Attempt, CompanyPolicy, LogEntry, Posting
from sync.queries.log import event_of
from sync.queries.postings import Standing, standing_of
from sync.queries.wire_text import WireText, wire_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One field on both sides; `verdict` is same, differs, lost or "" (not compared yet)."""

    name: str
    bill: Any
    sage: Any
    verdict: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryLine:
    """One line of the bill and the account it goes to; `account` "" where none is chosen yet."""

    text: str
    detail: str
    account: str
    account_name: str
    reason: str
    amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened, newest first in a story; `wire` is what passed over the line."""

    at: datetime
    event: str
    sentence: str
    actor: str = ""
    wire: WireText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Everything the page of one posting shows."""

    posting: Posting
    bill: Bill
    standing: Standing
    invoice: Invoice | None
    compared: Sequence[Compared]
    lines: Sequence[StoryLine]
    siblings: Sequence[Posting]
    steps: Sequence[Step]
    problems: Sequence[Problem]
    warnings: Sequence[Problem]
    offers: Sequence[Offer]

    @property
    def is_read_back(self) -> bool:
        """Whether Sage itself showed the entry, equal to the cent."""
        return self.posting.state == PostingState.IN_SAGE and self.posting.read_back_at is not None

    @property
    def ties(self) -> bool:
        """Whether both sides have the same amount and BILL's has not changed since."""
        posting = self.posting
        return (
            self.is_read_back
            and posting.sage_amount == posting.amount == self.bill.amount
            and posting.changed_in_bill_at is None
        )

    @property
    def batch_amount(self) -> Decimal:
        """The sum of our entries in its batch."""
        return sum((row.amount or Decimal(0) for row in self.siblings), Decimal(0))


def find_posting(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, posting_id: uuid.UUID
) -> Posting | None:
    """The posting with its bill and batch, None where this company has none such."""
    return (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(pk=posting_id)
        .select_related("bill", "batch", "decided_by")
        .first()
    )


def standing_for_deeds(posting: Posting, *, zone: ZoneInfo) -> DeedStanding:
    """What decides which deeds are open; one query, and only for a bill that waits."""
    return DeedStanding(
        state=PostingState(posting.state),
        codes=frozenset(item["code"] for item in posting.problems),
        lies_in_sage=posting.sage_batch_number is not None,
        was_in_sage=posting.in_sage_at is not None,
        is_changed=posting.changed_in_bill_at is not None,
        is_before_cutover=_is_before_cutover(posting, zone),
        is_skipped_by_person=posting.is_skipped_by_person,
    )


def story_of(posting: Posting, *, zone: ZoneInfo) -> Story:
    """The whole story of a posting got by `find_posting`; three queries, four for one that waits."""
    bill = unpack(Bill, posting.bill.snapshot)
    invoice = unpack(Invoice, posting.invoice) if posting.invoice else None
    standing = standing_of(posting.state, posting.sage_status)
    return Story(
        posting=posting,
        bill=bill,
        standing=standing,
        invoice=invoice,
        compared=_compared(posting, bill, invoice),
        lines=_lines(posting, bill),
        siblings=_siblings(posting),
        steps=_steps(posting),
        problems=[problem_from_dict(item) for item in posting.problems]
        if standing is not Standing.SKIPPED
        else [],
        warnings=[problem_from_dict(item) for item in posting.warnings],
        offers=offers(standing_for_deeds(posting, zone=zone)),
    )


def _is_before_cutover(posting: Posting, zone: ZoneInfo) -> bool:
    made = posting.bill.created_in_bill_at
    if posting.state != PostingState.WAITING or posting.is_allowed_before_cutover or made is None:
        return False
    if posting.bill.approval_status not in {"APPROVED", "UNASSIGNED"}:
        return False
    owned = (
        CompanyPolicy.objects.for_tenant(posting.tenant_id)
        .filter(company_id=posting.company_id)
        .first()
    )
    first = owned.policy().cutover_date if owned else None
    return first is not None and made.astimezone(zone).date() < first


def _siblings(posting: Posting) -> list[Posting]:
    if posting.batch_id is None or posting.sage_batch_number is None:
        return []
    rows = Posting.objects.for_tenant(posting.tenant_id).filter(
        company_id=posting.company_id, sage_batch_number=posting.sage_batch_number
    )
    names = ("pk", "vendor_name", "invoice_number", "amount", "sage_amount", "sage_entry_number")
    return list(rows.only(*names).order_by("sage_entry_number", "pk")[:100])


# --- both sides -----------------------------------------------------------------------------------


def _compared(posting: Posting, bill: Bill, invoice: Invoice | None) -> list[Compared]:
    is_proved = posting.state == PostingState.IN_SAGE and posting.read_back_at is not None
    if invoice is None:
        return [
            Compared(name=name, bill=value, sage=None, verdict="", word="")
            for name, value in _bill_side(bill)
            if value not in {"", None}
        ]
    number = posting.sage_document_number or invoice.document_number
    found = [
        _one("Vendor", bill.vendor_name, invoice.vendor_number, "linked"),
        _number(bill.invoice_number, number),
        _as_sent("Document date", bill.invoice_date, invoice.document_date),
        _as_sent("Due date", bill.due_date, invoice.due_date),
    ]
    if bill.description or invoice.description:
        changed = bool(posting.change_note)
        found.append(_description(bill.description, invoice.description, is_changed=changed))
    if bill.purchase_order_number:
        found.append(_as_sent("Purchase order", bill.purchase_order_number, invoice.po_number))
    found += [
        Compared(name=name, bill=value, sage=None, verdict="lost", word="not carried")
        for name, value in _not_carried(posting)
    ]
    found.append(_total(posting, bill, invoice))
    return [
        one if is_proved or one.verdict not in {"same", ""} else _unproved(one) for one in found
    ]


def _bill_side(bill: Bill) -> list[tuple[str, Any]]:
    return [
        ("Vendor", bill.vendor_name),
        ("Number", bill.invoice_number),
        ("Document date", bill.invoice_date),
        ("Due date", bill.due_date),
        ("Description", bill.description),
        ("Total", bill.amount),
    ]


def _one(name: str, bill: Any, sage: Any, word: str) -> Compared:
    return Compared(name=name, bill=bill, sage=sage, verdict="same", word=word)


def _as_sent(name: str, bill: Any, sage: Any) -> Compared:
    """A field that is sent and not read back: equal is no proof, so it claims none."""
    if bill == sage:
        return Compared(name=name, bill=bill, sage=sage, verdict="", word="as sent")
    return Compared(name=name, bill=bill, sage=sage, verdict="lost", word="as sent, differs")


def _number(bill: str, sage: str) -> Compared:
    if bill == sage:
        return _one("Number", bill, sage, "same")
    if bill.strip().upper() == sage:
        return _one("Number", bill, sage, "upper case")
    word = "with a suffix" if sage.startswith(bill.strip().upper()) else "as Sage has it"
    return Compared(name="Number", bill=bill, sage=sage, verdict="lost", word=word)


def _description(bill: str, sage: str, *, is_changed: bool) -> Compared:
    if bill == sage:
        return _as_sent("Description", bill, sage)
    if is_changed and not (sage and bill.startswith(sage)):
        word, had = "changed in BILL", sage or "none"
        return Compared(name="Description", bill=bill, sage=had, verdict="lost", word=word)
    is_cut = len(bill) > DESCRIPTION_LENGTH
    word = f"cut at {DESCRIPTION_LENGTH}" if is_cut else "as Sage can hold it"
    return Compared(name="Description", bill=bill, sage=sage, verdict="lost", word=word)


def _total(posting: Posting, bill: Bill, invoice: Invoice) -> Compared:
    sage = posting.sage_amount if posting.sage_batch_number is not None else invoice.total
    if sage is None:
        return Compared(
            name="Total", bill=bill.amount, sage=None, verdict="differs", word="not as sent"
        )
    if bill.amount == sage:
        return _one("Total", bill.amount, sage, "to the cent")
    return Compared(name="Total", bill=bill.amount, sage=sage, verdict="differs", word="differs")


def _unproved(one: Compared) -> Compared:
    """Before Sage was read back: equal by our own making only."""
    word = "same" if one.word in {"to the cent", "as sent"} else one.word
    return Compared(name=one.name, bill=one.bill, sage=one.sage, verdict="", word=word)


def _not_carried(posting: Posting) -> list[tuple[str, str]]:
    """What BILL says of lines and Sage does not hold: ("Department", "Plant")."""
    said = dict.fromkeys(item for line in posting.lines for item in line.get("not_carried", ()))
    return [(name, value) for name, _, value in (item.partition(" ") for item in said)]


def _lines(posting: Posting, bill: Bill) -> list[StoryLine]:
    texts = {line.id: line.description for line in bill.lines}
    if posting.lines and posting.state != PostingState.BLOCKED:
        return [
            StoryLine(
                text=texts.get(line["line_id"]) or line.get("description") or "Line",
                detail=line.get("comment", "") if line["line_id"] not in texts else "",
                account=line.get("formatted") or line["gl_account"],
                account_name=line.get("account_name", ""),
                reason=line.get("reason", ""),
                amount=Decimal(line["amount"]),
            )
            for line in posting.lines
        ]
    return [
        StoryLine(
            text=line.description or "Line",
            detail="",
            account="",
            account_name="",
            reason="",
            amount=line.amount,
        )
        for line in bill.lines
    ]


# --- what happened --------------------------------------------------------------------------------


def _steps(posting: Posting) -> list[Step]:
    """The log's lines and the writes of its batches, newest first; two queries."""
    logged = list(
        LogEntry.objects.for_tenant(posting.tenant_id)
        .filter(posting_id=posting.pk)
        .select_related("attempt__answer")
        .order_by("-at", "-pk")[:200]
    )
    steps = [
        Step(at=line.at, event=event_of(line), sentence=line.sentence, actor=line.actor)
        for line in logged
    ]
    attempts = {line.attempt_id: line.attempt for line in logged if line.attempt is not None}
    attempts |= {attempt.pk: attempt for attempt in _attempts(posting)}
    steps += [
        _written(attempt, posting) for attempt in attempts.values() if _concerns(attempt, posting)
    ]
    bill = posting.bill
    if bill.created_in_bill_at is not None:
        steps.append(
            Step(
                at=bill.created_in_bill_at,
                event="bill.created",
                sentence=count_of(len(bill.snapshot.get("lines", ())), "line"),
            )
        )
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _concerns(attempt: Attempt, posting: Posting) -> bool:
    """Whether this write carried the posting, or was about the Sage batch it lies in."""
    if attempt.operation == "PostBatch":
        return f'"{posting.order_number}"' in attempt.request
    return attempt.tag == str(posting.sage_batch_number)


def _attempts(posting: Posting) -> list[Attempt]:
    if posting.batch_id is None:
        return []
    rows = Attempt.objects.for_tenant(posting.tenant_id).filter(batch_id=posting.batch_id)
    return list(rows.select_related("answer").order_by("-started_at")[:50])


def _written(attempt: Attempt, posting: Posting) -> Step:
    wire = wire_text(attempt, order_number=posting.order_number)
    return Step(
        at=attempt.started_at,
        event=f"attempt.{wire.outcome or 'open'}",
        sentence=wire.summary,
        wire=wire,
    )
