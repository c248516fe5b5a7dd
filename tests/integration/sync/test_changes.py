"""What happens to a posting when its bill changes in BILL, by where the posting stands."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.domain.deeds import Deed
from sync.models import Cursor, Posting
from sync.services import acts, intake
from sync.services.acts import Done, NotOpen, Overtaken
from sync.services.clients import open_work
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import PRIYA, a_synced_desk
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def one(desk: Desk, number: str) -> Any:
    (posting,) = desk.postings(invoice_number=number)
    return posting


def test_a_bill_changed_after_it_is_in_sage_is_told_and_never_overwritten(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        before = desk.ledger()
        desk.bill.edit_bill(one(desk, "PM-48190").source_id, description="Other words")

        desk.sync()

        posting = one(desk, "PM-48190")
        assert (posting.state, posting.sage_status) == ("IN_SAGE", "Open")
        assert posting.changed_in_bill_at is not None
        assert "Description changed" in posting.change_note
        assert desk.ledger() == before


def test_a_change_after_sending_is_dealt_with_by_a_person_until_bill_changes_again(
    settings: Any,
) -> None:
    with a_synced_desk(settings) as desk:
        bill_id = one(desk, "PM-48190").source_id
        desk.bill.edit_bill(bill_id, description="Other words")
        desk.sync()
        seen = one(desk, "PM-48190").seen
        desk.bill.edit_bill(bill_id, description="Other words again")
        desk.sync()

        unseen = deal_with(desk, seen)
        still = one(desk, "PM-48190")
        done = deal_with(desk, still.seen)
        desk.sync()

        assert isinstance(unseen, Overtaken)
        assert "once more" in unseen.sentence
        assert still.changed_in_bill_at is not None
        assert isinstance(done, Done)
        posting = one(desk, "PM-48190")
        assert (posting.state, posting.changed_in_bill_at) == ("IN_SAGE", None)
        assert "says Priya Raman: adjusted by hand" in posting.change_note
        desk.bill.edit_bill(bill_id, description="And again")
        desk.sync()
        assert one(desk, "PM-48190").changed_in_bill_at is not None


def deal_with(desk: Desk, seen: str) -> Done | NotOpen | Overtaken:
    with tenant_scope(desk.company.tenant_id):
        posting = Posting.objects.for_tenant(desk.company.tenant_id).get(invoice_number="PM-48190")
        return acts.act(
            posting, Deed.DEALT_WITH, seen_state=seen, actor=PRIYA, note="adjusted by hand",
            zone=ZoneInfo("America/Chicago"), now=desk.clock(),
        )  # fmt: skip


def test_a_changed_bill_that_was_removed_in_sage_and_sent_again_is_as_bill_says(
    settings: Any,
) -> None:
    with a_synced_desk(settings) as desk:
        sent = one(desk, "PM-48190")
        desk.bill.edit_bill(sent.source_id, description="Other words")
        desk.sync()
        desk.sage.delete_entry("CALBAK", sent.sage_batch_number, sent.sage_entry_number)
        desk.sync()
        with tenant_scope(desk.company.tenant_id):
            removed = one(desk, "PM-48190")
            again = acts.act(
                removed, Deed.REPLAY, seen_state="ATTENTION", actor=PRIYA, note="Corrected",
                zone=ZoneInfo("America/Chicago"), now=desk.clock(),
            )  # fmt: skip
        desk.sync()

        posting = one(desk, "PM-48190")
        assert isinstance(again, Done)
        assert (posting.state, posting.changed_in_bill_at) == ("IN_SAGE", None)
        assert (posting.change_note, posting.sage_amount) == ("", posting.amount)


@pytest.mark.parametrize("number", ["5512", "10442"])
def test_a_bill_that_stops_being_approved_goes_back_to_waiting(settings: Any, number: str) -> None:
    with a_synced_desk(settings) as desk:
        assert one(desk, number).state in {"BLOCKED", "ATTENTION"}
        desk.bill.unapprove_bill(one(desk, number).source_id)
        desk.bill.set_switches({"approval_moves_updated_time": True})
        desk.bill.edit_bill(one(desk, number).source_id, description="touched")

        desk.sync()

        assert one(desk, number).state == "WAITING"


def test_an_archived_bill_is_skipped_and_comes_back_when_restored(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        bill_id = one(desk, "5512").source_id
        desk.bill.archive_bill(bill_id)
        desk.sync()
        archived = one(desk, "5512")
        desk.bill.restore_bill(bill_id)

        desk.sync()

        assert (archived.state, one(desk, "5512").state) == ("SKIPPED", "BLOCKED")


def test_a_refused_bill_corrected_in_bill_goes_by_itself(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        novak = one(desk, "10442")
        desk.bill.edit_bill(
            novak.source_id, invoice={"invoiceNumber": "10442-B", "invoiceDate": "2026-11-20"}
        )

        desk.sync()

        assert (one(desk, "10442-B").state, one(desk, "10442-B").document_number) == (
            "IN_SAGE",
            "10442-B",
        )


def test_the_cursor_rests_on_the_last_change_that_was_saved(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        with tenant_scope(desk.company.tenant_id):
            cursor = Cursor.objects.for_tenant(desk.company.tenant_id).get(stream="bills")
        newest = max(posting.bill.updated_in_bill_at for posting in with_bills(desk))
        assert cursor.value == newest.isoformat()


def with_bills(desk: Desk) -> list[Any]:
    with tenant_scope(desk.company.tenant_id):
        postings = desk.postings()
        for posting in postings:
            assert posting.bill.bill_id
    return postings


def test_a_new_account_in_bill_is_read_when_a_bill_names_it(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        account = desk.bill.add_account(
            "Calder Bakery", name="Ovens", account={"number": "6210-100", "type": "EXPENSE"}
        )
        bill = desk.bill.add_bill(
            "Calder Bakery", vendorId="009CbkCascadeOven001", approvalStatus="APPROVED",
            invoice={"invoiceNumber": "COW-1", "invoiceDate": desk.clock().date().isoformat()},
            dueDate=desk.clock().date().isoformat(), amount=12.5,
            billLineItems=[{"amount": 12.5, "classifications": {"chartOfAccountId": account}}],
        )  # fmt: skip

        desk.sync()

        (posting,) = desk.postings(source_id=bill)
        assert posting.state == "IN_SAGE"
        assert [line["gl_account"] for line in posting.lines] == ["6210100"]


def test_an_older_reading_of_a_bill_changes_nothing(settings: Any) -> None:
    """A worker that was held up brings what somebody else has read anew since."""
    with a_synced_desk(settings) as desk:
        work = open_work(
            tenant_id=desk.company.tenant_id, company_id=desk.company.pk, clock=desk.clock,
            worker="test",
        )  # fmt: skip
        (bill,) = work.bill.read_bills([one(desk, "5512").source_id])
        older = replace(bill, updated_at=bill.updated_at - timedelta(minutes=1), amount=Decimal(1))

        intake.take_in(work, [replace(older, content_hash="older")], intake.Taken())

        assert one(desk, "5512").amount == bill.amount
