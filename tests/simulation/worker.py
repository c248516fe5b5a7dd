"""A worker's pass over the company, as `services/sending.py` and `settling.py` do it on real rows.

A generator that yields the seconds that pass: a crash is a generator that is closed between two of
them, a pause is a long one. Nothing it knows survives but what the store holds.
"""

from __future__ import annotations

from collections.abc import Generator

from integrations.sage300.types import BatchHeader, Invoice, InvoiceBatch
from sync.domain import following, sweeping
from sync.domain.backoff import BatchPace
from sync.domain.batching import PlannedBatch, ReadyEntry, batch_tag, plan_batches
from sync.domain.circuit import Circuit
from sync.domain.commands import (
    Answer,
    BatchRead,
    Command,
    Done,
    Headers,
    ListBatches,
    ReadBatch,
    Resumed,
    Stop,
    Wait,
)
from sync.domain.comparison import fingerprint
from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.posting_state import PostingState
from sync.domain.protocol import Step, begin, next_step
from sync.domain.replacing import replace
from sync.domain.storing import may_wait
from tests.simulation.invoices import an_invoice, period_of
from tests.simulation.office import Bill, ModelBill
from tests.simulation.store import Batch, Lease, Posting, Store
from tests.simulation.wire import Wire
from tests.simulation.world import Process, Violation, World

S = PostingState
Driving = Generator[float, None, Facts]
UNDECIDED = frozenset({S.WAITING, S.READY, S.BLOCKED, S.REVIEW})
STEP_LIMIT = 3000
#: The cadence when everybody has gone home.
CALM_SECONDS = 700.0
FOREVER = float("inf")
CIRCUIT_FAILURES = 5
#: The reconciliation that lists everything of the last days; hourly here, since a day is three hours.
FULL_LOOK_SECONDS = 3600.0


class LeaseLost(Exception):
    """Somebody else is the writer now."""


class LookFailed(Exception):
    """A look of the pass itself got no answer: the pass has failed."""


