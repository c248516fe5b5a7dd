"""A person says which Sage vendor a BILL vendor is; the bills that waited go on by themselves."""

from typing import Any

import pytest

from sync.models import LogEntry, VendorLink
from sync.services import vendor_acts, vendor_defaults
from sync.services.acts import Done, NotOpen, Outcome, Overtaken
from sync.services.vendor_acts import seen_mark
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import DANA, PRIYA, a_synced_desk, link_of, now
from tests.integration.sync.world import Desk, invoices_of_ours

pytestmark = pytest.mark.django_db(transaction=True)

ALDER, RIDGEWAY = "Alder Creek Dairy", "Ridgeway Pest Control"


def do(desk: Desk, deed: Any, row: VendorLink, *args: Any, **more: Any) -> Outcome:
    with tenant_scope(desk.company.tenant_id):
        return deed(row, *args, **({"seen": seen_mark(row), "actor": PRIYA, "now": now()} | more))


def bills_of(desk: Desk, name: str) -> dict[str, str]:
    return {p.invoice_number: p.state for p in desk.postings(vendor_name=name)}


def test_a_name_alone_links_nobody_and_a_person_s_word_does(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        row = link_of(desk, ALDER)
        assert (row.state, [one["number"] for one in row.suggestions]) == (
            "ambiguous",
            ["ALDCRK", "ALDER2"],
        )

        outcome = do(desk, vendor_acts.link, row, "aldcrk")
        desk.sync()

        assert isinstance(outcome, Done)
        assert "2 waiting bills" in outcome.sentence
        assert bills_of(desk, ALDER) == {"AC-7781": "IN_SAGE", "AC-7802": "IN_SAGE"}
        sent = invoices_of_ours(desk.ledger()).values()
        assert {one[2] for one in sent if one[3] in {"AC-7781", "AC-7802"}} == {"ALDCRK"}


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("NOBODY", "Sage has no vendor NOBODY"),
        ("NOVAK", "already linked to Novak of BILL"),
        ("", "choose a Sage vendor"),
    ],
)
def test_a_link_to_nobody_or_to_somebody_else_s_vendor_is_refused(
    settings: Any, number: str, says: str
) -> None:
    with a_synced_desk(settings) as desk:
        outcome = do(desk, vendor_acts.link, link_of(desk, ALDER), number)

        assert isinstance(outcome, NotOpen)
        assert says in outcome.sentence
        assert link_of(desk, ALDER).state == "ambiguous"


def test_the_second_of_two_people_is_told_who_linked_it(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        mine, theirs = link_of(desk, ALDER), link_of(desk, ALDER)
        do(desk, vendor_acts.link, mine, "ALDCRK")

        outcome = do(desk, vendor_acts.link, theirs, "ALDER2", actor=DANA)

        assert isinstance(outcome, Overtaken)
        assert "Priya Raman was quicker" in outcome.sentence
        assert link_of(desk, ALDER).sage_number == "ALDCRK"


def test_a_vendor_is_created_under_its_number_in_the_chosen_group(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        outcome = do(
            desk, vendor_acts.create, link_of(desk, ALDER), number="ALDCR3", group_code="SERVIC"
        )
        desk.sync()

        assert isinstance(outcome, Done)
        made = next(v for v in desk.ledger()["vendors"] if v["VendorNumber"] == "ALDCR3")
        assert made["GroupCode"] == "SERVIC"
        assert link_of(desk, ALDER).is_created_by_us
        assert set(bills_of(desk, ALDER).values()) == {"IN_SAGE"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"number": "ALDCRK"}, "Sage has a vendor ALDCRK already"),
        ({"number": "FARTOOLONGFORSAGE"}, "cannot be a Sage vendor number"),
        ({"group_code": "NOGRP"}, "Sage has no vendor group NOGRP"),
    ],
)
def test_a_number_or_group_sage_would_refuse_is_refused_here(
    settings: Any, asked: dict[str, str], says: str
) -> None:
    with a_synced_desk(settings) as desk:
        outcome = do(desk, vendor_acts.create, link_of(desk, ALDER), **asked)

        assert isinstance(outcome, NotOpen)
        assert says in outcome.sentence


