"""One pass over a company, in steps people can follow: read BILL, decide, send to Sage, read back.

BILL's side and Sage's side fail apart: with BILL away, what is open in Sage is still settled and
followed; with Sage away, BILL is still read and people see what waits. A read of more than one page
is decided as it goes, and the writer's turn begins beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings

from integrations.bill.types import ListKind
from integrations.errors import AddressRefused, AuthRefused, IntegrationError
from sync.domain.words import count_of
from sync.models import VendorLink
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
    vendor_updates,
    vendors,
)
from sync.services.ahead import Ahead
from sync.services.clients import NotReady, open_work, paused_windows
from sync.services.recording import Recorder, Report, Step
from sync.services.run_requests import open_run
from sync.services.supply import Supply
from sync.services.work import Clock, Work
from tenants.scoping import tenant_scope

SENDING = "Send to Sage and read back"


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
        _Pass(work, report, recorder, is_poll_due=is_poll_due).make()
        comparison_turns.plan_first(company_id=company_id)
    except NotReady as refusal:
        report.outcome = "paused"
        report.sentences.append(str(refusal))
    recorder.finish(report, work=work)
    return report


class _Pass:
    """What one pass is doing."""

    def __init__(
        self, work: Work, report: Report, recorder: Recorder, *, is_poll_due: bool
    ) -> None:
        self._work, self._report, self._recorder = work, report, recorder
        self._is_poll_due = is_poll_due
        self._paused: dict[str, str] = {}
        self._decided = deciding.Decided()
        self._writer: Step | None = None
        self._ahead = Ahead(self._send_beside)
        self._pages = 0
        self._asked: dict[str, int] = {}

    def make(self) -> None:
        """Do one side's part after the other's."""
        self._note_paused()
        with self._ahead:
            is_bill_well = self._attempt(connections.BILL, self._read_news)
            is_sage_well = self._attempt(connections.SAGE, self._refresh)
            if is_bill_well and self._is_poll_due:
                self._attempt(connections.BILL, partial(self._read_bills, may_send=is_sage_well))
            self._meet_strangers()
            self._decide()
            self._send()

    def _note_paused(self) -> None:
        self._paused = paused_windows(self._work)
        for name, reason in self._paused.items():
            self._report.outcome = "paused"
            self._report.sentences.append(f"{name} is paused: {reason}")
        if connections.SAGE not in self._paused and (resting := circuit.why_resting(self._work)):
            self._paused[connections.SAGE] = resting
            self._report.outcome = "failed"
            self._report.sentences.append(resting)

    # --- reading and deciding ---

    def _read_news(self) -> None:
        work, recorder = self._work, self._recorder
        recorder.begin("Read BILL's events")
        named = intake.read_events(work).read + vendors.read_events(work)
        recorder.end(f"{count_of(named, 'record')} named by webhooks read.")
        if self._is_poll_due:
            recorder.begin("Read vendors from BILL")
            recorder.end(f"{count_of(vendors.poll_vendors(work), 'vendor')} read.")

    def _refresh(self) -> None:
        work, recorder = self._work, self._recorder
        recorder.begin("Refresh lists")
        read = catalogue.refresh_due(work)
        recorder.end(
            f"{count_of(len(read), 'list')} read anew." if read else "All lists are fresh."
        )
        recorder.begin("Match vendors")
        matched = vendors.match_all(work)
        until = self._until()
        created = vendors.create_due(work, until=until)
        updated = vendor_updates.update_due(work, until=until)
        updated += vendor_defaults.write_due(work, until=until)
        self._report.has_more |= work.clock() > until
        recorder.end(f"{matched} matched, {created} created, {updated} updated in Sage.")

    def _until(self) -> datetime:
        """When a loop of writes beside the batches hands over, so that no job runs into its end."""
        return self._work.clock() + timedelta(seconds=settings.CONNECTOR.turn_seconds)

    def _read_bills(self, *, may_send: bool) -> None:
        work, recorder = self._work, self._recorder
        recorder.begin("Read bills from BILL")
        taken = intake.poll_bills(work, on_page=partial(self._on_page, may_send=may_send))
        waiting = intake.read_waiting(work, just_read=taken.bill_ids)
        more = " There are more; the next run reads on." if taken.has_more else ""
        recorder.end(
            f"{taken.read} bills read, {taken.new} of them new; {waiting.read} waiting ones read"
            f" again.{more}"
        )
        if taken.has_more:
            # Its poll is due at once, not after the cadence.
            self._report.has_more, self._report.cadence_seconds = True, 0
        recorder.begin("Look after webhooks")
        recorder.end(subscriptions.check_subscription(work) or "Nothing to do.")

    def _on_page(self, done: int, total: int, *, may_send: bool) -> None:
        """Tell how far the read is; from the second page on, keep the writer busy beside it."""
        self._recorder.progress(done, total)
        self._pages += 1
        if may_send and self._pages > 1 and self._ahead.wants_more:
            self._decided.add(deciding.decide_all(self._work))
            if self._writer is None:
                self._writer = self._recorder.begin_aside(SENDING)
            self._ahead.deliver()

    def _meet_strangers(self) -> None:
        """Read the vendors that bills name and BILL's list has not shown, so that nothing waits for
        them a pass longer.
        """
        unknown = [] if connections.BILL in self._paused else _unknown_vendors(self._work)
        if not unknown:
            return
        self._recorder.begin("Match vendors that bills name")
        if not self._attempt(connections.BILL, partial(vendors.read_unknown, self._work, unknown)):
            return
        if self._ahead.has_begun:
            self._match_beside()
        else:
            self._attempt(connections.SAGE, self._match_strangers)

    def _match_beside(self) -> None:
        """There is one writer: whom Sage does not know is created in the pass that follows.

        Sage is asked nothing here, and what the writer asks meanwhile is no good answer yet.
        """
        matched = vendors.match_all(self._work)
        self._report.has_more |= matched > 0
        self._recorder.end(f"{matched} matched.")

    def _match_strangers(self) -> None:
        matched = vendors.match_all(self._work)
        until = self._until()
        created = vendors.create_due(self._work, until=until)
        self._report.has_more |= self._work.clock() > until
        self._recorder.end(f"{matched} matched, {created} created in Sage.")

    def _decide(self) -> None:
        self._recorder.begin("Decide")
        decided = self._decided
        decided.add(deciding.decide_all(self._work))
        if decided.unread and self._attempt(connections.BILL, self._reread):
            deciding.decide_all(self._work)
        self._recorder.end(f"{decided.moved} of {count_of(decided.looked_at, 'bill')} moved.")

    def _reread(self) -> None:
        for kind in (ListKind.ACCOUNT, ListKind.ITEM):
            catalogue.refresh(self._work, catalogue.bill_kind(kind))

    # --- sending ---

    def _send(self) -> None:
        if connections.SAGE in self._paused:
            return
        if self._writer is None:
            self._recorder.begin(SENDING)
        else:
            self._recorder.take_up(self._writer)
        failure = self._try(connections.SAGE, self._take_turn)
        if failure is None:
            circuit.note_success(self._work)
        elif failure.system != connections.BILL:
            circuit.note_failure(self._work, failure)

    def _send_beside(self, supply: Supply) -> sending.Sent:
        """The turn in the other thread."""
        step = self._writer
        return sending.send(
            self._work,
            seconds=settings.CONNECTOR.turn_seconds,
            progress=step.progress if step else self._recorder.progress,
            supply=supply,
        )

    def _take_turn(self) -> None:
        work, report, recorder = self._work, self._report, self._recorder
        if self._ahead.has_begun:
            sent = self._ahead.result()
        else:
            sent = sending.send(
                work, seconds=settings.CONNECTOR.turn_seconds, progress=recorder.progress
            )
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
            f"{count_of(sent.invoices, 'invoice')} in {count_of(sent.batches, 'batch', 'batches')};"
            f" {count_of(sent.followed, 'batch', 'batches')} followed."
        )

    # --- failing apart ---

    def _attempt(self, window: str, act: Callable[[], None]) -> bool:
        """Do one side's part unless that side is paused; tell whether it was done."""
        return window not in self._paused and self._try(window, act) is None

    def _try(self, window: str, act: Callable[[], None]) -> IntegrationError | None:
        """Do one side's part; its failure is said, returned, and the other side goes on.

        What failed is the system that was asked: work in Sage reads in BILL meanwhile.
        """
        work = self._work
        try:
            act()
        except (AuthRefused, AddressRefused) as error:
            window = error.system or window
            self._was_asked(window)
            connections.pause(work, window, error)
            self._failed(f"{window} is paused: {error.sentence}")
            return error
        except IntegrationError as error:
            window = error.system or window
            self._was_asked(window)
            sentence = f"{window}: {error.sentence}"
            self._failed(sentence)
            line = journal.company_line(
                tenant_id=work.tenant_id, company_id=work.company_id, event="run.failed",
                sentence=sentence, now=work.clock(), run_id=work.run_id,
            )  # fmt: skip
            with tenant_scope(work.tenant_id):
                journal.write([line])
            return error
        if self._was_asked(window):
            connections.note_ok(work, window)
        return None

    def _was_asked(self, window: str) -> bool:
        """Whether it was asked anything since the last look; what was not asked has not answered."""
        calls = self._work.calls
        asked = calls.bill if window == connections.BILL else calls.sage
        before, self._asked[window] = self._asked.get(window, 0), asked
        return asked > before

    def _failed(self, sentence: str) -> None:
        self._report.outcome = "failed"
        self._report.sentences.append(sentence)
        self._recorder.end(sentence)


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
