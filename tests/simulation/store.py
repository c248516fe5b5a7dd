"""Our own rows, in memory: frozen values in tables, every write conditional as in the database.

What `services/posting.py` does with PostgreSQL this does with dicts: facts are saved only where the
batch's version and the lease's epoch still hold, and the postings follow in the same commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from integrations.sage300.types import Invoice
from sync.domain import facts_json
from sync.domain.circuit import Circuit
from sync.domain.facts import NOWHERE, Entry, Facts, Fate, Place
from sync.domain.posting_state import PostingState, may_advance
from sync.domain.replacing import replace
from tests.simulation.invoices import Period
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
    hold: str = ""
    paused: str = ""
    circuit: Circuit = CLOSED
    closed_until: dict[Period, float] = field(default_factory=dict)

    def copy(self) -> Company:
        """As a backup keeps it."""
        return replace(self, closed_until=dict(self.closed_until))


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


class Once:
    """Works a question out anew only where what it rests on is no longer what it was."""

    def __init__(self) -> None:
        self._last: dict[Callable[..., Any], tuple[tuple[Any, ...], Any]] = {}

    def __call__(self, work_out: Callable[..., Worked], *given: Any) -> Worked:
        """The answer for these values; neither may be changed by anybody afterwards."""
        last = self._last.get(work_out)
        if last is None or last[0] != given:
            last = self._last[work_out] = given, work_out(*given)
        answer: Worked = last[1]
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

    def _through_json(self, facts: Facts) -> Facts:
        data: dict[str, Any] = facts_json.to_json(facts)
        again = facts_json.from_json(data)
        if again != facts:
            raise Violation("facts changed on their way through JSON")
        return again

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

    # --- questions ---

    def frozen(self, facts: Facts) -> dict[str, Invoice]:
        """The invoices of this intent, as they are sent."""
        return self.batches[facts.tag].invoices

    def unsettled(self) -> list[Batch]:
        return self.batches.ask(_unsettled)

    def is_under_way(self, posting: Posting) -> bool:
        """Whether it belongs to a batch or sweep that is not settled: that one decides."""
        batch = self.batches.get(posting.batch)
        return batch is not None and not batch.is_settled

    def judged_prints(self) -> dict[int, str]:
        """How the batches of our facts looked when each was last judged."""
        return self.batches.ask(_prints)


def _unsettled(rows: Iterable[Batch]) -> list[Batch]:
    return [batch for batch in rows if not batch.is_settled]


def _prints(rows: Iterable[Batch]) -> dict[int, str]:
    known: dict[int, str] = {}
    for batch in rows:
        known.update(batch.facts.prints)
    return known
