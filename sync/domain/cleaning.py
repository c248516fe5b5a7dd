"""Removing our own second entries: look at all copies, delete exactly the others, read it again.

Sage has no DELETE on a batch. Before a copy is named for removal, the batches of all copies and the
posted documents are read anew, so that the one kept is really there. Entries a person added are
never named, and where Sage refuses, a person is told the batch and entry.
"""

from __future__ import annotations

from collections.abc import Iterable

from integrations.sage300.types import BatchStatus, InvoiceBatch
from sync.domain import looking
from sync.domain.commands import (
    Accepted,
    Answer,
    BatchRead,
    Command,
    NotSent,
    ReadBatch,
    Refused,
    RemoveEntries,
    RenameBatch,
)
from sync.domain.comparison import sightings
from sync.domain.facts import Facts, Fate, Look, Sighting, Stage
from sync.domain.placing import conclude
from sync.domain.replacing import replace

EMPTIED = "EMPTIED BY ML-CONNECTOR - a second copy, do not post"
ROUND_LIMIT = 3
TRY_LIMIT = 3

LOOK, REMOVE, VERIFY, RENAME = "look", "remove", "verify", "rename"

Waited = tuple[Facts, float, str]


def begin(facts: Facts, ids: Iterable[str] = ()) -> Facts:
    """Start by reading every batch that may hold a copy of these postings, and of the strays'."""
    names = {*facts.cleaning, *ids, *(stray.posting_id for stray in facts.strays)}
    concerned = tuple(e.posting_id for e in facts.entries if e.posting_id in names)
    places = [facts.place(key) for key in concerned]
    numbers = {
        *facts.suspects,
        *(stray.batch_number for stray in facts.strays),
        *(place.batch_number for place in places if not place.is_posted),
    } - {0}
    look = Look(are_headers_read=True, to_read=tuple(sorted(numbers)))
    return replace(
        facts, stage=Stage.CLEAN, cleaning=concerned, look=look, clean_step=LOOK,
        clean_tries=0, removing=0, just_read=0,
    )  # fmt: skip


def end(facts: Facts) -> Facts:
    """Forget the cleaning; what is released next must be read again."""
    return replace(
        facts, cleaning=(), suspects=(), clean_step="", clean_rounds=0, look=Look(), just_read=0,
    )  # fmt: skip


def derive(facts: Facts) -> tuple[Facts, Command | None]:
    """The next command; None and no `clean_step` once nothing is left to do."""
    match facts.clean_step:
        case "look":
            command = looking.next_read(facts)
            if command is not None:
                return facts, command
            return replace(conclude(facts, is_strict=True), clean_step=REMOVE, just_read=0), None
        case "remove":
            return _derive_removal(facts)
        case "verify":
            return facts, ReadBatch(number=facts.removing)
        case "rename":
            return facts, RenameBatch(number=facts.removing, description=EMPTIED)
    return end(facts), None


def _derive_removal(facts: Facts) -> tuple[Facts, Command | None]:
    if not facts.strays:
        return end(facts), None
    stray = facts.strays[0]
    number = stray.batch_number
    if stray.is_document:
        return _tell_twice(facts, stray), None
    if facts.just_read != number:
        return replace(facts, removing=number), ReadBatch(number=number)
    numbers = tuple(s.entry_number for s in _of(facts, number))
    return replace(facts, just_read=0), RemoveEntries(number=number, entry_numbers=numbers)


def absorb(facts: Facts, answer: Answer | None) -> Waited:
    """Take an answer in; with it, seconds to wait at least and why ("" for no wait)."""
    match facts.clean_step, answer:
        case "look", _:
            return looking.absorb(facts, answer), 0, ""
        case "remove", BatchRead(batch=batch):
            return _before(facts, batch), 0, ""
        case "remove", NotSent(why=why, retry_after_seconds=seconds):
            return facts, seconds, why
        case "remove", Refused(is_transient=True) if facts.clean_tries < TRY_LIMIT:
            facts = replace(facts, clean_tries=facts.clean_tries + 1)
            return facts, answer.retry_after_seconds, answer.sentence
        case "remove", _:
            return replace(facts, clean_step=VERIFY), 0, ""
        case "verify", BatchRead(batch=batch):
            return _after(facts, batch), 0, ""
        case "rename", NotSent(why=why, retry_after_seconds=seconds):
            return facts, seconds, why
        case "rename", _:
            return _renamed(facts, answer), 0, ""
    return facts, 0, ""


