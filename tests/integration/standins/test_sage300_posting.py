"""Status machine and posting of the pretended Sage 300, and the people who work beside us."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.standins.sage300_http import Sage, invoice, sage_at_work


@pytest.fixture
def sage() -> Iterator[Sage]:
    with sage_at_work() as at_work:
        yield at_work


def set_status(sage: Sage, number: int, status: str) -> Any:
    return sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"BatchStatus": status})


def ready(sage: Sage, *invoices: dict[str, Any]) -> int:
    number = int(sage.post_batch(*invoices).json["BatchNumber"])
    assert set_status(sage, number, "ReadyToPost").status == 204
    return number


def posted_documents(sage: Sage) -> list[tuple[str, str, int]]:
    return [
        (row["VendorNumber"], row["DocumentNumber"], row["BatchNumber"])
        for row in sage.get("AP/APPostedDocuments").rows
        if row["BatchNumber"] > 58
    ]


def test_status_walks_open_ready_posted(sage: Sage) -> None:
    number = ready(sage, invoice("A-1", OrderNumber="00n1", InvoiceDescription="Flour"))
    assert set_status(sage, number, "Open").status == 204
    assert set_status(sage, number, "ReadyToPost").status == 204

    assert sage.process(number).status == 204

    batch = sage.batch(number)
    assert batch["BatchStatus"] == "Posted"
    assert (batch["PostingSequenceNumber"], batch["NumberOfErrors"]) == (2, 0)
    document = sage.get("AP/APPostedDocuments(VendorNumber='PRAMIL',DocumentNumber='A-1')").json
    assert (document["OrderNumber"], document["DocDescription"]) == ("00N1", "Flour")
    assert (document["BatchNumber"], document["EntryNumber"]) == (number, 1)
    assert document["VendCurrencyInvoiceAmount"] == 100
    assert set_status(sage, number, "ReadyToPost").code == "General"
    assert set_status(sage, number, "Open").code == "General"
    assert sage.process(number).status == 204
    assert len(posted_documents(sage)) == 1


@pytest.mark.parametrize("state", ["ReadyToPost", "Posted", "Deleted"])
def test_edits_are_refused_unless_open(sage: Sage, state: str) -> None:
    number = int(sage.post_batch(invoice("A-1")).json["BatchNumber"])
    match state:
        case "ReadyToPost":
            sage.world.set_ready("CALBAK", number)
        case "Posted":
            sage.world.post_batch("CALBAK", number)
        case _:
            sage.world.delete_batch("CALBAK", number)

    answer = sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"Description": "x"})

    assert (answer.status, answer.code) == (409, "General")


def test_a_batch_without_entries_is_never_ready(sage: Sage) -> None:
    number = int(sage.post_batch().json["BatchNumber"])

    assert set_status(sage, number, "ReadyToPost").code == "General"


def test_posting_takes_only_what_is_named_and_ready(sage: Sage) -> None:
    first, second = ready(sage, invoice("A-1")), ready(sage, invoice("A-2"))
    still_open = int(sage.post_batch(invoice("A-3")).json["BatchNumber"])

    sage.process(first)

    states = [sage.batch(number)["BatchStatus"] for number in (first, second, still_open)]
    assert states == ["Posted", "ReadyToPost", "Open"]
    sage.call("POST", "AP/APPostInvoices('$process')", {})  # no choice made: all that is ready
    assert sage.batch(second)["BatchStatus"] == "Posted"


def test_unknown_names_are_refused_by_the_process(sage: Sage) -> None:
    sage.world.set_switches({"names": "sister"})
    number = ready(sage, invoice("A-1"))

    assert sage.process(number).code == "InvalidPayload"
    template = sage.call("POST", "AP/APPostInvoices('$template')").json
    body = {"PostAllBatches": template["PostAllBatches"]}
    body |= {"PostBatchFrom": number, "PostBatchTo": number}
    assert sage.call("POST", "AP/APPostInvoices('$process')", body).status == 204
    row = sage.get("AP/APPostedDocuments", filter="DocumentNumber eq 'A-1'").rows[0]
    assert row["DocumentDescription"] == ""
    assert row["PostingSequenceNumber"] == 2


def test_bad_entries_move_to_a_new_error_batch(sage: Sage) -> None:
    number = ready(
        sage,
        invoice("A-1"),
        invoice("A-2", DocumentTotalIncludingTax=101),
        invoice("A-3", InvoiceDetails=[{"GLAccount": "6030-100", "DistributedAmount": 100}]),
        invoice("A-4"),
        invoice("A-5"),
    )
    sage.world.set_account("CALBAK", "6030-100", Status="Inactive")
    sage.world.mark_entry_bad("CALBAK", number, 4, reason="Say no.")

    sage.process(number)

    batch, errors = sage.batch(number), sage.batch(number + 1)
    assert (batch["BatchStatus"], batch["NumberOfErrors"]) == ("Posted", 3)
    assert (batch["NumberOfEntries"], batch["BatchTotal"]) == (2, 200)
    assert [entry["DocumentNumber"] for entry in errors["Invoices"]] == ["A-2", "A-3", "A-4"]
    assert errors["BatchStatus"] == "Open"
    assert [(e["ErrorBatch"], e["ErrorEntry"]) for e in errors["Invoices"]] == [
        (number, 2),
        (number, 3),
        (number, 4),
    ]
    messages = sage.get("AP/APPostingErrorMessages", filter=f"BatchNumber eq {number}").rows
    assert [row["ErrorEntryNumber"] for row in messages] == [1, 2, 3]
    assert messages[2]["ErrorDescription"] == "Say no."
    assert {document for _, document, _ in posted_documents(sage)} == {"A-1", "A-5"}
    assert sage.post_batch(invoice("A-4")).status == 409


def test_only_one_of_two_equal_numbers_is_posted(sage: Sage) -> None:
    sage.world.set_switches({"number_check_race": 0.01})
    first = int(sage.post_batch(invoice("A-1")).json["BatchNumber"])
    second = int(sage.post_batch(invoice("A-2")).json["BatchNumber"])
    database = sage.world.companies["CALBAK"]
    database.state.batches[second].entries[1]["DocumentNumber"] = "A-1"

    sage.world.post_batch("CALBAK", first)
    sage.world.post_batch("CALBAK", second)

    assert posted_documents(sage) == [("PRAMIL", "A-1", first)]
    assert sage.batch(second)["NumberOfErrors"] == 1
    assert sage.batch(second + 1)["Invoices"][0]["DocumentNumber"] == "A-1"


def test_post_with_ready_status_is_two_steps(sage: Sage) -> None:
    assert sage.post_batch(invoice("A-1"), BatchStatus="ReadyToPost").json["BatchStatus"] == (
        "ReadyToPost"
    )
    assert sage.post_batch(BatchStatus="ReadyToPost").code == "General"
    assert sage.batch(60)["BatchStatus"] == "Open"


def test_an_old_release_refuses_ready_to_post(sage: Sage) -> None:
    sage.world.set_switches({"release_before_2021": True})
    number = int(sage.post_batch(invoice("A-1")).json["BatchNumber"])

    assert set_status(sage, number, "ReadyToPost").status == 400
    assert sage.batch(number)["BatchStatus"] == "Open"


def test_forced_listing_keeps_an_unprinted_batch(sage: Sage) -> None:
    sage.world.set_switches({"force_listing": True})
    number = ready(sage, invoice("A-1"))

    assert sage.process(number).status == 204
    assert sage.batch(number)["BatchStatus"] == "ReadyToPost"
    sage.world.mark_printed("CALBAK", number)
    sage.process(number)
    assert sage.batch(number)["BatchStatus"] == "Posted"


def test_a_batch_at_somebodys_screen_is_in_use_for_a_while(sage: Sage) -> None:
    number = int(sage.post_batch(invoice("A-1")).json["BatchNumber"])
    sage.world.lock_batch("CALBAK", number)

    assert set_status(sage, number, "ReadyToPost").code == "General"
    sage.world.unlock_batch("CALBAK", number)
    assert set_status(sage, number, "ReadyToPost").status == 204


def test_people_edit_move_rename_and_delete(sage: Sage) -> None:
    world = sage.world
    number = int(
        sage.post_batch(invoice("A-1"), invoice("A-2"), invoice("A-3")).json["BatchNumber"]
    )

    world.edit_entry("CALBAK", number, 1, amount="123.45", DocumentNumber="Z-9")
    world.delete_entry("CALBAK", number, 2)
    moved = world.move_entry("CALBAK", number, 3)
    world.rename_batch("CALBAK", number, "Dana's batch")

    batch = sage.batch(number)
    assert batch["Description"] == "Dana's batch"
    assert batch["Invoices"][0]["DocumentNumber"] == "Z-9"
    assert float(batch["BatchTotal"]) == 123.45
    assert batch["Invoices"][0]["UndistributedAmount"] == 0
    assert sage.batch(moved["batch"])["Invoices"][0]["DocumentNumber"] == "A-3"
    world.delete_batch("CALBAK", number)
    assert sage.batch(number)["BatchStatus"] == "Deleted"
    assert sage.post_batch(invoice("A-1"), invoice("Z-9")).status == 201
    assert sage.post_batch(invoice("A-3")).status == 409


def test_a_clerks_invoice_takes_the_number(sage: Sage) -> None:
    placed = sage.world.clerk_enters_invoice("CALBAK", "PRAMIL", "77", "12.50", "5010-100")

    assert sage.batch(placed["batch"])["Invoices"][0]["EnteredBy"] == "CLERK"
    assert sage.post_batch(invoice("77")).status == 409


def test_periods_open_and_close(sage: Sage) -> None:
    sage.world.open_period("CALBAK", "2025", "1")
    sage.world.lock_period("CALBAK", "2026", "3")

    assert sage.post_batch(invoice("A-1", PostingDate="2025-01-15")).status == 201
    assert sage.post_batch(invoice("A-2")).status == 409
    sage.world.set_calendar("CALBAK", [2020])
    assert sage.post_batch(invoice("A-3")).status == 409
    assert len(sage.get("CS/CSFiscalCalendars").rows) == 1


def test_cleared_history_frees_numbers_while_batch_numbers_go_on(sage: Sage) -> None:
    number = ready(sage, invoice("A-1"))
    sage.process(number)

    sage.world.clear_history("CALBAK")

    assert posted_documents(sage) == []
    assert sage.get(f"AP/APInvoiceBatches({number})").status == 404
    assert sage.post_batch(invoice("A-1")).json["BatchNumber"] == number + 1


def test_a_restored_backup_hands_numbers_out_again(sage: Sage) -> None:
    backup = sage.world.snapshot("CALBAK")
    before = sage.world.ledger()
    number = sage.post_batch(invoice("A-1")).json["BatchNumber"]

    sage.world.restore(backup)

    assert sage.world.ledger() == before
    assert sage.post_batch(invoice("B-1")).json["BatchNumber"] == number


def test_rights_and_passwords_change_in_mid_run(sage: Sage) -> None:
    sage.world.set_rights("MLCONN", "CALBAK", ["AP.read"])
    assert sage.get("AP/APVendors").status == 200
    assert sage.get("GL/GLAccounts").status == 403

    sage.world.set_user_password("MLCONN", "NEW")
    assert sage.get("AP/APVendors").status == 401


def test_every_action_can_be_asked_for_at_the_control_door(sage: Sage) -> None:
    order = {
        "action": "clerk_enters_invoice",
        "company": "CALCAT",
        "vendor": "NOVAK",
        "document": "1",
        "amount": "10.00",
        "account": "5010-100",
    }

    answer = sage.ask("POST", "/_standin/do", order)
    refused = sage.ask("POST", "/_standin/do", order)

    assert answer.json == {"result": {"batch": 212, "entry": 1}}
    assert (refused.status, "already exists" in refused.json["error"]) == (400, True)
    ledger = sage.ask("GET", "/_standin/ledger").json
    assert ledger["CALCAT"]["batches"][0]["BatchTotal"] == "10.00"


def test_posting_can_be_seen_in_progress(sage: Sage) -> None:
    sage.world.set_switches({"posting_seconds": 0.3})
    number = ready(sage, invoice("A-1"))
    poster = threading.Thread(target=sage.process, args=(number,))
    poster.start()

    seen = set()
    while poster.is_alive():
        seen.add(sage.batch(number)["BatchStatus"])
        time.sleep(0.02)
    poster.join()

    assert "PostInProgress" in seen
    assert sage.batch(number)["BatchStatus"] == "Posted"


@pytest.mark.parametrize(
    "changes",
    [{"nonsense": 1}, {"batch_failure_mode": "sometimes"}, {"page_size": "many"}, {"allow_ge": 1}],
)
def test_switches_refuse_what_they_do_not_know(sage: Sage, changes: dict[str, Any]) -> None:
    before = sage.world.read_switches()

    assert sage.ask("POST", "/_standin/switches", changes).status == 400
    assert sage.world.read_switches() == before


def test_the_session_date_can_be_moved(sage: Sage) -> None:
    sage.world.set_today("2026-07-31")

    assert sage.post_batch(invoice("A-1")).json["BatchDate"] == "2026-07-31T00:00:00Z"


def test_a_restore_in_mid_write_leaves_no_trace_of_the_batch(sage: Sage) -> None:
    backup = sage.world.snapshot()
    sage.world.set_switches({"seconds_per_entry": 0.1})
    writer = threading.Thread(target=sage.post_batch, args=(invoice("A-1"), invoice("A-2")))
    writer.start()
    time.sleep(0.15)

    sage.world.restore(backup)
    writer.join()

    assert sage.get("AP/APInvoiceBatches(59)").status == 404
    sage.world.set_switches({"seconds_per_entry": 0.0})
    assert sage.post_batch(invoice("A-1"), invoice("A-2")).json["BatchNumber"] == 59
