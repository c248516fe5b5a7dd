from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sync.domain.problems import (
    CODES,
    Acts,
    ProblemCode,
    Severity,
    problem,
    problem_from_dict,
    problem_to_dict,
)
from sync.domain.words import count_of, day, listed, money, shown


def test_every_code_has_a_side_and_a_heading() -> None:
    assert set(CODES) == set(ProblemCode)
    assert len({facts.title for facts in CODES.values()}) == len(CODES)


def test_a_problem_survives_being_stored() -> None:
    for code in ProblemCode:
        value = problem(code, "A sentence.", subject="0ca1", subject_name="Trade Shows")
        assert problem_from_dict(problem_to_dict(value)) == value
        assert value.holds is (CODES[code].severity is Severity.HOLDS), code


@pytest.mark.parametrize(
    ("acts", "label"),
    [
        (Acts.HERE, "Mend it here"),
        (Acts.BILL, "Mend in BILL"),
        (Acts.SAGE, "Mend in Sage"),
        (Acts.IT, "Ask your IT"),
    ],
)
def test_each_side_has_its_tag(acts: Acts, label: str) -> None:
    assert acts.label == label


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1205.9", "USD", "1,205.90"),
        ("-20", "USD", "\u221220.00"),
        ("0", "USD", "0.00"),
        ("1.005", "USD", "1.005"),
        ("1050", "JPY", "1,050"),
        ("1E+3", "USD", "1,000.00"),
    ],
)
def test_amounts_read_as_on_the_pages(amount: str, currency: str, text: str) -> None:
    assert money(Decimal(amount), currency) == text


def test_sentence_parts() -> None:
    assert day(date(2026, 11, 1)) == "November 1, 2026"
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "or")] == [
        "a",
        "a and b",
        "a, b or c",
    ]
    assert [count_of(1, "bill"), count_of(3, "bill"), count_of(2, "entry", "entries")] == [
        "1 bill",
        "3 bills",
        "2 entries",
    ]
    assert shown("a  b", 3) == "a b"
    assert shown("abcdef", 4) == "abc…"
