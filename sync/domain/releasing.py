"""Ready To Post and posting, where the company asks for it.

Driven by the status Sage shows, never by what an answer claimed: whatever a PATCH or `$process`
said, the batch or its posted documents are read next (`proving.py` judges them). A batch is released
only when, just read, it holds our entries as they were sent and nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from integrations.sage300.types import BatchStatus
from sync.domain import proving
from sync.domain.commands import (
    Answer,
    BatchRead,
    Command,
    ErrorsFound,
    FindPosted,
    NotSent,
    PostedFound,
    ProcessBatch,
    ReadBatch,
    ReadErrors,
    ReadPosted,
    Refused,
    SetReady,
)
from sync.domain.facts import Facts, Fate, Place, Stage
from sync.domain.looking import PAIRS_PER_CALL
from sync.domain.policy import Release
from sync.domain.replacing import replace

IN_PROGRESS_SECONDS = 10
PROGRESS_LIMIT = 30
READY_LIMIT = 3
PROCESS_LIMIT = 2

Waited = tuple[Facts, float, str]


def begin(facts: Facts) -> Facts:
    """Choose the batches to release, where an entry landed as it was sent, and those to prove posted.

    A person may have posted one before it was read back, also after an edit.
    """
    is_left_open = facts.release is Release.OPEN or facts.is_following
    numbers = sorted(
        {
            place.batch_number
            for place in facts.places.values()
            if (place.fate is Fate.LANDED and not is_left_open) or _is_unproved(place)
        }
    )
    return _start(replace(facts, stage=Stage.RELEASE, to_release=tuple(numbers)))


def _is_unproved(place: Place) -> bool:
    is_here = place.fate in {Fate.LANDED, Fate.DIFFERS} and not place.is_posted
    return is_here and place.status == BatchStatus.POSTED


def follow(facts: Facts, numbers: tuple[int, ...]) -> Facts:
    """Read these batches again and tell what people or the posting did there; write nothing."""
    facts = replace(
        facts, stage=Stage.RELEASE, to_release=numbers, is_following=True, just_read=0, why="", cleanings=0,
        release_notes={n: t for n, t in facts.release_notes.items() if n not in numbers},
    )  # fmt: skip
    return _start(facts)


def _start(facts: Facts) -> Facts:
    return replace(
        facts, ready_tries=0, process_tries=0, progress_waits=0, is_processed=False,
        is_posted_asked=False, are_errors_read=False, moved=(), busy=0, refusal_words="",
    )  # fmt: skip


def resume(facts: Facts) -> Facts:
    """Somebody picks it up: what was read before is not known to hold any more."""
    return replace(facts, just_read=0, is_posted_asked=False, are_errors_read=False, moved=())


def derive(facts: Facts, now: datetime) -> tuple[Facts, Command | None]:
    """The next command about the first batch left to release."""
    if not facts.to_release:
        return replace(facts, stage=Stage.DONE, why=""), None
    number = facts.to_release[0]
    if facts.moved:
        return facts, _find_moved(facts)
    if facts.are_errors_read or not proving.here(facts, number):
        return _next(facts), None
    if facts.is_processed and not facts.is_posted_asked:
        return facts, ReadPosted(number=number)
    if facts.just_read != number:
        return facts, ReadBatch(number=number)
    status = facts.statuses.get(number, "")
    match status:
        case BatchStatus.OPEN:
            return _from_open(facts, number)
        case BatchStatus.READY_TO_POST:
            return _from_ready(facts, number)
        case BatchStatus.POST_IN_PROGRESS:
            return _in_progress(facts, number, now), None
        case BatchStatus.POSTED if not facts.is_posted_asked:
            return facts, ReadPosted(number=number)
        case BatchStatus.POSTED:
            return facts, ReadErrors(number=number)
    return _left(facts, f"Batch {number} is {status} in Sage; it was left as it is."), None


def _find_moved(facts: Facts) -> FindPosted:
    entries = [facts.entry(key) for key in facts.moved[:PAIRS_PER_CALL]]
    return FindPosted(
        pairs=tuple((entry.vendor_number, entry.document_number) for entry in entries)
    )


def _in_progress(facts: Facts, number: int, now: datetime) -> Facts:
    if facts.progress_waits >= PROGRESS_LIMIT:
        note = f"Sage has been posting batch {number} for a long time. Look at it in Sage."
        return _left(facts, note)
    return replace(
        facts, just_read=0, progress_waits=facts.progress_waits + 1, is_posted_asked=False,
        not_before=now + timedelta(seconds=IN_PROGRESS_SECONDS),
        why=f"Sage is posting batch {number}.",
    )  # fmt: skip


def _from_open(facts: Facts, number: int) -> tuple[Facts, Command | None]:
    if facts.release is Release.OPEN or facts.is_following:
        return _next(facts), None
    held = proving.why_held(facts, number)
    if held:
        return _left(facts, held), None
    if facts.ready_tries >= READY_LIMIT:
        note = (
            f"Sage took Ready To Post for batch {number} and still shows it Open. Set it Ready To"
            " Post in Sage."
        )
        return _left(facts, note), None
    return replace(facts, ready_tries=facts.ready_tries + 1, just_read=0), SetReady(number=number)


def _from_ready(facts: Facts, number: int) -> tuple[Facts, Command | None]:
    if facts.release is Release.OPEN or facts.is_following:
        return _next(facts), None
    held = proving.why_held(facts, number)
    if held:
        return _left(facts, held), None
    if facts.release is not Release.POST or not facts.can_post:
        return _next(facts), None
    if facts.process_tries >= PROCESS_LIMIT:
        words = facts.refusal_words or "Sage wants the batch listing printed first"
        note = f"Batch {number} is still Ready To Post: {words}. Post it in Sage."
        return _left(facts, note), None
    facts = replace(
        facts, process_tries=facts.process_tries + 1, is_processed=True, is_posted_asked=False,
        just_read=0,
    )  # fmt: skip
    return facts, ProcessBatch(number=number)


def absorb(facts: Facts, answer: Answer | None, *, lock_limit: int) -> Waited:
    """Take an answer in; with it, seconds to wait at least and why ("" for no wait)."""
    number = facts.to_release[0] if facts.to_release else 0
    match answer:
        case BatchRead(batch=batch) if answer.number == number:
            return proving.take_read(facts, number, batch), 0, ""
        case PostedFound(documents=documents) if facts.moved:
            return proving.take_twins(facts, documents), 0, ""
        case PostedFound(documents=documents):
            return proving.take_posted(facts, number, documents), 0, ""
        case ErrorsFound(errors=errors):
            return proving.take_errors(facts, number, errors), 0, ""
        case NotSent(why=why, retry_after_seconds=seconds):
            return _unsent(facts), seconds, why
        case Refused() if facts.is_processed:
            return replace(facts, refusal_words=answer.words), 0, ""
        case Refused(is_transient=True) if facts.busy < lock_limit:
            facts = replace(facts, busy=facts.busy + 1, ready_tries=0)
            return facts, answer.retry_after_seconds, answer.sentence
        case Refused():
            return _left(facts, f"Sage left batch {number} Open: {answer.words}"), 0, ""
    return facts, 0, ""


def _unsent(facts: Facts) -> Facts:
    """No byte left: the try does not count."""
    if facts.is_processed:
        return replace(facts, process_tries=facts.process_tries - 1)
    return replace(facts, ready_tries=max(0, facts.ready_tries - 1))


def _left(facts: Facts, note: str) -> Facts:
    number = facts.to_release[0]
    return _next(replace(facts, release_notes={**facts.release_notes, number: note}))


def _next(facts: Facts) -> Facts:
    return _start(replace(facts, to_release=facts.to_release[1:], just_read=0))
