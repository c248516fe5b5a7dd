"""The worker dies, for real, at each named point of its walk; the next one finishes the work."""

from typing import Any

import pytest

from sync.models import Batch, Cursor, Posting
from tenants.scoping import tenant_scope
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    all_in_sage,
    crash,
    entries,
    heal,
    posts,
    start_worker,
    wait_for,
)
from tests.faults.wire import Cut, a_wire
from tests.integration.sync.world import Desk


@pytest.mark.parametrize("point", ["page_read", "page_kept", "page_kept#2"])
def test_f03_death_while_a_page_of_bills_is_stored_reads_it_again(desk: Desk, point: str) -> None:
    for number in range(120):
        a_bill(desk, f"P-{number}", approvalStatus="ASSIGNED")
    crash(desk, point)
    with tenant_scope(desk.company.tenant_id):
        kept = Posting.objects.for_tenant(desk.company.tenant_id).count()
        has_cursor = Cursor.objects.for_tenant(desk.company.tenant_id).filter(stream="bills")
        assert bool(kept) == has_cursor.exists()

    heal(desk)

    assert len(desk.postings()) == 123
    assert len(desk.postings(state="IN_SAGE")) == 3


@pytest.mark.parametrize("point", ["intended", "after_assembly"])
def test_f04_death_while_a_batch_is_formed_puts_no_bill_into_two(desk: Desk, point: str) -> None:
    crash(desk, point)
    with tenant_scope(desk.company.tenant_id):
        batches = Batch.objects.for_tenant(desk.company.tenant_id).count()
    assert batches == (0 if point == "intended" else 1)

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f05_death_between_the_intent_and_the_first_byte_sends_once(desk: Desk) -> None:
    crash(desk, "after_save:sent")
    assert posts(desk) == 0

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


@pytest.mark.parametrize("sent_bytes", [30, 700])
def test_f06_death_with_the_request_half_sent_sends_once(
    settings: Any, desk: Desk, sent_bytes: int
) -> None:
    with a_wire(settings, desk) as wire:
        desk.sage_server.faults.add("delay", "GET /APPostedDocuments", seconds=0.3)
        worker = start_worker(desk.sync)
        wire.cut = Cut(begins=b"POST", after_bytes=sent_bytes, on_cut=worker.kill)
        assert wire.was_cut.wait(10)

        heal(desk)

    all_in_sage(desk, 3)


def test_f07_death_with_the_answer_unread_is_looked_up_and_never_sent_again(desk: Desk) -> None:
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=0.5)
    worker = start_worker(desk.sync)
    wait_for(lambda: len(entries(desk)) == 3)
    worker.kill()
    wait_for(lambda: posts(desk))

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f07_death_with_the_answer_read_is_looked_up_and_never_sent_again(desk: Desk) -> None:
    crash(desk, "after_write:sent")

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f08_death_between_reading_back_and_posted_resumes_by_number(posting_desk: Desk) -> None:
    points = ["after_save:read_back", "after_save:release", "after_save:release#2",
              "after_write:release", "after_save:release#3", "after_save:release#4",
              "after_write:release#2", "after_save:done"]  # fmt: skip
    for number, point in enumerate(points):
        a_bill(posting_desk, f"C-{number}")
        crash(posting_desk, point)
        heal(posting_desk)
        all_in_sage(posting_desk, 4 + number, status="Posted")
        assert posts(posting_desk) == 1 + number
