from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.domain.policy import NumberSource, VendorNumberRule
from sync.domain.problems import Problem, ProblemCode
from sync.domain.vendor_numbers import allot_vendor_number
from tests.unit.domain.values import a_bill_vendor

HALDEN = a_bill_vendor(
    name="Halden Refrigeration Service", short_name="Halden", account_number="CB-7719"
)


def allot(vendor: Any = HALDEN, taken: Any = (), start: int = 1, **rule: Any) -> str | Problem:
    return allot_vendor_number(vendor, rule=VendorNumberRule(**rule), taken=taken, start=start)


@pytest.mark.parametrize(
    ("rule", "taken", "number"),
    [
        ({}, (), "HALDENREFRIG"),
        ({"width": 6}, (), "HALDEN"),
        ({"prefix": "b-", "width": 8}, (), "B-HALDEN"),
        ({"width": 6}, {"HALDEN"}, "HALDE2"),
        ({"width": 6}, {"HALDEN", "HALDE2"}, "HALDE3"),
        ({"source": NumberSource.SHORT_NAME}, (), "HALDEN"),
        ({"source": NumberSource.SHORT_NAME}, {"HALDEN"}, "HALDEN2"),
        ({"source": NumberSource.ACCOUNT_NUMBER}, (), "CB7719"),
        ({"source": NumberSource.COUNTER, "width": 5}, (), "00001"),
        ({"source": NumberSource.COUNTER, "prefix": "B", "width": 5}, {"B0001"}, "B0002"),
    ],
)
def test_the_rule_makes_the_number(rule: dict[str, Any], taken: Any, number: str) -> None:
    assert allot(taken=taken, **rule) == number


def test_a_counter_goes_on_where_it_is_told() -> None:
    assert allot(start=4711, source=NumberSource.COUNTER, width=5) == "04711"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Moulins Lafleur & Fils, Ltée", "MOULINSLAFLE"),
        ("3M", "3M"),
        ("北京面包", "V9MILL"),
        ("...", "V9MILL"),
    ],
)
def test_any_name_gives_letters_and_digits(name: str, number: str) -> None:
    vendor = a_bill_vendor(id="00000000009Mill", name=name)
    assert allot(vendor) == number.replace("V9MILL", "V09MILL")


def test_a_missing_field_falls_back_on_the_name() -> None:
    assert allot(a_bill_vendor(name="Acme"), source=NumberSource.ACCOUNT_NUMBER) == "ACME"


def test_when_every_number_is_taken_a_person_is_asked() -> None:
    taken = {str(n).zfill(3) for n in range(1000)}
    held = allot(taken=taken, source=NumberSource.COUNTER, width=3)
    assert isinstance(held, Problem)
    assert held.code is ProblemCode.VENDOR_NUMBERS_USED_UP


names = st.lists(st.text("ab Zé北.9", max_size=8), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@given(names, st.integers(min_value=4, max_value=12), st.sampled_from(list(NumberSource)))
def test_numbers_are_short_capital_and_unique(
    given_names: list[str], width: int, source: NumberSource
) -> None:
    taken: set[str] = set()
    for name in given_names:
        number = allot(a_bill_vendor(name=name), taken=taken, width=width, source=source)
        assert isinstance(number, str)
        assert 1 <= len(number) <= width
        assert number == number.upper()
        assert number not in taken
        taken.add(number)
