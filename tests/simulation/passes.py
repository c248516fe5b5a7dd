"""One pass over the company as the services make it: take in, decide, and a writer's turn.

The mirror of `services/running.py`, `sending.py` and `assembling.py` over rows in memory. A
generator that yields the seconds that pass: a crash is a generator that is closed between two of
them, a pause is a long one.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

from integrations.sage300.types import Invoice
from sync.domain.batching import ReadyEntry, plan_batches
from sync.domain.commands import FindPosted, Headers, ListBatches, PostedFound
from sync.domain.comparison import fold
from sync.domain.facts import Facts, Place
from sync.domain.policy import Release
from sync.domain.posting_state import PostingState
from sync.domain.protocol import begin
from sync.domain.replacing import replace
from tests.simulation.books import Row
from tests.simulation.interpreter import FOREVER, CallFailed, LeaseLost
from tests.simulation.invoices import an_invoice, period_of
from tests.simulation.looks import Look, Looks
from tests.simulation.store import Batch, Lease
from tests.simulation.world import Process

S = PostingState
TURN_SECONDS = 60.0
CLEARED = "Sage no longer lists it among its posted documents: its history was cleared."
#: A batch number that Sage does not reach: asking from there costs nothing.
PROBE = 10**9
#: In how many seconds something waits for the next pass.
Passing = Generator[float, None, float]


class Pass(Looks):
    """One process that makes passes over the company."""

    def run(self) -> Process:
        again = FOREVER
        while True:
            nature = self.world.nature
            cadence = nature.cadence_seconds if self.world.is_hostile else nature.quiet_seconds
            yield min(again, self.world.rng.uniform(0.5, 1.5) * cadence)
            again = yield from self.one_pass()

    def one_pass(self) -> Passing:
        """`running.run_company`; returns in how many seconds something waits for the next one."""
        is_left_alone = yield from self.is_sage_left_alone()
        yield from self.take_in()
        self.decide_all()
        if is_left_alone:
            return FOREVER
        return (yield from self.send())

    def is_sage_left_alone(self) -> Generator[float, None, bool]:
        """Whether its connection is paused or its circuit open; asks the cheap question when due."""
        company = self.store.company
        if company.paused or company.circuit.is_closed:
            return bool(company.paused)
        if company.circuit.is_resting(self.world.now):
            return True
        answer = yield from self.ask(ListBatches(after=PROBE), None)
        is_good = isinstance(answer, Headers)
        self.note_pass(is_good=is_good)
        return not is_good

    def send(self) -> Passing:
        lease = self.store.take_lease(self.name)
        again, is_good = FOREVER, True
        if lease is not None:
            try:
                why = yield from self.one_turn(lease)
                self.store.hold(why)
                again = FOREVER if why else self.seconds_to_next()
            except CallFailed:
                is_good = False
            except LeaseLost:
                pass
            self.store.release(lease)
        self.note_pass(is_good=is_good)
        return again

    def one_turn(self, lease: Lease) -> Generator[float, None, str]:
        """Look, settle, send; why the turn was stopped, "" when it was not."""
        ends = self.world.now + timedelta(seconds=TURN_SECONDS)
        look = yield from self.look()
        if look.hold:
            return look.hold
        yield from self.follow_up(lease, look)
        if look.hold:
            return look.hold
        now = self.world.now
        for batch in self.store.unsettled():
            is_due = batch.facts.not_before is None or batch.facts.not_before <= now
            if is_due:
                facts = yield from self.take_on(lease, batch)
                self.note_highest(facts.highest)
                if facts.is_stopped:
                    return facts.why
        while self.world.now < ends:
            made = self.assemble_from(lease, look)
            if made is None:
                break
            facts = yield from self.take_on(lease, made, is_new=True)
            self.note_highest(facts.highest)
            self.note_sent(facts, self.store.batches[made.tag])
            if facts.is_stopped:
                return facts.why
        yield from self.note_cleared()
        return ""

    def note_cleared(self) -> Process:
        """`clearing.note_cleared`: once a day, whether the oldest posted documents are still there."""
        marks = self.store.marks
        assert marks is not None
        if marks.history_checked_at is not None:
            return  # the world does not last a day
        self.store.marks = replace(marks, history_checked_at=self.world.seconds)
        oldest = [r for r in self.store.rows() if r.shown.status == "Posted" and not r.is_cleared]
        oldest = [row for row in oldest if row.state is S.IN_SAGE]
        oldest = sorted(oldest, key=lambda row: (row.day, row.id))[:15]
        if not oldest:
            return
        pairs = tuple((r.entry.vendor_number, r.place.document_number) for r in oldest if r.entry)
        answer = yield from self.read(FindPosted(pairs=pairs))
        assert isinstance(answer, PostedFound)
        there = {(d.vendor_number, d.document_number) for d in answer.documents}
        for row, pair in zip(oldest, pairs, strict=True):
            if pair not in there:
                self.store.change(row.id, is_cleared=True, sentence=CLEARED)

    def note_highest(self, number: int) -> None:
        """Sage restored to before a batch we made must be noticed."""
        marks = self.store.marks
        if marks is not None and marks.highest < number:
            self.store.marks = replace(marks, highest=number)

    def note_sent(self, facts: Facts, batch: Batch) -> None:
        """`pace.note_sent`: lost answers halve the next batch, good ones let it grow."""
        if facts.losses:
            self.store.pace = self.store.pace.after_timeout()
        elif batch.is_settled:
            limit = self.world.nature.batch_size
            if self.store.pace.size < limit:
                self.store.pace = self.store.pace.after_good(limit)

    def assemble_from(self, lease: Lease, look: Look) -> Batch | None:
        if self.store.checks_epoch and self.store.epoch != lease.epoch:
            return None
        size = min(self.store.pace.size, self.world.nature.batch_size)
        rows = self.plan(size, look.orders_apart)
        if not rows:
            return None
        release = self.world.nature.release
        facts = Facts(
            tag=self.tag(row.key for row in rows),
            entries=tuple(row.entry for row in rows if row.entry),
            watermark=look.low,
            highest=look.highest,
            release=release,
            can_post=release is Release.POST,
            places={row.id: Place(is_clean=False) for row in rows if not row.is_clean},
        )
        facts = begin(facts, is_look_fresh=True, is_thorough=look.is_thorough)
        invoices = {row.id: self.invoice(row) for row in rows}
        batch = self.store.add(facts.tag, facts, invoices)
        for row in rows:
            self.store.advance(
                row.id, S.IN_FLIGHT, sentence="Being sent to Sage.", batch=facts.tag,
                place=facts.place(row.id), is_frozen=True,
            )  # fmt: skip
        return batch

    def plan(self, size: int, apart: set[str]) -> list[Row]:
        """`assembling._plan`: one fiscal period and currency, the oldest posting date first."""
        ready = [
            row
            for row in self.store.rows()
            if row.state is S.READY and not row.is_dirty and fold(row.id) not in apart
        ]
        ready.sort(key=lambda row: (row.day, row.id))
        entries = [
            ReadyEntry(
                posting_id=row.id, posting_date=row.day, year=period_of(row.day)[0],
                period=period_of(row.day)[1], currency=row.bill.currency, amount=row.bill.total,
            )
            for row in ready[: size * 4]
        ]  # fmt: skip
        planned = next(iter(plan_batches(entries, size=size)), None)
        rows = {row.id: row for row in ready}
        return [rows[entry.posting_id] for entry in planned.entries] if planned else []

    def invoice(self, row: Row) -> Invoice:
        entry = row.entry
        assert entry is not None
        return an_invoice(
            entry.vendor_number, entry.document_number, entry.order_number, entry.total, row.day,
            row.bill.currency,
        )  # fmt: skip
