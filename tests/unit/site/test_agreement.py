"""The comparison of the whole ledger with what the product shows."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connector_site.demo.agreement import ShownPosting, disagreements, plain_account

FLOUR = ShownPosting(
    invoice_number="pm-48190",
    vendor_name="Prairie Mill",
    state="IN_SAGE",
    amount=Decimal("5204.00"),
    vendor_number="PRAMIL",
    document_number="PM-48190",
    batch_number=41,
    entry_number=1,
    sage_status="Open",
    lines=(("5010100", Decimal("4771.40")), ("5060100", Decimal("432.60"))),
)
BLOCKED = ShownPosting(
    invoice_number="NG-11811", vendor_name="Northgate", state="BLOCKED", amount=Decimal(402)
)


def an_entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "EntryNumber": number,
        "VendorNumber": "PRAMIL",
        "DocumentNumber": "PM-48190",
        "DocumentTotalIncludingTax": "5204.000",
        "UndistributedAmount": "0.000",
        "EnteredBy": "MLCONN",
        "InvoiceDetails": [
            {"GLAccount": "5060-100", "DistributedAmount": "432.600"},
            {"GLAccount": "5010100", "DistributedAmount": "4771.400"},
        ],
    } | changes


def a_ledger(*entries: dict[str, Any], status: str = "Open", posted: int = 0) -> dict[str, Any]:
    document = {"VendorNumber": "PRAMIL", "DocumentNumber": "PM-48190"}
    return {
        "batches": [{"BatchNumber": 41, "BatchStatus": status, "Invoices": list(entries)}],
        "posted": [document] * posted,
    }


def compare(*shown: ShownPosting, ledger: dict[str, Any]) -> list[str]:
    return disagreements(shown, ledger, connector_user="mlconn")


def test_the_same_on_both_sides_is_agreement():
    assert compare(FLOUR, BLOCKED, ledger=a_ledger(an_entry())) == []


def test_a_posted_one_agrees_when_its_document_is_posted():
    shown = replace(FLOUR, sage_status="Posted")

    assert compare(shown, ledger=a_ledger(an_entry(), status="Posted", posted=1)) == []


def test_ready_to_post_is_the_same_however_it_is_spelt():
    shown = replace(FLOUR, sage_status="Ready To Post")

    assert compare(shown, ledger=a_ledger(an_entry(), status="ReadyToPost")) == []


def test_what_a_clerk_entered_is_not_ours_to_explain():
    clerks = an_entry(2, EnteredBy="DANA", VendorNumber="NOVAK", DocumentNumber="10442")

    assert compare(FLOUR, ledger=a_ledger(an_entry(), clerks)) == []


@pytest.mark.parametrize(
    ("shown", "ledger", "sentence"),
    [
        (FLOUR, a_ledger(), "Sage has none there"),
        (FLOUR, a_ledger(an_entry(), status="Deleted"), "Sage has none there"),
        (FLOUR, a_ledger(an_entry(EnteredBy="DANA")), "Sage has none there"),
        (
            FLOUR,
            a_ledger(an_entry(DocumentTotalIncludingTax="5204.010")),
            "amount is 5204.00 here and 5204.010 in Sage",
        ),
        (FLOUR, a_ledger(an_entry(UndistributedAmount="0.010")), "undistributed amount is 0"),
        (FLOUR, a_ledger(an_entry(VendorNumber="GRANGE")), "vendor is PRAMIL here"),
        (FLOUR, a_ledger(an_entry(DocumentNumber="PM-1")), "document is PM-48190 here"),
        (FLOUR, a_ledger(an_entry(), status="ReadyToPost"), "status is Open here"),
        (
            replace(FLOUR, lines=(("5010100", Decimal("5204.00")),)),
            a_ledger(an_entry()),
            "accounts is 5010100 5204.00 here and 5010100 4771.40, 5060100 432.60",
        ),
        (
            replace(FLOUR, sage_status="Posted"),
            a_ledger(an_entry(), status="Posted"),
            "does not have it among its posted documents",
        ),
        (FLOUR, a_ledger(an_entry(), posted=1), "has it among its posted documents"),
        (BLOCKED, a_ledger(an_entry()), "made by the connector, and no postings show it"),
        (
            FLOUR,
            a_ledger(an_entry(), an_entry(2)),
            "has 2 entries of the connector with the document PM-48190",
        ),
        (
            replace(FLOUR, sage_status="Posted"),
            a_ledger(an_entry(), status="Posted", posted=2),
            "has 2 posted documents",
        ),
    ],
)
def test_each_difference_is_one_sentence(
    shown: ShownPosting, ledger: dict[str, Any], sentence: str
):
    assert any(sentence in said for said in compare(shown, ledger=ledger))


def test_two_postings_may_not_share_one_entry():
    second = replace(FLOUR, invoice_number="other")

    assert any(
        "2 postings show it" in said for said in compare(FLOUR, second, ledger=a_ledger(an_entry()))
    )


def test_accounts_compare_without_their_separators():
    assert plain_account("5010-100") == plain_account("5010100") == "5010100"
