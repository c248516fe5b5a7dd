"""The worker dies, for real, at each named point of its walk; the next one finishes the work."""

import pytest

from sync.models import Batch, Cursor, Posting
from tenants.scoping import tenant_scope
from tests.faults.office import (
    a_bill,
    all_in_sage,
    crash,
    heal,
    posts,
)
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
