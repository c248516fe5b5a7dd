"""Where an entry lies: one of the copies seen is kept, the others are strays.

Posted is kept before Ready To Post before Open, then the lowest batch number. A Posted batch alone
proves nothing about an entry, so one whose posted document was looked for and not found has been
moved elsewhere by the posting.
"""

from __future__ import annotations

from integrations.sage300.types import BatchStatus, PostedDocument
from sync.domain.facts import Entry, Facts, Fate, Place, Rival, Sighting
from sync.domain.replacing import replace

_RANK: dict[str, int] = {
    BatchStatus.POST_IN_PROGRESS: 1,
    BatchStatus.POSTED: 2,
    BatchStatus.READY_TO_POST: 3,
    BatchStatus.OPEN: 4,
}
_GONE = 9

Spot = tuple[int, int]


def conclude(facts: Facts, *, is_strict: bool = False) -> Facts:
    """Give every entry seen in this look its place.

    Where `is_strict`, the look has read the known place too: a place not seen again is gone, save a
    posted document, which only a cleared history takes away.
    """
    by_posting: dict[str, dict[Spot, Sighting]] = {}
    for sighting in facts.look.sightings:
        spots = by_posting.setdefault(sighting.posting_id, {})
        spot = (sighting.batch_number, sighting.entry_number)
        spots[spot] = _merged(spots.get(spot), sighting)
    for entry in facts.entries:
        spots = by_posting.get(entry.posting_id, {})
        if spots:
            facts = _keep_one(facts, entry, spots, is_strict=is_strict)
    for rival in facts.look.rivals:
        facts = _taken(facts, rival)
    if not facts.look.sightings and not facts.look.rivals:
        return facts
    return replace(facts, look=replace(facts.look, sightings=(), rivals=()))


def _taken(facts: Facts, rival: Rival) -> Facts:
    """Only an entry that is nowhere in Sage itself can have lost its number to somebody else."""
    entry, known = facts.entry(rival.posting_id), facts.place(rival.posting_id)
    if known.fate is not Fate.PENDING:
        return facts
    where = f"batch {rival.batch_number}, entry {rival.entry_number}"
    note = (
        f"Sage already has document {entry.document_number} of vendor {entry.vendor_number}:"
        f" {where}, {rival.how}. It did not come from this bill. If it is the same invoice, mark"
        " the bill as handled outside; if not, give one of them another number."
    )
    place = Place(fate=Fate.TAKEN, note=note, words=where, is_clean=known.is_clean)
    return facts.with_place(entry.posting_id, place)


def _merged(known: Sighting | None, new: Sighting) -> Sighting:
    """The same spot seen in its batch and as a document: the document counts, differences stay."""
    if known is None:
        return new
    document, other = (known, new) if known.is_document else (new, known)
    return replace(document, differences=document.differences or other.differences)


def _keep_one(facts: Facts, entry: Entry, spots: dict[Spot, Sighting], *, is_strict: bool) -> Facts:
    key = entry.posting_id
    known = facts.place(key)
    here = (known.batch_number, known.entry_number)
    if known.is_posted or (known.batch_number and here not in spots and not is_strict):
        spots = {**spots, here: _merged(spots.get(here), _known_sighting(key, known))}
    is_asked = key in facts.look.asked_posted
    ranked = sorted(spots.values(), key=lambda seen: _rank(seen, is_asked=is_asked))
    if known.is_posted:
        # What was shown as posted stays the one; another document is told as a second one.
        ranked.sort(key=lambda seen: (seen.batch_number, seen.entry_number) != here)
    if known.fate is Fate.OUTSIDE:
        kept, others = None, ranked
    else:
        kept, others = ranked[0], ranked[1:]
    extra = [seen for seen in others if seen.is_document or seen.status != BatchStatus.POSTED]
    rest = [
        seen
        for seen in facts.strays
        if seen.posting_id != key
        or not (is_strict or (seen.batch_number, seen.entry_number) in spots)
    ]
    if rest or extra or facts.strays:
        facts = replace(facts, strays=(*rest, *extra))
    if kept is None:
        return facts
    place = replace(place_of(kept), is_clean=known.is_clean)
    if known.fate is Fate.MOVED and not kept.is_document:
        note = moved_note(place.batch_number, place.entry_number)
        place = replace(place, fate=Fate.MOVED, note=note, words=known.words)
    return facts.with_place(key, place)


def _known_sighting(key: str, known: Place) -> Sighting:
    return Sighting(
        posting_id=key,
        batch_number=known.batch_number,
        entry_number=known.entry_number,
        document_number=known.document_number,
        status=known.status,
        posting_sequence=known.posting_sequence,
        is_document=known.is_posted,
        differences=known.differences,
    )


def _rank(seen: Sighting, *, is_asked: bool) -> tuple[int, int, int]:
    rank = 0 if seen.is_document else _RANK.get(seen.status, _GONE)
    if seen.status == BatchStatus.POSTED and is_asked and not seen.is_document:
        rank = _GONE
    return rank, seen.batch_number, seen.entry_number


def place_of(sighting: Sighting) -> Place:
    """Where a sighting puts its entry."""
    note = ""
    fate = Fate.POSTED if sighting.is_document else Fate.LANDED
    if sighting.differences:
        fate = Fate.DIFFERS
        told = "; ".join(sighting.differences)
        what = (
            "It is posted, so correct it there by another document"
            if sighting.is_document
            else "Correct the entry in Sage"
        )
        note = (
            f"Sage holds it in batch {sighting.batch_number}, entry {sighting.entry_number}, but"
            f" not as it was sent: {told}. {what}, or mark the bill as handled outside."
        )
    return Place(
        fate=fate,
        batch_number=sighting.batch_number,
        entry_number=sighting.entry_number,
        document_number=sighting.document_number,
        status=BatchStatus.POSTED if sighting.is_document else sighting.status,
        posting_sequence=sighting.posting_sequence,
        is_posted=sighting.is_document,
        differences=sighting.differences,
        note=note,
    )


def moved_note(batch: int, entry: int) -> str:
    """The sentence for an entry that Sage moved to an error batch."""
    return (
        f"Sage could not post it and moved it to batch {batch}, entry {entry}. Correct it there and"
        " post that batch in Sage."
    )


def posted_sighting(entry: Entry, document: PostedDocument) -> Sighting:
    """Our own posted document; it differs when Sage shows another amount or number."""
    differs = []
    if document.document_number.strip().upper() != entry.document_number.strip().upper():
        differs.append(f"number {entry.document_number} sent, {document.document_number} in Sage")
    if document.amount is not None and document.amount != entry.total:
        differs.append(f"total {entry.total:,.2f} sent, {document.amount:,.2f} posted in Sage")
    return Sighting(
        posting_id=entry.posting_id,
        batch_number=document.batch_number,
        entry_number=document.entry_number,
        document_number=document.document_number,
        status=BatchStatus.POSTED,
        posting_sequence=document.posting_sequence,
        is_document=True,
        differences=tuple(differs),
    )
