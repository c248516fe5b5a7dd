"""The interpreter of `domain/protocol.py`: load facts, commit, run one command, record the answer.

Facts are stored before a command is run and after its answer is known, each time only where the
batch's version and the lease's epoch still hold; a write has its Attempt row committed before its
first byte. No transaction is open while a call is under way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from integrations.sage300.types import Invoice, PostProcess
from sync.domain import facts_json
from sync.domain.commands import (
    Answer,
    Command,
    Done,
    PostBatch,
    ProcessBatch,
    RemoveEntries,
    RenameBatch,
    Resumed,
    SetReady,
    Stop,
    Wait,
)
from sync.domain.facts import Facts
from sync.domain.packing import unpack
from sync.domain.protocol import Rules, next_step
from sync.domain.storing import may_wait
from sync.models import Answer as AnswerRow
from sync.models import Attempt, Batch
from sync.services import carrying, crash_points, landings
from sync.services.lease import Lease, LeaseLost, is_writer, keep_lease, renew_lease
from sync.services.work import Work
from tenants.scoping import tenant_scope

WRITES = (PostBatch, SetReady, ProcessBatch, RemoveEntries, RenameBatch)
# While only reads go on, the lease is renewed after this part of it.
LEASE_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a write ended, to be stored with the facts it leads to."""

    attempt: Attempt
    columns: Mapping[str, object]


def protocol_rules() -> Rules:
    """The protocol's patience, from the knobs."""
    knobs = settings.CONNECTOR
    return Rules(
        settle_seconds=knobs.settle_seconds,
        retry_seconds=knobs.retry_seconds,
        longest_retry_seconds=knobs.longest_retry_seconds,
        loss_limit=knobs.loss_limit,
    )


def drive(
    work: Work,
    lease: Lease,
    batch: Batch,
    *,
    process: PostProcess | None,
    is_new: bool = False,
) -> Facts:
    """Take a batch as far as it goes now: to its end, to a wait, or to a paused connection.

    Raises LeaseLost as soon as another worker has become the writer.
    """
    rules = protocol_rules()
    stored = facts = facts_json.from_json(batch.facts)
    answer: Answer | None = None if is_new else Resumed()
    ended: Ended | None = None
    kept_at = work.clock()
    while True:
        now = work.clock()
        step = next_step(facts, answer, now, rules)
        facts, command = step.facts, step.command
        attempt = _attempt(work, lease, batch, command, now)
        is_due = (now - kept_at).total_seconds() > lease.seconds / LEASE_PARTS
        if ended is not None or is_due or not may_wait(stored, facts, command):
            is_kept = _save(
                work, lease, batch, before=stored, after=facts, ended=ended, attempt=attempt
            )
            stored, ended, kept_at = facts, None, now
            if not is_kept and not isinstance(command, Done | Wait | Stop):
                raise LeaseLost(lease.database_key)
        crash_points.reach("after_save", stage=facts.stage)
        if isinstance(command, Done | Wait | Stop):
            return facts
        # A write asks once more: this worker may have slept since the save.
        if attempt is not None and not _may_write(lease, attempt):
            raise LeaseLost(lease.database_key)
        if isinstance(command, WRITES):
            answer, columns = carrying.write(
                work,
                command,
                body=attempt.request.encode() if attempt else b"",
                process=process,
                documents=_documents(facts, command),
            )
            if attempt is not None:
                ended = Ended(attempt=attempt, columns=columns)
            crash_points.reach("after_write", stage=facts.stage)
        else:
            answer = carrying.read(work, facts, command)


def _may_write(lease: Lease, attempt: Attempt) -> bool:
    """Whether the lease outlasts this write; one that might not is renewed."""
    seconds = (attempt.deadline_at - attempt.started_at).total_seconds()
    return is_writer(lease, seconds=seconds) or renew_lease(lease)


def _documents(facts: Facts, command: Command) -> tuple[str, ...]:
    if not isinstance(command, PostBatch):
        return ()
    return tuple(facts.entry(key).document_number for key in command.posting_ids)


def _attempt(
    work: Work, lease: Lease, batch: Batch, command: Command, now: datetime
) -> Attempt | None:
    """The row that says a write is about to leave, not yet saved; None for anything else."""
    if not isinstance(command, WRITES):
        return None
    body = _body(work, batch, command)
    seconds = settings.CONNECTOR.sage_write_seconds
    if isinstance(command, ProcessBatch):
        seconds = settings.CONNECTOR.sage_post_seconds
    return Attempt(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        batch=batch,
        operation=type(command).__name__,
        tag=command.tag if isinstance(command, PostBatch) else str(command.number),
        request=body,
        request_hash=hashlib.sha256(body.encode()).hexdigest(),
        epoch=lease.epoch,
        worker=work.worker,
        started_at=now,
        deadline_at=now + timedelta(seconds=seconds),
    )


def _body(work: Work, batch: Batch, command: Command) -> str:
    if not isinstance(command, PostBatch):
        return repr(command)
    invoices = tuple(unpack(Invoice, batch.invoices[key]) for key in command.posting_ids)
    description = batch.description.replace(batch.tag, command.tag)
    if command.tag not in description:
        description = command.tag
    return carrying.batch_bytes(description[:60], invoices, work=work).decode()


def _save(
    work: Work,
    lease: Lease,
    batch: Batch,
    *,
    before: Facts,
    after: Facts,
    ended: Ended | None,
    attempt: Attempt | None,
) -> bool:
    """Store one step whole, or raise LeaseLost and store nothing; tell whether the lease goes on."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        is_kept = keep_lease(lease)
        if is_kept is None:
            raise LeaseLost(lease.database_key)
        is_done = after.stage == "done"
        rows = Batch.objects.for_tenant(work.tenant_id).filter(
            pk=batch.pk, version=batch.version, settled_at=None
        )
        is_won = rows.update(
            facts=facts_json.to_json(after),
            stage=after.stage,
            version=batch.version + 1,
            lease_epoch=lease.epoch,
            sage_numbers=sorted(set(after.own_numbers)),
            why=after.why[:600],
            not_before=after.not_before,
            settled_at=now if is_done else None,
        )
        if not is_won:
            raise LeaseLost(batch.tag)
        if ended is not None:
            _write_answer(work, ended, after, now)
        if attempt is not None:
            attempt.save(force_insert=True)
        landings.apply(
            work, batch, before=before, after=after,
            attempt_id=ended.attempt.pk if ended else None, now=now,
        )  # fmt: skip
    batch.version += 1
    batch.settled_at = now if is_done else None
    return is_kept


def _write_answer(work: Work, ended: Ended, after: Facts, now: datetime) -> None:
    AnswerRow.objects.create(
        tenant_id=work.tenant_id,
        attempt=ended.attempt,
        ended_at=now,
        batch_number=after.reading_back or None,
        **ended.columns,
    )
