"""Entries of ours that turn up in Sage outside a batch that is under way.

A POST that was given up, or a worker that slept past its lease, may put entries into Sage long
after; a restore of our own database forgets some that are there. Each sync lists the headers above
the low mark; batches that may hold entries of ours are read, and what is found runs through the
same reducer as a sent batch (stage CLEAN): the only copy of a posting is adopted, a second one is
removed or told. Nothing here ever sends an invoice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from integrations.sage300.types import BatchHeader, BatchStatus, Invoice, InvoiceBatch
from sync.domain import cleaning
from sync.domain.batching import TAG_PREFIX
from sync.domain.comparison import fingerprint, fold
from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.replacing import replace

GRACE_SECONDS = 3600.0

#: So many batches with an order number of nobody are remembered after a restore, the newest of them.
STRANGE_BATCHES = 1000

#: What is kept of a batch that is to be read again: a posting under way has an entry in it.
UNJUDGED = ""


def suspects(
    headers: Sequence[BatchHeader],
    *,
    known: Mapping[int, str],
    looked_at: Mapping[int, str],
    followed: Collection[int] = (),
    is_thorough: bool = False,
) -> tuple[int, ...]:
    """The batches to read in full: with our tag and new, or changed since they were last read.

    `known` are the `known_prints`, `looked_at` what a sweep kept of the batches it read; a batch
    once read is watched though it be renamed. `followed` are the batches that `following` reads
    anyway. `is_thorough` reads every one, whatever its description; so does one that was posted
    with errors and is not followed, for a copy of ours may have been moved out of it to where
    nobody looks. Those come last, so that whoever stops half-way is led there again; before them come
    those read before, which could not be judged.
    """
    left = [
        header
        for header in headers
        if header.number not in followed or known.get(header.number) == UNJUDGED
    ]
    watched = [h for h in left if TAG_PREFIX in h.description or h.number in known]
    emptied = {header.number for header in watched if _has_lost_some(header, looked_at)}
    if is_thorough or emptied:
        watched = left
    numbers = [
        header.number
        for header in watched
        if header.number in emptied or _is_news(header, known.get(header.number, UNJUDGED))
    ]
    unjudged = {number for number, text in looked_at.items() if text == UNJUDGED}
    return tuple(sorted(numbers, key=lambda n: (n in emptied, n in unjudged, n)))


def known_prints(judged: Mapping[int, str], looked_at: Mapping[int, str]) -> dict[int, str]:
    """All that is known of how batches looked; one that could not be judged stays UNJUDGED.

    `judged` are the `prints` of all our batches' facts, `looked_at` what sweeps kept.
    """
    unjudged = {number: text for number, text in looked_at.items() if text == UNJUDGED}
    return {**looked_at, **judged, **unjudged}


def _is_news(header: BatchHeader, known: str) -> bool:
    """A Posted batch takes in no entry any more, so only its size matters."""
    if header.status == BatchStatus.DELETED:
        return False
    if header.status == BatchStatus.POSTED and known:
        return known.partition("|")[0] != str(header.entry_count)
    return known != fingerprint(header)


def _has_lost_some(header: BatchHeader, looked_at: Mapping[int, str]) -> bool:
    """Whether a posting moved entries out since a sweep read it: our facts follow only their own."""
    if header.status != BatchStatus.POSTED or not header.error_count:
        return False
    known = looked_at.get(header.number, UNJUDGED)
    return known == UNJUDGED or known.rsplit("|", 2)[1] != str(header.error_count)


def owners(
    batch: InvoiceBatch, by_order: Mapping[str, str], places: Mapping[str, Place]
) -> tuple[str, ...]:
    """The postings that have an entry in this batch which is not the one our rows know.

    `by_order` leads from a folded order number to a posting id, `places` to where it is known to lie.
    """
    found = []
    for invoice in batch.invoices:
        key = by_order.get(fold(invoice.order_number))
        if key is None:
            continue
        place = places.get(key, Place())
        if (place.batch_number, place.entry_number) != (batch.header.number, invoice.entry_number):
            found.append(key)
    return tuple(dict.fromkeys(found))


def strangers(
    batches: Iterable[InvoiceBatch], known: Collection[str]
) -> dict[int, tuple[str, ...]]:
    """By batch number, the order numbers in it that are no posting's of ours.

    `known` are those of our postings, folded. After a restore of our own database such an entry may
    belong to a bill that BILL has not told again, or that is not approved: its batch is read again
    as soon as the bill is known.
    """
    found = {}
    for batch in batches:
        orders = {fold(invoice.order_number) for invoice in batch.invoices} - {"", *known}
        if orders:
            found[batch.header.number] = tuple(sorted(orders))
    return found


def shown_best(batches: Iterable[InvoiceBatch]) -> dict[str, Invoice]:
    """By folded order number, the entry that Sage shows: a posted one before one that is not."""
    ranked = sorted(
        batches, key=lambda batch: (batch.header.status != BatchStatus.POSTED, batch.header.number)
    )
    shown: dict[str, Invoice] = {}
    for batch in ranked:
        for invoice in batch.invoices:
            shown.setdefault(fold(invoice.order_number), replace(invoice, entry_number=0))
    return shown


def still_apart(
    apart: Mapping[int, Collection[str]],
    read: Collection[int],
    found: Mapping[int, tuple[str, ...]],
    *,
    is_thorough: bool,
) -> dict[int, tuple[str, ...]]:
    """The strangers after these batches were read, of which `found` are those of now.

    New ones are kept only while a restore is worked through: at other times they are another's.
    """
    kept = {n: tuple(orders) for n, orders in apart.items() if n not in read}
    kept |= {n: orders for n, orders in found.items() if is_thorough or n in apart}
    return {n: kept[n] for n in sorted(kept)[-STRANGE_BATCHES:]}


def recognised(apart: Mapping[int, Collection[str]], known: AbstractSet[str]) -> tuple[int, ...]:
    """The batches among `strangers` in which an entry is a posting's of ours by now."""
    return tuple(sorted(n for n, orders in apart.items() if not known.isdisjoint(orders)))


def is_search_due(places: Iterable[Place]) -> bool:
    """Whether Sage moved an entry and did not say where: then every new batch is suspect."""
    return any(place.fate is Fate.MOVED and place.status == BatchStatus.POSTED for place in places)


def begin_sweep(
    *,
    tag: str,
    entries: tuple[Entry, ...],
    places: Mapping[str, Place],
    numbers: tuple[int, ...],
    watermark: int,
) -> Facts:
    """Facts that look at these batches and give each of these postings one place.

    `places` are those of each posting's last batch, `Place()` for one that was never sent. Only for
    postings that are in no unsettled batch: those are found by resuming theirs.
    """
    facts = Facts(
        tag=tag,
        entries=entries,
        watermark=watermark,
        highest=max((watermark, *numbers)),
        places=dict(places),
        suspects=numbers,
        is_following=True,
    )
    return cleaning.begin(facts, [entry.posting_id for entry in entries])


def low_mark(
    first_seen: Mapping[int, datetime],
    *,
    old: int,
    unsettled_watermarks: Collection[int],
    now: datetime,
    grace_seconds: float = GRACE_SECONDS,
) -> int:
    """The batch number below which nothing of ours can still appear.

    `first_seen`: when each batch number was first listed. It trails the highest number, since a
    batch half written may get its entries later than a newer one.
    """
    before = now - timedelta(seconds=grace_seconds)
    settled = [number for number, seen_at in first_seen.items() if seen_at <= before]
    return max(old, min((max(settled, default=old), *unsettled_watermarks)))
