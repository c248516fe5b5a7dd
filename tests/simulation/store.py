"""Our own rows, in memory: frozen values in tables, every write conditional as in the database.

What `services/posting.py` does with PostgreSQL this does with dicts: facts are saved only where the
batch's version and the lease's epoch still hold, and the postings follow in the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from integrations.sage300.types import BatchHeader, Invoice
from sync.domain import facts_json, following, sweeping
from sync.domain.backoff import BatchPace
from sync.domain.circuit import Circuit
from sync.domain.commands import Command, PostBatch
from sync.domain.comparison import fold
from sync.domain.facts import NOWHERE, Entry, Facts, Fate, Place, Stage
from sync.domain.landing import landing
from sync.domain.posting_state import PostingState, may_advance
from sync.domain.replacing import replace
from tests.simulation.invoices import Period, period_of
from tests.simulation.office import Bill
from tests.simulation.world import Violation, World

S = PostingState
LEASE_SECONDS = 300.0
#: So many commits apart, the facts take the way through JSON that the real ones always take.
JSON_EVERY = 48
#: A period that Sage refused counts as closed for so long.
REFUSED_PERIOD_SECONDS = 2400.0
CLOSED = Circuit()

Row = TypeVar("Row")
Worked = TypeVar("Worked")


@dataclass(frozen=True)
class Posting:
    """Our record of one bill's way."""

    id: str
    bill: Bill
    state: PostingState = S.WAITING
    entry: Entry | None = None
    batch: str = ""
    place: Place = NOWHERE
    is_clean: bool = True
    sentence: str = ""
    is_skipped_by_person: bool = False
    #: When its last batch was made, in seconds of the world.
    batch_made_at: float = -1e9


@dataclass(frozen=True)
class Batch:
    """One intent, the exact invoices it may send, and the memory of its protocol."""

    tag: str
    facts: Facts
    version: int = 1
    is_settled: bool = False
    invoices: dict[str, Invoice] = field(default_factory=dict)


@dataclass(slots=True)
class Company:
    """What one company remembers of its Sage and its BILL."""

    cursor: int = 0
    low_mark: int = 0
    highest: int = 0
    first_seen: dict[int, datetime] = field(default_factory=dict)
    prints: dict[int, str] = field(default_factory=dict)
    is_thorough: bool = False
    hold: str = ""
    paused: str = ""
    rounds: int = 0
    full_look_at: float = 0.0
    circuit: Circuit = CLOSED
    pace: BatchPace | None = None
    closed_until: dict[Period, float] = field(default_factory=dict)

    def copy(self) -> Company:
        """As a backup keeps it."""
        return replace(
            self,
            first_seen=dict(self.first_seen),
            closed_until=dict(self.closed_until),
        )


@dataclass(frozen=True, slots=True)
class Lease:
    owner: str
    epoch: int


class Table(dict[str, Row]):
    """Rows by key. What is worked out from all of them holds until one of them is written."""

    def __init__(self, rows: dict[str, Row] | None = None) -> None:
        super().__init__(rows or {})
        self.writes = 0
        self._known: dict[Callable[..., Any], Any] = {}

    def __setitem__(self, key: str, row: Row) -> None:
        super().__setitem__(key, row)
        self.writes += 1
        self._known.clear()

    def ask(self, work_out: Callable[[Iterable[Row]], Worked]) -> Worked:
        """The answer to this question about the rows; not to be changed by the asker."""
        if work_out not in self._known:
            self._known[work_out] = work_out(self.values())
        answer: Worked = self._known[work_out]
        return answer


