"""People at work in Sage beside us: they edit, move, rename, post, delete, clear and restore."""

from decimal import Decimal

import pytest

from tests.faults.office import (
    a_bill,
    agrees,
    all_in_sage,
    crash,
    entries,
    heal,
    later,
    posts,
    start_worker,
    told,
    wait_for,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def entry_of(desk: Desk, document: str) -> tuple[int, int]:
    entry = next(e for e in entries(desk) if e["DocumentNumber"] == document)
    return int(entry["BatchNumber"]), int(entry["EntryNumber"])


def state_of(desk: Desk, number: str) -> str:
    [posting] = [p for p in desk.postings() if p.invoice_number == number]
    return str(posting.state)


def test_f26_an_edited_amount_is_told_with_both_figures_and_not_overwritten(
    synced_desk: Desk,
) -> None:
    desk = synced_desk
    desk.sage.edit_entry("CALBAK", *entry_of(desk, "B-2"), amount="222.22")

    heal(desk)

    agrees(desk)
    [edited] = desk.postings(state="ATTENTION")
    assert "200.02 sent, 222.22 in Sage" in edited.sentence
    assert posts(desk) == 1
    left = next(e for e in entries(desk) if e["DocumentNumber"] == "B-2")
    assert Decimal(left["DocumentTotalIncludingTax"]) == Decimal("222.22")


def test_f26_an_edit_put_right_again_clears_itself(synced_desk: Desk) -> None:
    desk = synced_desk
    place = entry_of(desk, "B-2")
    desk.sage.edit_entry("CALBAK", *place, amount="222.22")
    heal(desk)
    assert state_of(desk, "B-2") == "ATTENTION"
    desk.sage.edit_entry("CALBAK", *place, amount="200.02")

    heal(desk)

    all_in_sage(desk, 3)
    [mended] = [p for p in desk.postings() if p.invoice_number == "B-2"]
    assert (mended.state, mended.sage_amount) == ("IN_SAGE", Decimal("200.02"))
    assert "222.22" not in told(mended)


def test_f26_a_renamed_batch_is_followed_by_its_number(synced_desk: Desk) -> None:
    desk = synced_desk
    renamed = entry_of(desk, "B-1")[0]
    desk.sage.rename_batch("CALBAK", renamed, "AP November")
    heal(desk)
    all_in_sage(desk, 3)

    a_bill(desk, "B-4")
    heal(desk)
    all_in_sage(desk, 4)
    places = {p.invoice_number: p.sage_batch_number for p in desk.postings()}
    assert {places[number] for number in ("B-1", "B-2", "B-3")} == {renamed}
    assert places["B-4"] not in {None, renamed}
    assert posts(desk) == 2


def test_f26_a_renamed_batch_whose_answer_was_lost_is_found_by_its_entries(desk: Desk) -> None:
    crash(desk, "after_write:sent")
    desk.sage.rename_batch("CALBAK", entry_of(desk, "B-1")[0], "AP November")

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f26_an_entry_moved_to_another_batch_is_followed_there(synced_desk: Desk) -> None:
    desk = synced_desk
    desk.sage.move_entry("CALBAK", *entry_of(desk, "B-2"))

    heal(desk)

    agrees(desk)
    assert posts(desk) == 1
    [moved] = [p for p in desk.postings() if p.invoice_number == "B-2"]
    if moved.state == "IN_SAGE":
        assert (moved.sage_batch_number, moved.sage_entry_number) == entry_of(desk, "B-2")
    else:
        assert "no longer there" in moved.sentence


def test_f26_batches_posted_by_a_person_show_posted(synced_desk: Desk) -> None:
    desk = synced_desk
    desk.sage.post_batch("CALBAK", entry_of(desk, "B-1")[0])

    heal(desk)

    all_in_sage(desk, 3, status="Posted")
    booked = {d["DocumentNumber"]: Decimal(d["Amount"]) for d in desk.ledger()["posted"]}
    assert {number: booked.get(number) for number in ("B-1", "B-2", "B-3")} == {
        "B-1": Decimal("100.01"),
        "B-2": Decimal("200.02"),
        "B-3": Decimal("300.03"),
    }
    assert [p.sage_status for p in desk.postings()] == ["Posted"] * 3


def test_f26_an_entry_posting_could_not_take_is_followed_to_its_error_batch(
    synced_desk: Desk,
) -> None:
    desk = synced_desk
    batch, entry = entry_of(desk, "B-2")
    desk.sage.mark_entry_bad("CALBAK", batch, entry, reason="Vendor PRAMIL is on hold.")
    desk.sage.post_batch("CALBAK", batch)

    heal(desk)

    agrees(desk)
    assert len(desk.postings(sage_status="Posted", state="IN_SAGE")) == 2
    [moved] = desk.postings(state="ATTENTION")
    assert "PRAMIL is on hold" in told(moved)
    assert f"batch {entry_of(desk, 'B-2')[0]}" in moved.sentence

    error_batch, _ = entry_of(desk, "B-2")
    desk.sage.post_batch("CALBAK", error_batch)
    heal(desk)
    all_in_sage(desk, 3, status="Posted")


def test_f26_an_entry_moved_without_a_word_of_where_is_searched_and_found(
    synced_desk: Desk,
) -> None:
    desk = synced_desk
    batch, entry = entry_of(desk, "B-2")
    desk.sage.mark_entry_bad("CALBAK", batch, entry, reason="Vendor PRAMIL is on hold.")
    desk.sage.post_batch("CALBAK", batch)
    books = desk.sage.company("CALBAK")
    with books.lock:
        for row in books.table("APPostingErrorMessages").rows():
            row["ErrorBatchNumber"] = row["ErrorEntryNumber"] = 0

    desk.sync()
    [moved] = desk.postings(state="ATTENTION")
    assert "does not say where it is now" in moved.sentence
    later(desk)
    heal(desk)

    agrees(desk)
    [moved] = desk.postings(state="ATTENTION")
    assert "moved it to batch {}, entry {}".format(*entry_of(desk, "B-2")) in moved.sentence


@pytest.mark.parametrize("what", ["entry", "batch"])
def test_f26_what_a_person_deleted_is_told_and_never_sent_again_by_itself(
    synced_desk: Desk, what: str
) -> None:
    desk = synced_desk
    batch, entry = entry_of(desk, "B-2")
    if what == "entry":
        desk.sage.delete_entry("CALBAK", batch, entry)
    else:
        desk.sage.delete_batch("CALBAK", batch)

    heal(desk)
    later(desk, 90_000)
    heal(desk)

    agrees(desk)
    removed = desk.postings(state="ATTENTION")
    assert len(removed) == (1 if what == "entry" else 3)
    assert all("end " in p.sentence and "again" in p.sentence for p in removed)
    assert posts(desk) == 1


def test_f26_an_entry_somebody_adds_is_theirs_and_the_batch_is_left_to_them(
    posting_desk: Desk,
) -> None:
    desk = posting_desk
    desk.sage_server.faults.add("delay", "PATCH /APInvoiceBatches", seconds=0.5)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    batch, _ = entry_of(desk, "B-1")
    desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "THEIRS", "9.00", "5010100", batch=batch)
    assert worker.ended() == 0

    heal(desk)

    agrees(desk)
    in_sage = desk.postings(state="IN_SAGE", sage_status="Ready To Post")
    assert len(in_sage) == 3
    assert all("somebody added" in p.sentence for p in in_sage)
    assert not [d for d in desk.ledger()["posted"] if d["DocumentNumber"] == "THEIRS"]
