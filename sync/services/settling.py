"""Looks at what Sage holds beyond what we remember: strays, restored pasts, and what people did.

Once a turn the headers above the company's low mark are read, in one list. An unknown batch under
our tag is read in full and healed; a batch of ours is read again only where its header changed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Min, Q

from integrations.errors import IntegrationError
from integrations.sage300.types import BatchHeader, InvoiceBatch, PostProcess
from sync.domain import facts_json, following, sweeping
from sync.domain.batching import batch_tag
from sync.domain.comparison import fold
from sync.domain.facts import Facts, Fate, Place
from sync.domain.posting_state import BEFORE_SENDING, PostingState
from sync.models import Batch, Posting
from sync.models.posting import PostingQuerySet
from sync.queries.stops import HOW_TO_GO_ON
from sync.services import identities
from sync.services.assembling import entry_of
from sync.services.forgotten import note_forgotten
from sync.services.lease import Lease, LeaseLost, holds_lease
from sync.services.marks import Marks, find_marks, keep_marks
from sync.services.posting import drive
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope


@dataclass(slots=True, kw_only=True)
class Look:
    """What one look at the headers found; `hold` is the sentence that stops every send."""

    headers: tuple[BatchHeader, ...] = ()
    highest: int = 0
    low_mark: int = 0
    is_thorough: bool = False
    hold: str = ""
    known: dict[int, str] = field(default_factory=dict)
    looked_at: dict[int, str] = field(default_factory=dict)


def look(work: Work, lease: Lease) -> Look:
    """Read the headers that matter, in one list, and move the marks."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        marks = _marks(work)
        followed = _followed_numbers(work)
        watermarks = _unsettled_watermarks(work)
        judged = _judged_prints(work)
    if marks is None:
        highest = work.sage.highest_batch_number()
        marks = Marks(highest=highest, low=highest, history_checked_at=now)
        _keep(work, marks, now)
        return Look(highest=highest, low_mark=highest)
    after = min([marks.low, marks.highest - 1, *(n - 1 for n in followed), *watermarks])
    headers = tuple(work.sage.list_batches(max(after, 0)))
    known = sweeping.known_prints(judged, marks.prints)
    hold = sweeping.sage_restored(
        headers, highest=marks.highest, posted=_seen_posted(work, headers), prints=known
    )
    found = Look(
        headers=headers,
        highest=max([marks.highest, *(header.number for header in headers)]),
        low_mark=marks.low,
        is_thorough=marks.is_thorough(now),
        hold=hold,
        known=known,
        looked_at=dict(marks.prints),
    )
    if hold:
        return replace(found, hold=f"{hold} {HOW_TO_GO_ON}")
    found.is_thorough |= note_forgotten(work, marks, headers, now)
    _move(work, marks, found, watermarks, now)
    return found


def note_highest(work: Work, number: int) -> None:
    """Remember the number of a batch we made: Sage restored to before it must be noticed."""
    with tenant_scope(work.tenant_id):
        marks = _marks(work)
        if marks is not None and marks.highest < number:
            marks.highest = number
            _keep_row(work, marks, work.clock())


def _seen_posted(work: Work, headers: Sequence[BatchHeader]) -> set[int]:
    """Those of the listed batches that our rows know to be Posted."""
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        numbers = rows.filter(
            sage_status="Posted", sage_batch_number__in=[header.number for header in headers]
        )
        found = numbers.values_list("sage_batch_number", flat=True).distinct()
        return {number for number in found if number is not None}


def follow_up(work: Work, lease: Lease, found: Look, *, process: PostProcess | None) -> int:
    """Heal strays and read our own changed batches again; return how many were driven."""
    driven = 0
    sweep = _sweep(work, lease, found)
    if sweep is not None:
        facts = drive(work, lease, sweep, process=process, is_new=True)
        driven += 1
        found.hold = facts.why if facts.is_stopped else ""
    for batch in [] if found.hold else _reopened(work, lease, found):
        facts = drive(work, lease, batch, process=process, is_new=True)
        driven += 1
        if facts.is_stopped:
            # Refused credentials are not tried again batch by batch.
            found.hold = facts.why
            break
    return driven


# --- strays and forgotten batches -----------------------------------------------------------------