class Store:
    """The database of one company."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.postings: Table[Posting] = Table()
        self.batches: Table[Batch] = Table()
        self.company = Company()
        self.epoch = 0
        self.owner = ""
        self.expires = 0.0
        self.commits = 0
        self.restores = 0
        #: (tag of the POST) of every intent ever committed: what invariant I4 is checked on.
        self.intents: set[str] = set()
        self._judged: tuple[object, ...] = ()
        self._prints_of: tuple[dict[int, str], dict[int, str]] = {}, {}
        self._prints: dict[int, str] = {}
        self.checks_epoch = True
        self.saves_intent = True

    # --- the lease ---

    def take_lease(self, owner: str) -> Lease | None:
        if self.owner and self.expires > self.world.seconds:
            return None
        self.epoch += 1
        self.owner, self.expires = owner, self.world.seconds + LEASE_SECONDS
        return Lease(owner, self.epoch)

    def renew(self, lease: Lease) -> bool:
        if not self.holds(lease) or self.expires <= self.world.seconds:
            return not self.checks_epoch
        self.expires = self.world.seconds + LEASE_SECONDS
        return True

    def release(self, lease: Lease) -> None:
        if self.holds(lease):
            self.owner, self.expires = "", 0.0

    def holds(self, lease: Lease) -> bool:
        return self.epoch == lease.epoch and self.owner == lease.owner

    # --- commits ---

    def save(self, lease: Lease, batch: Batch, facts: Facts, command: Command) -> Batch | None:
        """Store one step whole, or return None and store nothing."""
        if self.checks_epoch and not (
            self.holds(lease) and self.batches.get(batch.tag, batch).version == batch.version
        ):
            return None
        if not self.saves_intent and isinstance(command, PostBatch):
            return batch
        if self.commits % JSON_EVERY == 0:
            facts = self._through_json(facts)
        is_settled = facts.stage is Stage.DONE
        row = Batch(batch.tag, facts, batch.version + 1, is_settled, batch.invoices)
        self.batches[batch.tag] = row
        self.commits += 1
        if isinstance(command, PostBatch):
            self.intents.add(command.tag)
        self._land(batch, facts)
        return row

    def _through_json(self, facts: Facts) -> Facts:
        data: dict[str, Any] = facts_json.to_json(facts)
        again = facts_json.from_json(data)
        if again != facts:
            raise Violation("facts changed on their way through JSON")
        return again

    def _land(self, before: Batch, facts: Facts) -> None:
        for entry in facts.entries:
            posting = self.postings.get(entry.posting_id)
            if posting is None or posting.batch != before.tag:
                continue
            land = landing(facts, posting.id)
            place = facts.place(posting.id)
            if (land.state, land.sentence, place) == (
                posting.state, posting.sentence, posting.place,
            ):  # fmt: skip
                continue
            state = land.state
            if place.fate is Fate.REFUSED and place.is_clean and "period is closed" in land.words:
                # The whole period was refused: the bill is decided anew.
                self.company.closed_until[period_of(posting.bill.day)] = (
                    self.world.seconds + REFUSED_PERIOD_SECONDS
                )
                state = S.WAITING
            # A bill that was taken out has left its batch: what turns up later is swept.
            batch = "" if state is S.WAITING else posting.batch
            self.advance(
                posting.id, state, sentence=land.sentence, place=place,
                is_clean=place.is_clean, batch=batch,
            )  # fmt: skip

    def advance(
        self, key: str, new: PostingState, *, by_person: bool = False, **values: Any
    ) -> None:
        """The only writer of a state; a way that the table does not have is a violation."""
        posting = self.postings[key]
        if not may_advance(posting.state, new, by_person=by_person):
            raise Violation(f"{key}: {posting.state} does not lead to {new} ({values})")
        was_posted = posting.place.fate is Fate.POSTED
        is_twice = "stands twice in the ledger" in str(values.get("sentence"))
        if was_posted and not (by_person or is_twice or new is S.IN_SAGE):
            raise Violation(f"{key}: posted, and left for {new} by the machine")
        self.postings[key] = replace(posting, state=new, **values)
        self.commits += 1

    def snapshot(self) -> tuple[object, ...]:
        return dict(self.postings), dict(self.batches), self.company.copy()

    def restore(self, snapshot: tuple[object, ...]) -> None:
        """Our database as it was; the operator says so (`after_restore`), and leases start anew."""
        postings, batches, self.company = snapshot  # type: ignore[assignment]
        self.postings, self.batches = Table(postings), Table(batches)  # type: ignore[arg-type]
        self.company.is_thorough = True
        for tag, batch in list(self.batches.items()):
            if not batch.is_settled:
                self.batches[tag] = replace(batch, facts=replace(batch.facts, is_thorough=True))
        self.restores += 1
        self.epoch += 1000
        self.owner, self.expires = "", 0.0

    # --- questions ---

    def is_judged(self, headers: tuple[BatchHeader, ...]) -> bool:
        """Whether this very list, beside these very rows, has been judged and left nothing to do."""
        return self._judged == (headers, *self._rows_judged_by())

    def note_judged(self, headers: tuple[BatchHeader, ...]) -> None:
        self._judged = (headers, *self._rows_judged_by())

    def _rows_judged_by(self) -> tuple[object, ...]:
        company = self.company
        rows = self.restores, self.postings.writes, self.batches.writes
        return *rows, company.prints, company.highest, company.is_thorough, company.hold

    def frozen(self, facts: Facts) -> dict[str, Invoice]:
        """The invoices of this intent, as they are sent."""
        return self.batches[facts.tag].invoices

    def unsettled(self) -> list[Batch]:
        return self.batches.ask(_unsettled)

    def ready(self) -> list[Posting]:
        return self.postings.ask(_ready)

    def waiting(self) -> list[Posting]:
        return self.postings.ask(_waiting)

    def blocked(self) -> list[Posting]:
        return self.postings.ask(_blocked)

    def is_due(self, bill: Bill) -> bool:
        """Readiness in a nutshell: approved, not archived, and in a period that is open."""
        is_open = self.company.closed_until.get(period_of(bill.day), 0.0) <= self.world.seconds
        return bill.is_approved and not bill.is_archived and is_open

    def is_under_way(self, posting: Posting) -> bool:
        """Whether it belongs to a batch or sweep that is not settled: that one decides."""
        batch = self.batches.get(posting.batch)
        return batch is not None and not batch.is_settled

    def judged_prints(self) -> dict[int, str]:
        """How the batches of our facts looked when each was last judged."""
        return self.batches.ask(_prints)

    def prints(self) -> dict[int, str]:
        """How every batch looked when it was last read, by our facts or by a sweep."""
        judged, looked_at = self._prints_of
        if judged is not self.judged_prints() or looked_at is not self.company.prints:
            self._prints_of = self.judged_prints(), self.company.prints
            self._prints = sweeping.known_prints(*self._prints_of)
        return self._prints

    def highest(self) -> int:
        """The highest batch number seen in a list or in any batch of ours."""
        return max(self.company.highest, self.batches.ask(_highest))

    def followed_numbers(self) -> set[int]:
        """The batches of Sage in which an entry of ours can still change.

        Not those of a posting that has left its batch: nobody follows it there any more.
        """
        return {
            number for tag, number in self.batches.ask(_followed) if (tag, number) in self.lies()
        }

    def watched(self) -> list[tuple[str, int, str]]:
        """(tag, number, how it looked when it was read) of all that is followed and settled."""
        return self.batches.ask(_watched)

    def posted_numbers(self) -> set[int]:
        """The batches of our Posted postings."""
        return self.postings.ask(_posted_numbers)

    def lies(self) -> set[tuple[str, int]]:
        """(tag of our batch, number of Sage's batch) of every posting."""
        return self.postings.ask(_lies)

    def by_order(self) -> dict[str, str]:
        """Posting ids by folded order number."""
        return self.postings.ask(_by_order)

    def is_search_due(self) -> bool:
        """Whether an entry of ours may lie where nothing tells of it: `settling._is_search_due`."""
        lately = self.world.seconds - 2 * sweeping.GRACE_SECONDS
        return self.postings.ask(_is_search_due) or self.postings.ask(_last_unclean) >= lately


def _unsettled(rows: Iterable[Batch]) -> list[Batch]:
    return [batch for batch in rows if not batch.is_settled]


def _ready(rows: Iterable[Posting]) -> list[Posting]:
    return [posting for posting in rows if posting.state is S.READY]


def _blocked(rows: Iterable[Posting]) -> list[Posting]:
    return [posting for posting in rows if posting.state is S.BLOCKED]


def _waiting(rows: Iterable[Posting]) -> list[Posting]:
    return [posting for posting in rows if posting.state is S.WAITING]


def _prints(rows: Iterable[Batch]) -> dict[int, str]:
    known: dict[int, str] = {}
    for batch in rows:
        known.update(batch.facts.prints)
    return known


def _highest(rows: Iterable[Batch]) -> int:
    return max((batch.facts.highest for batch in rows), default=0)


def _followed(rows: Iterable[Batch]) -> list[tuple[str, int]]:
    return [(batch.tag, n) for batch in rows for n in following.to_follow(batch.facts)]


def _watched(rows: Iterable[Batch]) -> list[tuple[str, int, str]]:
    return [
        (batch.tag, number, batch.facts.prints.get(number, ""))
        for batch in rows
        if batch.is_settled
        for number in following.to_follow(batch.facts)
    ]


def _posted_numbers(rows: Iterable[Posting]) -> set[int]:
    return {posting.place.batch_number for posting in rows if posting.place.is_posted}


def _lies(rows: Iterable[Posting]) -> set[tuple[str, int]]:
    return {(posting.batch, posting.place.batch_number) for posting in rows}


def _by_order(rows: Iterable[Posting]) -> dict[str, str]:
    return {fold(posting.id): posting.id for posting in rows}


def _is_search_due(rows: Iterable[Posting]) -> bool:
    return sweeping.is_search_due(posting.place for posting in rows)


def _last_unclean(rows: Iterable[Posting]) -> float:
    """When the last batch was made of a posting whose answer was lost."""
    return max((row.batch_made_at for row in rows if not row.is_clean), default=-1e9)