def test_a_vendor_left_out_takes_its_bills_along_and_brings_them_back(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        silent = do(desk, vendor_acts.ignore, link_of(desk, ALDER), note="")
        do(desk, vendor_acts.ignore, link_of(desk, ALDER), note="Paid by card")
        desk.sync()
        left_out = bills_of(desk, ALDER)
        do(desk, vendor_acts.restore, link_of(desk, ALDER))
        desk.sync()

        assert isinstance(silent, NotOpen)
        assert set(left_out.values()) == {"SKIPPED"}
        assert set(bills_of(desk, ALDER).values()) == {"BLOCKED"}
        assert link_of(desk, ALDER).state == "ambiguous"


def test_a_vendor_linked_wrongly_is_linked_anew(settings: Any) -> None:
    with a_synced_desk(settings, review="review_all") as desk:
        do(desk, vendor_acts.link, link_of(desk, ALDER), "ALDER2")
        desk.sync()
        outcome = do(desk, vendor_acts.link, link_of(desk, ALDER), "ALDCRK")
        desk.sync()

        assert isinstance(outcome, Done)
        assert "it was ALDER2" in outcome.sentence
        numbers = {p.vendor_number for p in desk.postings(vendor_name=ALDER)}
        assert numbers == {"ALDCRK"}


def default(desk: Desk, kind: str, key: str, account: str) -> Done | NotOpen:
    with tenant_scope(desk.company.tenant_id):
        return vendor_defaults.set_default(desk.company, kind, key, account, actor=PRIYA, now=now())


def test_a_default_of_a_group_maps_what_nothing_else_does(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        refused = default(desk, "group", "TRADE", "2010-100")
        done = default(desk, "group", "TRADE", "6420-100")
        desk.sync()

        assert isinstance(refused, NotOpen)
        assert isinstance(done, Done)
        mended = desk.postings(invoice_number="5512")[0]
        assert mended.state == "IN_SAGE"
        assert mended.lines[0]["source"] == "vendor_default"


def test_a_default_of_a_vendor_somebody_has_open_in_sage_is_written_later(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        default(desk, "vendor", link_of(desk, "Marlow Freight Lines").bill_vendor_id, "5060-100")
        with tenant_scope(desk.company.tenant_id):
            plan = vendor_defaults.plan_update(desk.company)
            vendor_defaults.ask_update(
                desk.company, mark=plan.mark, reason="New coding", actor=PRIYA, now=now()
            )
        desk.sage_server.faults.add(
            "status", "PATCH /APVendors", status=409,
            body='{"error":{"code":"General","message":{"lang":"en-US",'
            '"value":"Vendor MARLOW is in use by DANA. Try again later."}}}',
        )  # fmt: skip

        outcomes = [desk.sync().outcome, desk.sync().outcome]

        assert outcomes == ["ok", "ok"]
        marlow = next(v for v in desk.ledger()["vendors"] if v["VendorNumber"] == "MARLOW")
        assert marlow["GLAccount"].replace("-", "") == "5060100"


def test_linked_sage_vendors_get_their_default_after_a_count_and_a_reason(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        default(desk, "vendor", link_of(desk, "Marlow Freight Lines").bill_vendor_id, "5060-100")
        with tenant_scope(desk.company.tenant_id):
            plan = vendor_defaults.plan_update(desk.company)
            asked = {"actor": PRIYA, "now": now()}
            silent = vendor_defaults.ask_update(desk.company, mark=plan.mark, reason="", **asked)
            stale = vendor_defaults.ask_update(desk.company, mark="other", reason="x", **asked)
            done = vendor_defaults.ask_update(
                desk.company, mark=plan.mark, reason="New coding from January", **asked
            )
        desk.sync()

        assert [one.vendor.number for one in plan.changes] == ["MARLOW"]
        assert isinstance(silent, NotOpen)
        assert isinstance(stale, Overtaken)
        assert isinstance(done, Done)
        marlow = next(v for v in desk.ledger()["vendors"] if v["VendorNumber"] == "MARLOW")
        assert marlow["GLAccount"].replace("-", "") == "5060100"
        with tenant_scope(desk.company.tenant_id):
            told = LogEntry.objects.for_tenant(desk.company.tenant_id).filter(
                event="vendor.default_written"
            )
            assert ["New coding from January" in line.sentence for line in told] == [True]
            assert vendor_defaults.plan_update(desk.company).changes == []
