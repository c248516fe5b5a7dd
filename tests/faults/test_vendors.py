"""A vendor is created under a number committed before; a lost answer never makes a second one."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sync.domain.policy import VendorField
from sync.models import LogEntry, VendorLink
from tenants.scoping import tenant_scope
from tests.faults.office import MILL, a_bill, agrees, an_office, crash, heal, later
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)
POST_VENDOR = "POST /APVendors$"


@pytest.fixture
def creating(settings: Any, transactional_db: None) -> Iterator[Desk]:
    """A company that creates vendors, with a bill of a vendor Sage does not have."""
    with an_office(settings, bills=1, vendor_creation="create_new", vendor_group="TRADE") as desk:
        a_bill(desk, "NEW-1", vendor=desk.bill.add_vendor(name="Juniper Spice Company"))
        yield desk


def junipers(desk: Desk) -> list[str]:
    vendors = desk.ledger()["vendors"]
    return [v["VendorNumber"] for v in vendors if "JUNIPER" in v["VendorName"].upper()]


KINDS = ["refuse", "lose_answer", "status", "status_after", "truncate", "html_after",
         "late_commit"]  # fmt: skip


def test_f51_a_lost_answer_to_a_new_vendor_makes_one_vendor(creating: Desk) -> None:
    heal(creating)
    for kind in KINDS:
        name = f"Spices {kind.replace('_', ' ')}"
        a_bill(creating, f"V-{kind}", vendor=creating.bill.add_vendor(name=name))
        creating.sage_server.faults.add(kind, POST_VENDOR, status=500)
        creating.sync()
        creating.sage_server.settle()

    heal(creating)

    agrees(creating)
    names = Counter(vendor["VendorName"] for vendor in creating.ledger()["vendors"])
    assert all(names[f"Spices {kind.replace('_', ' ')}"] == 1 for kind in KINDS), names
    assert Counter(p.state for p in creating.postings()) == {"IN_SAGE": 2 + len(KINDS)}


@pytest.mark.parametrize("point", ["vendor_intended", "vendor_sent"])
def test_f51_death_around_a_new_vendor_makes_one_vendor(creating: Desk, point: str) -> None:
    crash(creating, point)

    heal(creating)

    agrees(creating)
    assert len(junipers(creating)) == 1
    assert Counter(p.state for p in creating.postings()) == {"IN_SAGE": 2}


def test_f51_a_number_another_name_has_is_never_taken_for_ours(creating: Desk) -> None:
    creating.sage_server.faults.add("refuse", POST_VENDOR)
    creating.sync()
    with tenant_scope(creating.company.tenant_id):
        links = VendorLink.objects.for_tenant(creating.company.tenant_id)
        number = links.get(name="Juniper Spice Company").sage_number
    creating.sage.add_vendor("CALBAK", number, "Somebody Else")

    heal(creating)

    agrees(creating)
    mine = next(p for p in creating.postings() if p.invoice_number == "NEW-1")
    assert mine.vendor_number != number
    assert mine.state == "IN_SAGE" or mine.sentence


def test_f52_two_bill_vendors_on_one_sage_number_are_shown_to_a_person(
    settings: Any, transactional_db: None
) -> None:
    with an_office(settings, bills=1) as desk:
        heal(desk)
        twin = desk.bill.add_vendor(name="Prairie Mill & Grain Inc")
        a_bill(desk, "TWIN-1", vendor=twin)
        with tenant_scope(desk.company.tenant_id):
            from sync.models import CompanyPolicy

            row = CompanyPolicy.objects.for_tenant(desk.company.tenant_id).get()
            row.values["number_map"][twin] = "PRAMIL"
            row.version += 1
            row.save()

        heal(desk)

        agrees(desk)
        held = next(p for p in desk.postings() if p.invoice_number == "TWIN-1")
        assert held.state == "BLOCKED"
        assert held.sentence


PATCH_VENDOR = "PATCH /APVendors"


@pytest.fixture
def updating(settings: Any, transactional_db: None) -> Iterator[Desk]:
    """A company that keeps phone numbers in Sage as BILL has them; one has just changed there."""
    owned = frozenset({VendorField.PHONE})
    with an_office(settings, bills=0, owned_vendor_fields=owned) as desk:
        heal(desk)
        desk.bill.edit_vendor(MILL, phone="5550100199")
        yield desk


def phone(desk: Desk) -> str:
    vendor = desk.sage.companies["CALBAK"].table("APVendors").find("PRAMIL")
    return "".join(digit for digit in str(vendor["PhoneNumber"]) if digit.isdigit())


def patches(desk: Desk) -> int:
    counts = desk.sage_server.requests.counts()
    return sum(count for kind, count in counts.items() if kind.startswith("PATCH "))


def told_of_updates(desk: Desk) -> list[tuple[str, str]]:
    with tenant_scope(desk.company.tenant_id):
        lines = LogEntry.objects.for_tenant(desk.company.tenant_id).filter(
            vendor_link__bill_vendor_id=MILL, event__startswith="vendor.update"
        )
        return list(lines.order_by("at", "pk").values_list("event", "sentence"))


@pytest.mark.parametrize(
    ("kind", "is_made", "closing"),
    [
        ("refuse", False, "Updated in Sage: PhoneNumber."),
        ("status", False, "Updated in Sage: PhoneNumber."),
        ("lose_answer", True, "Updated in Sage; found there after a lost answer."),
        ("status_after", True, "Updated in Sage; found there after a lost answer."),
    ],
)
def test_a_lost_answer_to_a_vendors_change_is_told_as_unknown_and_looked_at_again(
    updating: Desk, kind: str, is_made: bool, closing: str
) -> None:
    before, written = len(told_of_updates(updating)), patches(updating)
    updating.sage_server.faults.add(kind, PATCH_VENDOR, status=500)

    updating.sync()

    [(event, sentence)] = told_of_updates(updating)[before:]
    assert event == "vendor.update_unknown"
    assert "may have been made or not" in sentence
    assert (phone(updating) == "5550100199") is is_made

    for _ in range(2):
        later(updating)
        updating.sync()

    assert phone(updating) == "5550100199"
    assert told_of_updates(updating)[before + 1 :] == [("vendor.updated", closing)]
    assert patches(updating) - written == (1 if is_made else 2)


def test_a_change_whose_answers_stay_lost_is_told_once(updating: Desk) -> None:
    before = len(told_of_updates(updating))
    updating.sage_server.faults.add("refuse", PATCH_VENDOR, times=0)

    for _ in range(3):
        updating.sync()
        later(updating)

    assert [event for event, _ in told_of_updates(updating)[before:]] == ["vendor.update_unknown"]


def test_a_refused_change_of_a_vendor_is_told_with_its_reason_and_not_repeated(
    updating: Desk,
) -> None:
    before, written = len(told_of_updates(updating)), patches(updating)
    body = (
        '{"error":{"code":"FieldInvalid","message":{"lang":"en-US",'
        '"value":"Phone number is not valid."}}}'
    )
    updating.sage_server.faults.add("status", PATCH_VENDOR, status=422, body=body)

    for _ in range(2):
        updating.sync()
        later(updating)

    [(event, sentence)] = told_of_updates(updating)[before:]
    assert event == "vendor.update_refused"
    assert sentence.startswith("Sage did not take the change of PhoneNumber: ")
    assert "Phone number is not valid." in sentence
    assert patches(updating) - written == 1


def test_a_vendor_somebody_has_open_is_changed_later_and_holds_up_no_bill(updating: Desk) -> None:
    before = len(told_of_updates(updating))
    a_bill(updating, "B-1")
    updating.sage_server.faults.add(
        "status", PATCH_VENDOR, status=409,
        body='{"error":{"code":"General","message":{"lang":"en-US",'
        '"value":"Vendor PRAMIL is in use by DANA. Try again later."}}}',
    )  # fmt: skip

    report = updating.sync()

    assert report.outcome == "ok"
    assert updating.postings(invoice_number="B-1")[0].state == "IN_SAGE"
    assert told_of_updates(updating)[before:] == []

    later(updating)
    updating.sync()
    assert phone(updating) == "5550100199"
