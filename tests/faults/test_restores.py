"""Time runs backwards: our database, or Sage's, is put back; or Sage's history is cleared."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from connector_site import database
from sync.models import LogEntry
from sync.services.sweeps import READ_AT_ONCE
from tenants.scoping import tenant_scope
from tests.faults.office import (
    a_bill,
    agrees,
    all_in_sage,
    entries,
    heal,
    later,
    posts,
    told,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def command(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def named(desk: Desk) -> tuple[str, str]:
    return desk.company.tenant.slug, desk.company.slug


class OurBackup:
    """The whole database as it was; `put_back` makes it so again."""

    def __init__(self) -> None:
        self._name = connection.settings_dict["NAME"]
        self._copy = f"{self._name}_backup"
        self._as_operator(
            'DROP DATABASE IF EXISTS "{copy}"',
            'CREATE DATABASE "{copy}" TEMPLATE "{name}" OWNER connector',
        )

    def put_back(self) -> None:
        self._as_operator(
            'DROP DATABASE "{name}" WITH (FORCE)', 'ALTER DATABASE "{copy}" RENAME TO "{name}"'
        )

    def _as_operator(self, *statements: str) -> None:
        connection.close()
        with database.parse_url(database.ensure_running()).connect(name="postgres") as operator:
            for statement in statements:
                operator.execute(statement.format(name=self._name, copy=self._copy))


@pytest.mark.parametrize("is_renamed", [False, True])
@pytest.mark.parametrize("has_command", [False, True])
def test_f47_rows_lost_by_a_failover_are_found_in_sage_and_not_sent_again(
    rested_desk: Desk, is_renamed: bool, has_command: bool
) -> None:
    desk = rested_desk
    backup = OurBackup()
    a_bill(desk, "LATER-1")
    a_bill(desk, "LATER-2")
    desk.sync()
    assert len(entries(desk)) == 5
    if is_renamed:
        desk.sage.rename_batch("CALBAK", entries(desk)[-1]["BatchNumber"], "AP November")
    sent = posts(desk)
    backup.put_back()
    if has_command:
        assert "Every batch above" in command("after_restore")
    desk.sync()

    assert len(entries(desk)) == 5
    if has_command or not is_renamed:
        assert posts(desk) == sent
        assert len(desk.postings(state="IN_SAGE")) == 5
        with tenant_scope(desk.company.tenant_id):
            lines = LogEntry.objects.for_tenant(desk.company.tenant_id)
            assert lines.filter(event__startswith="restore.").exists()
    else:  # Sage's own lock on the number holds, and a person is told
        late = [p for p in desk.postings() if p.invoice_number.startswith("LATER")]
        assert all(p.state == "IN_SAGE" or p.sentence for p in late), [told(p) for p in late]


@pytest.mark.parametrize("is_back", [False, True])
def test_f47_a_bill_sent_and_forgotten_and_archived_meanwhile_is_known_in_sage(
    desk: Desk, is_back: bool
) -> None:
    heal(desk)
    backup = OurBackup()
    bill = a_bill(desk, "LATER-1")
    desk.sync()
    sent, [ours] = posts(desk), desk.postings(invoice_number="LATER-1")
    desk.bill.archive_bill(bill)
    backup.put_back()
    command("after_restore")
    heal(desk)
    if is_back:
        desk.bill.restore_bill(bill)
        heal(desk)

    [found] = desk.postings(invoice_number="LATER-1")
    assert (found.state, found.sage_batch_number, found.sage_entry_number) == (
        "IN_SAGE", ours.sage_batch_number, ours.sage_entry_number
    )  # fmt: skip
    assert (found.vendor_number, found.document_number) == ("PRAMIL", "LATER-1")
    assert posts(desk) == sent
    assert len(entries(desk)) == 4


def test_f47_a_bill_told_again_late_and_under_another_number_is_known_in_sage(desk: Desk) -> None:
    heal(desk)
    backup = OurBackup()
    bill = a_bill(desk, "LATER-1")
    desk.sync()
    sent, [ours] = posts(desk), desk.postings(invoice_number="LATER-1")
    backup.put_back()
    command("after_restore")
    desk.bill_server.faults.add("status", "GET /bills", status=503, times=99)
    desk.sync()  # reads every batch in Sage, before BILL has told the bill again
    later(desk)
    desk.bill_server.faults.clear()
    desk.bill.set_switches({"edit_resets_approval": False})
    dated = desk.clock().date().isoformat()
    desk.bill.edit_bill(bill, invoice={"invoiceNumber": "LATER-1R", "invoiceDate": dated})
    heal(desk)

    [found] = desk.postings(invoice_number="LATER-1R")
    assert (found.state, found.sage_batch_number) == ("ATTENTION", ours.sage_batch_number)
    assert "number LATER-1R sent, LATER-1 in Sage" in found.sentence
    assert posts(desk) == sent
    assert len(entries(desk)) == 4


def test_f47_the_watch_after_a_restore_lasts_from_the_first_look_that_gets_through(
    desk: Desk,
) -> None:
    heal(desk)
    backup = OurBackup()
    a_bill(desk, "LATER-1")
    desk.sync()
    desk.sage.rename_batch("CALBAK", entries(desk)[-1]["BatchNumber"], "AP November")
    sent = posts(desk)
    backup.put_back()
    command("after_restore")
    desk.sage_server.faults.add("status", "GET /APInvoiceBatches", status=503, times=999)
    for _ in range(4):
        desk.sync()
        later(desk, 86_400)
    desk.sage_server.faults.clear()

    heal(desk)

    [found] = desk.postings(invoice_number="LATER-1")
    assert (found.state, found.sentence) == ("IN_SAGE", "")
    assert posts(desk) == sent
    assert len(entries(desk)) == 4


def test_after_a_restore_more_batches_than_one_look_reads_are_read_before_anything_is_sent(
    desk: Desk,
) -> None:
    heal(desk)
    sent = posts(desk)
    for number in range(READ_AT_ONCE + 5):
        desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", f"OWN-{number}", "5.00", "5010100")
    command("after_restore")
    a_bill(desk, "B-4")

    first = desk.sync()

    assert (first.has_more, posts(desk)) == (True, sent)
    assert "still to read before anything is sent" in first.sentence
    heal(desk)
    all_in_sage(desk, 4)


def test_after_a_restore_many_batches_are_got_through_though_reads_fail(rested_desk: Desk) -> None:
    desk = rested_desk
    for number in range(4):
        desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", f"OWN-{number}", "5.00", "5010100")
    command("after_restore")
    a_bill(desk, "B-4")

    for _ in range(6):
        desk.sage_server.faults.clear()
        desk.sage_server.faults.add("status", r"GET /APInvoiceBatches\(", after=1, times=9)
        desk.sync()
        later(desk)

    assert desk.postings(invoice_number="B-4")[0].state != "READY"
    desk.sage_server.faults.clear()
    heal(desk)
    all_in_sage(desk, 4)


def test_f28_a_restored_sage_stops_every_send_until_a_person_decides(rested_desk: Desk) -> None:
    desk = rested_desk
    before = desk.sage.snapshot("CALBAK")
    for number in range(2):
        a_bill(desk, f"LOST-{number}")
        heal(desk)
    lost = sorted({e["BatchNumber"] for e in entries(desk)})[-2:]
    desk.sage.restore(before)
    a_bill(desk, "NEW-1")
    sent = posts(desk)

    for _ in range(3):
        report = desk.sync()
        later(desk)
        assert report.outcome == "paused"
        assert "Sage was restored from a backup" in report.sentence
    assert posts(desk) == sent

    listed = command("decide_restore", *named(desk))
    assert f"Batch {lost[0]}: 1 invoices, 75.00, not decided" in listed
    with pytest.raises(CommandError, match="Decide first"):
        command("decide_restore", *named(desk), "--go-on")
    decide(desk, lost[0], "send-again")
    decide(desk, lost[1], "handled-outside")
    assert "Sends go on" in command("decide_restore", *named(desk), "--go-on", "--by", "Dana")

    heal(desk)

    agrees(desk)
    states = {p.invoice_number: p.state for p in desk.postings()}
    assert states == {"B-1": "IN_SAGE", "B-2": "IN_SAGE", "B-3": "IN_SAGE",
                      "LOST-0": "IN_SAGE", "LOST-1": "SKIPPED", "NEW-1": "IN_SAGE"}  # fmt: skip
    assert len(entries(desk)) == 5


def decide(desk: Desk, number: int, choice: str) -> None:
    command("decide_restore", *named(desk), "--batch", str(number), "--choice", choice,
            "--by", "Dana", "--note", "looked in the backup")  # fmt: skip


def test_f28_a_restore_that_loses_only_the_batch_just_made_is_noticed(desk: Desk) -> None:
    heal(desk)
    before = desk.sage.snapshot("CALBAK")
    a_bill(desk, "LOST-1")
    desk.sync()
    [sent] = desk.postings(invoice_number="LOST-1", state="IN_SAGE")
    desk.sage.restore(before)

    report = desk.sync()

    assert report.outcome == "paused"
    assert "Sage was restored from a backup" in report.sentence
    decide(desk, sent.sage_batch_number or 0, "send-again")
    command("decide_restore", *named(desk), "--go-on")
    heal(desk)
    all_in_sage(desk, 4)
    assert posts(desk) == 3


def test_f28_an_entry_that_a_posting_left_behind_is_open_again_and_holds_nothing(
    desk: Desk,
) -> None:
    heal(desk)
    [ours] = [e for e in entries(desk) if e["DocumentNumber"] == "B-2"]
    batch, entry = ours["BatchNumber"], ours["EntryNumber"]
    before = desk.sage.snapshot("CALBAK")
    desk.sage.mark_entry_bad("CALBAK", batch, entry, reason="Vendor PRAMIL is on hold.")
    desk.sage.post_batch("CALBAK", batch)
    say_not_where_it_went(desk)
    desk.sync()
    [moved] = desk.postings(invoice_number="B-2")
    assert (moved.state, moved.sage_status) == ("ATTENTION", "Posted")
    desk.sage.restore(before)
    assert desk.sync().outcome == "paused"

    command("decide_restore", *named(desk), "--go-on")
    assert {p.invoice_number: p.state for p in desk.postings()} == {
        "B-1": "IN_SAGE", "B-2": "IN_SAGE", "B-3": "IN_SAGE"
    }  # fmt: skip
    report = desk.sync()

    assert report.outcome != "paused", report.sentence
    heal(desk)
    agrees(desk)
    [again] = desk.postings(invoice_number="B-2")
    assert (again.sage_status, again.sage_batch_number) == ("Open", batch)
    assert posts(desk) == 1


def say_not_where_it_went(desk: Desk) -> None:
    """Sage tells that an entry was moved to an error batch, and not to which."""
    books = desk.sage.company("CALBAK")
    with books.lock:
        for row in books.table("APPostingErrorMessages").rows():
            row["ErrorBatchNumber"] = row["ErrorEntryNumber"] = 0


def test_f28_a_batch_posted_in_the_lost_day_is_open_again_and_followed(
    posting_desk: Desk,
) -> None:
    desk = posting_desk
    desk.sage.set_rights("MLCONN", "CALBAK", ["AP", "GL", "CS", "TX"])
    heal(desk)
    backup: dict[str, Any] = {}
    a_bill(desk, "OPEN-AGAIN")
    desk.sage.set_switches({"force_listing": True})
    heal(desk)
    backup["id"] = desk.sage.snapshot("CALBAK")
    number = max(e["BatchNumber"] for e in entries(desk))
    desk.sage.mark_printed("CALBAK", number)
    desk.sage.post_batch("CALBAK", number)
    heal(desk)
    all_in_sage(desk, 4, status="Posted")
    desk.sage.restore(backup["id"])

    report = desk.sync()
    assert report.outcome == "paused"
    assert "is Ready To Post now" in report.sentence or "ReadyToPost" in report.sentence
    command("decide_restore", *named(desk), "--go-on")
    heal(desk)

    agrees(desk)
    [again] = [p for p in desk.postings() if p.invoice_number == "OPEN-AGAIN"]
    assert (again.state, again.sage_status) == ("IN_SAGE", "Ready To Post")


def test_f28_a_batch_deleted_in_the_lost_day_is_open_again_and_not_sent_twice(
    rested_desk: Desk,
) -> None:
    desk = rested_desk
    before = desk.sage.snapshot("CALBAK")
    number = max(e["BatchNumber"] for e in entries(desk))
    desk.sage.delete_batch("CALBAK", number)
    heal(desk)
    assert {p.state for p in desk.postings()} == {"ATTENTION"}
    desk.sage.restore(before)

    report = desk.sync()
    assert report.outcome == "paused"
    assert f"Batch {number} was Deleted and is Open now" in report.sentence
    command("decide_restore", *named(desk), "--go-on")
    heal(desk)

    all_in_sage(desk, 3, status="Open")
    assert posts(desk) == 1


def test_f28_a_restored_sage_that_was_used_on_is_seen_by_a_number_given_out_again(
    rested_desk: Desk,
) -> None:
    desk = rested_desk
    before = desk.sage.snapshot("CALBAK")
    a_bill(desk, "LOST-1")
    desk.sync()
    number = max(e["BatchNumber"] for e in entries(desk))
    desk.sage.post_batch("CALBAK", number)
    heal(desk)
    desk.sage.restore(before)
    theirs = desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "OWN-1", "9.00", "5010100")
    desk.sage.post_batch("CALBAK", theirs["batch"])
    assert theirs["batch"] == number

    report = desk.sync()
    assert report.outcome == "paused"
    assert f"Batch {number} was posted and is another batch now" in report.sentence
    command("decide_restore", *named(desk), "--go-on")
    heal(desk)

    [lost] = desk.postings(invoice_number="LOST-1")
    assert lost.state == "ATTENTION"
    assert f"no longer has batch {number}" in lost.sentence


def test_f28_a_clerks_newest_batch_that_is_another_one_shows_a_restored_sage(desk: Desk) -> None:
    heal(desk)
    before = desk.sage.snapshot("CALBAK")
    for number in ("OWN-1", "OWN-2"):
        theirs = desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", number, "9.00", "5010100")
        desk.sage.post_batch("CALBAK", theirs["batch"])
    desk.sync()
    desk.sage.restore(before)
    for number in ("OWN-3", "OWN-4", "OWN-5"):
        theirs = desk.sage.clerk_enters_invoice("CALBAK", "MARLOW", number, "8.00", "5010100")
    a_bill(desk, "NEW-1")
    sent = posts(desk)

    report = desk.sync()

    assert report.outcome == "paused"
    assert "Sage was restored from a backup" in report.sentence
    assert "Sage was restored from a backup" in command("decide_restore", *named(desk))
    assert posts(desk) == sent


def test_f28_a_number_given_out_again_before_we_looked_is_told_by_its_posting_run(
    rested_posting_desk: Desk,
) -> None:
    desk = rested_posting_desk
    a_bill(desk, "EARLIER-1")
    heal(desk)
    before = desk.sage.snapshot("CALBAK")
    a_bill(desk, "LOST-1")
    desk.sync()
    [ours] = desk.postings(invoice_number="LOST-1")
    assert ours.sage_status == "Posted"
    desk.sage.restore(before)
    theirs = [
        desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", number, "9.00", "5010100")["batch"]
        for number in ("OWN-1", "OWN-2", "OWN-3")
    ]
    assert theirs[0] == ours.sage_batch_number
    for batch in (theirs[1], theirs[0]):  # ours was the first to be posted in its time
        desk.sage.post_batch("CALBAK", batch)

    report = desk.sync()

    assert report.outcome == "paused"
    assert f"Batch {ours.sage_batch_number} was posted and is another batch" in report.sentence


def test_f28_history_cleared_of_the_newest_batches_is_no_restore(rested_desk: Desk) -> None:
    desk = rested_desk
    number = max(e["BatchNumber"] for e in entries(desk))
    desk.sage.post_batch("CALBAK", number)
    heal(desk)
    desk.sage.clear_history("CALBAK", before="2100-01-01")
    assert desk.sync().outcome == "paused"

    command("decide_restore", *named(desk), "--history-cleared")
    a_bill(desk, "B-4")
    desk.sync()

    assert desk.postings(invoice_number="B-4")[0].state == "IN_SAGE"
    assert posts(desk) == 2


def test_cleared_history_is_a_note_and_never_a_resend(rested_desk: Desk) -> None:
    desk = rested_desk
    desk.sage.post_batch("CALBAK", max(e["BatchNumber"] for e in entries(desk)))
    heal(desk)
    a_bill(desk, "B-4")
    heal(desk)
    desk.sage.clear_history("CALBAK", before="2100-01-01")
    later(desk, 90_000)

    desk.sync()

    noted = [p for p in desk.postings() if p.cleared_in_sage_at is not None]
    assert {p.invoice_number for p in noted} == {"B-1", "B-2", "B-3"}
    assert {p.state for p in noted} == {"IN_SAGE"}
    assert all("history was cleared" in p.sentence for p in noted)
    assert posts(desk) == 2
