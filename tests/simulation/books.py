"""Our rows as the services keep them on PostgreSQL, in memory: what `landings`, `acts` and `restoring` do.

Every rule here stands in a service as well; `on_postgres` requires that both write the same, step
by step. Where the two part, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from integrations.sage300.types import BatchHeader, BatchStatus, Invoice
from sync.domain import sage_restores
from sync.domain.backoff import BatchPace
from sync.domain.commands import Command, PostBatch
from sync.domain.facts import Facts, Fate, Place, Stage
from sync.domain.landing import landing
from sync.domain.posting_state import BEFORE_SENDING, PostingState, may_advance
from sync.domain.replacing import replace
from tests.simulation.invoices import DAY, Period, period_of
from tests.simulation.marks import Marks
from tests.simulation.store import (
    JSON_EVERY,
    LEASE_SECONDS,
    REFUSED_PERIOD_SECONDS,
    Batch,
    Lease,
    Posting,
    Store,
    Table,
)
from tests.simulation.world import World

S = PostingState
FOUND = "Found in Sage, though our records did not say so. It is being looked at."
LYING = frozenset({Fate.LANDED, Fate.POSTED, Fate.MOVED, Fate.DIFFERS})
NOWHERE = frozenset({Fate.REFUSED, Fate.WITHDRAWN, Fate.TAKEN, Fate.REMOVED, Fate.EXCEEDED})
_LIES = frozenset({S.IN_SAGE, S.ATTENTION})
_WORDS = {
    BatchStatus.READY_TO_POST: "Ready To Post",
    BatchStatus.POST_IN_PROGRESS: "Post In Progress",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a posting's row says it lies in Sage."""

    batch_number: int | None = None
    entry_number: int | None = None
    status: str = ""
    is_posted: bool = False


@dataclass(frozen=True)
class Row(Posting):
    """A posting's row; `entry` is its mapped invoice, `place` its batch's word.

    `is_held`: vendor and document number are held against all other postings.
    """

    #: The row's own key: a bill read again after a restore of our database gets another one.
    key: str = ""
    is_dirty: bool = True
    is_held: bool = False
    is_frozen: bool = False
    shown: Shown = Shown()
    day: date = DAY
    is_cleared: bool = False
    is_sent_under_other: bool = False


