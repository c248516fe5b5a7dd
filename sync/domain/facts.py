"""Everything a batch's protocol knows, as one frozen value that is stored between two commands.

What is replaced at every step has no slots, so that `replacing.replace` copies it as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sync.domain.policy import Release
from sync.domain.replacing import replace


class Stage(StrEnum):
    """Which room of the protocol a batch is in."""

    LOOK = "look"
    SEND = "send"
    SENT = "sent"
    READ_BACK = "read_back"
    SETTLE = "settle"
    CLEAN = "clean"
    RELEASE = "release"
    DONE = "done"


class Fate(StrEnum):
    """What became of one entry."""

    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"
    REFUSED = "refused"
    DIFFERS = "differs"
    LANDED = "landed"
    POSTED = "posted"
    MOVED = "moved"
    REMOVED = "removed"
    EXCEEDED = "exceeded"
    OUTSIDE = "outside"


class Outcome(StrEnum):
    """How the last POST ended, as far as its answer tells."""

    NONE = ""
    LOST = "lost"
    REFUSED = "refused"
    TRANSIENT = "transient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One posting of the batch, frozen before the first byte: who it is in Sage, and what is sent.

    `lines` are (unformatted GL account, amount) in order; `bill_hash` is the content we mapped.
    """

    posting_id: str
    bill_id: str
    bill_hash: str
    vendor_number: str
    document_number: str
    order_number: str
    total: Decimal
    lines: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An entry's fate and where it lies; `words` are Sage's own, `note` is our sentence.

    `is_clean` is False from the first lost answer on: what that POST did was only looked for, never
    told by Sage, so the identity may not change without a person. OUTSIDE: a person said it was
    entered by hand, so every copy of ours is one too many. `is_posted`: its own posted document was
    found (a DIFFERS entry may be posted too).
    """

    fate: Fate = Fate.PENDING
    batch_number: int = 0
    entry_number: int = 0
    document_number: str = ""
    status: str = ""
    posting_sequence: int = 0
    is_posted: bool = False
    differences: tuple[str, ...] = ()
    note: str = ""
    words: str = ""
    is_clean: bool = True


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One entry of ours seen in Sage; `differences` is empty when it agrees to the cent."""

    posting_id: str
    batch_number: int
    entry_number: int
    document_number: str
    status: str
    posting_sequence: int = 0
    is_document: bool = False
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Somebody else's entry or posted document with the vendor and number of one of ours."""

    posting_id: str
    batch_number: int
    entry_number: int
    how: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """How far the present look has come, and what it has seen."""

    are_headers_read: bool = False
    to_read: tuple[int, ...] = ()
    asked_posted: tuple[str, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    rivals: tuple[Rival, ...] = ()
    are_approvals_read: bool = False


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The whole memory of one batch.

    Looking: `watermark` is the number above which Sage's batches are looked at, `highest` the
    highest number seen, `is_thorough` reads all of them whatever their description, and `sizes`
    remembers the batches read in full that held nothing of ours. Sending: `groups` wait, `sending`
    is the group whose POST is out, `losses` counts lost POSTs in a row. Cleaning: `cleaning` are
    the postings with more than one copy, `suspects` batches to be read besides those of known
    places. Releasing: `just_read` is the only number a PATCH or `$process` may name, `foreign`
    counts the entries somebody added, `prints` are the fingerprints of batches as last read, `held` says why a batch is not released; with `is_following`
    nothing is written to Sage, only proved. Notes are by batch number, stray notes by posting id.
    Times are aware.
    """

    tag: str
    entries: tuple[Entry, ...]
    watermark: int
    highest: int = 0
    release: Release = Release.OPEN
    stage: Stage = Stage.LOOK
    places: dict[str, Place] = field(default_factory=dict)
    is_thorough: bool = False

    groups: tuple[tuple[str, ...], ...] = ()
    sending: tuple[str, ...] = ()
    sends: int = 0
    look: Look = Look()
    sizes: dict[int, int] = field(default_factory=dict)
    own_numbers: tuple[int, ...] = ()
    reading_back: int = 0
    outcome: Outcome = Outcome.NONE
    refusal_note: str = ""
    refusal_words: str = ""
    refused_number: str = ""
    is_period_closed: bool = False
    is_number_taken: bool = False
    losses: int = 0
    looks: int = 0
    busy: int = 0
    unsent: int = 0

    strays: tuple[Sighting, ...] = ()
    suspects: tuple[int, ...] = ()
    cleaning: tuple[str, ...] = ()
    clean_step: str = ""
    clean_rounds: int = 0
    cleanings: int = 0
    clean_tries: int = 0
    removing: int = 0
    stray_notes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    emptied: tuple[int, ...] = ()

    to_release: tuple[int, ...] = ()
    is_following: bool = False
    just_read: int = 0
    ready_tries: int = 0
    process_tries: int = 0
    progress_waits: int = 0
    is_processed: bool = False
    is_posted_asked: bool = False
    are_errors_read: bool = False
    moved: tuple[str, ...] = ()
    statuses: dict[int, str] = field(default_factory=dict)
    prints: dict[int, str] = field(default_factory=dict)
    can_post: bool = True
    release_notes: dict[int, str] = field(default_factory=dict)
    foreign: dict[int, int] = field(default_factory=dict)
    held: dict[int, str] = field(default_factory=dict)

    tries: int = 0
    settle_until: datetime | None = None
    not_before: datetime | None = None
    why: str = ""
    is_stopped: bool = False
    is_sage_restored: bool = False

    def place(self, posting_id: str) -> Place:
        """Where this posting's entry stands; PENDING until something is known."""
        return self.places.get(posting_id, NOWHERE)

    def entry(self, posting_id: str) -> Entry:
        """The frozen entry of this posting."""
        return next(entry for entry in self.entries if entry.posting_id == posting_id)

    def with_place(self, posting_id: str, place: Place) -> Facts:
        """The same facts with one entry's place replaced."""
        return replace(self, places={**self.places, posting_id: place})

    def pending(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `ids` whose fate is still open, in their order."""
        return tuple(key for key in ids if self.place(key).fate is Fate.PENDING)

    def add_stray_note(self, posting_id: str, note: str) -> Facts:
        """The same facts with one more sentence about a second copy, unless it is there already."""
        known = self.stray_notes.get(posting_id, ())
        if note in known:
            return self
        return replace(self, stray_notes={**self.stray_notes, posting_id: (*known, note)})
