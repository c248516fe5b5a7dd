"""From BILL into our rows, as `services/intake.py`, `changes.py` and `deciding.py` do it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import date

from integrations.sage300.types import FiscalPeriod
from sync.domain.document_number import is_numbered, with_suffix
from sync.domain.facts import Entry
from sync.domain.policy import Policy
from sync.domain.posting_date import PostingDate, choose_posting_date
from sync.domain.posting_state import BEFORE_SENDING, PostingState
from sync.domain.replacing import replace
from tests.simulation.books import Row
from tests.simulation.interpreter import Interpreter
from tests.simulation.office import Bill
from tests.simulation.world import Process

S = PostingState
DECIDABLE = frozenset({S.WAITING, S.BLOCKED, S.REVIEW, S.READY, S.SKIPPED})
POLICY = Policy()
PERIODS = tuple(
    FiscalPeriod(year=str(first.year), period=f"{first.month:02}", first_date=first, last_date=last)
    for first, last in (
        (date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 12, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 31)),
    )
)


class Bills(Interpreter):
    """Takes bills in and decides where each stands."""

    def take_in(self) -> Process:
        """The poll: rows and cursor in one commit."""
        bills = yield from self.read_changes(self.store.company.cursor)
        if bills is not None:
            self.commit_bills(bills)

    def read_changes(self, cursor: int) -> Generator[float, None, list[Bill] | None]:
        """BILL's list of what changed since, None for no answer."""
        yield 0.5
        if self.world.strikes("BILL did not answer", self.world.nature.fault_rate / 8):
            return None
        bills = self.bill.changed_since(cursor)
        yield 0.5
        return bills

    def commit_bills(self, bills: list[Bill]) -> None:
        for bill in bills:
            self.save_bill(bill)
        self.save_cursor(bills)

    def save_cursor(self, bills: list[Bill]) -> None:
        company = self.store.company
        company.cursor = max(company.cursor, *(bill.change for bill in bills), 0)

    def save_bill(self, bill: Bill) -> None:
        """`intake.take_in` and `changes.note_change` for one bill."""
        row = self.store.row(bill.id)
        if row is None:
            self.store.postings[bill.id] = Row(
                bill.id, bill, key=f"{bill.id} {self.store.restores}"
            )
            self.store.commits += 1
            return
        if row.bill.change >= bill.change:
            return
        what = describe(row.bill, bill)
        self.store.change(bill.id, bill=bill)
        if not what:
            return
        lies_in_sage = row.state is S.IN_SAGE or (
            row.shown.batch_number is not None and row.state not in BEFORE_SENDING
        )
        if lies_in_sage:
            return
        self.store.change(bill.id, is_dirty=True)
        if row.state is S.ATTENTION:
            self.store.advance(
                bill.id, S.WAITING, sentence=f"{what} in BILL; it is looked at anew."
            )

    def decide_all(self) -> None:
        """Every row that is marked, or all not yet sent when a period was closed or opened."""
        closed = self.store.closed()
        is_anew, self.store.grounds = closed != self.store.grounds, closed
        for row in self.store.rows():
            is_due = row.is_dirty or is_anew or row.is_sent_under_other
            if is_due and row.state in DECIDABLE and not row.is_skipped_by_person:
                self.decide_row(row)

    def decide_row(self, row: Row) -> None:
        """Readiness in a nutshell."""
        state, sentence = self.verdict(row.bill)
        is_other = state is S.READY and self.is_sent_under_other(row)
        self.store.change(row.id, is_sent_under_other=is_other)
        if is_other:
            state, sentence = S.BLOCKED, self.why_not_sent(row)
            self.store.change(row.id, is_dirty=False, day=row.bill.day, entry=self.asked(row))
        elif state is S.READY:
            self.store.change(
                row.id, entry=self.allot(row), is_dirty=False, is_held=True, day=row.bill.day
            )
        else:
            self.store.change(row.id, is_dirty=False)
            self.give_back(row)
        self.store.advance(row.id, state, sentence=sentence)

    def verdict(self, bill: Bill) -> tuple[PostingState, str]:
        if bill.is_archived:
            return S.SKIPPED, "Archived in BILL. It comes back if it is restored there."
        if not bill.is_approved:
            return S.WAITING, "Waits for approval in BILL; no approver has acted yet."
        dated = choose_posting_date(
            policy=POLICY, periods=PERIODS, invoice_date=bill.day, approval_seen_date=bill.day,
            today=bill.day, refused_periods=self.store.closed(),
        )  # fmt: skip
        if isinstance(dated, PostingDate):
            return S.READY, "Goes with the next batch."
        return S.BLOCKED, dated.sentence

    def is_sent_under_other(self, row: Row) -> bool:
        """`identities._frozen`: whether it may be in Sage under other numbers than it asks for."""
        had, bill = row.entry, row.bill
        if had is None or not row.is_frozen or row.is_clean:
            return False
        is_same = is_numbered(had.document_number, bill.number)
        return not (is_same and had.vendor_number == bill.vendor)

    def why_not_sent(self, row: Row) -> str:
        had, bill = row.entry, row.bill
        assert had is not None
        return (
            f"It was sent as document {had.document_number} of vendor {had.vendor_number}, the"
            f" answer was lost, and Sage has not shown it. Now it would go as document {bill.number}"
            f" of vendor {bill.vendor}. Look in Sage for the first one, then press “I looked in"
            " Sage”."
        )

    def asked(self, row: Row) -> Entry:
        """What was sent, for the bill as it is now."""
        assert row.entry is not None
        return replace(row.entry, bill_hash=row.bill.hash)

    def give_back(self, row: Row) -> None:
        """`identities.given_back`: the number is free, the bill stays recognisable in Sage."""
        if not row.is_frozen:
            entry = row.entry if row.batch else None
            self.store.change(row.id, is_held=False, entry=entry)

    def allot(self, row: Row) -> Entry:
        """`identities.Numbers.allot`: from our own rows only; kept once a byte may have left."""
        bill, wanted, nth = row.bill, row.bill.number, 1
        number = wanted
        if row.is_frozen and not row.is_clean:
            assert row.entry is not None
            number = row.entry.document_number
        else:
            while self.store.is_taken(row, bill.vendor, number):
                nth += 1
                number = with_suffix(wanted, nth)
        return Entry(
            posting_id=row.id,
            bill_id=bill.id,
            bill_hash=bill.hash,
            vendor_number=bill.vendor,
            document_number=number,
            order_number=bill.id.upper(),
            total=bill.total,
            lines=(("6000", bill.total),),
        )


def describe(before: Bill, after: Bill) -> str:
    """What changed, in words, "" for nothing that matters."""
    if after.is_archived != before.is_archived:
        return "Archived" if after.is_archived else "Restored"
    if after.is_approved != before.is_approved:
        return f"Approval is now {'APPROVED' if after.is_approved else 'ASSIGNED'}"
    changed = {
        "Amount": after.total != before.total,
        "Invoice number": after.number != before.number,
        "Invoice date": after.day != before.day,
        "Vendor": after.vendor != before.vendor,
        "Lines": after.total != before.total,
    }
    names = [name for name, is_changed in changed.items() if is_changed]
    return f"{', '.join(names)} changed" if names else ""
