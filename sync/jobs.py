"""The hall: every job is load, one call, record; and the only door to the queue.

A job carries ids only and may be lost, repeated, or run by two workers at once: the rows are the
truth. Here the clock is read, and here alone a broad `except` stands, which records.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from integrations.ping import keeping
from sync.models import Attempt, DueWork, Heartbeat, Run
from sync.services import (
    comparison_turns,
    mail_turns,
    notify,
    reconcile,
    recording,
    running,
    trying,
    turns,
)
from sync.services.workers import dead_among, free_the_dead, start_afresh, worker_name
from tenants.audit import Actor
from tenants.models import Company, Tenant, TenantStatus, User
from tenants.scoping import operator_scope, tenant_scope

log = logging.getLogger(__name__)

TICK = "tick"
HEARTBEAT = "worker"
QUEUE_LIMIT = 10_000


# --- jobs -----------------------------------------------------------------------------------------


def run_company(
    *,
    tenant_id: str,
    company_id: str,
    trigger: str = "schedule",
    run_id: str = "",
    **_later_arguments: object,
) -> None:
    """Make one pass over a company if its turn is due and nobody is on it."""
    company = uuid.UUID(company_id)
    tenant = uuid.UUID(tenant_id)
    if trigger == "webhook":
        # Events come in bursts; those of the next seconds are read from BILL in the same call.
        time.sleep(settings.CONNECTOR.webhook_gather_seconds)
    start_afresh()
    me = worker_name()
    turn = turns.take_turn(
        company_id=company, seconds=settings.CONNECTOR.turn_lease_seconds, owner=me
    )
    if turn is None:
        return
    report = None
    try:
        report = running.run_company(
            tenant_id=tenant,
            company_id=company,
            trigger=trigger,
            clock=timezone.now,
            worker=me,
            is_poll_due=turn.is_poll_due or trigger in {"person", "api"},
            run_id=uuid.UUID(run_id) if run_id else None,
        )
    except Exception:
        log.exception("run.broke", extra={"company_id": company_id})
        _record_break(tenant, company)
        raise
    finally:
        is_due_again = turns.end_turn(
            company_id=company,
            cadence_seconds=report.cadence_seconds if report else settings.CONNECTOR.retry_seconds,
            was_poll=turn.is_poll_due,
            again_in_seconds=_again(report),
            due_at=turn.due_at,
        )
        mail_turns.ring_mail(company_id=company)
    if is_due_again:
        ring_doorbell(tenant_id=tenant, company_id=company, trigger=trigger)


def _again(report: recording.Report | None) -> float | None:
    if report is None:
        return settings.CONNECTOR.longest_retry_seconds
    return 0.0 if report.has_more else report.again_in_seconds


def _record_break(tenant_id: uuid.UUID, company_id: uuid.UUID) -> None:
    """Close the run that broke, with a sentence; the details are in the process's own log."""
    now = timezone.now()
    with tenant_scope(tenant_id):
        Run.objects.for_tenant(tenant_id).filter(company_id=company_id, ended_at=None).update(
            ended_at=now,
            outcome="broke",
            sentence="This run ended by a fault of the connector itself; the operator finds it in"
            " the log. It is tried again by itself.",
        )


def compare_company(*, tenant_id: str, company_id: str, **_later_arguments: object) -> None:
    """Compare both sides of a company if that is due and nobody is at it."""
    company, tenant = uuid.UUID(company_id), uuid.UUID(tenant_id)
    start_afresh()
    me = worker_name()
    turn = comparison_turns.take(
        company_id=company, seconds=settings.CONNECTOR.turn_lease_seconds, owner=me
    )
    if turn is None:
        return
    next_at = timezone.now() + timedelta(seconds=settings.CONNECTOR.longest_retry_seconds)
    has_more = False
    try:
        report = reconcile.compare(
            tenant_id=tenant, company_id=company, clock=timezone.now, worker=me
        )
        next_at, has_more = report.next_at, report.has_more
    except Exception:
        log.exception("reconcile.broke", extra={"company_id": company_id})
        reconcile.record_break(tenant_id=tenant, company_id=company, now=timezone.now())
        raise
    finally:
        comparison_turns.end(company_id=company, next_at=next_at, due_at=turn.due_at)
    if has_more:
        ring_comparison(tenant_id=tenant, company_id=company)


