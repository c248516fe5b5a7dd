"""Invoice batches of the pretended Sage 300: what one POST makes, and what it refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.standins.sage300_http import Sage, invoice, sage_at_work


@pytest.fixture
def sage() -> Iterator[Sage]:
    with sage_at_work() as at_work:
        yield at_work


def mine(sage: Sage) -> list[dict[str, Any]]:
    batches = sage.world.ledger()["CALBAK"]["batches"]
    return [batch for batch in batches if batch["Description"].startswith("BILL")]


def test_one_post_makes_one_batch_with_numbers_of_sages_own(sage: Sage) -> None:
    two_lines = [
        {"GLAccount": "5010100", "DistributedAmount": 100, "DistributionDescription": "Flour"},
        {"GLAccount": "5020-100", "DistributedAmount": 25.5},
    ]
    first = invoice("inv-1", 125.5, OrderNumber="00n01abc", InvoiceDetails=two_lines)

    answer = sage.post_batch(
        first | {"EntryNumber": 9}, invoice("INV-2"), BatchNumber=1, BatchDate="2026-03-16"
    )

    tree = answer.json
    assert answer.status == 201
    assert tree["@odata.context"].endswith("/CALBAK/AP/$metadata#APInvoiceBatches/$entity")
    assert (tree["BatchNumber"], tree["NumberOfEntries"]) == (59, 2)
    assert (tree["BatchTotal"], tree["BatchStatus"]) == (Decimal("225.5"), "Open")
    assert tree["BatchDate"] == "2026-03-16T00:00:00Z"
    entry = tree["Invoices"][0]
    assert (entry["EntryNumber"], entry["DocumentNumber"]) == (1, "INV-1")
    assert entry["OrderNumber"] == "00N01ABC"
    assert [line["LineNumber"] for line in entry["InvoiceDetails"]] == [20, 40]
    assert [line["GLAccount"] for line in entry["InvoiceDetails"]] == ["5010-100", "5020-100"]
    assert (entry["FiscalYear"], entry["FiscalPeriod"]) == ("2026", "03")
    assert (entry["UndistributedAmount"], entry["EnteredBy"]) == (0, "MLCONN")
    assert entry["InvoicePaymentSchedules"][0]["AmountDue"] == Decimal("125.5")
    assert len(entry) > 240
    assert sage.batch(59) == tree | {"@odata.context": tree["@odata.context"]}


def test_vendor_brings_terms_and_due_date_and_a_later_due_date_wins(sage: Sage) -> None:
    plain = invoice("A-1")
    sent = invoice("A-2", Terms="N20", DueDate="2026-03-09")
    too_early = {"DueDate": "2026-03-09"} | invoice("A-3", Terms="N20")

    entries = sage.post_batch(plain, sent, too_early).json["Invoices"]

    assert [entry["DueDate"][:10] for entry in entries] == [
        "2026-04-01",
        "2026-03-09",
        "2026-03-22",
    ]
    assert [entry["Terms"] for entry in entries] == ["N30", "N20", "N20"]
    assert entries[0]["CurrencyCode"] == "USD"
    assert entries[0]["VendorName"] == "Prairie Mill & Grain"


@pytest.mark.parametrize(
    "text",
    ["2026-03-02", "2026-03-02T00:00:00", "2026-03-02T00:00:00Z", "2026-03-02T00:00:00.000Z"],
)
def test_dates_are_taken_in_every_seen_form(sage: Sage, text: str) -> None:
    entry = sage.post_batch(invoice("A-1", DocumentDate=text)).json["Invoices"][0]

    assert entry["DocumentDate"] == entry["PostingDate"] == "2026-03-02T00:00:00Z"


def test_fiscal_period_follows_the_posting_date(sage: Sage) -> None:
    entry = sage.post_batch(invoice("A-1", PostingDate="2026-11-30")).json["Invoices"][0]

    assert (entry["FiscalYear"], entry["FiscalPeriod"]) == ("2026", "11")


REFUSED = [
    ({"VendorNumber": "NOSUCH"}, "FieldInvalid", "Vendor 'NOSUCH' does not exist"),
    ({"VendorNumber": "OLDHAR"}, "FieldInvalid", "inactive"),
    ({"DocumentNumber": ""}, "FieldInvalid", "Document number cannot be blank"),
    ({"DocumentNumber": "X" * 23}, "FieldInvalid", "longer than 22"),
    ({"OrderNumber": "X" * 23}, "FieldInvalid", "longer than 22"),
    ({"CurrencyCode": "CAD"}, "FieldInvalid", "currency"),
    ({"Terms": "NOSUCH"}, "FieldInvalid", "Terms"),
    ({"TaxGroup": "NOSUCH"}, "FieldInvalid", "Tax group"),
    ({"AccountSet": "NOSUCH"}, "FieldInvalid", "Account set"),
    ({"PostingDate": "2019-01-01"}, "FieldInvalid", "fiscal period"),
    ({"PostingDate": "2025-01-15"}, "FieldInvalid", "locked"),
    ({"DocumentType": "CreditNote", "ApplytoDocument": "NONE"}, "FieldInvalid", "Apply-to"),
    ({"InvoiceOptionalFields": [{"OptionalField": "NONE"}]}, "FieldInvalid", "Optional field"),
    ({"DocumentTotalIncludingTax": -1}, "FieldInvalid", "negative"),
    ({"InvoiceDetails": [{"DistributedAmount": 1}]}, "FieldInvalid", "cannot be blank"),
    ({"InvoiceDetails": [{"GLAccount": "9999-999"}]}, "FieldInvalid", "not defined"),
    ({"InvoiceDetails": [{"GLAccount": "6320-300"}]}, "FieldInvalid", "inactive"),
    ({"InvoiceDetails": [{"GLAccount": "6900-100"}]}, "FieldInvalid", "prohibited"),
    ({"InvoiceDetails": [{"GLAccount": "2010-100"}]}, "FieldInvalid", "control account"),
    ({"InvoiceDetails": [{"DistributionCode": "NONE"}]}, "FieldInvalid", "Distribution code"),
    ({"DocumentNumber": "OB-2025-12"}, "FieldInvalid", "already exists"),
    ({"VendorNumber": "NOVAK", "DocumentNumber": "10442"}, "FieldInvalid", "already exists"),
]


@pytest.mark.parametrize(("fields", "code", "words"), REFUSED)
def test_business_rules_refuse_with_409(
    sage: Sage, fields: dict[str, Any], code: str, words: str
) -> None:
    answer = sage.post_batch(invoice("A-1", **fields))

    assert (answer.status, answer.code) == (409, code)
    assert words in answer.text
    assert mine(sage) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Nonsense": 1},
        {"DocumentType": "Invoices"},
        {"DocumentTotalIncludingTax": "100"},
        {"DocumentTotalIncludingTax": 1e300},
        {"DocumentDate": "yesterday"},
        {"InvoiceDetails": [{"ExtendedAmountWithTIP": 1}]},
        {"InvoiceDetails": {}},
    ],
)
def test_bodies_that_do_not_fit_are_refused_before_anything_is_written(
    sage: Sage, fields: dict[str, Any]
) -> None:
    sage.world.set_switches({"batch_failure_mode": "entries_left"})

    answer = sage.post_batch(invoice("A-1"), invoice("A-2", **fields))

    assert (answer.status, answer.code) == (400, "InvalidPayload")
    assert mine(sage) == []


def test_vendor_on_hold_is_accepted(sage: Sage) -> None:
    assert sage.post_batch(invoice("A-1", vendor="HOLLIS")).status == 201


def test_the_duplicate_text_has_several_lines_and_names_both(sage: Sage) -> None:
    sage.post_batch(invoice("INV-7"))

    answer = sage.post_batch(invoice("inv-7", DocumentType="CreditNote"))

    assert answer.code == "FieldInvalid"
    assert answer.text.splitlines() == [
        "Document number 'INV-7' for vendor PRAMIL already exists.",
        "Add one or more characters to the document number to make it unique.",
        "Vendor number: PRAMIL. Document number: INV-7.",
    ]
    assert sage.post_batch(invoice("INV-7", vendor="SILVER")).status == 201


def test_a_refusal_may_be_vague(sage: Sage) -> None:
    sage.world.set_switches({"refusal_names_entry": False})

    answer = sage.post_batch(invoice("A-1"), invoice("A-1"))

    assert answer.code == "FieldInvalid"
    assert "A-1" not in answer.text


@pytest.mark.parametrize(
    ("mode", "left"), [("atomic", None), ("header_left", []), ("entries_left", ["A-1", "A-2"])]
)
def test_what_a_refused_entry_leaves_behind_is_a_switch(
    sage: Sage, mode: str, left: list[str] | None
) -> None:
    sage.world.set_switches({"batch_failure_mode": mode})

    answer = sage.post_batch(
        invoice("A-1"), invoice("A-2"), invoice("A-3", vendor="NOSUCH"), invoice("A-4")
    )
    again = sage.post_batch(invoice("A-4"), Description="BILL again").json["BatchNumber"]

    assert answer.status == 409
    kept = [batch for batch in mine(sage) if batch["Description"] == "BILL test"]
    if left is None:
        assert (kept, again) == ([], 59)
        return
    assert again == 60
    assert [entry["DocumentNumber"] for entry in kept[0]["Invoices"]] == left
    assert (kept[0]["NumberOfEntries"], kept[0]["BatchStatus"]) == (len(left), "Open")


@pytest.mark.parametrize(
    ("option", "fields"),
    [
        ("LockedFiscalPeriod", {"PostingDate": "2025-01-15"}),
        ("InactiveGLAccount", {"InvoiceDetails": [{"GLAccount": "6320-300"}]}),
        ("NonexistentGLAccount", {"InvoiceDetails": [{"GLAccount": "9999"}]}),
    ],
)
@pytest.mark.parametrize(("level", "status"), [("None", 201), ("Warning", 201), ("Error", 409)])
def test_company_options_change_the_outcome(
    sage: Sage, option: str, fields: dict[str, Any], level: str, status: int
) -> None:
    sage.world.set_company_option("CALBAK", option, level)

    assert sage.post_batch(invoice("A-1", **fields)).status == status


def test_warnings_run_together_with_the_error(sage: Sage) -> None:
    sage.world.set_company_option("CALBAK", "InactiveGLAccount", "Warning")
    lines = [{"GLAccount": "6320-300"}, {"GLAccount": "9999"}]

    text = sage.post_batch(invoice("A-1", InvoiceDetails=lines)).text

    assert "not defined" in text
    assert "is inactive" in text


def test_calculated_tax_leaves_an_undistributed_amount(sage: Sage) -> None:
    taxed = invoice("A-1", vendor="KEYSTO", TaxAmountControl="Calculate")
    entered = invoice("A-2", vendor="KEYSTO")

    first, second = sage.post_batch(taxed, entered).json["Invoices"]

    assert (first["TaxTotal"], first["UndistributedAmount"]) == (Decimal("8.25"), Decimal("-8.25"))
    assert (second["TaxTotal"], second["UndistributedAmount"]) == (0, 0)
    sage.world.set_switches({"undistributed": "refuse"})
    assert sage.post_batch(taxed | {"DocumentNumber": "A-3"}).status == 409


@pytest.mark.parametrize(("level", "status"), [("Warning", 201), ("Error", 409)])
def test_same_amount_for_a_vendor_is_its_own_check(sage: Sage, level: str, status: int) -> None:
    sage.world.set_vendor("CALBAK", "PRAMIL", DuplicateAmountCode=level)
    sage.post_batch(invoice("A-1", 71))

    assert sage.post_batch(invoice("A-2", 71)).status == status
    assert sage.post_batch(invoice("A-3", 72)).status == 201


def test_patch_inserts_updates_and_deletes_entries(sage: Sage) -> None:
    number = sage.post_batch(invoice("A-1"), invoice("A-2"), invoice("A-3")).json["BatchNumber"]
    changes = [
        {"EntryNumber": 2, "UpdateOperation": "Delete"},
        {"EntryNumber": 1, "UpdateOperation": "Update", "InvoiceDescription": "changed"},
        {"EntryNumber": 3, "InvoiceDetails": [{"LineNumber": 20, "Comment": "seen"}]},
        invoice("A-9", UpdateOperation="Insert"),
    ]

    answer = sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"Invoices": changes})

    batch = sage.batch(number)
    assert (answer.status, answer.body) == (204, b"")
    assert [entry["EntryNumber"] for entry in batch["Invoices"]] == [1, 3, 4]
    assert batch["Invoices"][0]["InvoiceDescription"] == "changed"
    assert batch["Invoices"][1]["InvoiceDetails"][0]["Comment"] == "seen"
    assert batch["Invoices"][1]["InvoiceDetails"][0]["DistributedAmount"] == 100
    assert (batch["NumberOfEntries"], batch["BatchTotal"]) == (3, 300)
    assert sage.post_batch(invoice("A-2")).status == 201


@pytest.mark.parametrize("operation", ["Update", "Delete"])
def test_patch_of_an_entry_that_is_not_there_changes_nothing(sage: Sage, operation: str) -> None:
    number = sage.post_batch(invoice("A-1"), invoice("A-2")).json["BatchNumber"]
    before = sage.world.ledger()
    rows = [{"EntryNumber": 1, "UpdateOperation": "Delete"}]
    rows += [{"EntryNumber": 7, "UpdateOperation": operation}]

    answer = sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"Invoices": rows})

    assert (answer.status, answer.code) == (404, "RecordNotFound")
    assert sage.world.ledger() == before
    assert sage.post_batch(invoice("A-1")).status == 409


def test_the_last_entry_may_be_held_fast(sage: Sage) -> None:
    sage.world.set_switches({"last_entry_delete": "refuse"})
    number = sage.post_batch(invoice("A-1")).json["BatchNumber"]
    rows = [{"EntryNumber": 1, "UpdateOperation": "Delete"}]

    answer = sage.call("PATCH", f"AP/APInvoiceBatches({number})", {"Invoices": rows})

    assert (answer.status, answer.code) == (409, "General")
    assert len(sage.batch(number)["Invoices"]) == 1


def test_headers_are_listed_without_their_trees(sage: Sage) -> None:
    for document in ("A-1", "A-2"):
        sage.post_batch(invoice(document))

    rows = sage.get(
        "AP/APInvoiceBatches",
        filter="BatchNumber gt 58 and startswith(Description,'BILL ')",
        select="BatchNumber,BatchStatus,Description,NumberOfEntries,BatchTotal",
    ).rows

    assert [row["BatchNumber"] for row in rows] == [59, 60]
    assert "Invoices" not in rows[0]
    assert len(sage.get("AP/APInvoiceBatches").rows[-1]["Invoices"]) == 1


@pytest.mark.parametrize(
    ("echo", "shown"),
    [("formatted", "5010-100"), ("unformatted", "5010100"), ("as_sent", "5010.100")],
)
def test_accounts_come_back_as_the_installation_likes(sage: Sage, echo: str, shown: str) -> None:
    sage.world.set_switches({"account_echo": echo})

    tree = sage.post_batch(invoice("A-1", InvoiceDetails=[{"GLAccount": "5010.100"}])).json

    assert tree["Invoices"][0]["InvoiceDetails"][0]["GLAccount"] == shown


def test_numbers_may_come_with_a_point(sage: Sage) -> None:
    sage.world.set_switches({"decimal_keys": True})

    answer = sage.post_batch(invoice("A-1"))

    assert b'"BatchNumber":59.0' in answer.body


def test_side_by_side_posts_never_share_a_number(sage: Sage) -> None:
    numbers: list[int] = []

    def post(index: int) -> None:
        numbers.append(sage.post_batch(invoice(f"S-{index}")).json["BatchNumber"])

    threads = [threading.Thread(target=post, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(numbers) == list(range(59, 67))


@pytest.mark.parametrize(("race", "written"), [(0.0, 1), (0.3, 2)])
def test_two_posts_may_both_pass_the_number_check(sage: Sage, race: float, written: int) -> None:
    sage.world.set_switches({"number_check_race": race})
    threads = [threading.Thread(target=sage.post_batch, args=(invoice("A-1"),)) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(mine(sage)) == written


def test_a_batch_can_be_seen_half_written(sage: Sage) -> None:
    # Long enough to be seen on a machine that has much else to do; it is waiting, not work.
    sage.world.set_switches({"seconds_per_entry": 0.4})
    invoices = [invoice(f"H-{index}") for index in range(4)]
    writer = threading.Thread(target=sage.post_batch, args=invoices)
    writer.start()

    seen = set()
    while writer.is_alive():
        seen |= {batch["NumberOfEntries"] for batch in mine(sage)}
        time.sleep(0.02)
    writer.join()

    assert {0, 1, 2, 3} <= seen
    assert mine(sage)[0]["NumberOfEntries"] == 4


def test_work_goes_on_after_the_client_has_gone(sage: Sage) -> None:
    sage.server.faults.add("late_commit", r"POST /APInvoiceBatches$", seconds=0.1)

    with pytest.raises(OSError, match=r"(?i)closed|reset"):
        sage.post_batch(invoice("A-1"))
    assert mine(sage) == []
    sage.server.settle()

    assert len(mine(sage)) == 1


def test_a_thousand_bills_are_taken_in_seconds(sage: Sage) -> None:
    began = time.monotonic()

    for batch in range(40):
        invoices = [
            invoice(
                f"P-{batch}-{index}",
                InvoiceDetails=[
                    {"GLAccount": "5010-100", "DistributedAmount": 60},
                    {"GLAccount": "5020-100", "DistributedAmount": 40},
                ],
            )
            for index in range(25)
        ]
        assert sage.post_batch(*invoices).status == 201
    took = time.monotonic() - began

    assert len(mine(sage)) == 40
    assert took < 10  # about 2 s, reading the answers included; wide for a busy machine