class Books(Store):
    """The database of one company."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.marks: Marks | None = None
        self.pace = BatchPace(size=world.nature.batch_size)
        #: The periods that counted as closed when everything was last decided.
        self.grounds: frozenset[Period] = frozenset()
        #: When each batch's row was made, in seconds of the world.
        self.made_at: dict[str, float] = {}
        self._moving: tuple[tuple[int, ...], list[tuple[Row, int]]] = (), []

    # --- the lease, and one step of the protocol ---

    def keep(self, lease: Lease) -> bool | None:
        """None: somebody else is the writer. False: it ran out, and nothing new may begin."""
        if self.epoch != lease.epoch:
            return None if self.checks_epoch else True
        if self.expires <= self.world.seconds:
            return not self.checks_epoch
        self.expires = self.world.seconds + LEASE_SECONDS
        return True

    def save_step(
        self, lease: Lease, batch: Batch, before: Facts, after: Facts, command: Command
    ) -> tuple[Batch, bool] | None:
        """Store one step whole and tell whether the lease goes on; None stores nothing."""
        is_kept = self.keep(lease)
        held = self.batches.get(batch.tag)
        is_same = held is not None and held.version == batch.version and not held.is_settled
        if is_kept is None or (self.checks_epoch and not is_same):
            return None
        if not self.saves_intent and isinstance(command, PostBatch):
            return batch, is_kept
        if self.commits % JSON_EVERY == 0:
            after = self._through_json(after)
        is_settled = after.stage is Stage.DONE
        row = Batch(batch.tag, after, batch.version + 1, is_settled, batch.invoices)
        self.batches[batch.tag] = row
        self.commits += 1
        if isinstance(command, PostBatch):
            self.intents.add(command.tag)
        self.apply(batch.tag, before, after)
        return row, is_kept

    def apply(self, tag: str, before: Facts, after: Facts) -> None:
        """Advance every posting whose landing changed between two facts."""
        for entry in after.entries:
            key = entry.posting_id
            row = self.row(key)
            if row is None or row.batch != tag:
                continue
            if before.place(key) == after.place(key) and landing(before, key) == landing(
                after, key
            ):
                continue
            self._land(row, after)

    def _land(self, row: Row, after: Facts) -> None:
        key, place, land = row.id, after.place(row.id), landing(after, row.id)
        may_go = self._may_go(row, land.state)
        self.change(key, place=place)
        if not may_go:
            return
        values: dict[str, object] = {"sentence": land.sentence, "is_clean": place.is_clean}
        if place.fate in LYING:
            values["shown"] = shown(place)
        elif place.fate in NOWHERE:
            values["shown"] = Shown()
            if place.is_clean:
                values["is_frozen"] = False
        state = land.state
        if place.fate is Fate.REFUSED and place.is_clean and "period is closed" in place.words:
            self._close(period_of(row.day))
            state = S.WAITING
        if state is S.WAITING:
            values["is_dirty"] = True
        self.advance(key, state, **values)

    def _close(self, period: Period) -> None:
        """Sage refused the whole period: it counts as closed for a while."""
        if period not in self.closed():
            self.company.closed_until[period] = self.world.seconds + REFUSED_PERIOD_SECONDS

    def closed(self) -> frozenset[Period]:
        until = self.company.closed_until.items()
        return frozenset(period for period, at in until if at > self.world.seconds)

    def _may_go(self, row: Row, new: PostingState) -> bool:
        if may_advance(row.state, new):
            return not (row.is_skipped_by_person and new is not row.state)
        if row.state in BEFORE_SENDING and not row.is_skipped_by_person:
            self.advance(row.id, S.UNCERTAIN, sentence=FOUND)
            return True
        return False

    def row(self, key: str) -> Row | None:
        found = self.postings.get(key)
        assert found is None or isinstance(found, Row)
        return found

    def blocked(self) -> list[Posting]:
        """Those that were sent under other numbers than they would have now."""
        return [row for row in self.rows() if row.is_sent_under_other and row.state is S.BLOCKED]

    def rows(self) -> list[Row]:
        return self.postings.ask(_in_order)

    def moving(self) -> list[tuple[Row, int]]:
        """`Posting.objects.moving`: rows of settled batches whose entry can still change, and where it lies."""
        known_by = self.restores, self.postings.writes, self.batches.writes
        if self._moving[0] != known_by:
            self._moving = (
                known_by,
                [
                    (row, row.shown.batch_number)
                    for row in self.rows()
                    if row.shown.batch_number is not None
                    and not row.shown.is_posted
                    and row.state in _LIES
                    and (batch := self.batch_of(row)) is not None
                    and batch.is_settled
                ],
            )
        return self._moving[1]

    def is_taken(self, row: Row, vendor: str, number: str) -> bool:
        """Whether another posting holds this number."""
        return any(
            other.is_held
            and other.id != row.id
            and other.entry is not None
            and (other.entry.vendor_number, other.entry.document_number) == (vendor, number)
            for other in self.rows()
        )

    def change(self, key: str, **values: object) -> None:
        """Write columns other than the state."""
        self.postings[key] = replace(self.postings[key], **values)  # type: ignore[arg-type]

    def batch_of(self, row: Posting) -> Batch | None:
        return self.batches.get(row.batch)

    def add(self, tag: str, facts: Facts, invoices: dict[str, Invoice]) -> Batch:
        batch = Batch(tag, facts, invoices=invoices)
        self.batches[tag], self.made_at[tag] = batch, self.world.seconds
        self.commits += 1
        return batch

    # --- a person's acts ---

    def send_again(self, key: str, why: str = ".") -> None:
        """`Deed.REPLAY`: decided anew with the next pass."""
        sentence = f"Ada asked to check it again{why}"
        self.advance(
            key, S.WAITING, by_person=True, sentence=sentence, is_dirty=True,
            is_sent_under_other=False,
        )  # fmt: skip

    def handle_outside(self, key: str) -> None:
        """`Deed.HANDLED_OUTSIDE`: left alone for good; its batch is told."""
        row = self.postings[key]
        self.advance(
            key, S.SKIPPED, by_person=True, sentence="Handled outside, says Ada: by hand",
            is_skipped_by_person=True, is_dirty=False,
        )  # fmt: skip
        batch = self.batch_of(row)
        if batch is not None:
            place = replace(
                batch.facts.place(key), fate=Fate.OUTSIDE, note="Handled outside: by hand"
            )
            facts = batch.facts.with_place(key, place)
            self.batches[batch.tag] = replace(batch, facts=facts, version=batch.version + 1)
            self.change(key, place=place)

    def looked_in_sage(self, key: str) -> None:
        """`Deed.LOOKED_IN_SAGE`: it is not there and may go under its new numbers."""
        sentence = "Ada looked in Sage: it is not there. It may go under its number."
        self.advance(
            key, S.WAITING, by_person=True, sentence=sentence, is_dirty=True, is_clean=True,
            is_frozen=False, is_sent_under_other=False,
        )  # fmt: skip

    def go_on(self, headers: tuple[BatchHeader, ...], *, was_restored: bool) -> bool:
        """An operator says what happened to Sage; False while a worker is writing."""
        lease = self.take_lease("operator")
        if lease is None:
            return False
        assert self.marks is not None
        highest = max((header.number for header in headers), default=0)
        lost = [row.id for row in self.rows() if (row.shown.batch_number or 0) > highest]
        low, prints = min(self.marks.low, highest), {}
        if was_restored:
            low, prints = sage_restores.look_back(headers, low=low, known=self.prints())
        for tag, batch in list(self.batches.items()):
            if was_restored:
                after = sage_restores.after_sage_restore(
                    batch.facts, headers, trusts_sequences=self.marks.trusts_sequences
                )
                is_news = after != batch.facts
            else:
                after = sage_restores.history_cleared(batch.facts, highest=highest)
                is_news = not batch.is_settled
            if is_news:
                self.batches[tag] = replace(batch, facts=after, version=batch.version + 1)
                self.commits += 1
                self.apply(tag, batch.facts, after)
        if was_restored:
            for key in lost:
                row = self.row(key)
                # What lies in Sage after all is not sent a second time.
                if row and row.state is S.ATTENTION and row.shown.batch_number is None:
                    self.send_again(key, ": Sage was restored from a backup.")
        self.marks = replace(
            self.marks.watch(self.world.seconds), highest=highest, low=low, prints=prints,
            first_seen={}, seen={},
        )  # fmt: skip
        self.company.hold = ""
        self.release(lease)
        return True

    def orders_apart(self) -> set[str]:
        assert self.marks is not None
        return {order for orders in self.marks.strangers.values() for order in orders}

    def prints(self) -> dict[int, str]:
        """How every batch known to us looked when it was last judged."""
        assert self.marks is not None
        known = dict(self.marks.prints)
        return known | self.judged_prints()

    def is_thorough(self) -> bool:
        """Whether a restore is still being worked through."""
        return self.marks is not None and self.marks.is_thorough(self.world.seconds)

    def hold(self, why: str) -> None:
        """What the last turn said of a restore of Sage; nothing else needs a person's word."""
        self.company.hold = why if "restored from a backup" in why else ""

    def resume(self) -> None:
        """Somebody has entered the right password."""
        self.company.paused = ""

    # --- a backup ---

    def snapshot(self) -> tuple[object, ...]:
        return (*super().snapshot(), self.marks, self.pace, dict(self.made_at), self.grounds)

    def restore(self, snapshot: tuple[object, ...]) -> None:
        """Our database as it was; the operator says so (`manage.py after_restore`)."""
        postings, batches, self.company, marks, self.pace, made_at, self.grounds = snapshot  # type: ignore[assignment]
        self.postings, self.batches = Table(postings), Table(batches)  # type: ignore[arg-type]
        self.made_at = dict(made_at)  # type: ignore[call-overload]
        self.marks = replace(
            (marks or Marks()).watch(self.world.seconds),  # type: ignore[attr-defined]
            prints={}, told=(), strangers={},
        )  # fmt: skip
        self.restores += 1
        self.epoch += 1000
        self.owner, self.expires = "", 0.0


def _in_order(rows: Iterable[Posting]) -> list[Row]:
    return sorted((row for row in rows if isinstance(row, Row)), key=lambda row: row.id)


def shown(place: Place) -> Shown:
    status = "Posted" if place.fate is Fate.POSTED else _WORDS.get(place.status, place.status)  # type: ignore[call-overload]
    return Shown(place.batch_number, place.entry_number, status, place.is_posted)