def _sweep(work: Work, lease: Lease, found: Look) -> Batch | None:
    """A batch row that adopts or removes what lies in unknown batches; None when there is nothing."""
    with tenant_scope(work.tenant_id):
        followed = _followed_numbers(work)
        is_search_due = _is_search_due(work)
    numbers = sweeping.suspects(
        found.headers,
        known=found.known,
        looked_at=found.looked_at,
        followed=followed,
        is_thorough=found.is_thorough or is_search_due,
    )
    read, failure = _read(work, numbers)
    present = [batch for batch in read.values() if batch is not None]
    now = work.clock()
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        if not holds_lease(lease):
            raise LeaseLost(lease.database_key)
        mine, unjudged = _mine(work, present)
        _remember(work, [batch.header for batch in present], unjudged, now)
        sweep = _sweep_row(work, lease, found, mine, sorted(read), now) if mine else None
    if failure is not None:
        raise failure
    return sweep


def _read(
    work: Work, numbers: Sequence[int]
) -> tuple[dict[int, InvoiceBatch | None], IntegrationError | None]:
    """These batches as far as Sage answers; what was read counts, or many would never be done."""
    read: dict[int, InvoiceBatch | None] = {}
    for number in numbers:
        try:
            read[number] = work.sage.find_batch(number)
        except IntegrationError as error:
            return read, error
    return read, None


def _is_search_due(work: Work) -> bool:
    """Whether an entry of ours may lie where nothing tells of it.

    Sage moved one and did not say where; or an answer was lost of late, and what it stood for may
    still arrive, and be renamed before we see it.
    """
    rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
    lately = work.clock() - timedelta(seconds=2 * settings.CONNECTOR.stray_watch_seconds)
    if rows.filter(is_identity_clean=False, batch__made_at__gte=lately).exists():
        return True
    lost = rows.in_state(PostingState.ATTENTION).filter(
        sage_status="Posted", batch__settled_at__isnull=False
    )
    return sweeping.is_search_due(_place_of(posting) for posting in lost.select_related("batch"))


def _mine(work: Work, batches: Sequence[InvoiceBatch]) -> tuple[list[Posting], set[int]]:
    """Settled or never sent postings with an entry that lies elsewhere than our rows know.

    With them the batches that hold such an entry of a posting under way: they are read again.
    """
    orders = {
        fold(invoice.order_number)
        for batch in batches
        for invoice in batch.invoices
        if invoice.order_number
    }
    rows = (
        Posting.objects.for_tenant(work.tenant_id)
        .of_company(work.company_id)
        .filter(database_key=work.database_key, order_number__in=orders)
        .exclude(invoice=None)
        .select_related("batch")
    )
    postings = {str(posting.pk): posting for posting in rows}
    by_order = {fold(posting.order_number): key for key, posting in postings.items()}
    places = {key: _place_of(posting) for key, posting in postings.items()}
    mine: dict[str, Posting] = {}
    unjudged: set[int] = set()
    for batch in batches:
        owners = [postings[key] for key in sweeping.owners(batch, by_order, places)]
        if any(posting.batch and posting.batch.settled_at is None for posting in owners):
            unjudged.add(batch.header.number)
        else:
            mine |= {str(posting.pk): posting for posting in owners}
    return list(mine.values()), unjudged


def _sweep_row(
    work: Work,
    lease: Lease,
    found: Look,
    postings: list[Posting],
    numbers: list[int],
    now: datetime,
) -> Batch:
    rows = Batch.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    tag = batch_tag(
        company_id=str(work.company_id),
        posting_ids=[str(posting.pk) for posting in postings],
        round_number=rows.count() + 1,
    )
    facts = sweeping.begin_sweep(
        tag=tag,
        entries=tuple(entry_of(posting) for posting in postings),
        places={str(posting.pk): _place_of(posting) for posting in postings},
        numbers=tuple(numbers),
        watermark=found.low_mark,
    )
    batch = rows.create(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        database_key=work.database_key,
        tag=tag,
        description=f"{tag} sweep"[:60],
        invoices={str(posting.pk): posting.invoice for posting in postings},
        facts=facts_json.to_json(facts),
        stage=facts.stage,
        lease_epoch=lease.epoch,
        entry_count=len(postings),
        total_amount=sum((posting.amount or Decimal(0) for posting in postings), Decimal(0)),
        currency=postings[0].currency,
        sage_numbers=numbers,
        made_at=now,
    )
    for posting in postings:
        _take_over(posting, batch, now)
    return batch


def _take_over(posting: Posting, batch: Batch, now: datetime) -> None:
    """Put the posting under the sweep's row, so that no other batch takes it along meanwhile."""
    state = PostingState(posting.state)
    identities.hold_again(posting)
    if state in BEFORE_SENDING and not posting.is_skipped_by_person:
        sentence = "Found in Sage, though our records did not say so. It is being looked at."
        posting.advance(PostingState.UNCERTAIN, now=now, batch=batch, sentence=sentence)
    else:
        rows = Posting.objects.for_tenant(posting.tenant_id)
        rows.filter(pk=posting.pk).update(batch=batch)


