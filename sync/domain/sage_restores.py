"""Sage put back to an earlier day: how it shows, and what stands then.

Recognised by its highest batch number being lower than one we saw, by a batch that was Posted or
Deleted and is open again, and by a number that is another batch now; never by missing documents, for
those are cleared with Sage's history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from integrations.sage300.types import BatchHeader, BatchStatus
from sync.domain.batching import TAG_PREFIX
from sync.domain.comparison import fingerprint
from sync.domain.facts import Facts, Fate, Place
from sync.domain.looking import SAGE_RESTORED
from sync.domain.replacing import replace

#: So many of the newest batches are in every list, whosever they are and however they stand: a restore
#: of Sage is seen by them. One page of an answer holds them and what is new.
WATCHED_BATCHES = 90

#: Nothing is known of any posting sequence.
NO_SEQUENCES: Mapping[int, int] = MappingProxyType({})

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
        now = fingerprint(header)
        known = [print_ for one in prints if (print_ := one.get(header.number)) and print_ != now]
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
    promises; so it is believed of a server only once it was seen there, of two batches in one list.
    """
    alike = {
        header.posting_sequence
        for header in headers
        if header.status == BatchStatus.POSTED
        and header.posting_sequence
        and posted.get(header.number) == header.posting_sequence
    }
    return len(alike) > 1


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
    is_told = header.posting_sequence and sequence != "0"
    is_other_run = bool(is_told) and sequence != str(header.posting_sequence)
    return is_other_run or description != header.description


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
