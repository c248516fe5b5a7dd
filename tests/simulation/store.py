"""Our own rows, in memory: frozen values in dicts, every write conditional as in the database.

What `services/posting.py` does with PostgreSQL this does with dicts: facts are saved only where the
batch's version and the lease's epoch still hold, and the postings follow in the same commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sync.domain import facts_json
from sync.domain.commands import Command, PostBatch
from sync.domain.facts import Entry, Facts, Fate, Place, Stage
from sync.domain.landing import landing
from sync.domain.posting_state import PostingState, may_advance
from tests.simulation.office import Bill
from tests.simulation.world import Violation, World

S = PostingState
LEASE_SECONDS = 300.0
NOWHERE = Place()


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Batch:
    """One intent and the memory of its protocol."""

    tag: str
    facts: Facts
    version: int = 1
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Company:
    """What one company remembers of its Sage and its BILL."""

    cursor: int = 0
    low_mark: int = 0
    highest: int = 0
    first_seen: dict[int, float] = field(default_factory=dict)
    prints: dict[int, str] = field(default_factory=dict)
    is_thorough: bool = False
    hold: str = ""
    rounds: int = 0
    full_look_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    owner: str
    epoch: int


class Store:
    """The database of one company."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.postings: dict[str, Posting] = {}
        self.batches: dict[str, Batch] = {}
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

    def save(self, lease: Lease, batch: Batch, facts: Facts, command: Command) -> Batch | None:
        """Store one step whole, or return None and store nothing."""
        if self.checks_epoch and not (
            self.holds(lease) and self.batches.get(batch.tag, batch).version == batch.version
        ):
            return None
        if not self.saves_intent and isinstance(command, PostBatch):
            return batch
        if self.commits % 16 == 0:
            facts = self._through_json(facts)
        row = Batch(batch.tag, facts, batch.version + 1, facts.stage is Stage.DONE)
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
            # A bill that was taken out has left its batch: what turns up later is swept.
            batch = "" if land.state is S.WAITING else posting.batch
            self.advance(
                posting.id, land.state, sentence=land.sentence, place=place,
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
        return dict(self.postings), dict(self.batches), self.company

    def restore(self, snapshot: tuple[object, ...]) -> None:
        """Our database as it was; the operator says so (`after_restore`), and leases start anew."""
        postings, batches, company = snapshot
        self.postings, self.batches = dict(postings), dict(batches)  # type: ignore[call-overload]
        self.company = replace(company, is_thorough=True)  # type: ignore[type-var]
        for tag, batch in self.batches.items():
            if not batch.is_settled:
                self.batches[tag] = replace(batch, facts=replace(batch.facts, is_thorough=True))
        self.restores += 1
        self.epoch += 1000
        self.owner, self.expires = "", 0.0

    # --- questions ---

    def unsettled(self) -> list[Batch]:
        return [batch for batch in self.batches.values() if not batch.is_settled]

    def ready(self) -> list[Posting]:
        return [p for p in self.postings.values() if p.state is S.READY]

    def prints(self) -> dict[int, str]:
        known = dict(self.company.prints)
        for batch in self.batches.values():
            known.update(batch.facts.prints)
        return known
