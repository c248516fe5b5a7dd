"""One look at Sage and what follows: `services/looks.py`, `sweeps.py` and `settling.py`."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.sage300.types import BatchHeader, Invoice, InvoiceBatch
from sync.domain import following, sage_restores, sweeping
from sync.domain.batching import TAG_PREFIX, batch_tag, tag_in
from sync.domain.commands import (
    BatchRead,
    Headers,
    ListBatches,
    ReadBatch,
)
from sync.domain.comparison import fold
from sync.domain.document_number import is_numbered
from sync.domain.facts import Entry, Fate, Place
from sync.domain.posting_state import BEFORE_SENDING, PostingState
from sync.domain.replacing import replace
from tests.simulation.bills import Bills
from tests.simulation.books import FOUND, Row
from tests.simulation.interpreter import CallFailed
from tests.simulation.marks import Marks
from tests.simulation.store import Batch, Lease
from tests.simulation.world import START, Process

S = PostingState
STRAY_WATCH_SECONDS = 3600.0
HOW_TO_GO_ON = (
    "An operator runs `manage.py decide_restore`, which lists the batches and takes the decisions."
)


@dataclass(slots=True, kw_only=True)
class Look:
    """What one look at the headers found."""

    headers: tuple[BatchHeader, ...] = ()
    highest: int = 0
    low: int = 0
    is_thorough: bool = False
    hold: str = ""
    known: dict[int, str] = field(default_factory=dict)
    looked_at: dict[int, str] = field(default_factory=dict)
    changed: tuple[BatchHeader, ...] = ()
    recognised: tuple[int, ...] = ()
    orders_apart: set[str] = field(default_factory=set)


class Looks(Bills):
    """Looks at Sage: strays, restored pasts, and what people did."""

    def look(self) -> Generator[float, None, Look]:
        now = self.world.seconds
        marks, followed = self.store.marks, self.followed()
        watermarks = [batch.facts.watermark for batch in self.store.unsettled()]
        if marks is None:
            answer = yield from self.read(ListBatches(after=0))
            assert isinstance(answer, Headers)
            highest = max((header.number for header in answer.headers), default=0)
            self.store.marks = Marks(highest=highest, low=highest, history_checked_at=now)
            return Look(highest=highest, low=highest)
        known = sweeping.known_prints(self.recent_prints(), marks.prints)
        after = min((marks.low, marks.highest - 1, *(n - 1 for n in followed), *watermarks))
        lowest = min(after, marks.highest - sage_restores.WATCHED_BATCHES)
        answer = yield from self.read(ListBatches(after=max(lowest, 0)))
        assert isinstance(answer, Headers)
        changed = self.once(_changed_below, answer.headers, marks.seen, after)
        headers = (*changed, *(h for h in answer.headers if h.number > after))
        once_read = self.store.judged_prints()
        known |= {
            h.number: marks.seen[h.number]
            for h in changed
            if h.number in once_read or TAG_PREFIX in h.description
        }
        listed = {header.number for header in answer.headers}
        posted = self.posted(listed)
        hold = self.once(
            _restored, answer.headers, marks.highest, posted, (known, marks.seen),
            marks.trusts_sequences,
        )  # fmt: skip
        found = Look(
            headers=headers,
            highest=max((marks.highest, *listed)),
            low=marks.low,
            is_thorough=marks.is_thorough(now),
            hold=f"{hold} {HOW_TO_GO_ON}" if hold else "",
            known=known,
            looked_at=dict(marks.prints),
            changed=changed,
            orders_apart=self.store.orders_apart(),
        )
        if not hold:
            marks = self.note_forgotten(marks, headers, now)
            found.is_thorough |= marks.is_thorough(now)
            seen = self.once(_newest, answer.headers, found.highest)
            tells = self.once(sage_restores.tells_sequences, answer.headers, posted)
            marks = marks.note_list(seen, changed, tells=tells)
            found.recognised = self.recognised(marks)
            self.move(marks, found, watermarks, now)
        return found

    def posted(self, listed: set[int]) -> dict[int, int]:
        """`looks._posted`: the batches of our Posted rows, with their posting sequence."""
        sequences: dict[int, int] = {}
        for row in self.store.rows():
            number = row.shown.batch_number
            if number in listed and row.shown.status == "Posted":
                told = row.place.posting_sequence if row.shown.is_posted else 0
                sequences[number] = max(told, sequences.get(number, 0))
        return sequences

    def followed(self) -> set[int]:
        """The batches in which an entry of a settled batch can still change."""
        return {number for _, number in self.store.moving()}

    def recognised(self, marks: Marks) -> tuple[int, ...]:
        if not marks.strangers:
            return ()
        known = {fold(row.id) for row in self.store.rows() if has_standing(row, bare=True)}
        return sweeping.recognised(marks.strangers, known)

    def note_forgotten(self, marks: Marks, headers: Sequence[BatchHeader], now: float) -> Marks:
        tags = {
            header.number: tag
            for header in headers
            if header.number > marks.low and (tag := tag_in(header.description))
        }
        forgotten = tuple(
            number
            for number, tag in tags.items()
            if tag not in self.store.batches and number not in marks.told
        )
        if not forgotten:
            return marks
        return replace(marks.watch(now), told=(*marks.told, *forgotten))

    def move(self, marks: Marks, found: Look, watermarks: Sequence[int], now: float) -> None:
        seen = {header.number: now for header in found.headers} | marks.first_seen
        low = marks.low
        if not marks.is_thorough(now):
            low = sweeping.low_mark(
                {number: START + timedelta(seconds=at) for number, at in seen.items()},
                old=low,
                unsettled_watermarks=watermarks,
                now=START + timedelta(seconds=now),
                grace_seconds=STRAY_WATCH_SECONDS,
            )
        present = {header.number for header in found.headers}
        self.store.marks = replace(
            marks,
            highest=found.highest,
            low=low,
            first_seen={number: at for number, at in seen.items() if number > low},
            prints={n: text for n, text in marks.prints.items() if n in present},
        )

    def follow_up(self, lease: Lease, look: Look) -> Process:
        sweep = yield from self.sweep_in(lease, look)
        if sweep is not None:
            facts = yield from self.take_on(lease, sweep, is_new=True)
            look.hold = facts.why if facts.is_stopped else ""
        for batch in [] if look.hold else self.reopen(lease, look):
            facts = yield from self.take_on(lease, batch, is_new=True)
            if facts.is_stopped:
                look.hold = facts.why
                return

    def sweep_in(self, lease: Lease, look: Look) -> Generator[float, None, Batch | None]:
        is_thorough = look.is_thorough or self.is_search_due()
        numbers = self.once(
            _suspects,
            look.headers,
            look.known,
            look.looked_at,
            () if look.is_thorough else self.followed(),
            is_thorough,
        )
        read: dict[int, InvoiceBatch | None] = {}
        is_last_bad = False
        for number in (*numbers, *(n for n in look.recognised if n not in numbers)):
            answer = yield from self.ask(ReadBatch(number=number), None)
            if isinstance(answer, BatchRead):
                read[number], is_last_bad = answer.batch, False
            elif is_last_bad:
                break
            else:
                is_last_bad = True
        present = [batch for batch in read.values() if batch is not None]
        self.must_hold(lease)
        assert self.store.marks is not None
        mine: list[Row] = []
        if read:
            mine, unjudged, strangers = self.mine(
                present, bare=look.is_thorough or bool(look.recognised)
            )
            mine = self.adopt_bare(mine, present)
            prints = following.listed([batch.header for batch in present])
            prints |= dict.fromkeys(unjudged, sweeping.UNJUDGED)
            apart = sweeping.still_apart(
                self.store.marks.strangers, read, strangers, is_thorough=look.is_thorough
            )
            self.store.marks = replace(
                self.store.marks, prints=self.store.marks.prints | prints, strangers=apart
            )
            look.orders_apart = self.store.orders_apart()
        sweep = self.sweep_row(look, mine, sorted(read)) if mine else None
        if len(read) < len({*numbers, *look.recognised}):
            raise CallFailed("what was read counts all the same")
        if look.is_thorough or look.changed:
            self.store.marks = self.store.marks.note_whole_look(look.changed, self.world.seconds)
        return sweep

    def is_search_due(self) -> bool:
        lately = self.world.seconds - 2 * STRAY_WATCH_SECONDS
        made_at = self.store.made_at
        if any(not r.is_clean and made_at.get(r.batch, -1e9) >= lately for r in self.store.rows()):
            return True
        return sweeping.is_search_due(
            self.known_place(row)
            for row in self.store.rows()
            if row.state is S.ATTENTION
            and row.shown.status == "Posted"
            and (batch := self.store.batch_of(row)) is not None
            and batch.is_settled
        )

    def recent_prints(self) -> dict[int, str]:
        made_at = self.store.made_at
        moving = [made_at[row.batch] for row, _ in self.store.moving()]
        oldest = min((self.world.seconds - 2 * STRAY_WATCH_SECONDS, *moving))
        prints: dict[int, str] = {}
        for batch in self.store.batches.values():
            if made_at[batch.tag] >= oldest:
                prints.update(batch.facts.prints)
        return prints

    def mine(
        self, batches: Sequence[InvoiceBatch], *, bare: bool
    ) -> tuple[list[Row], set[int], dict[int, tuple[str, ...]]]:
        """`sweeps._judge`: whose the entries are; batches to read again; order numbers of nobody."""
        rows = {row.id: row for row in self.store.rows() if has_standing(row, bare=bare)}
        by_order = {fold(row.id): key for key, row in rows.items()}
        places = {key: self.known_place(row) for key, row in rows.items()}
        found: dict[str, Row] = {}
        unjudged: set[int] = set()
        for batch in batches:
            for key in sweeping.owners(batch, by_order, places):
                if self.store.is_under_way(rows[key]):
                    unjudged.add(batch.header.number)
                else:
                    found[key] = rows[key]
        return list(found.values()), unjudged, sweeping.strangers(batches, by_order.keys())

    def adopt_bare(self, mine: list[Row], batches: Sequence[InvoiceBatch]) -> list[Row]:
        """`sweeps._adopt_bare`: the identity that Sage shows, for a row without one."""
        shown = sweeping.shown_best(batches)
        for row in mine:
            if row.entry is None:
                entry = as_shown(row, shown[fold(row.id)])
                self.store.change(row.id, entry=entry)
        return [self.store.row(row.id) or row for row in mine]

    def known_place(self, row: Row) -> Place:
        if row.is_skipped_by_person:
            return Place(fate=Fate.OUTSIDE)
        batch = self.store.batch_of(row)
        if row.state in BEFORE_SENDING or batch is None:
            return Place(is_clean=row.is_clean)
        place = batch.facts.place(row.id)
        return Place(is_clean=row.is_clean) if place.fate is Fate.OUTSIDE else place

    def sweep_row(self, look: Look, rows: list[Row], numbers: list[int]) -> Batch:
        tag = self.tag(row.key for row in rows)
        facts = sweeping.begin_sweep(
            tag=tag,
            entries=tuple(row.entry for row in rows if row.entry),
            places={row.id: self.known_place(row) for row in rows},
            numbers=tuple(numbers),
            watermark=look.low,
        )
        batch = self.store.add(tag, facts, {})
        for row in rows:
            entry = facts.entry(row.id)
            is_free = not self.store.is_taken(row, entry.vendor_number, entry.document_number)
            self.store.change(
                row.id, batch=tag, place=facts.place(row.id), is_held=row.is_held or is_free
            )
            if row.state in BEFORE_SENDING and not row.is_skipped_by_person:
                self.store.advance(row.id, S.UNCERTAIN, sentence=FOUND)
        return batch

    def tag(self, keys: Iterable[str]) -> str:
        return batch_tag(
            company_id="model", posting_ids=keys, round_number=len(self.store.batches) + 1
        )

    def reopen(self, lease: Lease, look: Look) -> list[Batch]:
        self.must_hold(lease)
        now = self.once(following.listed, look.headers)
        numbers: dict[str, set[int]] = {}
        for row, number in self.store.moving():
            numbers.setdefault(row.batch, set()).add(number)
        reopened = []
        for tag, batch in [(t, self.store.batches[t]) for t in self.store.batches if t in numbers]:
            known = batch.facts.prints
            if not any(n not in now or now[n] != known.get(n) for n in numbers[tag]):
                continue
            changed = following.changed(batch.facts, now)
            if changed:
                facts = following.follow(batch.facts, changed)
                row = Batch(tag, facts, batch.version + 1, invoices=batch.invoices)
                self.store.batches[tag] = row
                self.store.commits += 1
                reopened.append(row)
        return reopened


def _changed_below(
    headers: tuple[BatchHeader, ...], seen: dict[int, str], after: int
) -> tuple[BatchHeader, ...]:
    return sage_restores.changed_below(headers, seen, after=after)


def _restored(
    headers: tuple[BatchHeader, ...],
    highest: int,
    posted: dict[int, int],
    prints: tuple[dict[int, str], ...],
    trusts: bool,
) -> str:
    return sage_restores.sage_restored(
        headers, highest=highest, posted=posted, prints=prints, trusts_sequences=trusts
    )


def _newest(headers: tuple[BatchHeader, ...], highest: int) -> dict[int, str]:
    return sage_restores.newest(headers, highest=highest)


def _suspects(
    headers: tuple[BatchHeader, ...],
    known: dict[int, str],
    looked_at: dict[int, str],
    followed: Collection[int],
    is_thorough: bool,
) -> tuple[int, ...]:
    return sweeping.suspects(
        headers, known=known, looked_at=looked_at, followed=followed, is_thorough=is_thorough
    )


def has_standing(row: Row, *, bare: bool) -> bool:
    """`looks.of_orders`: whether an entry in Sage can be told to be this row's."""
    is_bare = bare and not row.is_dirty and not row.is_skipped_by_person
    return row.entry is not None or is_bare


def as_shown(row: Row, invoice: Invoice) -> Entry:
    """`identities.adopt`: the entry to compare with, where Sage and BILL may differ as BILL says."""
    is_its_number = is_numbered(invoice.document_number, row.bill.number)
    return Entry(
        posting_id=row.id,
        bill_id=row.bill.id,
        bill_hash=row.bill.hash,
        vendor_number=invoice.vendor_number,
        document_number=invoice.document_number if is_its_number else row.bill.number,
        order_number=invoice.order_number,
        total=row.bill.total,
        lines=tuple((line.gl_account, line.amount) for line in invoice.details),
    )
