"""Strays and forgotten batches: entries of ours that lie where our rows do not know them.

Batches that may hold one are read in full; what is found runs through the protocol as a sent batch
does. Nothing here sends an invoice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from integrations.errors import IntegrationError
from integrations.sage300.types import InvoiceBatch
from sync.domain import facts_json, following, sweeping
from sync.domain.batching import batch_tag
from sync.domain.comparison import fold
from sync.domain.facts import Fate, Place
from sync.domain.posting_state import BEFORE_SENDING, PostingState
from sync.models import Batch, Posting
from sync.services import identities
from sync.services.assembling import entry_of
from sync.services.lease import Lease, LeaseLost, holds_lease
from sync.services.looks import Look, borne, by_order, followed_numbers
from sync.services.marks import find_marks, keep_marks
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope

#: So many batches are read in one look, so that it ends long before its lease and its job do.
READ_AT_ONCE = 50


def sweep(work: Work, lease: Lease, found: Look) -> Batch | None:
    """A batch row that adopts or removes what lies in unknown batches; None when there is nothing."""
    with tenant_scope(work.tenant_id):
        followed = followed_numbers(work)
        is_search_due = _is_search_due(work)
    numbers = sweeping.suspects(
        found.headers,
        known=found.known,
        looked_at=found.looked_at,
        # After a restore a followed batch may hold again what has moved on since.
        followed=() if found.is_thorough else followed,
        is_thorough=found.is_thorough or is_search_due,
    )
    wanted = [*numbers, *(number for number in found.recognised if number not in numbers)]
    read, failure = _read(work, wanted[:READ_AT_ONCE])
    found.left_to_read = len(wanted[READ_AT_ONCE:])
    present = [batch for batch in read.values() if batch is not None]
    now = work.clock()
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        if not holds_lease(lease):
            raise LeaseLost(lease.database_key)
        judged = _judge(work, present, bare=found.is_thorough or bool(found.recognised))
        _remember(work, found, read, judged, now)
        mine = _adopted(work, judged.mine, present)
        sweep = _sweep_row(work, lease, found, mine, sorted(read), now) if mine else None
        if failure is None and not found.left_to_read and (found.is_thorough or found.changed):
            _note_whole_look(work, found, now)
    if failure is not None:
        raise failure
    return sweep


def _read(
    work: Work, numbers: Sequence[int]
) -> tuple[dict[int, InvoiceBatch | None], IntegrationError | None]:
    """These batches as far as Sage answers; what was read counts, or many would never be done.

    One that Sage does not show keeps nobody from the next; after two in a row Sage is left alone.
    """
    read: dict[int, InvoiceBatch | None] = {}
    failure: IntegrationError | None = None
    is_last_bad = False
    for number in numbers:
        try:
            read[number] = work.sage.find_batch(number)
            is_last_bad = False
        except IntegrationError as error:
            failure = failure or error
            if is_last_bad:
                break
            is_last_bad = True
    return read, failure


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Whose the entries of some batches are.

    `mine`: settled or never sent postings with an entry that lies elsewhere than our rows know.
    `unjudged`: the batches with such an entry of a posting under way; they are read again.
    """

    mine: list[Posting]
    unjudged: set[int]
    strangers: dict[int, tuple[str, ...]]


def _judge(work: Work, batches: Sequence[InvoiceBatch], *, bare: bool) -> _Judged:
    orders = {fold(invoice.order_number) for batch in batches for invoice in batch.invoices} - {""}
    known = by_order(work, orders, bare=bare)
    postings = {str(posting.pk): posting for posting in known.values()}
    keys = {fold(order): str(posting.pk) for order, posting in known.items()}
    places = {key: _place_of(posting) for key, posting in postings.items()}
    mine: dict[str, Posting] = {}
    unjudged: set[int] = set()
    for batch in batches:
        for key in sweeping.owners(batch, keys, places):
            posting = postings[key]
            if posting.batch and posting.batch.settled_at is None:
                unjudged.add(batch.header.number)
            else:
                mine[key] = posting
    return _Judged(
        mine=list(mine.values()),
        unjudged=unjudged,
        strangers=sweeping.strangers(batches, {*keys, *(borne(work, orders) if bare else ())}),
    )


def _adopted(work: Work, mine: list[Posting], batches: Sequence[InvoiceBatch]) -> list[Posting]:
    """These, of which those without an identity have taken the one that Sage shows."""
    shown = sweeping.shown_best(batches)
    return [
        posting
        for posting in mine
        if posting.invoice is not None
        or identities.adopt(
            posting, shown[identities.order_of(posting)], database_key=work.database_key
        )
    ]


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


def _note_whole_look(work: Work, found: Look, now: datetime) -> None:
    marks = find_marks(tenant_id=work.tenant_id, company_id=work.company_id)
    if marks is not None:
        marks.note_whole_look(found.changed, now)
        keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)


def _remember(
    work: Work,
    found: Look,
    read: Mapping[int, InvoiceBatch | None],
    judged: _Judged,
    now: datetime,
) -> None:
    """Keep how these batches looked when they were read, so that they are not read again."""
    marks = find_marks(tenant_id=work.tenant_id, company_id=work.company_id)
    if marks is None or not read:
        return
    present = [batch.header for batch in read.values() if batch is not None]
    marks.prints |= following.listed(present) | dict.fromkeys(judged.unjudged, sweeping.UNJUDGED)
    marks.strangers = sweeping.still_apart(
        marks.strangers, read, judged.strangers, is_thorough=found.is_thorough
    )
    found.orders_apart = marks.orders_apart()
    keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
