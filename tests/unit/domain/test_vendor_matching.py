from __future__ import annotations

from typing import Any

import pytest

from integrations.bill.types import Address
from sync.domain.policy import Policy, StoredNumberRule, VendorCreation
from sync.domain.problems import ProblemCode
from sync.domain.vendor_matching import Ambiguous, Ask, Create, Linked, Match, match_vendor
from sync.domain.vendor_suggestions import SageVendors, suggest
from tests.unit.domain.values import a_bill_vendor, a_sage_vendor

SAGE = SageVendors.of(
    [
        a_sage_vendor(number="PRAMIL", name="Prairie Mill & Grain"),
        a_sage_vendor(number="ALDCRK", name="Alder Creek Dairy Co-op"),
        a_sage_vendor(number="ALDER2", name="Alder Creek Dairy (Eastern)"),
        a_sage_vendor(number="MAPLE1", name="Maple Leaf Ovens (Burlington)"),
        a_sage_vendor(number="MAPLE2", name="Maple Leaf Oven Parts"),
        a_sage_vendor(number="TRICTY", name="Tri-County Electric Cooperative"),
        a_sage_vendor(number="TRIWAS", name="Tri-County Waste Services"),
        a_sage_vendor(number="WHITCO", name="Whitcomb Legal LLP"),
        a_sage_vendor(
            number="OLDNAM",
            name="Granger Brothers",
            phone="(815) 555-0134",
            email="office@granger.example",
            address_lines=("12 Mill Road",),
            postal_code="60115",
        ),
    ]
)
CREATE = Policy(vendor_creation=VendorCreation.CREATE_NEW, vendor_group="TRADE")


def match(name: str, *, policy: Policy | None = None, linked: Any = None, **vendor: Any) -> Match:
    return match_vendor(
        a_bill_vendor(id="009X", name=name, **vendor),
        sage=SAGE,
        policy=policy or Policy(),
        linked=linked,
    )


@pytest.mark.parametrize(
    ("rules", "vendor", "number", "reason"),
    [
        ({"number_map": {"009X": "pramil "}}, {}, "PRAMIL", "Number map"),
        ({"number_map": {"Anybody": "WHITCO"}}, {}, "WHITCO", "Number map"),
        ({"number_map": {"Anybody": "WHITCO", "009X": "PRAMIL"}}, {}, "PRAMIL", "Number map"),
        (
            {"stored_number_rule": StoredNumberRule.SHORT_NAME},
            {"short_name": "triwas"},
            "TRIWAS",
            "Sage number in BILL's short name",
        ),
        (
            {"stored_number_rule": StoredNumberRule.ACCOUNT_NUMBER},
            {"account_number": "TRICTY"},
            "TRICTY",
            "Sage number in BILL's account number",
        ),
        (
            {
                "stored_number_rule": StoredNumberRule.ACCOUNT_NUMBER,
                "number_map": {"009X": "PRAMIL"},
            },
            {"account_number": "TRICTY"},
            "PRAMIL",
            "Number map",
        ),
    ],
)
def test_exact_rules_of_the_company_link_by_themselves(
    rules: dict[str, Any], vendor: dict[str, Any], number: str, reason: str
) -> None:
    outcome = match("Anybody", policy=Policy(**rules), **vendor)
    assert outcome == Linked(number=number, reason=reason)


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Prairie Mill & Grain", {}),
        ("PRAIRIE MILL AND GRAIN, INC.", {}),
        ("Anybody", {"short_name": "PRAMIL", "account_number": "PRAMIL"}),
        (
            "Granger Brothers",
            {"phone": "815 555 0134", "email": "office@granger.example"},
        ),
    ],
)
@pytest.mark.parametrize("archived", [True, False])
def test_nothing_else_links_however_well_it_fits(
    name: str, vendor: dict[str, Any], archived: bool
) -> None:
    assert isinstance(match(name, archived=archived, **vendor), Ask)


@pytest.mark.parametrize("policy", [Policy(), CREATE])
@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("Alder Creek Dairy", ["ALDCRK", "ALDER2"]),
        ("Maple Leaf Ovens", ["MAPLE1", "MAPLE2"]),
    ],
)
def test_several_that_fit_are_ambiguous(name: str, numbers: list[str], policy: Policy) -> None:
    outcome = match(name, policy=policy)
    assert isinstance(outcome, Ambiguous)
    assert [one.number for one in outcome.suggestions] == numbers
    assert outcome.problem.code is ProblemCode.VENDOR_AMBIGUOUS
    assert "Names alone are never enough" in outcome.problem.sentence


@pytest.mark.parametrize(
    "name",
    ["Halden Refrigeration Service", "Beacon Fleet Leasing", "Brightline Signs", "Tri-County Roof"],
)
def test_where_nothing_similar_is_there_the_company_may_let_it_be_created(name: str) -> None:
    assert isinstance(match(name), Ask)
    outcome = match(name, policy=CREATE)
    assert isinstance(outcome, Create)
    assert outcome.number == ""


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Prairie Mill and Grain LLC", {}),
        ("Whitcomb", {}),
        ("Whitcomb Legal Services", {}),
        ("Nobody Alike", {"phone": "+1 815 555 0134"}),
        ("Nobody Alike", {"email": "Office@Granger.example"}),
    ],
)
def test_anything_similar_asks_before_it_is_created(name: str, vendor: dict[str, Any]) -> None:
    assert isinstance(match(name, policy=CREATE, **vendor), Ask)


def test_an_archived_vendor_is_never_created_by_itself() -> None:
    outcome = match("Ridgeway Pest Control", policy=CREATE, archived=True)
    assert isinstance(outcome, Ask)
    assert "archived in BILL" in outcome.problem.sentence


def test_a_number_map_that_names_no_sage_vendor_asks_or_prescribes_the_new_number() -> None:
    asked = match("Halden", policy=Policy(number_map={"009X": "HALDEN"}))
    assert isinstance(asked, Ask)
    assert asked.problem.code is ProblemCode.VENDOR_MISSING_IN_SAGE
    created = match(
        "Halden",
        policy=Policy(
            number_map={"009X": "HALDEN"},
            vendor_creation=VendorCreation.CREATE_NEW,
            vendor_group="TRADE",
        ),
    )
    assert created == Create(number="HALDEN", reason="Number map; your policy creates it.")


def test_one_sage_vendor_is_never_linked_to_two() -> None:
    rules = Policy(number_map={"009X": "PRAMIL"})
    outcome = match("Prairie Mill", policy=rules, linked={"PRAMIL": "009Other"})
    assert isinstance(outcome, Ask)
    assert outcome.problem.code is ProblemCode.VENDOR_TAKEN
    assert isinstance(match("Prairie Mill", policy=rules, linked={"PRAMIL": "009X"}), Linked)


def test_suggestions_are_ranked_and_carry_their_evidence() -> None:
    vendor = a_bill_vendor(
        name="Granger Yeast",
        phone="815.555.0134",
        email="billing@granger.example",
        address=Address(line1="12 Mill Road", postal_code="60115"),
    )
    best = suggest(vendor, SAGE)[0]
    assert best.number == "OLDNAM"
    assert best.evidence == (
        "name shares “granger”",
        "same telephone",
        "same e-mail domain",
        "same street",
        "same postal code",
    )
    assert best.is_close


@pytest.mark.parametrize("mail", ["gmail.com", "outlook.com"])
def test_a_public_mail_domain_is_no_evidence(mail: str) -> None:
    sage = SageVendors.of([a_sage_vendor(name="One", email=f"one@{mail}")])
    assert suggest(a_bill_vendor(name="Two", email=f"two@{mail}"), sage) == ()
