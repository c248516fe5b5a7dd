"""What follows a refusal: find the entry that is refused, and let the others go on.

A refusal that names an entry takes out that entry; one that does not is found by halving, in at
most 2·⌈log2 n⌉ + 2 POSTs for each bad entry. Sage may have kept the entries before the refused one;
those were adopted before this is asked.
"""

from __future__ import annotations

from sync.domain.batching import split
from sync.domain.commands import Refused
from sync.domain.comparison import fold
from sync.domain.facts import Facts, Fate
from sync.domain.replacing import replace

Groups = tuple[tuple[str, ...], ...]

_ASK = (
    " and the invoice was not found in Sage. Ask your IT to look at the Sage 300 web server, then"
    " replay the bill."
)


def noted(facts: Facts, answer: Refused) -> Facts:
    """The facts with Sage's refusal remembered until it has been looked up."""
    return replace(
        facts,
        refusal_note=answer.sentence,
        refusal_words=answer.words,
        refused_number=answer.document_number,
        is_number_taken=answer.is_number_taken,
        is_period_closed=answer.is_period_closed,
        unsent=0,
    )


def take_apart(facts: Facts, pending: tuple[str, ...]) -> tuple[Facts, Groups]:
    """Take out the entry Sage names, or say how to go on looking for it."""
    if any(facts.place(key).fate is Fate.TAKEN for key in facts.sending if key not in pending):
        # The look after the refusal found whose number is used: that was the reason, not these.
        return facts, (pending,)
    if facts.is_period_closed:
        for key in pending:
            facts = _refuse(facts, key)
        return facts, ()
    named = [
        key
        for key in pending
        if facts.refused_number
        and fold(facts.entry(key).document_number) == fold(facts.refused_number)
    ]
    if len(named) == 1:
        left = tuple(key for key in pending if key != named[0])
        return _refuse(facts, named[0]), (left,)
    if len(pending) == 1:
        return _refuse(facts, pending[0]), ()
    if len(pending) < len(facts.sending):
        # Sage wrote the entries before the refused one, so the first one missing is suspect.
        return facts, (pending[:1], pending[1:])
    return facts, split(pending)


def _refuse(facts: Facts, key: str) -> Facts:
    known = facts.place(key)
    fate = Fate.TAKEN if facts.is_number_taken else Fate.REFUSED
    note = _used(facts, key) if facts.is_number_taken else facts.refusal_note
    place = replace(known, fate=fate, note=note, words=facts.refusal_words)
    return facts.with_place(key, place)


def _used(facts: Facts, key: str) -> str:
    entry = facts.entry(key)
    return (
        f"Sage says this number is already used: document {entry.document_number} of vendor"
        f" {entry.vendor_number}. It is not among the posted documents, so it lies in an open batch"
        " that somebody keyed. If it is the same invoice, mark the bill as handled outside; if not,"
        " give one of them another number."
    )


def give_up(facts: Facts, ids: tuple[str, ...], note: str) -> Facts:
    """Hand these to a person."""
    for key in ids:
        place = replace(facts.place(key), fate=Fate.EXCEEDED, note=note, words=facts.why)
        facts = facts.with_place(key, place)
    return replace(facts, losses=0)


def lost_too_often(losses: int) -> str:
    """The sentence for a bill whose answers were lost too often."""
    return f"Sage's answer was lost {losses} times in a row,{_ASK}"


def busy_too_often(times: int) -> str:
    """The sentence for bills that Sage was always too busy for."""
    return f"Sage was too busy {times} times in a row,{_ASK}"
