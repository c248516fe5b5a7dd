"""BILL's side: sessions, quotas, shifting lists, and bills that change under our hands."""

from datetime import timedelta
from typing import Any

import pytest

from integrations.models import BillConnection, Sage300Connection
from tenants.scoping import tenant_scope
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    agrees,
    all_in_sage,
    entries,
    heal,
    later,
    posts,
    quick,
    start_worker,
    wait_for,
)
from tests.integration.sync.world import BAKERY, Desk

pytestmark = pytest.mark.django_db(transaction=True)


def calls(desk: Desk, kind: str) -> int:
    return int(desk.bill_server.requests.counts().get(kind, 0))


LOGIN, BILLS = "POST /connect/v3/login", "GET /connect/v3/bills"


def test_f16_a_used_up_hour_closes_the_key_and_is_not_asked_in_a_loop(desk: Desk) -> None:
    desk.bill.switches.max_requests_per_hour = 1
    report = desk.sync()
    assert report.outcome == "failed"
    asked = sum(desk.bill_server.requests.counts().values())
    for _ in range(5):
        assert desk.sync().outcome == "failed"
    assert sum(desk.bill_server.requests.counts().values()) <= asked + 1
    assert posts(desk) == 0


def test_f17_one_call_too_many_at_once_is_waited_for_and_not_shown(
    settings: Any, desk: Desk
) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, bill_busy_pause_seconds=0.01)
    body = '[{"timestamp":"x","code":"BDC_1322","severity":"ERROR","category":"APPLICATION"' \
           ',"message":"Max number of concurrent requests reached"}]'  # fmt: skip
    desk.bill_server.faults.add("status", "GET /bills", status=429, body=body, times=2)

    report = desk.sync()

    assert report.outcome == "ok", report.sentence
    all_in_sage(desk, 3)


@pytest.mark.parametrize("code", [401, 403])
def test_f29_a_refused_sign_in_at_sage_is_tried_once_and_waits_for_the_owner(
    synced_desk: Desk, code: int
) -> None:
    desk = synced_desk
    a_bill(desk, "B-4")
    if code == 401:
        desk.sage.set_user_password("MLCONN", "CHANGED")
    else:
        desk.sage.set_rights("MLCONN", "CALBAK", [])
    before = refused(desk)
    for _ in range(4):
        report = desk.sync()
        later(desk)
    assert report.outcome == "paused"
    assert refused(desk) - before == 1
    with tenant_scope(desk.company.tenant_id):
        row = Sage300Connection.objects.for_tenant(desk.company.tenant_id).get()
        assert row.is_paused
        assert row.paused_reason

    resume_sage(desk, code)
    heal(desk)
    all_in_sage(desk, 4)


def refused(desk: Desk) -> int:
    return sum(row["status"] in {401, 403} for row in desk.sage_server.requests.rows())


def resume_sage(desk: Desk, code: int) -> None:
    """An owner enters the new password, or the administrator gives the rights back."""
    with tenant_scope(desk.company.tenant_id):
        row = Sage300Connection.objects.for_tenant(desk.company.tenant_id).get()
        if code == 401:
            row.password = "changed"
            row.renew(now=desk.clock())
            row.save()
        else:
            desk.sage.set_rights("MLCONN", "CALBAK", ["AP", "GL", "CS", "TX"])
            row.resume()


