"""What a batch read again, its posted documents and Sage's error messages prove about our entries.

An entry is Posted only when its own posted document is found. One that Sage moved to an error batch
is followed there, unless another copy of it is posted: then the moved one is a stray.
"""

from __future__ import annotations

from integrations.sage300.types import BatchStatus, InvoiceBatch, PostedDocument, PostingError
from sync.domain.comparison import fold, is_number_of, sightings
from sync.domain.facts import Facts, Fate, Place, Sighting
from sync.domain.looking import PAIRS_PER_CALL
from sync.domain.placing import moved_note, place_of, posted_sighting
from sync.domain.replacing import replace

_FOLLOWED = frozenset({Fate.LANDED, Fate.DIFFERS, Fate.MOVED})


def here(facts: Facts, number: int) -> list[str]:
    """The postings whose entry lies in this batch and is not proved posted."""
    return [
        key
        for key, place in facts.places.items()
        if place.batch_number == number and place.fate in _FOLLOWED and not place.is_posted
    ]


def why_held(facts: Facts, number: int) -> str:
    """Why this batch may not be released, "" when it may."""
    if facts.foreign.get(number):
        return (
            f"Batch {number} also holds {facts.foreign[number]} entries that somebody added in"
            " Sage, so releasing it is left to you."
        )
    if any(facts.place(key).fate is not Fate.LANDED for key in here(facts, number)):
        return f"Batch {number} holds an entry that differs from what was sent; it is not released."
    return facts.held.get(number, "")


def take_read(facts: Facts, number: int, batch: InvoiceBatch | None) -> Facts:
    """Compare a batch read again with where our entries are thought to lie."""
    if batch is None:
        note = (
            f"Batch {number} is no longer in Sage: it was deleted, or its history was cleared."
            " Look in Sage, then send the bill again or mark it as handled outside."
        )
        return _removed(replace(facts, are_errors_read=True), here(facts, number), note)
    status = batch.header.status
    facts = replace(facts, just_read=number, statuses={**facts.statuses, number: status})
    if status == BatchStatus.DELETED:
        note = (
            f"Batch {number} was deleted in Sage. Send the bill again, or mark it as handled"
            " outside."
        )
        return _removed(replace(facts, are_errors_read=True), here(facts, number), note)
    found = sightings(facts.entries, batch)
    for key in here(facts, number):
        facts = _seen_again(facts, key, [seen for seen in found if seen.posting_id == key], status)
    # A Posted batch still lists entries that were moved away; nothing can be removed from it.
    is_over = status in {BatchStatus.POSTED, BatchStatus.POST_IN_PROGRESS}
    misplaced = [] if is_over else [seen for seen in found if not _is_kept(facts, seen)]
    held = {n: why for n, why in facts.held.items() if n != number}
    if misplaced:
        held[number] = (
            f"Batch {number}, entry {misplaced[0].entry_number} is a second copy of document"
            f" {misplaced[0].document_number}; the batch is not released."
        )
    foreign = {**facts.foreign, number: len(batch.invoices) - len(found)}
    strays = tuple(dict.fromkeys((*facts.strays, *misplaced)))
    return replace(facts, held=held, foreign=foreign, strays=strays)


def _is_kept(facts: Facts, seen: Sighting) -> bool:
    place = facts.place(seen.posting_id)
    return (place.batch_number, place.entry_number) == (seen.batch_number, seen.entry_number)


def _seen_again(facts: Facts, key: str, seen: list[Sighting], status: str) -> Facts:
    known = facts.place(key)
    if not seen:
        if status in {BatchStatus.POSTED, BatchStatus.POST_IN_PROGRESS}:
            return facts.with_place(key, replace(known, status=status))
        note = (
            f"It was in batch {known.batch_number} and is no longer there: somebody removed it in"
            " Sage. Send it again, or mark it as handled outside."
        )
        return _removed(facts, [key], note)
    same = [sighting for sighting in seen if sighting.entry_number == known.entry_number]
    place = replace(place_of((same or seen)[0]), is_clean=known.is_clean)
    if known.fate is Fate.MOVED:
        place = replace(place, fate=Fate.MOVED, note=known.note, words=known.words)
    return facts.with_place(key, place)


def _removed(facts: Facts, keys: list[str], note: str) -> Facts:
    for key in keys:
        place = Place(fate=Fate.REMOVED, note=note, is_clean=facts.place(key).is_clean)
        facts = facts.with_place(key, place)
    return facts


def take_posted(facts: Facts, number: int, documents: tuple[PostedDocument, ...]) -> Facts:
    """Every entry whose own document is among these is Posted."""
    by_order = {fold(document.order_number): document for document in documents}
    for key in here(facts, number):
        document = by_order.get(fold(facts.entry(key).order_number))
        if document is not None:
            facts = _posted(facts, key, document)
    return replace(facts, is_posted_asked=True, just_read=0)


def _posted(facts: Facts, key: str, document: PostedDocument) -> Facts:
    """Posted; what was edited before the posting still differs, though the document hides it."""
    known = facts.place(key)
    seen = posted_sighting(facts.entry(key), document)
    is_same_spot = (known.batch_number, known.entry_number) == (
        seen.batch_number,
        seen.entry_number,
    )
    if is_same_spot and known.differences and not seen.differences:
        seen = replace(seen, differences=known.differences)
    return facts.with_place(key, replace(place_of(seen), is_clean=known.is_clean))


def take_errors(facts: Facts, number: int, errors: tuple[PostingError, ...]) -> Facts:
    """What is in a Posted batch and not posted was moved; Sage says why and, mostly, where to."""
    by_entry = {error.entry_number: error for error in errors}
    moved = here(facts, number)
    for key in moved:
        known = facts.place(key)
        error = by_entry.get(known.entry_number)
        facts = facts.with_place(key, _moved(known, error))
    return replace(facts, are_errors_read=True, moved=tuple(moved))


def _moved(known: Place, error: PostingError | None) -> Place:
    if error is None or not error.error_batch:
        note = (
            f"Sage posted batch {known.batch_number} without this invoice and does not say where it"
            " is now. Look for it in the newest batches of Sage, correct it there and post it."
        )
        words = error.message if error else ""
        return replace(known, fate=Fate.MOVED, note=note, words=words)
    return replace(
        known,
        fate=Fate.MOVED,
        batch_number=error.error_batch,
        entry_number=error.error_entry,
        status=BatchStatus.OPEN,
        note=moved_note(error.error_batch, error.error_entry),
        words=error.message,
    )


def take_twins(facts: Facts, documents: tuple[PostedDocument, ...]) -> Facts:
    """A moved entry of which another copy is posted is a stray; a rival's document is told."""
    for key in facts.moved[:PAIRS_PER_CALL]:
        entry, known = facts.entry(key), facts.place(key)
        for document in documents:
            if not is_number_of(entry, document.vendor_number, document.document_number):
                continue
            if fold(document.order_number) == fold(entry.order_number):
                facts = replace(facts, strays=(*facts.strays, _stray(key, known)))
                facts = _posted(facts, key, document)
            else:
                where = f"batch {document.batch_number}, entry {document.entry_number}"
                note = f"{known.note} The number is already posted by {where}, not by this bill."
                facts = facts.with_place(key, replace(known, note=note))
    return replace(facts, moved=facts.moved[PAIRS_PER_CALL:])


def _stray(key: str, place: Place) -> Sighting:
    return Sighting(
        posting_id=key,
        batch_number=place.batch_number,
        entry_number=place.entry_number,
        document_number=place.document_number,
        status=place.status,
    )
