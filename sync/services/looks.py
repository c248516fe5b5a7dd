"""One look at Sage's headers, once a turn: what is new there, and whether Sage itself was put back.

The headers above the company's low mark are read in one list. What follows from them, `settling`
does; nothing here writes to Sage.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min, Q
from django.db.models.functions import Upper

from integrations.sage300.types import BatchHeader
from sync.domain import facts_json, sage_restores, sweeping
from sync.domain.batching import TAG_PREFIX
from sync.models import Batch, Posting
from sync.models.posting import PostingQuerySet
from sync.queries.stops import HOW_TO_GO_ON
from sync.services import identities
from sync.services.forgotten import note_forgotten
from sync.services.marks import Marks, find_marks, keep_marks
from sync.services.work import Work
from tenants.scoping import operator_scope, tenant_scope


@dataclass(slots=True, kw_only=True)
class Look:
    """What one look at the headers found; `hold` is the sentence that stops every send.

    `changed` look otherwise than in the last list, where nothing of ours was expected any more;
    `left_to_read` so many batches are to be read before anything is sent;
    `recognised` are batches in which an entry has turned out to be ours since they were read,
    `orders_apart` the order numbers in Sage that no posting had when its batch was read: a bill of
    that number is sent only after that batch was judged.
    """

    headers: tuple[BatchHeader, ...] = ()
    highest: int = 0
    low_mark: int = 0
    is_thorough: bool = False
    hold: str = ""
    known: dict[int, str] = field(default_factory=dict)
    looked_at: dict[int, str] = field(default_factory=dict)
    changed: tuple[BatchHeader, ...] = ()
    left_to_read: int = 0
    recognised: tuple[int, ...] = ()
    orders_apart: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """One list of Sage's headers, judged: `hold` says why Sage looks restored, "" when it does not.

    `newest` are all that were listed, `headers` those that matter for our entries.
    """

    newest: tuple[BatchHeader, ...]
    headers: tuple[BatchHeader, ...]
    changed: tuple[BatchHeader, ...]
    known: dict[int, str]
    posted: dict[int, int]
    hold: str


def look(work: Work) -> Look:
    """Read the headers that matter, in one list, and move the marks."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        marks = _marks(work)
        watermarks = _unsettled_watermarks(work)
    if marks is None:
        highest = work.sage.highest_batch_number()
        marks = Marks(highest=highest, low=highest, history_checked_at=now)
        _keep(work, marks, now)
        return Look(highest=highest, low_mark=highest)
    marks.forget_strangers(now)
    listing = _list(work, marks, watermarks)
    found = Look(
        headers=listing.headers,
        highest=max([marks.highest, *(header.number for header in listing.headers)]),
        low_mark=marks.low,
        is_thorough=marks.is_thorough(now),
        known=listing.known,
        looked_at=dict(marks.prints),
        changed=listing.changed,
        orders_apart=marks.orders_apart(),
    )
    if listing.hold:
        return replace(found, hold=f"{listing.hold} {HOW_TO_GO_ON}")
    found.is_thorough |= note_forgotten(work, marks, listing.headers, now)
    marks.note_list(listing.newest, listing.posted, changed=listing.changed)
    found.recognised = _recognised(work, marks)
    _move(work, marks, found, watermarks, now)
    return found


def why_restored(work: Work, marks: Marks) -> str:
    """Why Sage looks restored, "" when it does not; one list of headers is read."""
    with tenant_scope(work.tenant_id):
        watermarks = _unsettled_watermarks(work)
    return _list(work, marks, watermarks).hold


def _list(work: Work, marks: Marks, watermarks: Sequence[int]) -> _Listing:
    with tenant_scope(work.tenant_id):
        followed = followed_numbers(work)
        known = sweeping.known_prints(_judged_prints(work), marks.prints)
    after = min([marks.low, marks.highest - 1, *(n - 1 for n in followed), *watermarks])
    lowest = max(0, min(after, marks.highest - sage_restores.WATCHED_BATCHES))
    newest = tuple(work.sage.list_batches(lowest))
    changed = sage_restores.changed_below(newest, marks.seen, after=after)
    known |= {number: marks.seen[number] for number in _once_read(work, changed)}
    posted = _posted(work, newest)
    return _Listing(
        newest=newest,
        headers=(*changed, *(header for header in newest if header.number > after)),
        changed=changed,
        known=known,
        posted=posted,
        hold=sage_restores.sage_restored(
            newest,
            highest=marks.highest,
            posted=posted,
            prints=(known, marks.seen),
            trusts_sequences=marks.trusts_sequences,
        ),
    )


def _recognised(work: Work, marks: Marks) -> tuple[int, ...]:
    """The batches that hold an entry of a bill which was unknown when they were read."""
    orders = marks.orders_apart()
    if not orders:
        return ()
    with tenant_scope(work.tenant_id):
        return sweeping.recognised(marks.strangers, by_order(work, orders, bare=True).keys())


