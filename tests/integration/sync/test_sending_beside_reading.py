"""A read of many pages: the writer's turn begins beside it, and each side still fails by itself.

BILL's stand-in holds its third page back until Sage has taken a batch, so nothing here depends on
which side is the quicker one.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections

from integrations.models import Sage300Connection
from integrations.standins.bill.world import BillWorld
from integrations.standins.messages import Reply, Request
from sync.domain.policy import VendorCreation
from sync.models import Cursor, LogEntry, Run
from sync.services.ahead import Ahead
from sync.services.recording import Report
from sync.services.sending import Sent
from sync.services.supply import Supply
from tenants.scoping import tenant_scope
from tests.faults.office import (
    COMPANY,
    POST_BATCH,
    a_bill,
    a_policy,
    all_in_sage,
    free_lease,
    heal,
    posts,
    quick,
    small_world,
    wait_for,
)
from tests.integration.sync.world import Desk, a_desk

pytestmark = pytest.mark.django_db(transaction=True)
BILLS = 205
Act = Callable[[], Reply | None]


class PatientBill(BillWorld):
    """A BILL where something may happen before the third page of its bills is shown."""

    before_page_three: Act | None = None
    _pages = 0

    def handle(self, request: Request) -> Reply:
        if request.path.endswith("/bills") and any(name == "page" for name, _ in request.query):
            self._pages += 1
            if self._pages == 2 and self.before_page_three is not None:
                reply = self.before_page_three()
                connections.close_all()
                if reply is not None:
                    return reply
        return super().handle(request)


@pytest.fixture
def desk(settings: Any) -> Iterator[Desk]:
    settings.CONNECTOR = quick(settings.CONNECTOR, bill_call_seconds=30.0)
    world = small_world(PatientBill)
    with a_desk(settings, policy=a_policy(batch_size=50), bill_data=world) as opened:
        for number in range(BILLS):
            a_bill(opened, f"B-{number}")
        yield opened


def steps_of(desk: Desk) -> list[dict[str, Any]]:
    with tenant_scope(desk.company.tenant_id):
        run = Run.objects.for_tenant(desk.company.tenant_id).latest("started_at")
    return list(run.steps)


def told_by(desk: Desk, report: Report) -> str:
    """What a pass said of its read."""
    with tenant_scope(desk.company.tenant_id):
        steps = Run.objects.for_tenant(desk.company.tenant_id).get(pk=report.run_id).steps
    return next(str(one["sentence"]) for one in steps if one["name"] == "Read bills from BILL")


def sage_has_a_batch(desk: Desk) -> Callable[[], bool]:
    return lambda: posts(desk) > 0


def test_full_batches_leave_while_bill_is_still_being_read(desk: Desk) -> None:
    seen: list[dict[str, Any]] = []

    def look_on() -> None:
        wait_for(lambda: any(step["done"] and step["total"] for step in steps_of(desk)))
        seen.extend(steps_of(desk))

    desk.bill.before_page_three = look_on

    report = desk.sync()

    assert (report.outcome, report.has_more) == ("ok", False)
    reading, sending = seen[-2:]
    assert (reading["name"], reading["done"]) == ("Read bills from BILL", 200)
    assert sending["name"] == "Send to Sage and read back"
    assert (sending["done"] % 50, sending["total"]) == (0, 200)
    assert reading["ended_at"] is sending["ended_at"] is None
    sizes = [len(b["Invoices"]) for b in desk.ledger(COMPANY)["batches"][-5:]]
    assert sizes == [50, 50, 50, 50, 5]
    all_in_sage(desk, BILLS)
    steps = steps_of(desk)
    assert all(step["ended_at"] and step["sentence"] for step in steps)
    told = {step["name"]: step["sentence"] for step in steps}
    assert told["Decide"] == f"{BILLS} of {BILLS} bills moved."
    assert told["Send to Sage and read back"].startswith(f"{BILLS} invoices in 5 batches;")
    with tenant_scope(desk.company.tenant_id):
        run = Run.objects.for_tenant(desk.company.tenant_id).get(pk=report.run_id)
    assert run.sentence == f"{told['Decide']} {told['Send to Sage and read back']}"
    counted = sum(desk.bill_server.requests.counts().values())
    assert (run.bill_calls, run.sage_calls) == (
        counted,
        sum(desk.sage_server.requests.counts().values()),
    )


@pytest.mark.parametrize(("bills", "is_beside"), [(1, False), (BILLS, True)])
def test_a_vendor_that_only_a_bill_names_is_met_and_created_by_one_writer(
    settings: Any, bills: int, is_beside: bool
) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR)
    policy = a_policy(vendor_creation=VendorCreation.CREATE_NEW, vendor_group="TRADE")
    with a_desk(settings, policy=policy, bill_data=small_world()) as desk:
        desk.sync()
        with tenant_scope(desk.company.tenant_id):
            # The list of vendors has been read to a moment after this one's last change.
            read_to = (desk.clock() + timedelta(hours=1)).isoformat()
            cursors = Cursor.objects.for_tenant(desk.company.tenant_id)
            cursors.filter(stream="vendors").update(value=read_to)
        stranger = desk.bill.add_vendor(name="Juniper Spice Company")
        for number in range(bills):
            a_bill(desk, f"B-{number}")
        a_bill(desk, "J-1", vendor=stranger)

        report = desk.sync()

        (posting,) = desk.postings(invoice_number="J-1")
        assert report.outcome == "ok"
        assert (report.has_more, posting.state != "IN_SAGE") == (is_beside, is_beside)
        if is_beside:
            desk.sync(is_poll_due=False)
        all_in_sage(desk, bills + 1)


def test_what_the_writer_asks_in_vain_is_no_good_answer(settings: Any, desk: Desk) -> None:
    with tenant_scope(desk.company.tenant_id):
        read_to = (desk.clock() + timedelta(hours=1)).isoformat()
        owner = {"tenant_id": desk.company.tenant_id, "company": desk.company}
        Cursor.objects.create(**owner, stream="vendors", value=read_to, moved_at=desk.clock())
    a_bill(desk, "J-1", vendor=desk.bill.add_vendor(name="Juniper Spice Company"))
    desk.sage_server.faults.add("status", "GET /APInvoiceBatches$", status=500, times=9)

    def later_on() -> None:
        asked = desk.sage_server.requests.counts
        wait_for(lambda: any(path.endswith("/APInvoiceBatches") for path in asked()))
        desk.moved += timedelta(hours=1)

    desk.bill.before_page_three = later_on
    began = desk.clock()

    assert desk.sync().outcome == "failed"

    with tenant_scope(desk.company.tenant_id):
        sage = Sage300Connection.objects.for_tenant(desk.company.tenant_id).get()
    assert sage.last_ok_at is not None
    assert sage.last_ok_at < began + timedelta(minutes=30)


def test_a_page_of_bill_that_fails_leaves_the_writer_to_its_work(desk: Desk) -> None:
    def fail() -> Reply:
        wait_for(sage_has_a_batch(desk))
        return Reply.json(500, {"message": "An error occurred"})

    desk.bill.before_page_three = fail

    report = desk.sync()

    assert report.outcome == "failed"
    assert [said.partition(":")[0] for said in report.sentences] == ["BILL"]
    assert len(desk.postings(state="IN_SAGE")) == 200
    told = {step["name"]: step["sentence"] for step in steps_of(desk)}
    assert told["Read bills from BILL"] == report.sentences[0]
    assert told["Send to Sage and read back"].startswith("200 invoices in 4 batches;")

    desk.bill.before_page_three = None
    heal(desk)
    all_in_sage(desk, BILLS)


def test_a_read_longer_than_a_pass_may_take_goes_on_in_the_next_one(
    settings: Any, desk: Desk
) -> None:
    settings.CONNECTOR = replace(settings.CONNECTOR, read_seconds=0.0)

    # All were changed within the overlap, so a read that begins at the cursor would never end.
    reports = [first := desk.sync()]
    while reports[-1].has_more and len(reports) < 8:
        reports.append(desk.sync())

    assert (first.has_more, first.cadence_seconds) == (True, 0)
    assert told_by(desk, first).endswith(" There are more; the next run reads on.")
    assert (reports[-1].has_more, reports[-1].cadence_seconds) == (False, 300)
    all_in_sage(desk, BILLS)


def test_a_sage_that_fails_leaves_the_read_whole(desk: Desk) -> None:
    desk.sage_server.faults.add("status", "GET /APInvoiceBatches$", status=500, times=9)

    report = desk.sync()

    assert report.outcome == "failed"
    assert [said.partition(":")[0] for said in report.sentences] == ["Sage 300"]
    assert len(desk.postings(state="READY")) == BILLS
    assert steps_of(desk)[-1]["ended_at"]
    sending = next(step for step in steps_of(desk) if step["name"].startswith("Send to Sage"))
    assert sending["sentence"] == report.sentences[0]

    desk.sage_server.faults.clear()
    heal(desk)
    all_in_sage(desk, BILLS)


def test_a_writer_that_lost_its_lease_beside_the_read_writes_nothing_more(desk: Desk) -> None:
    def take_over() -> None:
        wait_for(sage_has_a_batch(desk))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE sync_sagelease SET epoch = epoch + 1, owner = 'another',"
                " expires_at = clock_timestamp() + interval '1 minute'"
            )

    desk.sage_server.faults.add("delay", POST_BATCH, seconds=0.2)
    desk.bill.before_page_three = take_over

    report = desk.sync()

    assert report.has_more
    assert report.sentences == ["Another worker has taken over."]
    assert len(desk.postings()) == BILLS
    assert posts(desk) < 5
    free_lease()
    heal(desk)
    all_in_sage(desk, BILLS)


def test_a_read_that_breaks_off_lets_no_further_batch_begin(desk: Desk) -> None:
    """A fault of our own, not of BILL's: here the rows of one page cannot be kept."""

    def break_the_rows() -> None:
        wait_for(sage_has_a_batch(desk))
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE sync_cursor RENAME TO sync_cursor_away")

    desk.sage_server.faults.add("delay", POST_BATCH, seconds=0.2)
    desk.bill.before_page_three = break_the_rows

    try:
        with pytest.raises(Exception, match="sync_cursor"):
            desk.sync()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE sync_cursor_away RENAME TO sync_cursor")

    assert posts(desk) < 4
    desk.bill.before_page_three = None
    desk.moved += timedelta(seconds=301)
    heal(desk)
    with tenant_scope(desk.company.tenant_id):
        lines = LogEntry.objects.for_tenant(desk.company.tenant_id)
        assert lines.filter(event="posting.landed").count() == BILLS
    all_in_sage(desk, BILLS)


def test_a_supply_that_is_over_keeps_nobody_waiting() -> None:
    supply = Supply()
    supply.deliver()
    assert not supply.is_wanted
    supply.wait(0.0)
    assert supply.is_wanted

    supply.end()
    supply.wait(60.0)

    assert supply.is_over
    assert not supply.is_given_up


def test_when_both_sides_break_neither_fault_is_swallowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def turn(supply: Supply) -> Sent:
        raise RuntimeError("the writer's fault")

    def read() -> None:
        with Ahead(turn) as ahead:
            ahead.deliver()
            raise RuntimeError("the reader's fault")

    with pytest.raises(RuntimeError, match="the reader's fault"):
        read()

    [record] = [one for one in caplog.records if one.message == "turn.broke"]
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "the writer's fault"