def test_f29_a_refused_sign_in_in_the_middle_of_a_batch_loses_nothing(desk: Desk) -> None:
    desk.sage_server.faults.add("delay", "GET /APPostedDocuments", seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    desk.sage.set_user_password("MLCONN", "CHANGED")
    assert worker.ended() == 0
    assert entries(desk) == []
    desk.sync()
    assert refused(desk) == 1

    resume_sage(desk, 401)
    heal(desk)

    all_in_sage(desk, 3)


def test_f29_a_refused_sign_in_at_bill_leaves_sage_at_work(desk: Desk) -> None:
    desk.sage_server.faults.add("lose_answer", POST_BATCH)
    desk.sync()
    desk.bill.set_password("ML-CONNECTOR", "another")
    desk.bill.expire_sessions()
    logins = calls(desk, LOGIN)
    for _ in range(4):
        desk.sync()
        later(desk)

    assert calls(desk, LOGIN) - logins <= 1
    assert len(desk.postings(state="IN_SAGE")) == 3
    with tenant_scope(desk.company.tenant_id):
        assert BillConnection.objects.for_tenant(desk.company.tenant_id).get().is_paused
    agrees(desk)


def test_f36_a_session_that_ends_between_two_pages_costs_one_sign_in(desk: Desk) -> None:
    for number in range(120):
        a_bill(desk, f"P-{number}", approvalStatus="ASSIGNED")
    desk.bill_server.faults.add("delay", "GET /bills", after=1, seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.bill_server.faults.hits)
    desk.bill.expire_sessions()
    assert worker.ended() == 0

    assert calls(desk, LOGIN) == 2
    assert len(desk.postings()) == 123
    heal(desk)
    assert calls(desk, LOGIN) == 2


def test_f37_a_login_bill_limits_is_not_tried_in_a_loop(desk: Desk) -> None:
    desk.bill.switches.max_logins_per_hour = 0
    for _ in range(6):
        report = desk.sync()
        assert report.outcome in {"failed", "paused"}
        assert report.sentence

    assert calls(desk, LOGIN) <= 2
    assert desk.postings() == []


def test_f38_a_list_that_shifts_under_the_reader_leaves_no_gap(desk: Desk) -> None:
    desk.bill.switches.cursor_kind = "offset"
    ids = [a_bill(desk, f"P-{number}", approvalStatus="ASSIGNED") for number in range(150)]
    desk.bill_server.faults.add("delay", "GET /bills", after=1, seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.bill_server.faults.hits)
    for bill_id in ids[:60]:
        desk.bill.edit_bill(bill_id, description="moved to the end of the list")
    assert worker.ended() == 0

    heal(desk)

    assert {p.source_id for p in desk.postings()} >= set(ids)
    agrees(desk)


def test_f38_a_page_key_bill_no_longer_knows_starts_the_window_again(desk: Desk) -> None:
    for number in range(120):
        a_bill(desk, f"P-{number}", approvalStatus="ASSIGNED")
    body = '[{"timestamp":"x","code":"BDC_1303","severity":"ERROR","category":"APPLICATION"' \
           ',"message":"Invalid page"}]'  # fmt: skip
    desk.bill_server.faults.add("status", "GET /bills", after=1, status=400, body=body)
    desk.sync()

    heal(desk)

    assert len(desk.postings()) == 123


def test_f39_a_bill_changed_in_the_cursors_last_second_is_read_by_the_overlap(desk: Desk) -> None:
    minute = int(timedelta(minutes=1) / timedelta(milliseconds=1))
    row = next(row for row in table(desk) if row.body["invoice"]["invoiceNumber"] == "B-1")
    now_ms = row.updated_ms
    table(desk).touch(row, now_ms - 30 * minute)
    desk.sync()
    desk.bill.edit_bill(row.id, description="same second")
    table(desk).touch(row, now_ms - 9 * minute)

    heal(desk)

    [told] = [p for p in desk.postings() if p.invoice_number == "B-1"]
    assert told.changed_in_bill_at is not None


def table(desk: Desk) -> Any:
    return desk.bill.organizations[BAKERY].bills


def test_f53_a_bill_edited_after_it_was_sent_is_noted_and_not_sent_again(desk: Desk) -> None:
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: len(entries(desk)) == 3)
    [bill] = [row for row in table(desk) if row.body["invoice"]["invoiceNumber"] == "B-2"]
    line = {"amount": "555.00", "classifications": {"chartOfAccountId": "0caCbkFlour000000001"}}
    desk.bill.edit_bill(bill.id, billLineItems=[line])
    assert worker.ended() == 0

    heal(desk)

    assert posts(desk) == 1
    [edited] = [p for p in desk.postings() if p.invoice_number == "B-2"]
    assert edited.state == "IN_SAGE"
    assert edited.changed_in_bill_at is not None
    assert edited.change_note
    assert str(edited.sage_amount) == "200.020"


@pytest.mark.parametrize("what", ["unapprove_bill", "deny_bill", "archive_bill", "edit"])
def test_f54_a_bill_that_changes_between_reading_and_sending_is_left_out(
    desk: Desk, what: str
) -> None:
    desk.sage_server.faults.add("delay", "GET /APPostedDocuments", seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    [bill] = [row for row in table(desk) if row.body["invoice"]["invoiceNumber"] == "B-2"]
    if what == "edit":
        desk.bill.edit_bill(bill.id, invoice={"invoiceNumber": "B-2x", "invoiceDate": "2026-11-20"})
    else:
        getattr(desk.bill, what)(bill.id)
    assert worker.ended() == 0
    assert {e["DocumentNumber"] for e in entries(desk)} == {"B-1", "B-3"}

    heal(desk)

    agrees(desk)
    [left] = [p for p in desk.postings() if p.source_id == bill.id]
    if what == "edit":
        assert (left.state, left.sage_document_number) == ("IN_SAGE", "B-2X")
    else:
        assert left.state in {"WAITING", "SKIPPED"}
        assert left.sentence


def test_f54_a_bill_unapproved_while_its_answer_is_lost_is_settled_and_not_sent_again(
    desk: Desk,
) -> None:
    desk.sage_server.faults.add("refuse", POST_BATCH)
    desk.sync()
    [bill] = [row for row in table(desk) if row.body["invoice"]["invoiceNumber"] == "B-2"]
    desk.bill.unapprove_bill(bill.id)

    heal(desk)

    agrees(desk)
    [left] = [p for p in desk.postings() if p.source_id == bill.id]
    assert left.state == "WAITING"
    assert len(entries(desk)) == 2

    desk.bill.approve_bill(bill.id)
    heal(desk)
    all_in_sage(desk, 3)