def by_order(work: Work, orders: Collection[str], *, bare: bool) -> dict[str, Posting]:
    """The company's postings with one of these folded order numbers; inside the caller's scope.

    `bare`: also those that were decided and have no identity now, for a bill may have been sent,
    forgotten by a restore, and not be approved since. They go by their bill's own number, where no
    posting of this Sage database bears it; that costs a look at every row.
    """
    rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
    rows = rows.select_related("batch", "bill").defer("bill__snapshot")
    bearing = rows.filter(
        database_key=work.database_key, order_number__in=orders, invoice__isnull=False
    )
    found = {posting.order_number: posting for posting in bearing}
    if not bare:
        return found
    undecided = rows.filter(invoice__isnull=True, is_dirty=False, is_skipped_by_person=False)
    alike: dict[str, list[Posting]] = {}
    free = set(orders) - borne(work, orders)
    for posting in undecided.alias(bill_order=Upper("source_id")).filter(bill_order__in=free):
        alike.setdefault(identities.order_of(posting), []).append(posting)
    # BILL tells upper from lower case and Sage does not: whose it is of two cannot be told.
    return found | {order: bills[0] for order, bills in alike.items() if len(bills) == 1}


def borne(work: Work, orders: Collection[str]) -> set[str]:
    """Those order numbers that a posting of any company bears in this Sage database."""
    with operator_scope():
        rows = Posting.objects.filter(database_key=work.database_key, order_number__in=orders)
        return set(rows.values_list("order_number", flat=True))


def note_highest(work: Work, number: int) -> None:
    """Remember the number of a batch we made: Sage restored to before it must be noticed."""
    with tenant_scope(work.tenant_id):
        marks = _marks(work)
        if marks is not None and marks.highest < number:
            marks.highest = number
            _keep_row(work, marks, work.clock())


def _once_read(work: Work, headers: Sequence[BatchHeader]) -> set[int]:
    """Those under a tag of ours, and those once read for a batch of ours, by whatever name they go."""
    tagged = {header.number for header in headers if TAG_PREFIX in header.description}
    others = [str(header.number) for header in headers if header.number not in tagged]
    if not others:
        return tagged
    with tenant_scope(work.tenant_id):
        rows = Batch.objects.for_tenant(work.tenant_id).filter(
            company_id=work.company_id, facts__prints__has_any_keys=others
        )
        read = {n for prints in rows.values_list("facts__prints", flat=True) for n in prints}
    return tagged | {int(number) for number in read.intersection(others)}


def _posted(work: Work, headers: Sequence[BatchHeader]) -> dict[int, int]:
    """Those of the listed batches that our rows know to be Posted, with their posting sequence."""
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        found = rows.filter(
            sage_status="Posted", sage_batch_number__in=[header.number for header in headers]
        ).values_list("sage_batch_number")
        told = found.annotate(told=Max("posting_sequence", filter=Q(posted_at__isnull=False)))
        return {number: sequence or 0 for number, sequence in told}


def moving(work: Work) -> PostingQuerySet:
    """The company's postings whose entry can still change in Sage."""
    return Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id).moving()


def followed_numbers(work: Work) -> set[int]:
    """The batches in which they lie."""
    found = moving(work).values_list("sage_batch_number", flat=True).distinct()
    return {number for number in found if number is not None}


def _judged_prints(work: Work) -> dict[int, str]:
    """How our batches looked when each was last read in full.

    Those as old as the oldest one still followed, or still watched for strays: the headers of a look
    reach no further back.
    """
    watched = timedelta(seconds=2 * settings.CONNECTOR.stray_watch_seconds)
    followed = moving(work).aggregate(oldest=Min("batch__made_at"))["oldest"]
    oldest = min(filter(None, (work.clock() - watched, followed)))
    rows = Batch.objects.for_tenant(work.tenant_id).filter(
        company_id=work.company_id, made_at__gte=oldest
    )
    prints: dict[int, str] = {}
    for stored in rows.order_by("made_at").values_list("facts__prints", flat=True).iterator():
        prints |= {int(number): text for number, text in (stored or {}).items()}
    return prints


def _unsettled_watermarks(work: Work) -> list[int]:
    rows = Batch.objects.for_tenant(work.tenant_id).filter(
        company_id=work.company_id, settled_at=None
    )
    return [facts_json.from_json(facts).watermark for facts in rows.values_list("facts", flat=True)]


def _marks(work: Work) -> Marks | None:
    return find_marks(tenant_id=work.tenant_id, company_id=work.company_id)


def _move(work: Work, marks: Marks, found: Look, watermarks: list[int], now: datetime) -> None:
    for header in found.headers:
        marks.first_seen.setdefault(header.number, now)
    marks.highest = found.highest
    if not marks.is_thorough(now):
        marks.low = sweeping.low_mark(
            marks.first_seen,
            old=marks.low,
            unsettled_watermarks=watermarks,
            now=now,
            grace_seconds=settings.CONNECTOR.stray_watch_seconds,
        )
    marks.first_seen = {n: at for n, at in marks.first_seen.items() if n > marks.low}
    present = {header.number for header in found.headers}
    marks.prints = {n: text for n, text in marks.prints.items() if n in present}
    _keep(work, marks, now)


def _keep(work: Work, marks: Marks, now: datetime) -> None:
    with tenant_scope(work.tenant_id):
        _keep_row(work, marks, now)


def _keep_row(work: Work, marks: Marks, now: datetime) -> None:
    keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