class Worker:
    """One process that takes turns at the company. Planted bugs are subclasses of this."""

    def __init__(self, name: str, world: World, store: Store, wire: Wire, bill: ModelBill) -> None:
        self.name, self.world, self.store = name, world, store
        self.wire, self.bill = wire, bill
        self._is_left_over = False
        self._headers: tuple[BatchHeader, ...] = ()
        self._listed: dict[int, str] = {}

    def run(self) -> Process:
        again = FOREVER
        while True:
            cadence = self.world.nature.cadence_seconds if self.world.is_hostile else CALM_SECONDS
            yield min(again, self.world.rng.uniform(0.5, 1.5) * cadence)
            again = FOREVER
            yield from self.take_in()
            if (yield from self.is_sage_left_alone()):
                continue
            lease = self.store.take_lease(self.name)
            if lease is not None:
                if (yield from self.try_turn(lease)):
                    again = self.seconds_to_next()
                self.store.release(lease)

    def seconds_to_next(self) -> float:
        """After a turn: how long until the first batch that waits may be looked at again."""
        waits = [b.facts.not_before for b in self.store.unsettled() if b.facts.not_before]
        if not waits:
            return FOREVER
        return max(0.0, (min(waits) - self.world.now).total_seconds())

    # --- from BILL into our rows ---

    def take_in(self) -> Process:
        """The poll: rows and cursor in one commit."""
        yield 0.5
        if self.world.strikes("BILL did not answer", self.world.nature.fault_rate / 8):
            return
        bills = self.bill.changed_since(self.store.company.cursor)
        yield 0.5
        self.commit_bills(bills)

    def commit_bills(self, bills: list[Bill]) -> None:
        for bill in bills:
            self.save_bill(bill)
        self.save_cursor(bills)

    def save_cursor(self, bills: list[Bill]) -> None:
        company = self.store.company
        company.cursor = max(company.cursor, *(bill.change for bill in bills), 0)

    def save_bill(self, bill: Bill) -> None:
        known = self.store.postings.get(bill.id)
        if known is not None and known.bill.change >= bill.change:
            return
        posting = replace(known, bill=bill) if known else Posting(bill.id, bill)
        self.store.postings[bill.id] = posting
        is_nowhere = posting.state is S.ATTENTION and not posting.place.batch_number
        # A posting of an unsettled batch or sweep is that batch's: it is decided afterwards.
        is_free = is_nowhere and not self.store.is_under_way(posting)
        if posting.state in UNDECIDED or (is_free and not bill.is_approved):
            self.decide(posting)

    def decide(self, posting: Posting) -> None:
        self.store.advance(posting.id, S.WAITING, sentence="Waits for approval.", batch="")
        if self.store.is_due(posting.bill):
            self.make_ready(self.store.postings[posting.id])

    def make_ready(self, posting: Posting) -> None:
        """READY, or BLOCKED where it may be in Sage under other numbers than it would have now."""
        if self.is_sent_under_others(posting):
            self.store.advance(posting.id, S.BLOCKED, sentence="Sent under other numbers before.")
        else:
            self.store.advance(posting.id, S.READY, sentence="")

    # --- leaving Sage alone ---

    def is_sage_left_alone(self) -> Generator[float, None, bool]:
        """Whether its connection is paused or its circuit open; asks the cheap question when due."""
        company = self.store.company
        if company.paused or company.circuit.is_closed:
            return bool(company.paused)
        if company.circuit.is_resting(self.world.now):
            return True
        answer = yield from self.wire.call(ListBatches(after=self.store.highest()), None)
        self.note_pass(is_good=isinstance(answer, Headers))
        return not self.store.company.circuit.is_closed

    def note_pass(self, *, is_good: bool) -> None:
        company = self.store.company
        if is_good:
            company.circuit = Circuit()
            return
        company.circuit = company.circuit.after_failure(
            self.world.now, limit=CIRCUIT_FAILURES, uniform=self.world.rng.uniform
        )

    # --- one writer's turn ---

    def try_turn(self, lease: Lease) -> Generator[float, None, bool]:
        """Whether the turn came to its end."""
        try:
            yield from self.turn(lease)
        except LookFailed:
            self.note_pass(is_good=False)
            return False
        except LeaseLost:
            return False
        self.note_pass(is_good=True)
        return True

    def turn(self, lease: Lease) -> Process:
        headers = yield from self.list_headers()
        if not self.store.is_judged(headers):
            if self.is_held(headers):
                return
            self.check(lease)
            yield from self.sweep(lease, headers)
        self.move_marks(headers)
        for batch in self.store.unsettled():
            row = self.store.batches[batch.tag]
            is_due = row.facts.not_before is None or row.facts.not_before <= self.world.now
            if is_due and (yield from self.drive(lease, row, is_new=False)).is_stopped:
                return
        self.decide_waiting()
        while (made := self.assemble(lease)) is not None:
            facts = yield from self.drive(lease, made, is_new=True)
            self.note_pace(facts)
            if facts.is_stopped:
                return

    def check(self, lease: Lease) -> None:
        if not self.store.holds(lease):
            raise LeaseLost

    def is_held(self, headers: tuple[BatchHeader, ...]) -> bool:
        company = self.store.company
        company.hold = company.hold or sweeping.sage_restored(
            headers,
            highest=self.store.highest(),
            posted=self.store.posted_numbers(),
            prints=self.store.prints(),
        )
        return bool(company.hold)

    def decide_waiting(self) -> None:
        for posting in self.store.waiting():
            if self.store.is_due(posting.bill):
                self.make_ready(posting)
        for posting in self.store.ready():
            self.make_ready(posting)

    def list_headers(self) -> Generator[float, None, tuple[BatchHeader, ...]]:
        company = self.store.company
        oldest = min(self.store.followed_numbers(), default=company.low_mark + 1)
        after = min(company.low_mark, self.store.highest() - 1, oldest - 1)
        is_full = self.world.seconds >= company.full_look_at
        command = ListBatches(after=0 if is_full else max(0, after))
        answer = yield from self.wire.call(command, None)
        if not isinstance(answer, Headers):
            raise LookFailed
        if is_full:
            self.store.company.full_look_at = self.world.seconds + FULL_LOOK_SECONDS
        return answer.headers

    def move_marks(self, headers: tuple[BatchHeader, ...]) -> None:
        company = self.store.company
        now = self.world.now
        for header in headers:
            if header.number > company.low_mark:
                company.first_seen.setdefault(header.number, now)
        low = sweeping.low_mark(
            company.first_seen,
            old=company.low_mark,
            unsettled_watermarks=[b.facts.watermark for b in self.store.unsettled()],
            now=now,
        )
        if low != company.low_mark:
            company.first_seen = {n: at for n, at in company.first_seen.items() if n > low}
        company.low_mark = low
        company.highest = max((company.highest, *(header.number for header in headers)))
        # A restore is worked through only when every batch has been judged.
        company.is_thorough &= self._is_left_over

    # --- what turned up in Sage, and what changed there ---

    def sweep(self, lease: Lease, headers: tuple[BatchHeader, ...]) -> Process:
        self._is_left_over = False
        self.reopen_changed(headers)
        company = self.store.company
        numbers = sweeping.suspects(
            headers,
            known=self.store.prints(),
            looked_at=company.prints,
            followed=() if company.is_thorough else self.store.followed_numbers(),
            is_thorough=company.is_thorough or self.store.is_search_due(),
        )
        read, is_whole = yield from self.read_as_far_as_it_goes(numbers)
        self.check(lease)
        if read:
            self.judge(read)
        if not is_whole:
            raise LookFailed
        if not read and not self.store.unsettled():
            self.store.note_judged(headers)

    def read_as_far_as_it_goes(
        self, numbers: tuple[int, ...]
    ) -> Generator[float, None, tuple[list[InvoiceBatch], bool]]:
        """What was read counts, also where a read fails; with it whether all of them were."""
        read = []
        for number in numbers:
            answer = yield from self.wire.call(ReadBatch(number=number), None)
            if not isinstance(answer, BatchRead):
                return read, False
            if answer.batch is not None:
                read.append(answer.batch)
        return read, True

    def reopen_changed(self, headers: tuple[BatchHeader, ...]) -> None:
        """Open those of our batches again that Sage shows otherwise than they were read."""
        if headers != self._headers:
            self._headers, self._listed = headers, following.listed(headers)
        now = self._listed
        suspected = [tag for tag, n, known in self.store.watched() if now.get(n) != known]
        for tag in dict.fromkeys(suspected):
            batch = self.store.batches[tag]
            changed = following.changed(batch.facts, now)
            numbers = tuple(n for n in changed if (tag, n) in self.store.lies())
            if numbers:
                facts = following.follow(batch.facts, numbers)
                self.store.batches[tag] = replace(
                    batch, facts=facts, version=batch.version + 1, is_settled=False
                )

    def judge(self, batches: list[InvoiceBatch]) -> None:
        """Sweep what these hold; one with an entry of a posting under way is read again later."""
        places = {p.id: p.place for p in self.store.postings.values()}
        mine: dict[str, Posting] = {}
        looked_at: dict[int, str] = {}
        for batch in batches:
            found = sweeping.owners(batch, self.store.by_order(), places)
            rows = [self.store.postings[key] for key in found]
            is_under_way = any(self.store.is_under_way(row) for row in rows)
            known = sweeping.UNJUDGED if is_under_way else fingerprint(batch.header)
            looked_at[batch.header.number] = known
            self._is_left_over |= is_under_way
            if not is_under_way:
                mine |= {row.id: row for row in rows}
        company = self.store.company
        company.prints = company.prints | looked_at
        if mine:
            numbers = tuple(sorted(batch.header.number for batch in batches))
            self.open_sweep(list(mine.values()), numbers)

    def open_sweep(self, rows: list[Posting], numbers: tuple[int, ...]) -> None:
        tag = self._tag([row.id for row in rows])
        entries = tuple(row.entry or self.entry_for(row) for row in rows)
        facts = sweeping.begin_sweep(
            tag=tag,
            entries=entries,
            places={row.id: self._known_place(row) for row in rows},
            numbers=numbers,
            watermark=self.store.company.low_mark,
        )
        self.store.batches[tag] = Batch(tag, facts)
        for row, entry in zip(rows, entries, strict=True):
            is_nowhere = row.state in UNDECIDED or (
                row.state is S.SKIPPED and not row.is_skipped_by_person
            )
            state = S.UNCERTAIN if is_nowhere else row.state
            self.store.advance(
                row.id, state, entry=entry, batch=tag, batch_made_at=self.world.seconds
            )

    def _known_place(self, row: Posting) -> Place:
        if row.is_skipped_by_person:
            return Place(fate=Fate.OUTSIDE, is_clean=row.is_clean)
        if row.state in UNDECIDED:
            return Place(is_clean=row.is_clean)
        return row.place

    # --- sending ---

    def _tag(self, ids: list[str]) -> str:
        company = self.store.company
        company.rounds += 1
        # A restore sets the round back; the second tells the tags apart, as a row's key would.
        return batch_tag(
            company_id=f"c{self.world.seconds}", posting_ids=ids, round_number=company.rounds
        )

    def is_sent_under_others(self, posting: Posting) -> bool:
        return not (posting.entry is None or posting.is_clean or self._is_same(posting))

    def _is_same(self, posting: Posting) -> bool:
        """Whether the identity it had is the one that its bill asks for now."""
        bill, had = posting.bill, posting.entry
        return (
            had is not None
            and had.vendor_number == bill.vendor
            and (
                had.document_number == bill.number
                or had.document_number.startswith(f"{bill.number}-")
            )
        )

    def entry_for(self, posting: Posting) -> Entry:
        """The posting's identity: allotted from our own rows, then frozen once a byte has left."""
        bill, had = posting.bill, posting.entry
        number = had.document_number if had and self._is_same(posting) else ""
        number = number or self._free_number(posting)
        return Entry(
            posting_id=posting.id,
            bill_id=bill.id,
            bill_hash=bill.hash,
            vendor_number=bill.vendor,
            document_number=number,
            order_number=bill.id.upper(),
            total=bill.total,
            lines=(("6000", bill.total),),
        )

    def _free_number(self, posting: Posting) -> str:
        number = posting.bill.number
        taken = {
            (p.entry.vendor_number, p.entry.document_number)
            for p in self.store.postings.values()
            if p.entry and p.id != posting.id
        }
        while (posting.bill.vendor, number) in taken:
            number += "-2"
        return number

    def assemble(self, lease: Lease) -> Batch | None:
        """The next intent: what travels together, under which numbers, with exactly which body."""
        if not self.store.holds(lease):
            return None
        planned = self.plan()
        if planned is None:
            return None
        invoices: dict[str, Invoice] = {}
        entries = []
        for travelling in planned.entries:
            row = self.store.postings[travelling.posting_id]
            entry = self.entry_for(row)
            self.store.postings[row.id] = replace(row, entry=entry)
            entries.append(entry)
            invoices[row.id] = an_invoice(
                entry.vendor_number, entry.document_number, entry.order_number, entry.total,
                row.bill.day, row.bill.currency,
            )  # fmt: skip
        rows = [self.store.postings[entry.posting_id] for entry in entries]
        company = self.store.company
        facts = Facts(
            tag=self._tag([row.id for row in rows]),
            entries=tuple(entries),
            watermark=company.low_mark,
            highest=company.highest,
            release=self.world.nature.release,
            places={row.id: Place(is_clean=False) for row in rows if not row.is_clean},
        )
        batch = Batch(facts.tag, begin(facts, is_look_fresh=True), invoices=invoices)
        self.store.batches[facts.tag] = batch
        for row in rows:
            self.store.advance(
                row.id, S.IN_FLIGHT, batch=facts.tag, place=facts.place(row.id),
                batch_made_at=self.world.seconds,
            )  # fmt: skip
        return batch

    def plan(self) -> PlannedBatch | None:
        """What travels next: one fiscal period, one currency, no more than the pace allows."""
        ready = self.store.ready()
        if not ready:
            return None
        entries = [
            ReadyEntry(
                posting_id=row.id,
                posting_date=row.bill.day,
                year=period_of(row.bill.day)[0],
                period=period_of(row.bill.day)[1],
                currency=row.bill.currency,
                amount=row.bill.total,
            )
            for row in ready
        ]
        return plan_batches(entries, size=self.pace().size)[0]

    def pace(self) -> BatchPace:
        limit = self.world.nature.batch_size
        return self.store.company.pace or BatchPace(size=limit)

    def note_pace(self, facts: Facts) -> None:
        """Lost answers halve the batches to come, good ones let them grow back."""
        is_settled = self.store.batches[facts.tag].is_settled
        if facts.losses:
            self.store.company.pace = self.pace().after_timeout()
        elif is_settled:
            self.store.company.pace = self.pace().after_good(self.world.nature.batch_size)

    # --- the interpreter ---

    def step(self, facts: Facts, answer: Answer | None) -> Step:
        return next_step(facts, answer, self.world.now, self.world.rules)

    def drive(self, lease: Lease, batch: Batch, *, is_new: bool) -> Driving:
        """Save, run one command, hand the answer back; until done, a wait, or the lease is gone."""
        answer: Answer | None = None if is_new else Resumed()
        facts = batch.facts
        for _ in range(STEP_LIMIT):
            step = self.step(facts, answer)
            if not may_wait(batch.facts, step.facts, step.command):
                saved = self.store.save(lease, batch, step.facts, step.command)
                if saved is None:
                    raise LeaseLost
                batch = saved
            facts = step.facts
            self.world.note(self.name, batch.tag[5:10], step.command)
            if isinstance(step.command, Stop):
                self.stop(facts)
            if isinstance(step.command, Done | Wait | Stop):
                return facts
            yield 0.05
            if not self.store.renew(lease):
                raise LeaseLost
            answer = yield from self.command(step.command, facts)
            self.world.note(self.name, batch.tag[5:10], "<-", answer)
        raise Violation(f"{batch.tag} never comes to an end")

    def command(self, command: Command, facts: Facts) -> Generator[float, None, Answer]:
        return (yield from self.wire.call(command, facts))

    def stop(self, facts: Facts) -> None:
        """Sage was restored, or refuses the password: a person has to say how to go on."""
        company = self.store.company
        if facts.is_sage_restored:
            company.hold = facts.why
        else:
            company.paused = facts.why
