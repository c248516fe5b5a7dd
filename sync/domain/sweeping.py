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
from types import MappingProxyType

from integrations.sage300.types import BatchHeader, BatchStatus, Invoice, InvoiceBatch
from sync.domain import cleaning
from sync.domain.batching import TAG_PREFIX
from sync.domain.comparison import fingerprint, fold
from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.looking import SAGE_RESTORED
from sync.domain.replacing import replace

GRACE_SECONDS = 3600.0

#: So many of the newest batches are in every list, whosever they are and however they stand: a restore
#: of Sage is seen by them. One page of an answer holds them and what is new.
WATCHED_BATCHES = 90

#: What is kept of a batch that is to be read again: a posting under way has an entry in it.
UNJUDGED = ""

_AFTER_POSTING = frozenset({BatchStatus.POSTED, BatchStatus.POST_IN_PROGRESS})

#: Nothing is known of any posting sequence.
NO_SEQUENCES: Mapping[int, int] = MappingProxyType({})

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
    return kept | {n: orders for n, orders in found.items() if is_thorough or n in apart}


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


def sage_restored(
    headers: Sequence[BatchHeader],
    *,
    highest: int,
    posted: Mapping[int, int] = NO_SEQUENCES,
    prints: Sequence[Mapping[int, str]] = (),
    trusts_sequences: bool = False,
) -> str:
    """Why nothing may be sent now, "" when all is well; to be kept until a person lifts it.

    `headers` must have been listed from `highest` itself on, or lower; `highest` is the highest
    batch number this company has seen in a list or in any batch of ours. `posted` are the batches
    of our Posted postings with the posting sequence of their documents (0: not told), `prints` what
    else is known of batches: one that was Posted or Deleted never opens again, and one that was
    Posted keeps its description and posting sequence. `trusts_sequences`: see `tells_sequences`.
    """
    found = max((header.number for header in headers), default=0)
    if found < highest:
        return SAGE_RESTORED.format(highest=found or "unknown", seen=highest)
    for header in headers:
        known = [print_ for one in prints if (print_ := one.get(header.number))]
        if header.status in _SETTLED:
            is_other = trusts_sequences and _has_other_sequence(
                header, posted.get(header.number, 0)
            )
            is_other |= header.status == BatchStatus.DELETED and header.number in posted
            if is_other or any(_is_another(header, print_) for print_ in known):
                return SAGE_REUSED.format(number=header.number)
            continue
        was = {_status_in(print_) for print_ in known} & _FINAL
        if header.number in posted:
            was = {BatchStatus.POSTED}
        if was:
            return SAGE_UNDONE.format(number=header.number, known=min(was), status=header.status)
    return ""


def tells_sequences(headers: Iterable[BatchHeader], posted: Mapping[int, int]) -> bool:
    """Whether this Sage is seen to show on a batch the posting sequence that its documents have.

    That both are the number of the posting run is how Sage 300 describes them, not what its Web API
    promises; so it is believed of a server only once it was seen there.
    """
    return any(
        header.status == BatchStatus.POSTED
        and header.posting_sequence
        and posted.get(header.number) == header.posting_sequence
        for header in headers
    )


def _has_other_sequence(header: BatchHeader, sequence: int) -> bool:
    """Whether it was posted by another run than the documents we found of that number."""
    is_told = header.status == BatchStatus.POSTED and header.posting_sequence and sequence
    return bool(is_told) and header.posting_sequence != sequence


def _status_in(known_print: str) -> str:
    """The status that a fingerprint was taken at."""
    return known_print.split("|", 2)[1] if known_print else ""


def _is_another(header: BatchHeader, known_print: str) -> bool:
    """Whether a number that was Posted names another batch now."""
    if _status_in(known_print) != BatchStatus.POSTED:
        return False
    description, _, sequence = _told_in(known_print)
    return (description, sequence) != (header.description, str(header.posting_sequence))


