"""A worker's pass over the company, as `services/sending.py` and `settling.py` do it on real rows.

A generator that yields the seconds that pass: a crash is a generator that is closed between two of
them, a pause is a long one. Nothing it knows survives but what the store holds.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta

from integrations.sage300.types import BatchHeader
from sync.domain import following, sweeping
from sync.domain.batching import batch_tag
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
from sync.domain.comparison import fingerprint, fold
from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.posting_state import PostingState
from sync.domain.protocol import Step, begin, next_step
from tests.simulation.office import Bill, ModelBill
from tests.simulation.store import Batch, Lease, Posting, Store
from tests.simulation.wire import Wire
from tests.simulation.world import START, Process, Violation, World

S = PostingState
Doing = Generator[float, None, bool]
UNDECIDED = frozenset({S.WAITING, S.READY, S.BLOCKED, S.REVIEW})
STEP_LIMIT = 3000
#: The reconciliation that lists everything of the last days; hourly here, since a day is three hours.
FULL_LOOK_SECONDS = 3600.0


class Worker:
    """One process that takes turns at the company. Planted bugs are subclasses of this."""

    def __init__(self, name: str, world: World, store: Store, wire: Wire, bill: ModelBill) -> None:
        self.name, self.world, self.store = name, world, store
        self.wire, self.bill = wire, bill
        self._is_left_over = False
        self._followed: dict[tuple[str, int], tuple[int, ...]] = {}

    def run(self) -> Process:
        while True:
            cadence = self.world.nature.cadence_seconds if self.world.is_hostile else 400.0
            yield self.world.rng.uniform(0.5, 1.5) * cadence
            yield from self.take_in()
            lease = self.store.take_lease(self.name)
            if lease is not None:
                yield from self.turn(lease)
                self.store.release(lease)

    # --- from BILL into our rows ---

    def take_in(self) -> Process:
        """The poll: rows and cursor in one commit."""
        yield 0.5
        bills = self.bill.changed_since(self.store.company.cursor)
        yield 0.5
        self.commit_bills(bills)

    def commit_bills(self, bills: list[Bill]) -> None:
        for bill in bills:
            self.save_bill(bill)
        self.save_cursor(bills)

    def save_cursor(self, bills: list[Bill]) -> None:
        cursor = max((bill.change for bill in bills), default=0)
        company = self.store.company
        self.store.company = replace(company, cursor=max(company.cursor, cursor))

    def save_bill(self, bill: Bill) -> None:
        known = self.store.postings.get(bill.id)
        if known is not None and known.bill.change >= bill.change:
            return
        posting = replace(known, bill=bill) if known else Posting(bill.id, bill)
        self.store.postings[bill.id] = posting
        is_nowhere = posting.state is S.ATTENTION and not posting.place.batch_number
        # A posting of an unsettled batch or sweep is that batch's: it is decided afterwards.
        is_free = is_nowhere and not self._is_under_way(posting)
        if posting.state in UNDECIDED or (is_free and not bill.is_approved):
            self.decide(posting)

    def decide(self, posting: Posting) -> None:
        """Readiness in a nutshell: approved and not archived bills are sent."""
        bill = posting.bill
        state = S.READY if bill.is_approved and not bill.is_archived else S.WAITING
        self.store.advance(posting.id, S.WAITING, sentence="Waits for approval.", batch="")
        if state is S.READY:
            self.store.advance(posting.id, S.READY, sentence="")

    # --- one writer's turn ---

    def turn(self, lease: Lease) -> Doing:
        headers = yield from self._headers()
        if headers is None:
            return False
        company = self.store.company
        posted = {
            posting.place.batch_number
            for posting in self.store.postings.values()
            if posting.place.is_posted
        }
        hold = company.hold or sweeping.sage_restored(
            headers, highest=self._highest(), posted=posted, prints=self.store.prints()
        )
        if hold:
            self.store.company = replace(company, hold=hold)
            return False
        if not self.store.holds(lease):
            return False
        if not (yield from self.sweep(lease, headers)):
            return False
        self._mark(headers)
        for batch in self.store.unsettled():
            row = self.store.batches[batch.tag]
            is_due = row.facts.not_before is None or row.facts.not_before <= self.world.now
            if is_due and not (yield from self.drive(lease, row, None)):
                return False
        self._decide_waiting()
        while (batch_row := self.assemble(lease)) is not None:
            if not (yield from self.drive(lease, batch_row, "new")):
                return False
        return True

    def _decide_waiting(self) -> None:
        for posting in list(self.store.postings.values()):
            bill = posting.bill
            is_due = bill.is_approved and not bill.is_archived
            if posting.state is S.WAITING and is_due:
                self.store.advance(posting.id, S.READY, sentence="")

    def _highest(self) -> int:
        """Seen in a list or in any batch of ours."""
        known = (batch.facts.highest for batch in self.store.batches.values())
        return max((self.store.company.highest, *known))

    def _to_follow(self, batch: Batch) -> tuple[int, ...]:
        """Worked out once per version of a batch's row."""
        key = (batch.tag, batch.version)
        if key not in self._followed:
            self._followed[key] = following.to_follow(batch.facts)
        return self._followed[key]

    def _headers(self) -> Generator[float, None, tuple[BatchHeader, ...] | None]:
        company = self.store.company
        followed = [n for b in self.store.batches.values() for n in self._to_follow(b)]
        after = min((company.low_mark, self._highest() - 1, *(n - 1 for n in followed)))
        is_full = self.world.seconds >= company.full_look_at
        after = 0 if is_full else max(0, after)
        answer = yield from self.wire.call(ListBatches(after=after), None)
        if not isinstance(answer, Headers):
            return None
        if is_full:
            self.store.company = replace(
                self.store.company, full_look_at=self.world.seconds + FULL_LOOK_SECONDS
            )
        return answer.headers

    def _mark(self, headers: tuple[BatchHeader, ...]) -> None:
        company = self.store.company
        seen = dict(company.first_seen)
        for header in headers:
            if header.number > company.low_mark:
                seen.setdefault(header.number, self.world.seconds)
        low = sweeping.low_mark(
            {number: START + timedelta(seconds=at) for number, at in seen.items()},
            old=company.low_mark,
            unsettled_watermarks=[b.facts.watermark for b in self.store.unsettled()],
            now=self.world.now,
        )
        highest = max((company.highest, *(header.number for header in headers)))
        self.store.company = replace(
            company,
            first_seen={number: at for number, at in seen.items() if number > low},
            low_mark=low,
            highest=highest,
            # A restore is worked through only when every batch has been judged.
            is_thorough=company.is_thorough and self._is_left_over,
        )

    # --- what turned up in Sage, and what changed there ---

    def sweep(self, lease: Lease, headers: tuple[BatchHeader, ...]) -> Doing:
        followed: set[int] = set()
        self._is_left_over = False
        for batch in list(self.store.batches.values()):
            mine = self._to_follow(batch)
            if not mine:
                continue
            followed |= set(mine)
            numbers = following.changed(batch.facts, headers) if batch.is_settled else ()
            mine = tuple(n for n in numbers if self._is_current(batch, n))
            if mine:
                facts = following.follow(batch.facts, mine)
                self.store.batches[batch.tag] = Batch(batch.tag, facts, batch.version + 1)
        company = self.store.company
        numbers = sweeping.suspects(
            headers,
            fingerprints=self.store.prints(),
            followed=() if company.is_thorough else followed,
            is_thorough=company.is_thorough or self._is_search_due(),
        )
        by_number = {header.number: header for header in headers}
        for number in numbers:
            answer = yield from self.wire.call(ReadBatch(number=number), None)
            if not isinstance(answer, BatchRead) or not self.store.holds(lease):
                return False
            if not self._judge(answer, by_number[number]):
                self._is_left_over = True
        return True

    def _is_search_due(self) -> bool:
        return sweeping.is_search_due(posting.place for posting in self.store.postings.values())

    def _is_current(self, batch: Batch, number: int) -> bool:
        return any(
            posting.batch == batch.tag and posting.place.batch_number == number
            for posting in self.store.postings.values()
        )

    def _judge(self, answer: BatchRead, header: BatchHeader) -> bool:
        """Sweep what this batch holds; False when it must be judged again later."""
        if answer.batch is None:
            return True
        by_order = {fold(p.id): p.id for p in self.store.postings.values()}
        places = {p.id: p.place for p in self.store.postings.values()}
        found = sweeping.owners(answer.batch, by_order, places)
        rows = [self.store.postings[key] for key in found]
        if any(self._is_under_way(row) for row in rows):
            return False
        company = self.store.company
        prints = {**company.prints, header.number: fingerprint(header)}
        self.store.company = replace(company, prints=prints)
        if rows:
            self._open_sweep(rows, header.number)
        return True

    def _is_under_way(self, posting: Posting) -> bool:
        batch = self.store.batches.get(posting.batch)
        return batch is not None and not batch.is_settled

    def _open_sweep(self, rows: list[Posting], number: int) -> None:
        tag = self._tag([row.id for row in rows])
        entries = tuple(row.entry or self.entry_for(row) for row in rows)
        facts = sweeping.begin_sweep(
            tag=tag,
            entries=entries,
            places={row.id: self._known_place(row) for row in rows},
            numbers=(number,),
            watermark=self.store.company.low_mark,
        )
        self.store.batches[tag] = Batch(tag, facts)
        for row, entry in zip(rows, entries, strict=True):
            values = {"entry": entry, "batch": tag}
            is_nowhere = row.state in UNDECIDED or (
                row.state is S.SKIPPED and not row.is_skipped_by_person
            )
            self.store.advance(row.id, S.UNCERTAIN if is_nowhere else row.state, **values)

    def _known_place(self, row: Posting) -> Place:
        if row.is_skipped_by_person:
            return Place(fate=Fate.OUTSIDE, is_clean=row.is_clean)
        if row.state in UNDECIDED:
            return Place(is_clean=row.is_clean)
        return row.place

    # --- sending ---

    def _tag(self, ids: list[str]) -> str:
        rounds = self.store.company.rounds + 1
        self.store.company = replace(self.store.company, rounds=rounds)
        # A restore sets the round back; the second tells the tags apart, as a row's key would.
        return batch_tag(company_id=f"c{self.world.seconds}", posting_ids=ids, round_number=rounds)

    def entry_for(self, posting: Posting) -> Entry:
        """The posting's identity: allotted once from our own rows, then frozen."""
        bill = posting.bill
        number = bill.number
        taken = {
            (p.entry.vendor_number, p.entry.document_number)
            for p in self.store.postings.values()
            if p.entry and p.id != posting.id
        }
        while (bill.vendor, number) in taken:
            number += "-2"
        if posting.entry is not None:
            number = posting.entry.document_number
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

    def assemble(self, lease: Lease) -> Batch | None:
        if not self.store.holds(lease):
            return None
        rows = self.store.ready()[: self.world.nature.batch_size]
        if not rows:
            return None
        entries = []
        for row in rows:
            entry = self.entry_for(row)
            self.store.postings[row.id] = replace(row, entry=entry)
            entries.append(entry)
        company = self.store.company
        facts = Facts(
            tag=self._tag([row.id for row in rows]),
            entries=tuple(entries),
            watermark=company.low_mark,
            highest=company.highest,
            release=self.world.nature.release,
            places={row.id: Place(is_clean=False) for row in rows if not row.is_clean},
        )
        batch = Batch(facts.tag, begin(facts, is_look_fresh=True))
        self.store.batches[facts.tag] = batch
        for row in rows:
            self.store.advance(row.id, S.IN_FLIGHT, batch=facts.tag, place=facts.place(row.id))
        return batch

    # --- the interpreter ---

    def step(self, facts: Facts, answer: Answer | None) -> Step:
        return next_step(facts, answer, self.world.now, self.world.rules)

    def drive(self, lease: Lease, batch: Batch, how: str | None) -> Doing:
        """Save, run one command, hand the answer back; until done, a wait, or the lease is gone."""
        answer: Answer | None = None if how == "new" else Resumed()
        facts = batch.facts
        for _ in range(STEP_LIMIT):
            step = self.step(facts, answer)
            saved = self.store.save(lease, batch, step.facts, step.command)
            if saved is None:
                return False
            batch, facts = saved, step.facts
            self.world.note(f"{self.name} {batch.tag[5:10]} {step.command}")
            if isinstance(step.command, Done | Wait):
                return True
            if isinstance(step.command, Stop):
                return self._stopped(facts)
            yield 0.05
            if not self.store.renew(lease):
                return False
            answer = yield from self.command(step.command, facts)
        raise Violation(f"{batch.tag} never comes to an end")

    def command(self, command: Command, facts: Facts) -> Generator[float, None, Answer]:
        return (yield from self.wire.call(command, facts))

    def _stopped(self, facts: Facts) -> bool:
        if facts.is_sage_restored:
            self.store.company = replace(self.store.company, hold=facts.why)
        return False
