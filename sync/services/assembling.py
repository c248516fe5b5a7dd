"""Door one of posting: choose what travels together and write the intent, before any call.

In one short transaction: the postings still READY are locked, their identity is frozen, the exact
invoices and the protocol's opening facts are stored, and every posting moves to IN_FLIGHT.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from integrations.sage300.types import Invoice
from sync.domain import facts_json, protocol
from sync.domain.batching import PlannedBatch, ReadyEntry, batch_tag, describe_batch, plan_batches
from sync.domain.facts import Entry, Facts, Place
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.words import count_of
from sync.models import Batch, Posting
from sync.services import crash_points, journal
from sync.services.lease import Lease, LeaseLost, holds_lease
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope

FIELDS = ("pk", "posting_date", "fiscal_year", "fiscal_period", "currency", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outset:
    """What is known of Sage when a batch sets out, by the look that was made under this lease.

    `watermark` and `highest` are batch numbers. `orders_apart` lie in Sage and were nobody's when they
    were read: such a bill waits until the next look has judged its entry. See `protocol.begin` for the
    rest.
    """

    watermark: int
    highest: int
    can_post: bool
    is_look_fresh: bool
    is_thorough: bool
    orders_apart: Collection[str] = ()


def assemble(
    work: Work, lease: Lease, *, size: int, outset: Outset, is_full: bool, now: datetime
) -> Batch | None:
    """Write the next intent, or return None when nothing is ready; raises LeaseLost.

    `is_full`: more bills are coming, so what does not fill a batch waits for them.
    """
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        if not holds_lease(lease):
            raise LeaseLost(lease.database_key)
        planned = _plan(work, size, is_full=is_full, apart=outset.orders_apart)
        if planned is None:
            return None
        ids = [entry.posting_id for entry in planned.entries]
        rows = {
            str(row.pk): row
            for row in Posting.objects.for_tenant(work.tenant_id)
            .in_state(PostingState.READY)
            .filter(pk__in=ids, is_dirty=False)
            .order_by("pk")
            .select_for_update()
        }
        postings = [rows[key] for key in ids if key in rows]
        if not postings:
            return None
        batch = _intend(work, lease, planned, postings, outset=outset, now=now)
        _depart(work, batch, postings, now)
        crash_points.reach("intended")
        return batch


def _plan(work: Work, size: int, *, is_full: bool, apart: Collection[str]) -> PlannedBatch | None:
    ready = (
        Posting.objects.for_tenant(work.tenant_id)
        .of_company(work.company_id)
        .in_state(PostingState.READY)
        # One whose grounds have changed since it was decided waits for the next decision.
        .filter(is_dirty=False)
        .exclude(order_number__in=apart)
        .order_by("posting_date", "pk")
        .values_list(*FIELDS)[: size * 4]
    )
    entries = [
        ReadyEntry(
            posting_id=str(key),
            posting_date=day,
            year=year,
            period=period,
            currency=currency,
            amount=amount,
        )
        for key, day, year, period, currency, amount in ready
    ]
    least = size if is_full else 1
    planned = plan_batches(entries, size=size)
    return next((batch for batch in planned if len(batch.entries) >= least), None)


def _intend(
    work: Work,
    lease: Lease,
    planned: PlannedBatch,
    postings: Sequence[Posting],
    *,
    outset: Outset,
    now: datetime,
) -> Batch:
    ids = [str(posting.pk) for posting in postings]
    rows = Batch.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    tag = batch_tag(company_id=str(work.company_id), posting_ids=ids, round_number=rows.count() + 1)
    description = describe_batch(
        work.policy.batch_description,
        tag=tag,
        day=now.astimezone(work.zone).date(),
        count=len(ids),
        company=work.company_name,
        year=planned.year,
        period=planned.period,
    )
    facts = _opening_facts(work, tag, postings, outset)
    return rows.create(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        database_key=work.database_key,
        tag=tag,
        description=description,
        invoices={str(posting.pk): posting.invoice for posting in postings},
        facts=facts_json.to_json(facts),
        stage=facts.stage,
        lease_epoch=lease.epoch,
        entry_count=len(ids),
        total_amount=sum((posting.amount or Decimal(0) for posting in postings), Decimal(0)),
        currency=planned.currency,
        fiscal_year=planned.year,
        fiscal_period=planned.period,
        made_at=now,
    )


def _opening_facts(work: Work, tag: str, postings: Sequence[Posting], outset: Outset) -> Facts:
    """Where the protocol begins; an identity that a lost answer left unclean is so still."""
    facts = Facts(
        tag=tag,
        entries=tuple(entry_of(posting) for posting in postings),
        watermark=outset.watermark,
        highest=outset.highest,
        release=work.policy.release,
        can_post=outset.can_post,
        places={
            str(posting.pk): Place(is_clean=False)
            for posting in postings
            if not posting.is_identity_clean
        },
    )
    return protocol.begin(facts, is_look_fresh=outset.is_look_fresh, is_thorough=outset.is_thorough)


def entry_of(posting: Posting) -> Entry:
    """The protocol's frozen view of a mapped posting."""
    invoice = unpack(Invoice, posting.invoice)
    return Entry(
        posting_id=str(posting.pk),
        bill_id=posting.source_id,
        bill_hash=posting.mapped_hash,
        vendor_number=invoice.vendor_number,
        document_number=invoice.document_number,
        order_number=invoice.order_number,
        total=invoice.total,
        lines=tuple((line.gl_account, line.amount) for line in invoice.details),
    )


def _depart(work: Work, batch: Batch, postings: Sequence[Posting], now: datetime) -> None:
    Posting.advance_all(
        [
            (
                posting,
                PostingState.IN_FLIGHT,
                {
                    "batch": batch,
                    "sentence": "Being sent to Sage.",
                    "identity_frozen_at": posting.identity_frozen_at or now,
                    # What travels now is what BILL says now; an earlier entry's change is over.
                    "changed_in_bill_at": None,
                    "change_note": "",
                },
            )
            for posting in postings
        ],
        now=now,
    )
    others = len(postings) - 1
    company = f"with {count_of(others, 'other bill')}" if others else "alone"
    journal.write(
        [
            journal.line_for(
                posting,
                event="posting.batched",
                sentence=f"Put into batch {batch.tag}, {company}.",
                now=now,
                run_id=work.run_id,
            )
            for posting in postings
        ]
    )
