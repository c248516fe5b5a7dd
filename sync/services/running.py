"""One pass over a company, in steps people can follow: read BILL, decide, send to Sage, read back.

BILL's side and Sage's side fail apart: with BILL away, what is open in Sage is still settled and
followed; with Sage away, BILL is still read and people see what waits.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from integrations.bill.types import ListKind
from integrations.errors import AddressRefused, AuthRefused, IntegrationError
from sync.models import Reconciliation, Run, VendorLink
from sync.models.bill import Bill as BillRow
from sync.services import (
    catalogue,
    circuit,
    comparison_turns,
    connections,
    deciding,
    intake,
    journal,
    sending,
    subscriptions,
    vendor_defaults,
    vendors,
)
from sync.services.clients import NotReady, open_work, paused_windows
from sync.services.run_requests import open_run
from sync.services.work import Clock, Work
from tenants.scoping import tenant_scope


@dataclass(slots=True, kw_only=True)
class Report:
    """How a pass ended; `again_in_seconds` asks to be called sooner than the cadence."""

    run_id: uuid.UUID
    outcome: str = "ok"
    sentences: list[str] = field(default_factory=list)
    has_more: bool = False
    again_in_seconds: float | None = None
    cadence_seconds: float = 300

    @property
    def sentence(self) -> str:
        """Everything worth saying, once each."""
        return " ".join(dict.fromkeys(filter(None, self.sentences)))[:1000]


class Recorder:
    """Writes the steps of a run, or of a comparison, so that a page can follow them."""

    def __init__(self, *, tenant_id: uuid.UUID, run: Run | Reconciliation, clock: Clock) -> None:
        self._tenant_id, self._run, self._clock = tenant_id, run, clock

    def begin(self, name: str, total: int = 0) -> None:
        """Open a step; `total` 0 means unknown."""
        now = self._clock().isoformat()
        self._run.steps.append(
            {"name": name, "done": 0, "total": total, "started_at": now, "ended_at": None,
             "sentence": ""}
        )  # fmt: skip
        self._save()

    def progress(self, done: int, total: int) -> None:
        """Tell how far the open step is."""
        self._run.steps[-1] |= {"done": done, "total": total}
        self._save()

    def end(self, sentence: str) -> None:
        """Close the open step with what came of it."""
        self._run.steps[-1] |= {"ended_at": self._clock().isoformat(), "sentence": sentence}
        self._save()

    def fail(self, sentence: str) -> None:
        """Close the open step, if one is, with what went wrong."""
        if self._run.steps and self._run.steps[-1]["ended_at"] is None:
            self.end(sentence)

    def finish(self, report: Report, *, work: Work | None) -> None:
        """Close the run."""
        values: dict[str, Any] = {
            "ended_at": self._clock(),
            "outcome": report.outcome,
            "sentence": report.sentence or self._outcome(),
        }
        if work is not None:
            values |= {"bill_calls": work.calls.bill, "sage_calls": work.calls.sage}
        self._save(**values)

    def _outcome(self) -> str:
        """What a run with nothing to complain of came to: its last two steps."""
        return " ".join(step["sentence"] for step in self._run.steps[-2:] if step["sentence"])[
            :1000
        ]

    def _save(self, **values: Any) -> None:
        with tenant_scope(self._tenant_id):
            rows = type(self._run).objects.for_tenant(self._tenant_id)
            rows.filter(pk=self._run.pk).update(
                steps=self._run.steps, heard_at=self._clock(), **values
            )


def run_company(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    trigger: str,
    clock: Clock,
    worker: str,
    is_poll_due: bool = True,
    run_id: uuid.UUID | None = None,
) -> Report:
    """Make one pass; every failure becomes a sentence in the report and on the run."""
    now = clock()
    run = open_run(
        tenant_id=tenant_id, company_id=company_id, trigger=trigger, run_id=run_id, now=now
    )
    report = Report(run_id=run.pk)
    recorder = Recorder(tenant_id=tenant_id, run=run, clock=clock)
    work: Work | None = None
    try:
        work = open_work(
            tenant_id=tenant_id, company_id=company_id, clock=clock, worker=worker, run_id=run.pk
        )
        report.cadence_seconds = work.policy.cadence_seconds
        _pass(work, report, recorder, is_poll_due=is_poll_due)
        comparison_turns.plan_first(company_id=company_id)
    except NotReady as refusal:
        report.outcome = "paused"
        report.sentences.append(str(refusal))
    recorder.finish(report, work=work)
    return report


def _pass(work: Work, report: Report, recorder: Recorder, *, is_poll_due: bool) -> None:
    paused = paused_windows(work)
    for name, reason in paused.items():
        report.outcome = "paused"
        report.sentences.append(f"{name} is paused: {reason}")
    if connections.SAGE not in paused and (resting := circuit.why_resting(work)):
        paused[connections.SAGE] = resting
        report.outcome = "failed"
        report.sentences.append(resting)
    if connections.BILL not in paused:
        _attempt(
            work, report, recorder, connections.BILL, lambda: _read(work, recorder, is_poll_due)
        )
    if connections.SAGE not in paused:
        _attempt(work, report, recorder, connections.SAGE, lambda: _lists(work, recorder))
    recorder.begin("Decide")
    decided = deciding.decide_all(work)
    if decided.unread and connections.BILL not in paused:
        _attempt(work, report, recorder, connections.BILL, lambda: _reread(work))
        deciding.decide_all(work)
    recorder.end(f"{decided.moved} of {decided.looked_at} bills moved.")
    if connections.SAGE not in paused:
        failure = _attempt(
            work, report, recorder, connections.SAGE, lambda: _send(work, report, recorder)
        )
        if failure is None:
            circuit.note_success(work)
        else:
            circuit.note_failure(work, failure)


def _attempt(
    work: Work, report: Report, recorder: Recorder, window: str, act: Callable[[], None]
) -> IntegrationError | None:
    """Do one side's part; its failure is said, returned, and the other side goes on."""
    try:
        act()
    except (AuthRefused, AddressRefused) as error:
        connections.pause(work, window, error)
        _failed(report, recorder, f"{window} is paused: {error.sentence}")
        return error
    except IntegrationError as error:
        _failed(report, recorder, f"{window}: {error.sentence}")
        with tenant_scope(work.tenant_id):
            line = journal.company_line(
                tenant_id=work.tenant_id,
                company_id=work.company_id,
                event="run.failed",
                sentence=f"{window}: {error.sentence}",
                now=work.clock(),
                run_id=work.run_id,
            )
            journal.write([line])
        return error
    connections.note_ok(work, window)
    return None


