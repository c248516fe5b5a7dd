"""One writer's turn at a Sage database: look, settle what is open, send what is ready.

Everything here happens under the lease. A turn ends when nothing is left or its time is up; what
is left goes on in the next turn, behind the other companies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from integrations import fixing
from integrations.models import BillConnection, Sage300Connection
from integrations.sage300.types import PostProcess
from sync.domain.commands import Stop
from sync.domain.packing import pack, unpack
from sync.domain.policy import Release
from sync.domain.posting_state import PostingState
from sync.models import Batch, Posting
from sync.services import clearing, crash_points, pace, settling
from sync.services.assembling import assemble
from sync.services.lease import Lease, release_lease, take_lease
from sync.services.posting import LeaseLost, drive
from sync.services.work import Work
from tenants.scoping import tenant_scope

Progress = Callable[[int, int], None]


@dataclass(slots=True, kw_only=True)
class Sent:
    """How a turn ended; `has_more` asks for another one at once, `again_in_seconds` for a later one."""

    batches: int = 0
    invoices: int = 0
    followed: int = 0
    has_more: bool = False
    again_in_seconds: float | None = None
    is_stopped: bool = False
    notes: list[str] = field(default_factory=list)


def send(work: Work, *, seconds: float, progress: Progress) -> Sent:
    """Be the writer for at most about `seconds`; nothing when somebody else is."""
    lease = take_lease(
        work.database_key, owner=work.worker, seconds=settings.CONNECTOR.lease_seconds
    )
    if lease is None:
        # Not at once: two companies may share these books, and the other one's turn lasts a while.
        return Sent(
            again_in_seconds=settings.CONNECTOR.retry_seconds,
            notes=["Another worker is writing to this Sage database."],
        )
    sent = Sent()
    try:
        _turn(work, lease, sent, ends=work.clock() + timedelta(seconds=seconds), progress=progress)
    except LeaseLost:
        sent.has_more = True
        sent.notes.append("Another worker has taken over.")
    finally:
        release_lease(lease)
    return sent


def _turn(work: Work, lease: Lease, sent: Sent, *, ends: datetime, progress: Progress) -> None:
    look = settling.look(work, lease)
    if look.hold:
        sent.is_stopped = True
        sent.notes.append(look.hold)
        return
    process = _process(work)
    sent.followed = settling.follow_up(work, lease, look, process=process)
    if look.hold:
        sent.is_stopped = True
        sent.notes.append(look.hold)
        return
    for batch in _unsettled(work):
        _drive(work, lease, batch, sent, process=process)
        if sent.is_stopped:
            return
    _send_ready(work, lease, sent, look, process, ends=ends, progress=progress)
    clearing.note_cleared(work)


def _send_ready(
    work: Work,
    lease: Lease,
    sent: Sent,
    look: settling.Look,
    process: PostProcess | None,
    *,
    ends: datetime,
    progress: Progress,
) -> None:
    total, is_fixed = _ready_count(work), False
    while work.clock() < ends:
        made = assemble(
            work,
            lease,
            size=pace.batch_size(work),
            watermark=look.low_mark,
            highest=look.highest,
            can_post=process is not None,
            is_look_fresh=True,
            is_thorough=look.is_thorough,
            now=work.clock(),
        )
        if made is None:
            return
        crash_points.reach("after_assembly")
        if not is_fixed:
            _fix(work)
            is_fixed = True
        _drive(work, lease, made, sent, process=process, is_new=True)
        if sent.is_stopped:
            return
        progress(sent.invoices, total)
    sent.has_more = _ready_count(work) > 0


def _drive(
    work: Work,
    lease: Lease,
    batch: Batch,
    sent: Sent,
    *,
    process: PostProcess | None,
    is_new: bool = False,
) -> None:
    facts = drive(work, lease, batch, process=process, is_new=is_new)
    if is_new and (facts.losses or batch.settled_at):
        pace.note_sent(work, facts)
    sent.batches += 1
    sent.invoices += batch.entry_count
    if facts.is_stopped:
        sent.is_stopped = True
        sent.notes.append(Stop(why=facts.why).why)
    elif facts.not_before is not None:
        sent.notes.append(facts.why)


def _unsettled(work: Work) -> list[Batch]:
    now = work.clock()
    with tenant_scope(work.tenant_id):
        rows = (
            Batch.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, settled_at=None)
            .order_by("made_at")
        )
        return [batch for batch in rows if batch.not_before is None or batch.not_before <= now]


def _ready_count(work: Work) -> int:
    with tenant_scope(work.tenant_id):
        return (
            Posting.objects.for_tenant(work.tenant_id)
            .of_company(work.company_id)
            .in_state(PostingState.READY)
            .count()
        )


def next_settling(work: Work) -> datetime | None:
    """When the earliest batch that waits may be looked at again."""
    with tenant_scope(work.tenant_id):
        return (
            Batch.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, settled_at=None, not_before__isnull=False)
            .order_by("not_before")
            .values_list("not_before", flat=True)
            .first()
        )


def _process(work: Work) -> PostProcess | None:
    """What this server calls the parts of posting: asked once, kept on the connection."""
    if work.policy.release is not Release.POST:
        return None
    with tenant_scope(work.tenant_id):
        rows = Sage300Connection.objects.for_tenant(work.tenant_id)
        connection = rows.get(company_id=work.company_id)
    if connection.post_process:
        return unpack(PostProcess, connection.post_process)
    process = work.sage.post_process()
    if process is not None:
        with tenant_scope(work.tenant_id):
            rows.filter(pk=connection.pk).update(post_process=pack(process))
    return process


def _fix(work: Work) -> None:
    """The first send binds the company to this organization and these books."""
    with tenant_scope(work.tenant_id):
        bill = BillConnection.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
        sage = Sage300Connection.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
        fixing.fix_organization(bill)
        fixing.fix_database(sage)
