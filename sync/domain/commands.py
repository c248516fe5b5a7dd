"""What the posting protocol may ask of the world, and what the world may answer.

The reducer (`protocol.py`) returns one command at a time; the interpreter runs it and hands the
answer back. Nothing here knows how a command is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.sage300.types import BatchHeader, InvoiceBatch, PostedDocument, PostingError


class Standing(StrEnum):
    """How a bill stands in BILL when it is read again just before it is sent."""

    APPROVED = "approved"
    NOT_APPROVED = "not_approved"
    ARCHIVED = "archived"
    CHANGED = "changed"
    GONE = "gone"


# --- commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBatches:
    """Read the headers of Sage's batches numbered above `after`."""

    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBatch:
    """Read one batch with its entries."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FindPosted:
    """Look for posted documents by (vendor number, document number), at most 15 pairs."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadApprovals:
    """Read these bills again in BILL, in one call."""

    bill_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostBatch:
    """Create one invoice batch of exactly these postings; the only command that makes entries."""

    posting_ids: tuple[str, ...]
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReady:
    """PATCH this batch, just read and found to hold our entries, to Ready To Post."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessBatch:
    """Have Sage post this one batch, just read as Ready To Post and found to hold our entries."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPosted:
    """Read the posted documents of one batch."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadErrors:
    """Read Sage's posting error messages of one batch."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveEntries:
    """PATCH `UpdateOperation: Delete` for exactly these entry numbers of one Open batch."""

    number: int
    entry_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameBatch:
    """Say in the description of an emptied batch what it is."""

    number: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing to do before `until`; `why` is the sentence people see meanwhile."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The connection is paused; come back when somebody has mended it."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Every entry has its fate."""


Write = PostBatch | SetReady | ProcessBatch | RemoveEntries | RenameBatch
Read = ListBatches | ReadBatch | FindPosted | ReadApprovals | ReadPosted | ReadErrors
Command = Write | Read | Wait | Stop | Done


# --- answers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """The headers asked for by ListBatches."""

    headers: tuple[BatchHeader, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRead:
    """The batch asked for, None where Sage has no such number."""

    number: int
    batch: InvoiceBatch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedFound:
    """Posted documents, for FindPosted and ReadPosted."""

    documents: tuple[PostedDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Each bill's standing; a bill not in the mapping was not in BILL's answer."""

    standings: Mapping[str, Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsFound:
    """The rows asked for by ReadErrors."""

    errors: tuple[PostingError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A complete 201: Sage says it made this batch (believed only once it is read back)."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A write other than PostBatch was answered as done (believed only once it is read back)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A clean refusal. `document_number` is the one Sage names, "" where it names none.

    `is_transient` marks a refusal by load or by a person's lock, to be tried again after
    `retry_after_seconds`; `is_period_closed` one that meets the whole batch, which is of one period.
    """

    sentence: str
    words: str
    document_number: str = ""
    is_number_taken: bool = False
    is_period_closed: bool = False
    is_transient: bool = False
    retry_after_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The request left and its answer is lost, cut or unreadable."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """No byte left us; the outcome of a write is known to be nothing."""

    why: str
    retry_after_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed:
    """A read gave no usable answer; it may be asked again."""

    why: str
    retry_after_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Credentials or rights are refused; the connection has been paused."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Somebody picks the batch up: a new worker, or the same one after a wait.

    Whatever was under way when it was put down is not known to have happened.
    """


Answer = (
    Headers
    | BatchRead
    | PostedFound
    | Approvals
    | ErrorsFound
    | Created
    | Accepted
    | Refused
    | Lost
    | NotSent
    | ReadFailed
    | Paused
    | Resumed
)
