"""A vendor is created under a number committed before; a lost answer never makes a second one."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from sync.models import VendorLink
from tenants.scoping import tenant_scope
from tests.faults.office import a_bill, agrees, an_office, crash, heal
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
