"""Compares BILL and Sage: asked for by a person, a machine or the clock, followed step by step.

It only reads. Sage is read first, without a transaction; then our own rows, in one; so a batch sent
meanwhile is known from the sync's own reading of it. A side that is paused or fails gives a
sentence, and the parts that could not be read keep what was found before.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from sync.domain.reconciliation import FOLLOWED, Difference, Mover, Part, next_comparison
from sync.domain.words import count_of, listed
from sync.models import Reconciliation
from sync.services import comparison_turns, journal, reconcile_parts, turns
from sync.services.clients import NotReady, open_work
from sync.services.reconcile_keeping import keep, last_finished
from sync.services.reconcile_sage import SageRead, floor_of, periods_of, read_sage
from sync.services.recording import Recorder
from sync.services.work import Clock, Work
from tenants import audit
from tenants.models import Company
from tenants.scoping import tenant_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a comparison ended; `has_more` where it goes on in a next job."""

    run_id: uuid.UUID
    next_at: datetime
    outcome: str = "ok"
    sentence: str = ""
    has_more: bool = False


# --- asking ---------------------------------------------------------------------------------------


def ask(company: Company, actor: audit.Actor, *, trigger: str, now: datetime) -> Reconciliation:
    """Make the comparison due and return its row; one that has not ended serves again."""
    with tenant_scope(company.tenant_id):
        run = _row(company.tenant_id, company.pk, trigger=trigger, asked_by=actor.name, now=now)
        comparison_turns.ask_now(company_id=company.pk)
        audit.record(
            tenant=company.tenant_id,
            actor=actor,
            action="reconcile.asked",
            subject=company.name,
            subject_id=run.pk,
            now=now,
        )
    return run


def _row(
    tenant_id: uuid.UUID, company_id: uuid.UUID, *, trigger: str, asked_by: str, now: datetime
) -> Reconciliation:
    turns.hold_company(company_id)
    run = _unended(tenant_id, company_id)
    return run or Reconciliation.objects.create(
        tenant_id=tenant_id,
        company_id=company_id,
        trigger=trigger,
        asked_by=asked_by[:160],
        started_at=now,
        heard_at=now,
    )


def _unended(tenant_id: uuid.UUID, company_id: uuid.UUID) -> Reconciliation | None:
    rows = Reconciliation.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return rows.filter(ended_at=None).first()


# --- one comparison -------------------------------------------------------------------------------


def compare(*, tenant_id: uuid.UUID, company_id: uuid.UUID, clock: Clock, worker: str) -> Report:
    """Make one comparison; every failure becomes a sentence on its row."""
    now = clock()
    with tenant_scope(tenant_id):
        zone = ZoneInfo(Company.objects.for_tenant(tenant_id).get(pk=company_id).time_zone)
    run = _begin(tenant_id, company_id, now)
    recorder = Recorder(tenant_id=tenant_id, run=run, clock=clock)
    report = Report(run_id=run.pk, next_at=_next_at(company_id, zone, now))
    try:
        work = open_work(tenant_id=tenant_id, company_id=company_id, clock=clock, worker=worker)
    except NotReady as refusal:
        return _end(run, replace(report, outcome="paused", sentence=str(refusal)), clock)
    read = read_sage(work, recorder)
    run.sage_calls += work.calls.sage
    if read.has_more:
        return _go_on(run, replace(report, has_more=True, next_at=now))
    return _conclude(work, run, recorder, read, report)


def _go_on(run: Reconciliation, report: Report) -> Report:
    with tenant_scope(run.tenant_id):
        run.save(update_fields=["sage_calls"])
    return report


def _begin(tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> Reconciliation:
    """The row of the comparison asked for, or of one that goes on, or a new one."""
    with tenant_scope(tenant_id):
        run = _row(tenant_id, company_id, trigger="schedule", asked_by="", now=now)
        if not run.steps:
            run.started_at = now
            run.save(update_fields=["started_at"])
    run.steps = []
    return run


def _next_at(company_id: uuid.UUID, zone: ZoneInfo, now: datetime) -> datetime:
    hour, spread = settings.CONNECTOR.reconcile_hour, company_id.int % 30
    return next_comparison(now, zone=zone, hour=hour, spread_minutes=spread)


# --- what came of it ------------------------------------------------------------------------------


def _conclude(
    work: Work, run: Reconciliation, recorder: Recorder, read: SageRead, report: Report
) -> Report:
    """Compare what was read with our own rows, and keep what is found."""
    recorder.begin("Compare")
    floor, now = floor_of(work, read), work.clock()
    with tenant_scope(work.tenant_id):
        before = last_finished(tenant_id=work.tenant_id, company_id=work.company_id)
        run.parts, run.sums = (before.parts, before.sums) if before else ({}, [])
        found: list[Difference] = []
        if read.batches is not None:
            found += reconcile_parts.invoices(
                work, run, read.batches, periods_of(work, read), floor=floor, now=now
            )
        if read.vendors is not None:
            found += reconcile_parts.vendors(work, run, read.vendors, now)
        if read.accounts is not None:
            found += reconcile_parts.accounts(work, run, read.accounts, now)
        compared = [part for part in Part if _is_compared(part, read)]
        keep(run, found, parts=compared, now=now)
        people = sum(1 for one in found if one.mover is Mover.PERSON)
        said = _said(len(found), people) if compared else ""
        _tell(work, said, compared, now)
        if any(one.kind in FOLLOWED for one in found):
            turns.ring(company_id=work.company_id)
    recorder.end(said)
    outcome = "ok"
    if read.failures:
        outcome = "paused" if read.is_paused else "failed"
    sentence = " ".join(dict.fromkeys([said, *read.failures])).strip()
    return _end(run, replace(report, outcome=outcome, sentence=sentence), work.clock)


def _is_compared(part: Part, read: SageRead) -> bool:
    match part:
        case Part.INVOICES | Part.BATCHES:
            return read.batches is not None
        case Part.VENDORS:
            return read.vendors is not None
        case Part.ACCOUNTS:
            return read.accounts is not None


def _said(differences: int, people: int) -> str:
    if not differences:
        return "BILL and Sage agree in all that was compared."
    wait = "none of them needs a person" if not people else f"{people} for a person"
    return f"{count_of(differences, 'difference')}, {wait}."


def _tell(work: Work, said: str, compared: Sequence[Part], now: datetime) -> None:
    if not compared:
        return
    parts = listed([part.value for part in compared])
    line = journal.company_line(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        event="reconcile.compared",
        sentence=f"Compared {parts}: {said}",
        now=now,
    )
    journal.write([line])


def record_break(*, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> None:
    """Close the comparison that broke, with a sentence; what was found before stands."""
    with tenant_scope(tenant_id):
        run = _unended(tenant_id, company_id)
        before = last_finished(tenant_id=tenant_id, company_id=company_id)
        if run is None:
            return
        run.ended_at, run.outcome = now, "broke"
        run.sentence = (
            "This comparison ended by a fault of the connector itself; the operator finds it in the"
            " log. It is made again by itself."
        )
        if before is not None:
            run.parts, run.sums = before.parts, before.sums
        run.save()


def _end(run: Reconciliation, report: Report, clock: Clock) -> Report:
    with tenant_scope(run.tenant_id):
        if not run.parts:
            before = last_finished(tenant_id=run.tenant_id, company_id=run.company_id)
            run.parts, run.sums = (before.parts, before.sums) if before else ({}, [])
        run.ended_at = run.heard_at = clock()
        run.outcome, run.sentence = report.outcome, report.sentence[:1000]
        run.save()
    return report
