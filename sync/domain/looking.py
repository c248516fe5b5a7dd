"""Looking before and after a send: which reads to ask for, and what their answers mean per entry."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.sage300.types import BatchHeader, BatchStatus, PostedDocument
from sync.domain.batching import TAG_PREFIX
from sync.domain.commands import (
    Answer,
    Approvals,
    BatchRead,
    Command,
    FindPosted,
    Headers,
    ListBatches,
    PostedFound,
    ReadApprovals,
    ReadBatch,
    Standing,
)
from sync.domain.comparison import fold, is_number_of, is_ours, sightings
from sync.domain.facts import Facts, Fate, Rival, Stage
from sync.domain.placing import posted_sighting
from sync.domain.replacing import replace

PAIRS_PER_CALL = 15

SAGE_RESTORED = (
    "Sage's highest batch number, {highest}, is lower than batch {seen} that was seen before: Sage"
    " was restored from a backup, or its newest history was cleared. Nothing more is sent until"
    " somebody has looked and says how to go on."
)

_STANDING_NOTE = {
    Standing.NOT_APPROVED: "No longer approved in BILL when it was about to be sent.",
    Standing.ARCHIVED: "Archived in BILL when it was about to be sent.",
    Standing.CHANGED: "Changed in BILL when it was about to be sent; it is read anew.",
    Standing.GONE: "BILL no longer shows this bill.",
}


# --- which read comes next ------------------------------------------------------------------------


def ids_in_question(facts: Facts) -> tuple[str, ...]:
    """The postings that the present look is about."""
    match facts.stage:
        case Stage.CLEAN:
            return facts.cleaning
        case Stage.SETTLE:
            return facts.pending(facts.sending)
    return facts.pending(facts.groups[0]) if facts.groups else ()


def next_read(facts: Facts) -> Command | None:
    """The next read of this look, None when it is complete."""
    look = facts.look
    if not look.are_headers_read:
        # One more than needed: the highest number must still be there, or Sage was restored.
        return ListBatches(after=max(0, min(facts.watermark, facts.highest - 1)))
    if look.to_read:
        return ReadBatch(number=look.to_read[0])
    ids, pairs = _to_ask(facts)
    return FindPosted(pairs=pairs) if ids else None


def _to_ask(facts: Facts) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The next postings to look for among posted documents, and by which numbers.

    A person may have changed the number of an entry that was then posted, so the numbers seen on
    our entries of Posted batches are asked for too.
    """
    ids: list[str] = []
    pairs: list[tuple[str, str]] = []
    for key in ids_in_question(facts):
        if key in facts.look.asked_posted:
            continue
        entry = facts.entry(key)
        numbers = {entry.document_number: None} | {
            seen.document_number: None
            for seen in facts.look.sightings
            if seen.posting_id == key and seen.status == BatchStatus.POSTED
        }
        if len(pairs) + len(numbers) > PAIRS_PER_CALL:
            break
        ids.append(key)
        pairs.extend((entry.vendor_number, number) for number in numbers)
    return tuple(ids), tuple(pairs)


def ask_approvals(facts: Facts, ids: tuple[str, ...]) -> ReadApprovals:
    """Ask BILL whether these are still approved."""
    return ReadApprovals(bill_ids=tuple(facts.entry(key).bill_id for key in ids))


# --- taking the answers in ------------------------------------------------------------------------


def absorb(facts: Facts, answer: Answer | None) -> Facts:
    """Take one answer to a look in."""
    match answer:
        case Headers(headers=headers):
            return _choose_batches(facts, headers)
        case BatchRead(number=number):
            left = tuple(n for n in facts.look.to_read if n != number)
            return take_batch(replace(facts, look=replace(facts.look, to_read=left)), answer)
        case PostedFound(documents=documents):
            return _take_documents(facts, documents)
        case Approvals(standings=standings):
            return _take_standings(facts, standings)
    return facts


