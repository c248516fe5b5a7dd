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
from sync.domain.facts import Facts
from sync.domain.packing import pack, unpack
from sync.domain.policy import Release
from sync.domain.posting_state import PostingState
from sync.domain.words import count_of
from sync.models import Batch, Posting
from sync.services import clearing, crash_points, looks, settling
from sync.services.assembling import Outset, assemble
from sync.services.lease import Lease, LeaseLost, release_lease, take_lease
from sync.services.looks import Look
from sync.services.pace import Pace
from sync.services.posting import drive
from sync.services.supply import Supply
from sync.services.work import Work
from tenants.scoping import tenant_scope

Progress = Callable[[int, int], None]
# How long the writer waits for more before it looks whether its turn is over.
WAIT_SECONDS = 1.0
STILL_READING = "{count} in Sage still to read before anything is sent; the next run reads on."


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


def send(work: Work, *, seconds: float, progress: Progress, supply: Supply | None = None) -> Sent:
    """Be the writer for at most about `seconds`; nothing when somebody else is.

    `supply` says that more is being decided meanwhile; without it everything is.
    """
    lease = take_lease(
        work.database_key, owner=work.worker, seconds=settings.CONNECTOR.lease_seconds
    )
    if lease is None:
        # Not at once: two companies may share these books, and the other one's turn lasts a while.
        return Sent(
            again_in_seconds=settings.CONNECTOR.retry_seconds,
            notes=[
                "Another worker is writing to this Sage database; this goes on once it is done."
            ],
        )
    sent = Sent()
    ends = work.clock() + timedelta(seconds=seconds)
    try:
        supply = supply or Supply(is_over=True)
        _Turn(work, lease, sent, supply, ends=ends, progress=progress).take()
    except LeaseLost:
        sent.has_more = True
        sent.notes.append("Another worker has taken over.")
    finally:
        release_lease(lease)
    return sent


class _Turn:
    """One turn under way; `sent` is filled as it goes."""

    def __init__(
        self,
        work: Work,
        lease: Lease,
        sent: Sent,
        supply: Supply,
        *,
        ends: datetime,
        progress: Progress,
    ) -> None:
        self._work, self._lease, self._sent, self._supply = work, lease, sent, supply
        self._ends, self._progress = ends, progress
        self._pace = Pace(work)
        self._total, self._counted = 0, -1

    def take(self) -> None:
        """Look, settle what is open, send what is ready."""
        work, sent = self._work, self._sent
        look = looks.look(work)
        if self._is_held(look):
            return
        process = _process(work)
        sent.followed = settling.follow_up(work, self._lease, look, process=process)
        if self._is_held(look):
            return
        if look.left_to_read:
            sent.has_more = True
            sent.notes.append(
                STILL_READING.format(count=count_of(look.left_to_read, "batch", "batches"))
            )
            return
        for batch in _unsettled(work):
            self._drive(batch, process=process)
            if sent.is_stopped:
                return
        self._send_ready(look, process)
        if not sent.is_stopped:
            clearing.note_cleared(work)

    def _is_held(self, look: Look) -> bool:
        if look.hold:
            self._sent.is_stopped = True
            self._sent.notes.append(look.hold)
        return bool(look.hold)

    def _send_ready(self, look: Look, process: PostProcess | None) -> None:
        sent, is_first = self._sent, True
        while self._work.clock() < self._ends and not self._supply.is_given_up:
            # Asked before anything is looked for, so that what was decided last is not missed.
            is_over = self._supply.is_over
            self._count()
            made = self._assemble(look, can_post=process is not None, is_full=not is_over)
            if made is None and is_over:
                return
            if made is None:
                self._supply.wait(WAIT_SECONDS)
                continue
            crash_points.reach("after_assembly")
            if is_first:
                _fix(self._work)
                is_first = False
            facts = self._drive(made, process=process, is_new=True)
            if facts.losses or made.settled_at:
                self._pace.note_sent(facts)
            if sent.is_stopped:
                return
            self._progress(sent.invoices, self._total)
        sent.has_more = not self._supply.is_over or _ready_count(self._work) > 0

    def _count(self) -> None:
        """Tell how much there is to send, once and whenever more was delivered."""
        deliveries = self._supply.deliveries
        if deliveries != self._counted:
            self._counted = deliveries
            self._total = self._sent.invoices + _ready_count(self._work)
            if self._total:
                self._progress(self._sent.invoices, self._total)

    def _assemble(self, look: Look, *, can_post: bool, is_full: bool) -> Batch | None:
        outset = Outset(
            watermark=look.low_mark,
            highest=look.highest,
            can_post=can_post,
            is_look_fresh=True,
            is_thorough=look.is_thorough,
            orders_apart=look.orders_apart,
        )
        return assemble(
            self._work,
            self._lease,
            size=self._pace.batch_size,
            outset=outset,
            is_full=is_full,
            now=self._work.clock(),
        )

    def _drive(self, batch: Batch, *, process: PostProcess | None, is_new: bool = False) -> Facts:
        sent = self._sent
        facts = drive(self._work, self._lease, batch, process=process, is_new=is_new)
        looks.note_highest(self._work, facts.highest)
        sent.batches += 1
        sent.invoices += batch.entry_count
        if facts.is_stopped:
            sent.is_stopped = True
            sent.notes.append(Stop(why=facts.why).why)
        elif facts.not_before is not None:
            sent.notes.append(facts.why)
        return facts


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