def _failed(report: Report, recorder: Recorder, sentence: str) -> None:
    report.outcome = "failed"
    report.sentences.append(sentence)
    recorder.end(sentence)


def _read(work: Work, recorder: Recorder, is_poll_due: bool) -> None:
    recorder.begin("Read BILL's events")
    named = intake.read_events(work).read + vendors.read_events(work)
    recorder.end(f"{named} records named by webhooks were read.")
    if not is_poll_due:
        return
    recorder.begin("Read vendors from BILL")
    count = vendors.poll_vendors(work)
    recorder.end(f"{count} vendors read.")
    recorder.begin("Read bills from BILL")
    taken = intake.poll_bills(work, on_page=recorder.progress)
    waiting = intake.read_waiting(work, just_read=taken.bill_ids)
    recorder.end(
        f"{taken.read} bills read, {taken.new} of them new; {waiting.read} waiting ones read again."
    )
    recorder.begin("Look after webhooks")
    recorder.end(subscriptions.check_subscription(work) or "Nothing to do.")


def _lists(work: Work, recorder: Recorder) -> None:
    recorder.begin("Refresh lists")
    read = catalogue.refresh_due(work)
    recorder.end(f"{len(read)} lists read anew." if read else "All lists are fresh.")
    recorder.begin("Match vendors")
    vendors.read_unknown(work, _unknown_vendors(work))
    matched = vendors.match_all(work)
    created = vendors.create_due(work)
    updated = vendors.update_due(work) + vendor_defaults.write_due(work)
    recorder.end(f"{matched} matched, {created} created, {updated} updated in Sage.")


def _unknown_vendors(work: Work) -> list[str]:
    with tenant_scope(work.tenant_id):
        known = VendorLink.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
        rows = (
            BillRow.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id)
            .exclude(bill_vendor_id="")
            .exclude(bill_vendor_id__in=known.values("bill_vendor_id"))
        )
        return list(rows.values_list("bill_vendor_id", flat=True).distinct()[:1000])


def _reread(work: Work) -> None:
    for kind in (ListKind.ACCOUNT, ListKind.ITEM):
        catalogue.refresh(work, catalogue.bill_kind(kind))


def _send(work: Work, report: Report, recorder: Recorder) -> None:
    recorder.begin("Send to Sage and read back")
    sent = sending.send(work, seconds=settings.CONNECTOR.turn_seconds, progress=recorder.progress)
    report.has_more |= sent.has_more and not sent.is_stopped
    report.sentences.extend(sent.notes)
    if sent.is_stopped:
        report.outcome = "paused"
    waits = [sent.again_in_seconds] if sent.again_in_seconds is not None else []
    soonest = sending.next_settling(work)
    if soonest is not None:
        waits.append(max(0.0, (soonest - work.clock()) / timedelta(seconds=1)))
    report.again_in_seconds = min(waits, default=None)
    recorder.end(
        f"{sent.invoices} invoices in {sent.batches} batches; {sent.followed} batches followed."
    )
