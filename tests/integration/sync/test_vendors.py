"""BILL's vendors in Sage: linked by exact rules, created once, updated only where we may."""

from dataclasses import replace
from typing import Any

import pytest

from sync.domain.policy_document import policy_from_dict, policy_to_dict
from sync.models import Attempt, CompanyPolicy, VendorLink
from tenants.scoping import tenant_scope
from tests.integration.sync.world import BAKERY_NUMBERS, Desk, a_desk, a_policy

pytestmark = pytest.mark.django_db(transaction=True)

HALDEN, MOULINS, ALDER = "009CbkHaldenRefri001", "009CbkMoulinsLafl001", "009CbkAlderCreekD001"


def link_of(desk: Desk, vendor_id: str) -> VendorLink:
    with tenant_scope(desk.company.tenant_id):
        return VendorLink.objects.for_tenant(desk.company.tenant_id).get(bill_vendor_id=vendor_id)


def created_by_us(desk: Desk) -> list[VendorLink]:
    with tenant_scope(desk.company.tenant_id):
        rows = VendorLink.objects.for_tenant(desk.company.tenant_id)
        return list(rows.filter(is_created_by_us=True, state="linked"))


def vendors_named(desk: Desk, name: str) -> list[dict[str, Any]]:
    return [vendor for vendor in desk.ledger()["vendors"] if vendor["VendorName"] == name]


def sage_vendor(desk: Desk, number: str) -> dict[str, Any]:
    return dict(desk.sage.companies["CALBAK"].table("APVendors").find(number))


def change_policy(desk: Desk, **changes: Any) -> None:
    with tenant_scope(desk.company.tenant_id):
        row = CompanyPolicy.objects.for_tenant(desk.company.tenant_id).get()
        row.values = policy_to_dict(policy_from_dict(changes, base=row.policy()))
        row.version += 1
        row.save()


def test_a_new_vendor_is_created_with_its_group_and_then_linked(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS, vendor_gl_account="6210-100")) as desk:
        desk.sync()

        (vendor,) = vendors_named(desk, "Halden Refrigeration Service")
        link = link_of(desk, HALDEN)
        assert (link.state, link.sage_number) == ("linked", vendor["VendorNumber"])
        assert (vendor["GroupCode"], vendor["GLAccount"].replace("-", "")) == ("TRADE", "6210100")


def test_many_new_vendors_are_created_pass_by_pass(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        settings.CONNECTOR = replace(settings.CONNECTOR, turn_seconds=0.0)
        counts, reports = [], []
        for _ in range(2):
            reports.append(desk.sync())
            counts.append(len(created_by_us(desk)))

        assert [report.has_more for report in reports] == [True, True]
        assert counts == [1, 2]


def test_a_vendor_whose_create_was_answered_by_silence_is_found_and_not_made_twice(
    settings: Any,
) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        desk.sage_server.faults.add("lose_answer", "POST /APVendors", times=0)
        desk.sync()
        assert link_of(desk, HALDEN).state == "creating"
        desk.sage_server.faults.clear()

        desk.sync()

        assert link_of(desk, HALDEN).state == "linked"
        assert len(vendors_named(desk, "Halden Refrigeration Service")) == 1
        with tenant_scope(desk.company.tenant_id):
            tries = Attempt.objects.for_tenant(desk.company.tenant_id).filter(
                vendor_link__bill_vendor_id=HALDEN
            )
            assert [attempt.answer.outcome for attempt in tries] == ["unknown"]


def test_a_number_somebody_else_has_in_sage_is_not_taken_over(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        desk.sage.add_vendor("CALBAK", "HALDENREFRIG", "Somebody Else", GroupCode="TRADE")

        desk.sync()

        link = link_of(desk, HALDEN)
        assert (link.state, link.sage_number) != ("linked", "HALDENREFRIG")
        assert [v["VendorName"] for v in desk.ledger()["vendors"]
                if v["VendorNumber"] == "HALDENREFRIG"] == ["Somebody Else"]  # fmt: skip


def test_vendors_that_look_alike_wait_for_a_person(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        desk.sync()

        link = link_of(desk, ALDER)
        assert link.state == "ambiguous"
        assert {one["number"] for one in link.suggestions} >= {"ALDCRK", "ALDER2"}
        assert vendors_named(desk, "Alder Creek Dairy") == []


def test_a_vendor_in_another_currency_is_not_created_in_ours(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        desk.sync()

        link = link_of(desk, MOULINS)
        assert link.state == "ask"
        assert "CAD" in link.problem["sentence"]
        assert vendors_named(desk, "Moulins Lafleur") == []


def test_without_the_rule_a_new_vendor_waits_for_a_person(settings: Any) -> None:
    policy = a_policy(BAKERY_NUMBERS, vendor_creation="person")
    with a_desk(settings, policy=policy) as desk:
        desk.sync()

        assert link_of(desk, HALDEN).state == "ask"
        (bill,) = desk.postings(invoice_number="7719")
        assert bill.state == "BLOCKED"
        assert "Halden Refrigeration Service" in bill.sentence


def test_only_owned_fields_are_updated_and_the_group_never(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        desk.sync()
        change_policy(desk, owned_vendor_fields=["phone"])
        desk.bill.edit_vendor(HALDEN, phone="5550100199", name="Halden Refrigeration Service")
        before = sage_vendor(desk, "HALDENREFRIG")

        desk.sync()

        after = sage_vendor(desk, "HALDENREFRIG")
        changed = {key for key in after if after[key] != before[key]}
        assert "".join(c for c in after["PhoneNumber"] if c.isdigit()) == "5550100199"
        assert changed <= {"PhoneNumber", "DateLastMaintained"}