def _before(facts: Facts, batch: InvoiceBatch | None) -> Facts:
    """Name the strays of this batch anew from what it holds now."""
    number = facts.removing
    if batch is None or batch.header.status == BatchStatus.DELETED:
        return _drop(facts)
    if batch.header.status != BatchStatus.OPEN:
        if batch.header.status != facts.statuses.get(number) and facts.clean_rounds < ROUND_LIMIT:
            facts = replace(facts, clean_rounds=facts.clean_rounds + 1)
            return begin(facts)
        return _tell(facts, _of(facts, number), f"its batch is {batch.header.status}")
    strayed = {stray.posting_id for stray in _of(facts, number)}
    here = tuple(
        seen
        for seen in sightings(facts.entries, batch)
        if seen.posting_id in strayed and not _is_kept(facts, seen)
    )
    if not here:
        return _drop(facts)
    others = tuple(stray for stray in facts.strays if stray.batch_number != number)
    return replace(facts, strays=(*here, *others), just_read=number)


def _is_kept(facts: Facts, seen: Sighting) -> bool:
    place = facts.place(seen.posting_id)
    return (place.batch_number, place.entry_number) == (seen.batch_number, seen.entry_number)


def _after(facts: Facts, batch: InvoiceBatch | None) -> Facts:
    number = facts.removing
    mine = {(stray.posting_id, stray.entry_number) for stray in _of(facts, number)}
    left = () if batch is None else sightings(facts.entries, batch)
    if any((seen.posting_id, seen.entry_number) in mine for seen in left):
        if facts.clean_tries < TRY_LIMIT:
            return replace(facts, clean_step=REMOVE, clean_tries=facts.clean_tries + 1, just_read=0)
        return _tell(facts, _of(facts, number), "Sage did not let it be removed")
    if batch is not None and not batch.invoices and batch.header.status == BatchStatus.OPEN:
        facts = replace(facts, emptied=(*facts.emptied, number))
        return replace(facts, clean_step=RENAME)
    return _drop(facts)


def _renamed(facts: Facts, answer: Answer | None) -> Facts:
    if isinstance(answer, Accepted):
        return _drop(facts)
    note = (
        f"Batch {facts.removing} is empty now: it held second copies, which were removed. Its"
        " description could not be changed, so delete it in Sage and do not post it."
    )
    for stray in _of(facts, facts.removing):
        facts = facts.add_stray_note(stray.posting_id, note)
    return _drop(facts)


def _of(facts: Facts, number: int) -> tuple[Sighting, ...]:
    return tuple(stray for stray in facts.strays if stray.batch_number == number)


def _tell(facts: Facts, strays: tuple[Sighting, ...], why: str) -> Facts:
    for stray in strays:
        total = facts.entry(stray.posting_id).total
        note = (
            f"Batch {stray.batch_number}, entry {stray.entry_number} is a second copy of document"
            f" {stray.document_number} ({total:,.2f}), and {why}. Delete this entry in Sage; do not"
            " post it."
        )
        facts = facts.add_stray_note(stray.posting_id, note)
    left = tuple(stray for stray in facts.strays if stray not in strays)
    return replace(facts, strays=left, clean_step=REMOVE, clean_tries=0, just_read=0)


def _tell_twice(facts: Facts, stray: Sighting) -> Facts:
    """Two posted documents of one bill: only a person can take one back."""
    place = facts.place(stray.posting_id)
    other = f"batch {stray.batch_number}, entry {stray.entry_number} ({stray.document_number})"
    note = (
        f"This invoice stands twice in the ledger: batch {place.batch_number}, entry"
        f" {place.entry_number} ({place.document_number}), and {other}. Take one of them back in Sage"
        " by a debit note."
    )
    if not place.batch_number:
        note = (
            f"It was to be handled outside, and our entry is posted in Sage all the same: {other}. If"
            " it was also entered by hand, take one of the two back there by a debit note."
        )
    if place.is_posted:
        facts = facts.with_place(stray.posting_id, replace(place, fate=Fate.DIFFERS, note=note))
    else:
        facts = facts.add_stray_note(stray.posting_id, note)
    left = tuple(other for other in facts.strays if other != stray)
    return replace(facts, strays=left)


def tell_all(facts: Facts) -> Facts:
    """Leave the strays to a person: cleaning does not come to an end."""
    why = "it came back after it was removed"
    return end(_tell(facts, facts.strays, why)) if facts.strays else facts


def _drop(facts: Facts) -> Facts:
    left = tuple(stray for stray in facts.strays if stray.batch_number != facts.removing)
    return replace(facts, strays=left, removing=0, clean_step=REMOVE, clean_tries=0, just_read=0)
