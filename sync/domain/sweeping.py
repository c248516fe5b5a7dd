"""Entries of ours that turn up in Sage outside a batch that is under way.

A POST that was given up, or a worker that slept past its lease, may put entries into Sage long
after; a restore of our own database forgets some that are there. Each sync lists the headers above
the low mark; batches that may hold entries of ours are read, and what is found runs through the
same reducer as a sent batch (stage CLEAN): the only copy of a posting is adopted, a second one is
removed or told. Nothing here ever sends an invoice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from integrations.sage300.types import BatchHeader, BatchStatus, InvoiceBatch
from sync.domain import cleaning
from sync.domain.batching import TAG_PREFIX
from sync.domain.comparison import fingerprint, fold
from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.looking import SAGE_RESTORED
from sync.domain.replacing import replace

GRACE_SECONDS = 3600.0

#: What is kept of a batch that is to be read again: a posting under way has an entry in it.
UNJUDGED = ""

_AFTER_POSTING = frozenset({BatchStatus.POSTED, BatchStatus.POST_IN_PROGRESS})

_FINAL = frozenset({BatchStatus.POSTED, BatchStatus.DELETED})
_SETTLED = _FINAL | _AFTER_POSTING

SAGE_UNDONE = (
    "Batch {number} was {known} and is {status} now: Sage was restored from a backup. Nothing more is"
    " sent until somebody has looked and says how to go on."
)

SAGE_REUSED = (
    "Batch {number} was posted and is another batch now: Sage was restored from a backup and has given"
    " the number out again. Nothing more is sent until somebody has looked and says how to go on."
)


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
    nobody looks. Those come last, so that whoever stops half-way is led there again.
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
    return tuple(sorted(numbers, key=lambda number: (number in emptied, number)))


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


def sage_restored(
    headers: Sequence[BatchHeader],
    *,
    highest: int,
    posted: Collection[int] = (),
    prints: Mapping[int, str] | None = None,
) -> str:
    """Why nothing may be sent now, "" when all is well; to be kept until a person lifts it.

    `headers` must have been listed from `highest` itself on, or lower; `highest` is the highest
    batch number this company has seen in a list or in any batch of ours. `posted` are the batches
    of our Posted postings, `prints` what else is known of batches: one that was Posted or Deleted
    never opens again, and one that was Posted keeps its description and posting sequence.
    """
    found = max((header.number for header in headers), default=0)
    if found < highest:
        return SAGE_RESTORED.format(highest=found or "unknown", seen=highest)
    for header in headers:
        known_print = (prints or {}).get(header.number, "")
        if header.status in _SETTLED:
            if _is_another(header, known_print):
                return SAGE_REUSED.format(number=header.number)
            continue
        known = _status_in(known_print)
        if header.number in posted:
            known = BatchStatus.POSTED
        if known in _FINAL:
            return SAGE_UNDONE.format(number=header.number, known=known, status=header.status)
    return ""


def _status_in(known_print: str) -> str:
    """The status that a fingerprint was taken at."""
    return known_print.split("|", 2)[1] if known_print else ""


def _is_another(header: BatchHeader, known_print: str) -> bool:
    """Whether a number that was Posted names another batch now."""
    if _status_in(known_print) != BatchStatus.POSTED:
        return False
    head, _, sequence, _, _ = known_print.rsplit("|", 4)
    description = head.split("|", 2)[2]
    return (description, sequence) != (header.description, str(header.posting_sequence))


def after_sage_restore(facts: Facts, headers: Sequence[BatchHeader]) -> Facts:
    """Somebody said that Sage was restored and how to go on: what Sage no longer has is gone.

    `headers` are all that Sage lists. What is Open again is followed again; unsettled facts go on
    by being resumed.
    """
    highest = max((header.number for header in headers), default=0)
    statuses = {
        header.number: header.status
        for header in headers
        if not _is_another(header, facts.prints.get(header.number, ""))
    }
    reused = {header.number for header in headers} - statuses.keys()
    places = {
        key: _gone(place)
        if place.batch_number > highest or place.batch_number in reused
        else _restored(place, statuses.get(place.batch_number, ""))
        for key, place in facts.places.items()
    }
    return replace(
        facts,
        places=places,
        watermark=min(facts.watermark, highest),
        highest=min(facts.highest, highest),
        sizes={},
        prints={},
        is_thorough=True,
    )


def _gone(place: Place) -> Place:
    note = (
        f"Sage was restored from a backup and no longer has batch {place.batch_number}."
        " Send the bill again, or mark it as handled outside."
    )
    return Place(fate=Fate.REMOVED, note=note, is_clean=place.is_clean)


def _restored(place: Place, status: str) -> Place:
    if not status or status in _AFTER_POSTING:
        return place
    if place.is_posted:
        return replace(place, fate=Fate.LANDED, is_posted=False, status=status, posting_sequence=0)
    if place.status in _AFTER_POSTING:
        return replace(place, status=status, posting_sequence=0)
    return place


def look_back(
    headers: Sequence[BatchHeader], *, low: int, known: Mapping[int, str]
) -> tuple[int, dict[int, str]]:
    """How far down to look after a restore of Sage, and which batches there are no news.

    What somebody deleted since the backup was made is back, also below the low mark. `known` are the
    fingerprints of our batches; those that changed are read again, everybody else's is as it was.
    """
    below = [header for header in headers if header.number <= low]
    changed = {
        header.number
        for header in below
        if (header.number in known or TAG_PREFIX in header.description)
        and header.status != BatchStatus.DELETED
        and known.get(header.number) != fingerprint(header)
    }
    new_low = min((low, *(number - 1 for number in changed)))
    prints = {
        header.number: fingerprint(header)
        for header in below
        if header.number > new_low and header.number not in changed
    }
    return new_low, prints


def history_cleared(facts: Facts, *, highest: int) -> Facts:
    """Somebody said that only history was cleared: the numbers go on from `highest`."""
    return replace(facts, highest=min(facts.highest, highest))


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
