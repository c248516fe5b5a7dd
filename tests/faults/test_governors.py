"""Going easy on the other side: smaller batches after a lost answer, rest after many failures."""

import pytest

from sync.models import LogEntry, Posting
from sync.services.clients import open_work
from sync.services.scanning import scan_open_batches
from sync.services.work import Work
from tenants.scoping import tenant_scope
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    agrees,
    all_in_sage,
    heal,
    later,
    posts,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def work_of(desk: Desk) -> Work:
    return open_work(
        tenant_id=desk.company.tenant_id,
        company_id=desk.company.pk,
        clock=desk.clock,
        worker="test",
    )


def batch_sizes(desk: Desk) -> list[int]:
    batches = desk.ledger()["batches"]
    return [b["NumberOfEntries"] for b in batches if b["Description"].startswith("MLC")]


def test_a_lost_answer_halves_the_batch_and_good_ones_give_it_back(desk: Desk) -> None:
    desk.sage_server.faults.add("lose_answer", POST_BATCH, times=2)
    desk.sync()
    heal(desk)
    a_bill(desk, "L-1")
    desk.sync()
    heal(desk)
    for number in range(30):
        a_bill(desk, f"P-{number}")

    heal(desk)

    all_in_sage(desk, 34)
    assert batch_sizes(desk) == [3, 1, 6, 6, 6, 6, 6]


def test_a_sage_that_keeps_failing_is_left_alone_and_asked_one_thing_before_going_on(
    synced_desk: Desk,
) -> None:
    desk = synced_desk
    a_bill(desk, "B-4")
    desk.sage_server.faults.add("status", "* /", status=503, times=0)
    for _ in range(5):
        assert desk.sync().outcome == "failed"
    asked = sum(desk.sage_server.requests.counts().values())

    report = desk.sync()

    assert "has failed 5 times in a row" in report.sentence
    assert sum(desk.sage_server.requests.counts().values()) == asked
    later(desk, 61)
    desk.sync()
    assert sum(desk.sage_server.requests.counts().values()) == asked + 1

    desk.sage_server.faults.clear()
    later(desk, 3601)
    heal(desk)
    all_in_sage(desk, 4)
    with tenant_scope(desk.company.tenant_id):
        lines = LogEntry.objects.for_tenant(desk.company.tenant_id)
        events = list(lines.filter(event__startswith="circuit.").values_list("event", flat=True))
    assert sorted(events) == ["circuit.closed", "circuit.opened"]


def test_bill_is_read_and_decided_while_sage_is_left_alone(synced_desk: Desk) -> None:
    desk = synced_desk
    desk.sage_server.stop()
    for _ in range(6):
        desk.sync()
    a_bill(desk, "B-4")

    desk.sync()

    assert desk.postings(invoice_number="B-4")[0].state == "READY"
    desk.sage_server.start()
    later(desk, 3601)
    heal(desk)
    all_in_sage(desk, 4)


def test_a_number_already_used_is_found_among_the_open_batches(desk: Desk) -> None:
    there = desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "B-2", "200.02", "5010100")
    heal(desk)
    [held] = desk.postings(state="ATTENTION")
    assert "Sage says this number is already used" in held.sentence

    found = scan_open_batches(work_of(desk), held)

    assert (found.batch_number, found.entry_number) == (there["batch"], there["entry"])
    [held] = desk.postings(state="ATTENTION")
    assert f"batch {there['batch']}, entry {there['entry']}, with 200.02" in held.sentence
    agrees(desk)


def test_a_number_that_is_used_nowhere_any_more_is_told_so(desk: Desk) -> None:
    there = desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "B-2", "200.02", "5010100")
    heal(desk)
    desk.sage.delete_batch("CALBAK", there["batch"])
    [held] = desk.postings(state="ATTENTION")

    found = scan_open_batches(work_of(desk), held)

    assert found.batch_number == 0
    assert "Check the bill again" in found.sentence
    with tenant_scope(desk.company.tenant_id):
        row = Posting.objects.for_tenant(desk.company.tenant_id).get(pk=held.pk)
    assert row.sentence == found.sentence
    assert posts(desk) == 2