def ping_company(
    *, tenant_id: str, company_id: str, user_id: str, asked_at: str, **_later_arguments: object
) -> None:
    """Try both stored connections of a company, in the name of the operator who asked.

    A side tried since then is not tried again, so that a refused password is tried once.
    """
    asked = datetime.fromisoformat(asked_at)
    person = User.objects.filter(pk=user_id).first()
    actor = Actor(name=f"{person or 'Somebody'}, operator", id=person.pk if person else None)
    with tenant_scope(uuid.UUID(tenant_id)):
        rows = Company.objects.for_tenant(uuid.UUID(tenant_id)).select_related("tenant")
        company = rows.filter(pk=company_id).first()
        if company is None or company.tenant.is_suspended:
            return
        tried = {side: keeping.find(company, side) for side in keeping.Side}
    for side, before in tried.items():
        if before is None or before.tried_at < asked:
            trying.try_again(company, side, is_from_failed=False, actor=actor, now=timezone.now())


def tick(**_later_arguments: object) -> None:
    """Wake every company whose work is due; also the sweeper that finds what the queue forgot."""
    limit = settings.CONNECTOR.turns_per_tick
    for turn in turns.due_turns(limit=limit):
        ring_doorbell(tenant_id=turn.tenant_id, company_id=turn.company_id, trigger="schedule")
    for turn in comparison_turns.due(limit=limit):
        ring_comparison(tenant_id=turn.tenant_id, company_id=turn.company_id)
    if mail_turns.is_any_due():
        _enqueue(tell)


def tell(**_later_arguments: object) -> None:
    """Tell people by mail what is due, company by company, for as long as one job may take.

    A fault with one company's mails is recorded and keeps nobody else's back.
    """
    claim = settings.CONNECTOR.mail_claim_seconds
    ends = time.monotonic() + claim
    while time.monotonic() < ends and (turn := mail_turns.take_mail_turn(seconds=claim)):
        try:
            again = notify.tell_company(
                tenant_id=turn.tenant_id, company_id=turn.company_id, clock=timezone.now
            )
        except Exception:
            log.exception("mail.broke", extra={"company_id": str(turn.company_id)})
            again = settings.CONNECTOR.mail_look_seconds
        mail_turns.end_mail_turn(turn, again_in_seconds=again)


def heartbeat(**_later_arguments: object) -> None:
    """Give a sign of life, by the database's clock; and sweep, between two ticks."""
    _beat("beaten_at")
    start_afresh()
    tick()


# --- doors to the queue ---------------------------------------------------------------------------


def ring_doorbell(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, trigger: str, run_id: str = ""
) -> None:
    """Have a worker look at this company, once the caller's transaction is committed."""
    transaction.on_commit(
        lambda: _enqueue(
            run_company,
            tenant_id=str(tenant_id),
            company_id=str(company_id),
            trigger=trigger,
            run_id=run_id,
        )
    )


