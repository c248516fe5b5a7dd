"""From an entry's fate in the protocol to the posting's state and the sentence people read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from sync.domain.facts import Facts, Fate, Outcome, Stage
from sync.domain.posting_state import AttentionMode, PostingState


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What to write on the posting's row; `words` are Sage's own."""

    state: PostingState
    mode: AttentionMode = AttentionMode.NONE
    sentence: str = ""
    words: str = ""


def landing(facts: Facts, posting_id: str) -> Landing:
    """Tell how this posting stands, whatever room its batch is in."""
    place = facts.place(posting_id)
    note, words = place.note, place.words
    match place.fate:
        case Fate.PENDING:
            return _under_way(facts, posting_id)
        case Fate.WITHDRAWN:
            return Landing(state=PostingState.WAITING, sentence=note)
        case Fate.LANDED | Fate.POSTED:
            return Landing(state=PostingState.IN_SAGE, sentence=_in_sage(facts, posting_id))
        case Fate.OUTSIDE:
            told = ("Handled outside, as somebody said.", *facts.stray_notes.get(posting_id, ()))
            return Landing(state=PostingState.SKIPPED, sentence=" ".join(told))
        case Fate.TAKEN | Fate.REFUSED | Fate.DIFFERS | Fate.MOVED | Fate.REMOVED:
            return Landing(
                state=PostingState.ATTENTION,
                mode=AttentionMode.DATA,
                sentence=" ".join((note, *facts.stray_notes.get(posting_id, ()))),
                words=words,
            )
        case Fate.EXCEEDED:
            return Landing(
                state=PostingState.ATTENTION,
                mode=AttentionMode.EXCEEDED,
                sentence=note,
                words=words,
            )
        case _:
            assert_never(place.fate)


def _under_way(facts: Facts, posting_id: str) -> Landing:
    if facts.cleaning or facts.suspects:
        return Landing(
            state=PostingState.UNCERTAIN,
            sentence="Found in Sage, though our records did not say so. It is being looked at.",
        )
    if facts.stage is Stage.DONE:
        return Landing(
            state=PostingState.WAITING,
            sentence="Looked for in Sage and not found; it is decided anew.",
        )
    is_open = posting_id in facts.sending and facts.outcome is Outcome.LOST
    if is_open and facts.stage is Stage.SETTLE:
        why = facts.why or "The answer was lost."
        return Landing(
            state=PostingState.UNCERTAIN,
            sentence=(
                f"{why} We are looking it up in Sage and will not send it again until Sage shows"
                " that it is not there. Nobody needs to act."
            ),
        )
    sentence = "Being sent to Sage."
    if facts.is_sage_restored:
        sentence = facts.why
    elif facts.is_stopped:
        sentence = f"{facts.why} Sending is paused until the connection is mended."
    elif facts.why:
        sentence = f"{facts.why} It goes on by itself."
    return Landing(state=PostingState.IN_FLIGHT, sentence=sentence)


def _in_sage(facts: Facts, posting_id: str) -> str:
    place = facts.place(posting_id)
    notes = list(facts.stray_notes.get(posting_id, ()))
    if place.fate is Fate.LANDED and place.batch_number in facts.release_notes:
        notes.insert(0, facts.release_notes[place.batch_number])
    return " ".join(notes)
