from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrations.bill.types import Address
from sync.domain.policy import Policy, VendorField
from sync.domain.problems import Problem, ProblemCode
from sync.domain.vendor_fields import NewVendor, changes, new_vendor, wanted_vendor
from tests.unit.domain.values import a_bill_vendor, a_sage_vendor

POLICY = Policy(
    vendor_group="TRADE",
    vendor_terms="N30",
    vendor_tax_group="EXEMPT",
    vendor_gl_account="5060100",
)
HALDEN = a_bill_vendor(
    name="Halden Refrigeration Service",
    email="office@halden.example",
    phone="(815) 555-0199",
    address=Address(
        line1="4 Ice Lane",
        city="DeKalb",
        state_or_province="IL",
        postal_code="60115",
        country="US",
        country_name="United States",
    ),
)


def wanted(vendor: Any = HALDEN, **rest: Any) -> NewVendor:
    return wanted_vendor(vendor, number="HALDEN", policy=POLICY, **rest)


def test_a_new_vendor_has_what_bill_knows_and_what_the_policy_gives() -> None:
    made = new_vendor(HALDEN, number="HALDEN", policy=POLICY)
    assert isinstance(made, NewVendor)
    vendor = made.vendor
    assert (vendor.number, vendor.name, vendor.short_name) == (
        "HALDEN",
        "Halden Refrigeration Service",
        "Halden Ref",
    )
    assert (vendor.group_code, vendor.terms, vendor.tax_group) == ("TRADE", "N30", "EXEMPT")
    assert (vendor.distribution_type, vendor.gl_account) == ("GLAccount", "5060100")
    assert (vendor.address_lines, vendor.country) == (("4 Ice Lane",), "United States")
    assert made.warnings == ()


def test_without_a_default_account_the_groups_distribution_stays() -> None:
    made = wanted_vendor(HALDEN, number="X", policy=Policy(vendor_group="TRADE"))
    assert (made.vendor.distribution_type, made.vendor.gl_account) == ("", "")


def test_a_vendors_own_default_comes_before_the_policys() -> None:
    assert wanted(gl_account="6120100").vendor.gl_account == "6120100"


def test_without_a_vendor_group_nothing_is_created() -> None:
    held = new_vendor(HALDEN, number="HALDEN", policy=Policy())
    assert isinstance(held, Problem)
    assert held.code is ProblemCode.VENDOR_GROUP_UNSET


@pytest.mark.parametrize(
    ("overrides", "field", "stands", "words"),
    [
        ({"name": "N" * 61}, "name", "N" * 60, "shortened to Sage's 60 characters"),
        ({"email": "e" * 51}, "email", "", "The e-mail of"),
        ({"phone": "5" * 31}, "phone", "", "does not fit Sage's 30 characters and is left out"),
    ],
)
def test_what_does_not_fit_is_shortened_or_left_out_in_sight(
    overrides: dict[str, str], field: str, stands: str, words: str
) -> None:
    made = wanted(replace(HALDEN, **overrides))
    assert getattr(made.vendor, field) == stands
    (warning,) = made.warnings
    assert words in warning.sentence
    assert not warning.holds


IN_SAGE = a_sage_vendor(
    number="HALDEN",
    name="Halden Refrig.",
    group_code="SERVIC",
    terms="COD",
    tax_group="exempt",
    address_lines=("1 Old Street", "Suite 4"),
    city="Sycamore",
    phone="8155550199",
    email="OFFICE@halden.example",
    gl_account="5060-100",
    distribution_type="GLAccount",
)


@pytest.mark.parametrize(
    ("owned", "written"),
    [
        (set(), {}),
        ({VendorField.NAME}, {"VendorName": "Halden Refrigeration Service"}),
        ({VendorField.SHORT_NAME}, {"ShortName": "Halden Ref"}),
        (
            {VendorField.ADDRESS},
            {
                "AddressLine1": "4 Ice Lane",
                "City": "DeKalb",
                "StateProvince": "IL",
                "ZipPostalCode": "60115",
                "Country": "United States",
            },
        ),
        ({VendorField.PHONE}, {}),
        ({VendorField.EMAIL}, {}),
        ({VendorField.TERMS}, {"Terms": "N30"}),
        ({VendorField.TAX_GROUP}, {}),
        ({VendorField.GL_ACCOUNT}, {}),
    ],
)
def test_only_owned_fields_that_differ_are_written(
    owned: set[VendorField], written: dict[str, str]
) -> None:
    assert changes(IN_SAGE, wanted().vendor, owned) == written


def test_blank_never_erases_and_the_group_is_never_written() -> None:
    blank = a_bill_vendor(name="")
    nothing = wanted_vendor(blank, number="HALDEN", policy=Policy(vendor_group="TRADE")).vendor
    assert changes(IN_SAGE, nothing, set(VendorField)) == {}
    assert "GroupCode" not in changes(IN_SAGE, wanted().vendor, set(VendorField))


@pytest.mark.parametrize(
    ("distribution", "account", "written"),
    [
        ("GLAccount", "6120100", ["GLAccount"]),
        ("DistributionSet", "", ["DistributionType", "GLAccount"]),
        ("None", "5060100", ["DistributionType", "GLAccount"]),
        ("", "5060100", []),
        ("", "6120100", ["DistributionType", "GLAccount"]),
    ],
)
def test_a_default_account_is_written_after_the_type_that_makes_it_count(
    distribution: str, account: str, written: list[str]
) -> None:
    current = replace(IN_SAGE, distribution_type=distribution, gl_account=account)
    assert list(changes(current, wanted().vendor, {VendorField.GL_ACCOUNT})) == written
