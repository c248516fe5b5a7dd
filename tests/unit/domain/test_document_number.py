from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.document_number import document_number, order_number, with_suffix
from sync.domain.problems import Acts, Problem, ProblemCode


@pytest.mark.parametrize(
    ("invoice_number", "number"),
    [
        ("pm-48211", "PM-48211"),
        ("  88-4127 ", "88-4127"),
        ("INV \t 10\u00a042", "INV 10 42"),
        ("1107/55820 #3 O'B", "1107/55820 #3 O'B"),
        ("a" * 22, "A" * 22),
        ("Rechnung Nº 5", "RECHNUNG Nº 5"),
        ("straße-1", "STRASSE-1"),
        ("e\u0301-7", "É-7"),
    ],
)
def test_the_number_is_the_vendors_own_in_capitals(invoice_number: str, number: str) -> None:
    assert document_number(invoice_number) == number
    assert document_number(number) == number


@pytest.mark.parametrize(
    ("invoice_number", "code", "words"),
    [
        ("", ProblemCode.NO_INVOICE_NUMBER, "has no invoice number"),
        (" \n", ProblemCode.NO_INVOICE_NUMBER, "has no invoice number"),
        (
            "x" * 23,
            ProblemCode.INVOICE_NUMBER_TOO_LONG,
            "has 23 characters, Sage has room for 22",
        ),
        ("ß" * 12, ProblemCode.INVOICE_NUMBER_TOO_LONG, "has 24 characters"),
        ("7🎂", ProblemCode.INVOICE_NUMBER_CHARACTERS, "Sage cannot store “🎂”"),
        ("№5", ProblemCode.INVOICE_NUMBER_CHARACTERS, "Sage cannot store “№”"),
        ("5\u200b6", ProblemCode.INVOICE_NUMBER_CHARACTERS, "zero width space"),
        ("5\x006", ProblemCode.INVOICE_NUMBER_CHARACTERS, "u+0000"),
    ],
)
def test_what_does_not_fit_is_held_and_never_cut(
    invoice_number: str, code: ProblemCode, words: str
) -> None:
    held = document_number(invoice_number)
    assert isinstance(held, Problem)
    assert (held.code, held.acts) == (code, Acts.BILL)
    assert words in held.sentence


@pytest.mark.parametrize(
    ("number", "nth", "suffixed"),
    [("1042", 2, "1042-2"), ("1042", 11, "1042-11"), ("A" * 22, 2, "A" * 20 + "-2")],
)
def test_a_suffix_stays_within_sages_length(number: str, nth: int, suffixed: str) -> None:
    assert with_suffix(number, nth) == suffixed


def test_the_first_bill_has_no_suffix() -> None:
    with pytest.raises(ValueError, match="the first bill keeps its number"):
        with_suffix("1042", 1)


def test_bill_ids_that_fold_alike_get_different_order_numbers() -> None:
    first = order_number("00n01ABCDEFGHIJKlmno", taken=set())
    second = order_number("00n01ABCDEFGHIJKlmnO", taken={first})
    third = order_number("00N01ABCDEFGHIJKlmnO", taken={first, second})
    assert [first, second, third] == [
        "00N01ABCDEFGHIJKLMNO",
        "00N01ABCDEFGHIJKLMNO-2",
        "00N01ABCDEFGHIJKLMNO-3",
    ]


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30))
def test_a_number_that_is_given_is_short_capital_and_stable(text: str) -> None:
    number = document_number(text)
    if isinstance(number, str):
        assert 1 <= len(number) <= 22
        assert number == number.upper() == document_number(number)