def _place_of(posting: Posting) -> Place:
    if posting.is_skipped_by_person:
        return Place(fate=Fate.OUTSIDE)
    if posting.batch is None or PostingState(posting.state) in BEFORE_SENDING:
        # Decided anew since: where it once lay says nothing about what is found now.
        return Place(is_clean=posting.is_identity_clean)
    place = facts_json.from_json(posting.batch.facts).place(str(posting.pk))
    if place.fate is Fate.OUTSIDE:
        # A person has taken it back since: its only copy is no stray.
        return Place(is_clean=posting.is_identity_clean)
    return place


# --- our own batches, followed until posted -------------------------------------------------------


def _moving(work: Work) -> PostingQuerySet:
    """Postings of settled batches whose entry can still change in Sage."""
    lies = Q(state=PostingState.IN_SAGE) | Q(
        state=PostingState.ATTENTION, sage_batch_number__isnull=False
    )
    rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
    return rows.filter(lies, batch__settled_at__isnull=False, posted_at__isnull=True)


def _followed_numbers(work: Work) -> set[int]:
    found = _moving(work).values_list("sage_batch_number", flat=True).distinct()
    return {number for number in found if number is not None}


def _suspected(work: Work, headers: Sequence[BatchHeader]) -> list[uuid.UUID]:
    """Our followed batches that may have changed; told without reading their facts, of which a
    company that never posts gathers thousands.
    """
    now = following.listed(headers)
    numbers: dict[uuid.UUID, set[int]] = {}
    for key, number in _moving(work).values_list("batch_id", "sage_batch_number").distinct():
        if key is not None and number is not None:
            numbers.setdefault(key, set()).add(number)
    rows = Batch.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    prints = rows.filter(pk__in=_moving(work).values("batch_id")).order_by("made_at")
    return [
        key
        for key, known in prints.values_list("pk", "facts__prints").iterator()
        if any(n not in now or now[n] != (known or {}).get(str(n)) for n in numbers.get(key, ()))
    ]


def _judged_prints(work: Work) -> dict[int, str]:
    """How our batches looked when each was last read in full.

    Those as old as the oldest one still followed, or still watched for strays: the headers of a look
    reach no further back.
    """
    watched = timedelta(seconds=2 * settings.CONNECTOR.stray_watch_seconds)
    followed = _moving(work).aggregate(oldest=Min("batch__made_at"))["oldest"]
    oldest = min(filter(None, (work.clock() - watched, followed)))
    rows = Batch.objects.for_tenant(work.tenant_id).filter(
        company_id=work.company_id, made_at__gte=oldest
    )
    prints: dict[int, str] = {}
    for stored in rows.order_by("made_at").values_list("facts__prints", flat=True).iterator():
        prints |= {int(number): text for number, text in (stored or {}).items()}
    return prints


def _reopened(work: Work, lease: Lease, found: Look) -> list[Batch]:
    """Open those whose headers changed again, so that the protocol reads and judges them."""
    reopened = []
    with tenant_scope(work.tenant_id):
        if not holds_lease(lease):
            raise LeaseLost(lease.database_key)
        rows = Batch.objects.for_tenant(work.tenant_id).select_for_update()
        now = following.listed(found.headers)
        for batch in rows.filter(pk__in=_suspected(work, found.headers)).order_by("made_at"):
            facts = facts_json.from_json(batch.facts)
            numbers = following.changed(facts, now)
            if numbers:
                _reopen(batch, following.follow(facts, numbers))
                reopened.append(batch)
    return reopened


def _reopen(batch: Batch, facts: Facts) -> None:
    batch.facts, batch.stage, batch.settled_at = facts_json.to_json(facts), facts.stage, None
    batch.version += 1
    batch.save(update_fields=["facts", "stage", "settled_at", "version"])


# --- what we remember of Sage's numbers -----------------------------------------------------------


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


def _remember(
    work: Work, headers: Sequence[BatchHeader], unjudged: set[int], now: datetime
) -> None:
    """Keep how these batches looked when they were read, so that they are not read again."""
    marks = _marks(work)
    if marks is not None and headers:
        marks.prints |= following.listed(headers) | dict.fromkeys(unjudged, sweeping.UNJUDGED)
        _keep_row(work, marks, now)


def _keep(work: Work, marks: Marks, now: datetime) -> None:
    with tenant_scope(work.tenant_id):
        _keep_row(work, marks, now)


def _keep_row(work: Work, marks: Marks, now: datetime) -> None:
    keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