def ring_comparison(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> None:
    """Have a worker compare both sides, once the caller's transaction is committed."""
    transaction.on_commit(
        lambda: _enqueue(compare_company, tenant_id=str(tenant_id), company_id=str(company_id))
    )


def ring_ping(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, user_id: uuid.UUID, asked_at: datetime
) -> None:
    """Have a worker try both connections of a company, once the transaction is committed."""
    transaction.on_commit(
        lambda: _enqueue(
            ping_company,
            tenant_id=str(tenant_id),
            company_id=str(company_id),
            user_id=str(user_id),
            asked_at=asked_at.isoformat(),
        )
    )


def ring_mail(*, company_id: uuid.UUID) -> None:
    """Have a worker look at once, after the commit, whether somebody of this company must be told."""
    mail_turns.ring_mail(company_id=company_id)
    transaction.on_commit(lambda: _enqueue(tell))


def _enqueue(job: Callable[..., None], **arguments: str) -> None:
    async_task(f"{job.__module__}.{job.__name__}", **arguments)


def ring_heartbeat() -> None:
    """Ask the workers for a sign of life.

    Rung also while older rings wait: a killed cluster's jobs stay locked for the queue's retry time.
    """
    _beat("rung_at")
    if OrmQ.objects.count() < QUEUE_LIMIT:
        _enqueue(heartbeat)


def _beat(column: str) -> None:
    statement = (
        f"INSERT INTO sync_heartbeat (name, {column}) VALUES (%s, clock_timestamp())"  # noqa: S608 - the column is one of two literals above
        f" ON CONFLICT (name) DO UPDATE SET {column} = EXCLUDED.{column}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [HEARTBEAT])


def last_beat() -> datetime | None:
    """When a worker last gave a sign of life (UTC), None where none ever did.

    A run that goes on telling its progress counts: with every worker busy on long runs, the
    heartbeat's own job waits behind them.
    """
    row = Heartbeat.objects.filter(name=HEARTBEAT).first()
    with operator_scope():
        heard = Run.objects.filter(ended_at=None).aggregate(last=Max("heard_at"))["last"]
    signs = [at for at in (row.beaten_at if row else None, heard) if at is not None]
    return max(signs, default=None)


def is_an_attempt_under_way(now: datetime) -> bool:
    """Whether some write is still inside its own deadline: a quiet worker is then no stalled one.

    The write of a worker that is known to be dead waits for nothing.
    """
    with operator_scope():
        workers = (
            Attempt.objects.filter(answer=None, deadline_at__gt=now)
            .filter(started_at__gt=now - timedelta(hours=1))
            .values_list("worker", flat=True)
            .distinct()
        )
        names = list(workers)
    return len(dead_among(names)) < len(names)


def release_the_dead() -> None:
    """Let others in at once where a worker of this machine was killed."""
    for name in free_the_dead():
        log.warning("worker.died", extra={"worker": name})


# --- the one schedule -----------------------------------------------------------------------------


def install_schedule() -> None:
    """Keep exactly one Schedule row: the tick, each minute. Harmless to repeat."""
    with transaction.atomic():
        rows = Schedule.objects.select_for_update().filter(name=TICK).order_by("pk")
        for extra in list(rows)[1:]:
            extra.delete()
        Schedule.objects.update_or_create(
            name=TICK,
            defaults={
                "func": f"{tick.__module__}.{tick.__name__}",
                "schedule_type": Schedule.MINUTES,
                "minutes": 1,
                "repeats": -1,
            },
        )


def schedule_problems() -> list[str]:
    """What is wrong with the Schedule rows, in sentences; one malformed row stops them all."""
    rows = list(Schedule.objects.values_list("name", "func", "args", "kwargs"))
    wanted = f"{tick.__module__}.{tick.__name__}"
    problems = []
    if len(rows) != 1:
        problems.append(
            f"There are {len(rows)} schedules in the queue's table and there must be exactly one."
            " Run `manage.py install_schedules` and delete the others."
        )
    for name, func, args, kwargs in rows:
        if func != wanted or args or kwargs:
            problems.append(
                f"Schedule {name!r} is not the tick. Delete it: one malformed row stops them all."
            )
    return problems


def queue_length() -> int:
    """How many jobs wait."""
    return int(OrmQ.objects.count())


def work_behind(now: datetime) -> int:
    """How many companies have been due for more than two minutes with nobody on them.

    Those of suspended tenants are not worked for, so they are behind with nothing.
    """
    late = now - timedelta(minutes=2)
    suspended = Tenant.objects.filter(status=TenantStatus.SUSPENDED).values("pk")
    rows = DueWork.objects.filter(next_run_at__lt=late).exclude(tenant_id__in=suspended)
    return rows.exclude(taken_until__gt=now).count()
