"""Takes in what BILL says now; webhook and poll both end here.

Three ways lead to the day book, all by reading BILL: the walk over `updatedTime` with an overlap,
the bills that wait for approval (an approval need not move `updatedTime`), and the bills an event
named. A page's rows and the cursor are stored in one transaction, so the cursor never passes a row
that was not saved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from integrations.bill.types import Approval, Bill
from sync.domain.packing import pack
from sync.domain.posting_state import PostingState
from sync.models import Bill as BillRow
from sync.models import Cursor, Posting, WebhookEvent
from sync.models.many_rows import insert_rows
from sync.services import crash_points
from sync.services.changes import note_change, posting_columns
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope

BILLS = "bills"
#: Where a walk goes on that its pass could not end; "" when it came to its end.
REST = "bills.rest"
#: Bills that wait for approval are read again up to so many in a pass, the longest unread first.
WAITING_AT_ONCE = 5_000
OnPage = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Taken:
    """What an intake found."""

    read: int = 0
    new: int = 0
    changed: int = 0
    has_more: bool = False
    bill_ids: set[str] = field(default_factory=set)


def poll_bills(work: Work, *, on_page: OnPage | None = None) -> Taken:
    """Walk the bills changed since the cursor, less the overlap; store page by page.

    A walk that takes longer than one pass may goes on in the next one, where it stood: `has_more`.
    """
    taken = Taken()
    ends = work.clock() + timedelta(seconds=settings.CONNECTOR.read_seconds)
    since, newest = _read_from(work, BILLS), None
    for page in work.bill.iter_bills(updated_since=since):
        newest = max((bill.updated_at for bill in page if bill.updated_at), default=newest)
        crash_points.reach("page_read")
        take_in(work, page, taken, cursor=newest)
        crash_points.reach("page_kept")
        if on_page is not None:
            on_page(taken.read, 0)
        # Pages of one moment are never parted: the next walk would begin with the same ones.
        if work.clock() > ends and newest is not None and (since is None or newest > since):
            taken.has_more = True
            break
    _keep_rest(work, newest if taken.has_more else None)
    return taken


def read_waiting(work: Work, *, just_read: Collection[str] = ()) -> Taken:
    """Read again the bills that wait for approval: young ones always, old ones less often."""
    taken = Taken()
    read_named(work, [key for key in _waiting_ids(work) if key not in just_read], taken)
    return taken


def read_events(work: Work) -> Taken:
    """Read the bills that events named, gathered; the events are done in the same transaction."""
    taken = Taken()
    with tenant_scope(work.tenant_id):
        events = list(
            WebhookEvent.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, taken_in_at__isnull=True, entity="bill")
            .order_by("received_at")
            .values_list("pk", "entity_id")[:1000]
        )
    read_named(work, dict.fromkeys(entity for _, entity in events if entity), taken)
    if events:
        with tenant_scope(work.tenant_id):
            WebhookEvent.objects.for_tenant(work.tenant_id).filter(
                pk__in=[key for key, _ in events]
            ).update(taken_in_at=work.clock())
    return taken


def read_named(work: Work, ids: Iterable[str], taken: Taken) -> None:
    """Read these bills by id and take them in; one that BILL no longer shows stays as it was."""
    wanted = list(ids)
    if wanted:
        take_in(work, work.bill.read_bills(wanted), taken)
        _note_checked(work, wanted)


def take_in(
    work: Work, bills: Sequence[Bill], taken: Taken, *, cursor: datetime | None = None
) -> None:
    """Save these bills and mark what they change, with the cursor, in one transaction."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        known = _known(work, bills)
        fresh = [bill for bill in bills if bill.id not in known]
        _add(work, fresh, now)
        latest = {bill.id: bill for bill in bills if bill.id in known}
        news = {key: bill for key, bill in latest.items() if known[key] != _mark(bill)}
        rows = BillRow.objects.for_tenant(work.tenant_id).filter(
            company_id=work.company_id, bill_id__in=list(news)
        )
        # In the order in which the writer locks postings, so that neither waits crosswise.
        changed = rows.select_related("posting").order_by("posting__pk")
        for row in changed.select_for_update(of=("self",)):
            taken.changed += _update(work, row, news[row.bill_id], now)
        if cursor is not None:
            _move_cursor(work, BILLS, cursor, now)
    taken.read += len(bills)
    taken.new += len(fresh)
    taken.bill_ids.update(bill.id for bill in bills)


Mark = tuple[str, str, bool, datetime | None]


def _known(work: Work, bills: Sequence[Bill]) -> dict[str, Mark]:
    """How the bills we know were last read; most are unchanged, and their rows stay unread."""
    rows = BillRow.objects.for_tenant(work.tenant_id).filter(
        company_id=work.company_id, bill_id__in=[bill.id for bill in bills]
    )
    columns = ("content_hash", "approval_status", "is_archived", "updated_in_bill_at")
    return {key: tuple(mark) for key, *mark in rows.values_list("bill_id", *columns)}


def _mark(bill: Bill) -> Mark:
    return bill.content_hash, bill.approval_status[:40], bill.archived, bill.updated_at