def _told_in(known_print: str) -> tuple[str, str, str]:
    """Description, total and posting sequence of a fingerprint."""
    head, total, sequence, _, _ = known_print.rsplit("|", 4)
    return head.split("|", 2)[2], total, sequence


def after_sage_restore(
    facts: Facts, headers: Sequence[BatchHeader], *, trusts_sequences: bool = False
) -> Facts:
    """Somebody said that Sage was restored and how to go on: what Sage no longer has is gone.

    `headers` are all that Sage lists. What is Open again is followed again; unsettled facts go on
    by being resumed.
    """
    by_number = {header.number: header for header in headers}
    highest = max(by_number, default=0)

    def stands_now(place: Place) -> Place:
        header = by_number.get(place.batch_number)
        known = facts.prints.get(place.batch_number, "")
        if place.batch_number > highest:
            return _gone(place)
        if header is None:
            return place
        if _is_replaced(header, place, known, trusts_sequences=trusts_sequences):
            return _gone(place)
        return _restored(place, header.status)

    return replace(
        facts,
        places={key: stands_now(place) for key, place in facts.places.items()},
        watermark=min(facts.watermark, highest),
        highest=min(facts.highest, highest),
        sizes={},
        prints={},
        is_thorough=True,
    )


def _is_replaced(
    header: BatchHeader, place: Place, known_print: str, *, trusts_sequences: bool
) -> bool:
    """Whether a batch of a restored Sage bears the number of ours and is another one.

    A posted batch of ours that was last read before it was posted is told by its description and
    its total together: a person may have changed either of them, hardly both.
    """
    if header.status not in _SETTLED:
        return False  # it is followed, and read
    if _is_another(header, known_print) or (
        place.is_posted and header.status == BatchStatus.DELETED
    ):
        return True
    if not place.is_posted or header.status not in _AFTER_POSTING:
        return False
    if trusts_sequences and _has_other_sequence(header, place.posting_sequence):
        return True
    if not known_print or _status_in(known_print) in _FINAL:
        return False
    description, total, _ = _told_in(known_print)
    return description != header.description and total != f"{header.total:f}"


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
        # What the posting did with it is undone with it: it is read where it lay before.
        fate = Fate.LANDED if place.fate is Fate.MOVED else place.fate
        note = "" if place.fate is Fate.MOVED else place.note
        return replace(place, fate=fate, note=note, status=status, posting_sequence=0)
    return place


def newest(headers: Iterable[BatchHeader], *, highest: int) -> dict[int, str]:
    """How the newest batches look.

    Kept until the next list: whosever they are, a number that is another batch then shows that Sage
    was restored and used on.
    """
    return {h.number: fingerprint(h) for h in headers if h.number > highest - WATCHED_BATCHES}


def changed_below(
    headers: Iterable[BatchHeader], seen: Mapping[int, str], *, after: int
) -> tuple[BatchHeader, ...]:
    """Those numbered up to `after` that look otherwise than in the last list.

    Nothing of ours is expected to come there any more; but Sage may have been restored to before an
    entry was taken out, without anything else that tells of it.
    """
    return tuple(
        header
        for header in headers
        if header.number <= after and seen.get(header.number, "") not in ("", fingerprint(header))
    )


def look_back(
    headers: Sequence[BatchHeader], *, low: int, known: Mapping[int, str]
) -> tuple[int, dict[int, str]]:
    """How far down to look after a restore of Sage, and which batches there are no news.

    What somebody deleted, posted or moved since the backup was made is back, also below the low mark.
    `known` are the fingerprints of our batches: those that changed are read again, and those that are
    not posted, for they may look as they once did and hold again what had left them. Everybody else's
    is as it was.
    """
    below = [header for header in headers if header.number <= low]
    changed = {
        header.number
        for header in below
        if (header.number in known or TAG_PREFIX in header.description)
        and header.status != BatchStatus.DELETED
        and (header.status != BatchStatus.POSTED or known.get(header.number) != fingerprint(header))
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
