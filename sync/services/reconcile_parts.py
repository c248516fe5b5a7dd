"""What each part of a comparison comes to, once Sage is read; inside the caller's scope.

Each part writes on the comparison's row what was compared and when, and returns its differences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from integrations.sage300.types import FiscalPeriod, GLAccount, SageVendor
from sync.domain.batching import tag_in
from sync.domain.comparison import fold
from sync.domain.gl_accounts import SageAccounts, fold_number
from sync.domain.packing import pack
from sync.domain.reconciliation import Difference, Kind, Part, PeriodSum, Target
from sync.domain.reconciliation_lists import compare_accounts, compare_vendors
from sync.domain.reconciliation_reasons import SageEntry
from sync.domain.reconciliation_sums import add_up
from sync.domain.words import count_of, listed, period_name
from sync.models import CompanyPolicy, Discrepancy, Reconciliation, VendorLink
from sync.queries.bill_desks import grounds_of
from sync.queries.reconciling import Held, find_held, find_linked, linked_vendor, mapped_accounts
from sync.services import periods as refusals
from sync.services.reconcile_reading import BatchesRead, EntryRead, by_order
from sync.services.vendor_updates import write_stamp
from sync.services.work import Work


def _note(run: Reconciliation, part: Part, sentence: str, now: datetime) -> None:
    run.parts = {**run.parts, part.value: {"at": now.isoformat(), "sentence": sentence}}


def invoices(
    work: Work,
    run: Reconciliation,
    batches: BatchesRead,
    periods: Sequence[FiscalPeriod],
    *,
    floor: date,
    now: datetime,
) -> list[Difference]:
    """Add the fiscal periods up from both sides; `floor` is the first day looked at."""
    held = find_held(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        floor=floor,
        policy=work.policy,
        periods=periods,
        zone=work.zone,
        now=now,
    )
    orders, statuses = by_order(batches), batches.statuses
    entries = {
        one.claim.posting_id: _entries(work, one, orders, statuses, run.started_at) for one in held
    }
    addition = add_up([one.claim for one in held], entries, batches=statuses)
    closed = refusals.refused_periods(tenant_id=work.tenant_id, company_id=work.company_id, now=now)
    run.sums = [pack(_dressed(one, periods, closed=closed, floor=floor)) for one in addition.sums]
    in_sage = sum(one.in_sage for one in addition.sums)
    bills = sum(one.bills for one in addition.sums)
    _note(run, Part.INVOICES, f"{count_of(bills, 'approved bill')} against"
          f" {count_of(in_sage, 'entry', 'entries')} in Sage", now)  # fmt: skip
    _note(run, Part.BATCHES, f"{count_of(batches.wanted, 'batch', 'batches')} of ours", now)
    return [*addition.differences, *_added(batches)]


def _entries(
    work: Work,
    held: Held,
    orders: Mapping[str, Sequence[tuple[int, EntryRead]]],
    statuses: Mapping[int, str],
    began: datetime,
) -> list[SageEntry]:
    """Sage's entries of one bill; from our own row where the sync has read it since, and where Sage
    keeps what was posted and shows its entry no more.
    """
    found = [
        SageEntry(
            batch_number=number,
            entry_number=entry.number,
            status=statuses[number],
            amount=entry.amount,
            period=entry.period or held.sage_period,
            currency=entry.currency or work.policy.currency,
            differences=entry.differences,
        )
        for number, entry in orders.get(fold(held.order_number), ())
        if held.order_number
    ]
    own = held.claim.batch_number
    is_there = any(one.batch_number == own for one in found)
    if is_there or not own or held.sage_amount is None:
        return found
    if held.read_back_at is not None and held.read_back_at >= began:
        return [_own_entry(held)]
    # What was proved Posted is in the ledger for good, also where its batch no longer shows it.
    is_posted = held.sage_status == "Posted" and statuses.get(own) == "Posted"
    return [_own_entry(held), *found] if is_posted or held.is_cleared else found


def _own_entry(held: Held) -> SageEntry:
    return SageEntry(
        batch_number=held.claim.batch_number,
        entry_number=held.entry_number,
        status=held.sage_status,
        amount=held.sage_amount or Decimal(0),
        period=held.sage_period,
        currency=held.claim.currency,
    )


def _dressed(
    one: PeriodSum,
    periods: Sequence[FiscalPeriod],
    *,
    closed: Collection[tuple[str, str]],
    floor: date,
) -> PeriodSum:
    """A sum with what is known of its period: Sage's calendar, and what Sage has refused."""
    home = next((p for p in periods if period_name(p.year, p.period) == one.period), None)
    if home is None:
        return replace(one, is_partial=one.period < f"{floor:%Y-%m}")
    is_open = home.is_open and (home.year, home.period) not in closed
    return replace(one, is_open=is_open, is_partial=home.last_date < floor)


def _added(batches: BatchesRead) -> list[Difference]:
    """What other people put into our batches: not ours, said so that nobody wonders."""
    return [
        Difference(
            kind=Kind.ENTRIES_ADDED,
            key=f"{Kind.ENTRIES_ADDED}:{number}",
            title=f"Batch {number} holds {count_of(len(rows), 'entry', 'entries')} that a person"
            " keyed in",
            detail=listed([f"entry {row.number}, {row.document}" for row in rows[:5]])
            + f"; {sum((row.amount for row in rows), Decimal(0)):,.2f} in all, not ours",
            target=Target.BATCH,
            target_id=str(number),
        )
        for number, rows in sorted(batches.added.items())
        if rows and tag_in(batches.headers[number].description)
    ]


def vendors(
    work: Work, run: Reconciliation, sage: Mapping[str, SageVendor], now: datetime
) -> list[Difference]:
    """Compare the linked vendors; one linked while Sage was read waits for the next comparison."""
    owned = CompanyPolicy.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
    links = find_linked(tenant_id=work.tenant_id, company_id=work.company_id)
    linked = [
        linked_vendor(link, account=account, is_due=_is_due(link, account, work))
        for link in links
        if link.linked_at is None or link.linked_at < run.started_at
        for account in [str(owned.vendor_accounts.get(link.bill_vendor_id, ""))]
    ]
    _note(run, Part.VENDORS, count_of(len(linked), "linked vendor"), now)
    return list(compare_vendors(linked, sage, policy=work.policy))


def _is_due(link: VendorLink, account: str, work: Work) -> bool:
    return link.sent_hash != write_stamp(link, work.policy, account)


def accounts(
    work: Work, run: Reconciliation, sage: Sequence[GLAccount], now: datetime
) -> list[Difference]:
    """Compare everything that leads to a GL account with Sage's chart as it is now."""
    grounds = grounds_of(tenant_id=work.tenant_id, company_id=work.company_id)
    rows = Discrepancy.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    gone = rows.filter(kind=Kind.ACCOUNT_GONE, settled_at=None, target=Target.BILL_ACCOUNT)
    items = [grounds.items.get(item_id) for item_id in gone.values_list("target_id", flat=True)]
    fresh = SageAccounts.of(sage)
    known = {item.number for item in items if item} | {
        item.number for item in grounds.items.values() if item.number and fresh.find(item.number)
    }
    mapped = mapped_accounts(grounds, known=frozenset(known))
    found = compare_accounts(mapped, fresh)
    numbers = {fold_number(one.number) for one in mapped}
    _note(run, Part.ACCOUNTS, count_of(len(numbers), "mapped account"), now)
    return list(found)