def _add(work: Work, bills: Sequence[Bill], now: datetime) -> None:
    unique = {bill.id: bill for bill in bills}
    rows = [
        BillRow(
            tenant_id=work.tenant_id,
            company_id=work.company_id,
            bill_id=bill.id,
            created_in_bill_at=bill.created_at,
            **_columns(bill, now),
            approval_seen_at=now if bill.approval_status == Approval.APPROVED else None,
        )
        for bill in unique.values()
    ]
    insert_rows(rows)
    postings = [
        Posting(
            tenant_id=work.tenant_id,
            company_id=work.company_id,
            bill=row,
            source_id=row.bill_id,
            since=now,
            created_at=now,
            changed_at=now,
            approval_seen_at=row.approval_seen_at,
            **posting_columns(unique[row.bill_id]),
        )
        for row in rows
    ]
    insert_rows(postings)


def _columns(bill: Bill, now: datetime) -> dict[str, object]:
    return {
        "bill_vendor_id": bill.vendor_id,
        "snapshot": pack(bill),
        "content_hash": bill.content_hash,
        "approval_status": bill.approval_status[:40],
        "is_archived": bill.archived,
        "updated_in_bill_at": bill.updated_at,
        "read_at": now,
        "checked_at": now,
    }


def _update(work: Work, row: BillRow, bill: Bill, now: datetime) -> bool:
    """Write a bill read again over its row; tell whether anything that matters changed."""
    if _is_older(bill, row):
        return False
    stored = (row.content_hash, row.approval_status, row.is_archived)
    is_same = stored == _mark(bill)[:3]
    if is_same and row.updated_in_bill_at == bill.updated_at:
        return False
    is_first_approval = (
        bill.approval_status == Approval.APPROVED and row.approval_status != Approval.APPROVED
    )
    before = row.snapshot
    for name, value in _columns(bill, now).items():
        setattr(row, name, value)
    if is_first_approval:
        row.approval_seen_at = now
    row.save()
    if is_same:
        return False
    note_change(row.posting, before=before, bill=bill, now=now, run_id=work.run_id)
    return True


def _is_older(bill: Bill, row: BillRow) -> bool:
    """Whether a worker that was held up brings what somebody else has read anew since."""
    if bill.updated_at is None or row.updated_in_bill_at is None:
        return False
    return bill.updated_at < row.updated_in_bill_at


def _keep_rest(work: Work, at: datetime | None) -> None:
    """Remember where the walk goes on; None when it came to its end."""
    value, now = at.isoformat() if at else "", work.clock()
    with tenant_scope(work.tenant_id):
        rows = Cursor.objects.for_tenant(work.tenant_id)
        mine = rows.filter(company_id=work.company_id, stream=REST)
        if not mine.update(value=value, moved_at=now) and value:
            owner = {"tenant_id": work.tenant_id, "company_id": work.company_id}
            rows.create(**owner, stream=REST, value=value, moved_at=now)


def _read_from(work: Work, stream: str) -> datetime | None:
    with tenant_scope(work.tenant_id):
        cursors = {
            row.stream: row
            for row in Cursor.objects.for_tenant(work.tenant_id).filter(
                company_id=work.company_id, stream__in=[stream, REST]
            )
        }
    rest, cursor = cursors.get(REST), cursors.get(stream)
    if rest is not None and rest.value:
        return datetime.fromisoformat(rest.value)
    if cursor is not None and cursor.value:
        overlap = timedelta(seconds=settings.CONNECTOR.poll_overlap_seconds)
        return datetime.fromisoformat(cursor.value) - overlap
    if work.policy.cutover_date is None:
        return None
    start = datetime.combine(work.policy.cutover_date, datetime.min.time(), tzinfo=work.zone)
    return start - timedelta(days=settings.CONNECTOR.first_read_days)


def _move_cursor(work: Work, stream: str, value: datetime, now: datetime) -> None:
    """Move forward only: two workers may walk the same pages."""
    rows = Cursor.objects.for_tenant(work.tenant_id)
    cursor, is_new = rows.get_or_create(
        company_id=work.company_id,
        stream=stream,
        defaults={"tenant_id": work.tenant_id, "value": value.isoformat(), "moved_at": now},
    )
    if not is_new and (not cursor.value or datetime.fromisoformat(cursor.value) < value):
        cursor.value, cursor.moved_at = value.isoformat(), now
        cursor.save()


def _waiting_ids(work: Work) -> list[str]:
    now = work.clock()
    young = now - timedelta(days=settings.CONNECTOR.young_bill_days)
    seldom = now - timedelta(seconds=settings.CONNECTOR.old_bill_check_seconds)
    always = now - timedelta(seconds=settings.CONNECTOR.waiting_check_seconds)
    with tenant_scope(work.tenant_id):
        return list(
            BillRow.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, is_archived=False)
            .exclude(approval_status__in=[Approval.APPROVED, Approval.DENIED])
            .filter(
                Q(created_in_bill_at__gte=young, checked_at__lte=always)
                | Q(created_in_bill_at__isnull=True, checked_at__lte=always)
                | Q(checked_at__lte=seldom)
            )
            .filter(posting__state__in=[PostingState.WAITING, PostingState.BLOCKED])
            .order_by("checked_at")
            .values_list("bill_id", flat=True)[:WAITING_AT_ONCE]
        )


def _note_checked(work: Work, ids: Sequence[str]) -> None:
    with tenant_scope(work.tenant_id):
        BillRow.objects.for_tenant(work.tenant_id).filter(
            company_id=work.company_id, bill_id__in=ids
        ).update(checked_at=work.clock())