def _choose_batches(facts: Facts, headers: tuple[BatchHeader, ...]) -> Facts:
    """Read what may hold our entries; when settling, whatever its description says."""
    highest = max((header.number for header in headers), default=0)
    if highest < facts.highest:
        why = SAGE_RESTORED.format(highest=highest or "unknown", seen=facts.highest)
        return replace(facts, is_stopped=True, is_sage_restored=True, why=why)
    numbers = [
        header.number
        for header in sorted(headers, key=lambda header: header.number)
        if _is_worth_reading(facts, header)
    ]
    look = replace(facts.look, are_headers_read=True, to_read=tuple(numbers))
    return replace(facts, look=look, highest=highest)


def _is_worth_reading(facts: Facts, header: BatchHeader) -> bool:
    """Whether this batch may hold an entry of ours that we have not seen yet."""
    if header.number <= facts.watermark or header.status == BatchStatus.DELETED:
        return False
    if facts.sizes.get(header.number) == header.entry_count:
        return False
    is_any_suspect = facts.is_thorough or facts.stage is Stage.SETTLE
    return is_any_suspect or TAG_PREFIX in header.description


def take_batch(facts: Facts, answer: BatchRead) -> Facts:
    """Note our entries in a batch read in full, and numbers of ours that somebody else uses."""
    batch = answer.batch
    if batch is None:
        return replace(facts, just_read=0)
    number, status = batch.header.number, batch.header.status
    is_deleted = status == BatchStatus.DELETED
    seen = () if is_deleted else sightings(facts.entries, batch)
    is_own = facts.tag in batch.header.description and number not in facts.own_numbers
    sizes = facts.sizes if seen or is_deleted else {**facts.sizes, number: len(batch.invoices)}
    facts = replace(
        facts,
        statuses={**facts.statuses, number: status},
        just_read=number,
        highest=max(facts.highest, number),
        own_numbers=(*facts.own_numbers, number) if is_own else facts.own_numbers,
        sizes=sizes,
        look=replace(facts.look, sightings=(*facts.look.sightings, *seen)),
    )
    if is_deleted:
        return facts
    foreign = [
        invoice
        for invoice in batch.invoices
        if not any(is_ours(entry, invoice) for entry in facts.entries)
    ]
    for invoice in foreign:
        facts = _rivalled(
            facts,
            invoice.vendor_number,
            invoice.document_number,
            batch=number,
            entry=invoice.entry_number,
            how="not posted yet",
        )
    if seen or facts.foreign.get(number):
        facts = replace(facts, foreign={**facts.foreign, number: len(foreign)})
    return facts


def _take_documents(facts: Facts, documents: tuple[PostedDocument, ...]) -> Facts:
    """Note which of the entries asked for are posted, and whose they are."""
    asked, _ = _to_ask(facts)
    facts = replace(
        facts, look=replace(facts.look, asked_posted=(*facts.look.asked_posted, *asked))
    )
    for document in documents:
        owner = next(
            (e for e in facts.entries if fold(e.order_number) == fold(document.order_number)), None
        )
        if owner is not None:
            seen = (*facts.look.sightings, posted_sighting(owner, document))
            facts = replace(facts, look=replace(facts.look, sightings=seen))
            continue
        facts = _rivalled(
            facts,
            document.vendor_number,
            document.document_number,
            batch=document.batch_number,
            entry=document.entry_number,
            how="posted",
        )
    return facts


def _take_standings(facts: Facts, standings: Mapping[str, Standing]) -> Facts:
    """Take every bill that is not approved as we mapped it out of the batch."""
    ids = ids_in_question(facts)
    facts = replace(facts, look=replace(facts.look, are_approvals_read=True))
    for key in ids:
        standing = standings.get(facts.entry(key).bill_id, Standing.GONE)
        if standing is not Standing.APPROVED:
            place = replace(facts.place(key), fate=Fate.WITHDRAWN, note=_STANDING_NOTE[standing])
            facts = facts.with_place(key, place)
    return facts


def _rivalled(
    facts: Facts, vendor: str, document: str, *, batch: int, entry: int, how: str
) -> Facts:
    """Note that somebody else's document has the number of one of ours."""
    found = tuple(
        Rival(posting_id=mine.posting_id, batch_number=batch, entry_number=entry, how=how)
        for mine in facts.entries
        if is_number_of(mine, vendor, document)
    )
    if not found:
        return facts
    return replace(facts, look=replace(facts.look, rivals=(*facts.look.rivals, *found)))
