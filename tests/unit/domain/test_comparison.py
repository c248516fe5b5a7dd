"""Is this entry the one we sent, to the cent?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.sage300.types import BatchStatus, InvoiceDetail
from sync.domain.comparison import differences, fingerprint, fold, is_ours, sightings
from tests.unit.domain.sage_model import (
    a_batch,
    a_foreign_invoice,
    a_header,
    an_entry,
    an_invoice,
    entries,
)

TWO_LINES = an_entry(
    1, total=Decimal("125.50"), lines=(("6000", Decimal(100)), ("6040", Decimal("25.50")))
)


def detail(account: str, amount: str) -> InvoiceDetail:
    return InvoiceDetail(gl_account=account, amount=Decimal(amount))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ()),
        ({"vendor_number": "v1 "}, ()),
        ({"document_number": "inv-1"}, ()),
        ({"total": Decimal("125.500")}, ()),
        ({"details": (detail("6040", "25.50"), detail("6000", "100"))}, ()),
        ({"undistributed_amount": None}, ()),
        ({"vendor_number": "V2"}, ("vendor V1 sent, V2 in Sage",)),
        ({"document_number": "INV-9"}, ("number INV-1 sent, INV-9 in Sage",)),
        ({"total": Decimal("125.51")}, ("total 125.50 sent, 125.51 in Sage",)),
        (
            {"details": (detail("6000", "100"), detail("6041", "25.50"))},
            ("lines 6000 100.00, 6040 25.50 sent, 6000 100.00, 6041 25.50 in Sage",),
        ),
        (
            {"undistributed_amount": Decimal("8.25")},
            ("8.25 is not distributed in Sage, usually tax that Sage added",),
        ),
    ],
)
def test_each_difference_is_told_with_both_figures(
    change: dict[str, object], told: tuple[str, ...]
) -> None:
    assert differences(TWO_LINES, an_invoice(TWO_LINES, 1, **change)) == told


def test_many_lines_are_told_in_short() -> None:
    lines = tuple((f"60{index:02}", Decimal(1)) for index in range(9))
    entry = an_entry(1, total=Decimal(9), lines=lines)

    (told,) = differences(entry, an_invoice(entry, 1, details=(detail("6000", "9"),)))

    assert "and 5 more sent" in told


@pytest.mark.parametrize(
    ("order", "is_mine"), [("BILL1", True), ("bill1 ", True), ("", False), ("BILL12", False)]
)
def test_an_entry_is_ours_by_its_folded_order_number(order: str, is_mine: bool) -> None:
    assert is_ours(an_entry(1), an_invoice(an_entry(1), 1, order_number=order)) is is_mine


def test_ours_are_found_among_others_with_their_entry_numbers() -> None:
    batch = a_batch(58, [a_foreign_invoice(1), an_entry(2), an_entry(1)])

    seen = sightings(entries(2), batch)

    assert [(s.posting_id, s.entry_number, s.differences) for s in seen] == [
        ("p2", 2, ()),
        ("p1", 3, ()),
    ]


def test_folding_is_sages_own() -> None:
    assert fold(" inv-1 ") == "INV-1"


@pytest.mark.parametrize(
    "change",
    [
        {"status": BatchStatus.POSTED}, {"description": "Other"}, {"entry_count": 2},
        {"total": Decimal(1)}, {"posting_sequence": 1}, {"error_count": 1}, {"last_edited": "x"},
    ],
)  # fmt: skip
def test_any_change_of_a_header_changes_its_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint(a_header(58, **change)) != fingerprint(a_header(58))
