"""Vendors, bills, approvals, credits and classifications of the pretended BILL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from integrations.standins.bill.world import BillWorld
from integrations.standins.messages import ActionError
from tests.integration.standins.bill_desk import (
    ADDRESS,
    BAKERY,
    CARTON,
    FLOUR,
    LAFLEUR,
    LAST,
    MILL,
    NOW,
    TOLLS,
    Desk,
    a_bill,
    open_desk,
    sample,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


def test_vendor_is_created_read_changed_and_archived(desk: Desk) -> None:
    created = desk.post(
        "/vendors", {"name": "Granger Yeast", "address": ADDRESS, "email": "a@b.example"}
    )
    vendor_id = created.json()["id"]
    patched = desk.call(
        "PATCH", f"/vendors/{vendor_id}", {"address": {"city": "Boone"}, "email": None, "id": "x"}
    ).json()
    archived = [desk.post(f"/vendors/{vendor_id}/archive") for _ in range(2)]
    restored = desk.post(f"/vendors/{vendor_id}/restore").json()

    assert created.status == 201
    assert (vendor_id[:3], len(vendor_id)) == ("009", 20)
    assert patched["id"] == vendor_id
    assert patched["address"]["city"] == "Boone"
    assert patched["address"]["line1"] == ADDRESS["line1"]
    assert "email" not in patched
    assert [(each.status, each.json()["archived"]) for each in archived] == [(200, True)] * 2
    assert restored["archived"] is False


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"name": "A"}, ["address: must not be null"]),
        ({"name": " ", "address": ADDRESS}, ["name: must not be blank"]),
        ({"name": "A" * 101, "address": ADDRESS}, ["name: size must be between 0 and 100"]),
        (
            {"name": "A", "address": {"line1": "1", "country": "US"}},
            ["address.city: must not be null", "address.zipOrPostalCode: must not be null"],
        ),
        ([], ["body: must be an object"]),
    ],
)
def test_vendor_that_lacks_what_it_needs_is_refused(
    desk: Desk, body: object, messages: list[str]
) -> None:
    answer = desk.call("POST", "/vendors", body)

    assert (answer.status, answer.code, answer.messages) == (400, "BDC_1143", messages)


def test_bulk_creates_all_or_nothing(desk: Desk) -> None:
    good, bad = {"name": "A", "address": ADDRESS}, {"name": "B"}

    refused = [desk.post("/vendors/bulk", [good, bad]), desk.post("/vendors/bulk", [good] * 21)]
    made = desk.post("/vendors/bulk", [good, good])
    bills = desk.post("/bills/bulk", [a_bill(), a_bill()])

    assert [each.status for each in refused] == [400, 400]
    assert len(made.json()["vendors"]) == 2
    assert len(desk.get("/vendors").json()["results"]) == 4
    assert len(bills.json()["bills"]) == 2


def test_bill_shows_its_vendor_s_name_in_reads_only(desk: Desk) -> None:
    created = desk.post("/bills", a_bill())
    bill = desk.get(f"/bills/{created.json()['id']}").json()

    assert created.status == 201
    assert "vendorName" not in created.json()
    assert bill["vendorName"] == "Prairie Mill"
    assert bill == desk.get("/bills").json()["results"][0]


def test_bill_has_the_documented_fields_and_omits_unset_ones(desk: Desk) -> None:
    bill = desk.get(f"/bills/{desk.post('/bills', a_bill()).json()['id']}").json()
    line = bill["billLineItems"][0]

    assert set(bill) == {
        *("id", "archived", "vendorId", "vendorName", "amount", "dueAmount", "scheduledAmount"),
        *("creditAmount", "paidAmount", "dueDate", "invoice", "billLineItems", "paymentStatus"),
        *("approvalStatus", "createdTime", "updatedTime"),
    }
    assert (bill["id"][:3], line["id"][:3]) == ("00n", "bli")
    assert bill["updatedTime"] == "2026-11-23T09:00:00.000+00:00"
    assert (bill["approvalStatus"], bill["paymentStatus"]) == ("UNASSIGNED", "UNPAID")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vendorId": None}, "vendorId: must not be null"),
        ({"dueDate": "12/20/2026"}, "dueDate: must be a date in the form yyyy-MM-dd"),
        (
            {"invoice": {"invoiceNumber": "N" * 22, "invoiceDate": "2026-11-20"}},
            "invoice.invoiceNumber: size must be between 0 and 21",
        ),
        ({"description": "x" * 4001}, "description: size must be between 0 and 4000"),
        ({"billLineItems": [{}]}, "billLineItems[0].amount: must not be null"),
        ({"billLineItems": [{"amount": "much"}]}, "billLineItems[0].amount: must be a number"),
        ({"billLineItems": "none"}, "billLineItems: must be an array"),
    ],
)
def test_bill_that_cannot_be_is_refused(desk: Desk, change: dict[str, Any], message: str) -> None:
    answer = desk.post("/bills", a_bill(**change))

    assert (answer.status, answer.code, answer.messages) == (400, "BDC_1143", [message])


def test_amounts_are_numbers_or_texts(desk: Desk) -> None:
    lines = [{"amount": 0.1}, {"amount": 0.2}, {"quantity": 3, "price": 76.23}, {"amount": -0.02}]
    bill_id = desk.post("/bills", a_bill(billLineItems=lines)).json()["id"]
    numbers = desk.get(f"/bills/{bill_id}")
    desk.world.set_switches({"money_as_text": True})
    texts = desk.get(f"/bills/{bill_id}").json()

    assert b'"amount":228.97' in numbers.content
    assert [line["amount"] for line in numbers.json()["billLineItems"]] == [
        *(Decimal("0.1"), Decimal("0.2"), Decimal("228.69"), Decimal("-0.02")),
    ]
    assert texts["amount"] == "228.97"


def test_large_amounts_and_texts_survive(desk: Desk) -> None:
    lines = [{"amount": 61728.39, "description": "Crème 🥐 " * 200} for _ in range(200)]
    bill_id = desk.post("/bills", a_bill(billLineItems=lines)).json()["id"]

    bill = desk.get(f"/bills/{bill_id}").json()

    assert bill["amount"] == Decimal("12345678.00")
    assert bill["billLineItems"][199]["description"] == "Crème 🥐 " * 200


def test_foreign_vendor_s_bill_carries_dollars_and_a_rate(desk: Desk) -> None:
    bill_id = desk.post("/bills", a_bill(vendorId=LAFLEUR)).json()["id"]
    bill = desk.get(f"/bills/{bill_id}").json()

    assert bill["amount"] == Decimal("12.5")
    assert bill["fundingAmount"] == Decimal("9.16")
    assert "billCurrency" not in bill
    assert desk.get(f"/vendors/{LAFLEUR}").json()["billCurrency"] == "CAD"


def test_put_replaces_the_lines(desk: Desk) -> None:
    lines = [{"amount": 1, "description": "kept"}, {"amount": 2, "description": "dropped"}]
    bill = desk.post("/bills", a_bill(billLineItems=lines)).json()
    kept = bill["billLineItems"][0]["id"]

    put = a_bill(billLineItems=[{"id": kept, "amount": 5}, {"amount": 7}])
    after = desk.call("PUT", f"/bills/{bill['id']}", put).json()

    assert [line["amount"] for line in after["billLineItems"]] == [5, 7]
    assert after["billLineItems"][0]["id"] == kept
    assert after["billLineItems"][1]["id"] not in {line["id"] for line in bill["billLineItems"]}
    assert "description" not in after["billLineItems"][0]
    assert after["amount"] == 12


def test_patch_keeps_line_ids_and_drops_coding_left_out(desk: Desk) -> None:
    bill = desk.post("/bills", a_bill()).json()
    line_id = bill["billLineItems"][0]["id"]
    desk.world.advance_clock(60)

    patch = {"billLineItems": [{"id": line_id, "amount": 20}], "purchaseOrderNumber": "PO-1"}
    after = desk.call("PATCH", f"/bills/{bill['id']}", patch).json()

    assert after["billLineItems"] == [{"id": line_id, "amount": 20}]
    assert (after["amount"], after["purchaseOrderNumber"]) == (20, "PO-1")
    assert after["invoice"] == bill["invoice"]
    assert after["updatedTime"] > bill["updatedTime"]


@pytest.mark.parametrize(
    "change",
    [
        {"vendorId": "009Nobody00000000001"},
        {"classifications": {"chartOfAccountId": "0caNone0000000000001"}},
        {"billLineItems": [{"id": "bliNone0000000000001", "amount": 1}]},
    ],
)
def test_unknown_ids_in_a_bill_are_refused(desk: Desk, change: dict[str, Any]) -> None:
    bill_id = desk.post("/bills", a_bill()).json()["id"]

    answer = desk.call("PATCH", f"/bills/{bill_id}", change)

    assert (answer.status, answer.code) == (400, "BDC_1205")


def test_duplicate_invoice_numbers_are_permitted_unless_switched_off(desk: Desk) -> None:
    statuses = [desk.post("/bills", a_bill()).status for _ in range(2)]
    by_wish = desk.post("/bills", a_bill(allowDuplicateInvoiceNumber=False))
    desk.world.set_switches({"duplicate_invoice_numbers": False})
    by_setting = desk.post("/bills", a_bill())

    assert statuses == [201, 201]
    assert [(each.status, each.code) for each in (by_wish, by_setting)] == [(422, "BDC_1171")] * 2


def test_bill_is_archived_and_restored_any_number_of_times(desk: Desk) -> None:
    bill_id = desk.post("/bills", a_bill()).json()["id"]

    archived = [desk.post(f"/bills/{bill_id}/archive").json()["archived"] for _ in range(2)]
    restored = [desk.post(f"/bills/{bill_id}/restore").json()["archived"] for _ in range(2)]

    assert (archived, restored) == ([True, True], [False, False])


def decide(desk: Desk, bill_id: str, word: str) -> Any:
    return desk.post(
        "/bill-approvals/actions", [{"billId": bill_id, "action": word, "comment": ""}]
    )


def status_of(desk: Desk, bill_id: str) -> str:
    return str(desk.get(f"/bills/{bill_id}").json()["approvalStatus"])


def a_large_bill(desk: Desk) -> str:
    sent = a_bill(billLineItems=[{"amount": 1000}], billApprovals=True)
    created = desk.post("/bills", sent).json()
    assert [each["status"] for each in created["approvers"]] == ["WAITING", "WAITING"]
    return str(created["id"])


def test_bill_is_approved_step_by_step(desk: Desk) -> None:
    bill_id = a_large_bill(desk)
    seen = [status_of(desk, bill_id)]
    for user in ("first@calder.example", "last@calder.example"):
        desk.sign_in(user)
        pending = desk.get("/bill-approvals/pending-user-approvals").json()["bills"]
        assert [each["billId"] for each in pending] == [bill_id]
        assert decide(desk, bill_id, "APPROVE").json() == {"status": "SUCCESS"}
        seen.append(status_of(desk, bill_id))

    assert seen == ["ASSIGNED", "APPROVING", "APPROVED"]
    assert decide(desk, bill_id, "APPROVE").status == 422


def test_one_no_denies(desk: Desk) -> None:
    bill_id = a_large_bill(desk)
    decide(desk, bill_id, "DENY")

    assert status_of(desk, bill_id) == "DENIED"
    assert (
        desk.post("/bill-approvals/actions", [{"billId": bill_id, "action": "MAYBE"}]).status == 400
    )


@pytest.mark.parametrize("moves", [False, True])
def test_approval_moves_updated_time_by_switch_only(desk: Desk, moves: bool) -> None:
    desk.world.set_switches({"approval_moves_updated_time": moves})
    bill_id = a_large_bill(desk)
    before = desk.get(f"/bills/{bill_id}").json()["updatedTime"]
    desk.world.advance_clock(60)

    desk.world.approve_bill(bill_id)

    after = desk.get(f"/bills/{bill_id}").json()
    assert after["approvalStatus"] == "APPROVED"
    assert (after["updatedTime"] > before) is moves


@pytest.mark.parametrize(
    ("setting", "statuses"),
    [("never", [200, 422, 422]), ("until_approved", [200, 200, 422]), ("always", [200, 200, 200])],
)
def test_editing_under_approval_follows_the_setting(
    desk: Desk, setting: str, statuses: list[int]
) -> None:
    desk.world.set_switches({"edit_after_approval": setting})
    bill_id = a_large_bill(desk)
    seen = []
    for _ in range(3):
        seen.append(desk.call("PATCH", f"/bills/{bill_id}", {"description": "x"}).status)
        desk.world.approve_bill(bill_id, steps="one")

    assert seen == statuses


def test_people_approve_take_back_deny_and_assign(desk: Desk) -> None:
    bill_id = desk.world.add_bill(BAKERY, billLineItems=[{"amount": "5.00"}])

    words = [
        desk.world.approve_bill(bill_id),
        desk.world.unapprove_bill(bill_id),
        desk.world.deny_bill(bill_id),
        desk.world.assign_approvers(bill_id, [LAST]),
    ]

    assert words == ["APPROVED", "ASSIGNED", "DENIED", "ASSIGNED"]


def test_edit_may_ask_for_approval_again(desk: Desk) -> None:
    desk.world.set_switches({"edit_resets_approval": True})
    bill_id = a_large_bill(desk)
    desk.world.approve_bill(bill_id)

    desk.world.edit_bill(bill_id, billLineItems=[{"amount": 7}])

    bill = desk.get(f"/bills/{bill_id}").json()
    assert (bill["approvalStatus"], bill["amount"], bill["dueAmount"]) == ("ASSIGNED", 7, 7)


def test_approvers_can_be_left_out_of_plain_reads(desk: Desk) -> None:
    desk.world.set_switches({"approvers_in_plain_reads": False})
    bill_id = a_large_bill(desk)

    assert "approvers" not in desk.get(f"/bills/{bill_id}").json()
    assert "approvers" in desk.get(f"/bills/{bill_id}", billApprovals="true").json()


@pytest.mark.parametrize("vanishes", [False, True])
def test_merged_vendor_loses_its_bills(desk: Desk, vanishes: bool) -> None:
    desk.world.set_switches({"merged_vendor_vanishes": vanishes})
    lost = desk.world.add_vendor(BAKERY, name="Prairie Mill Inc.")
    bill_id = desk.world.add_bill(BAKERY, vendorId=lost)

    assert desk.world.merge_vendors(MILL, lost) == 1

    bill, vendor = desk.get(f"/bills/{bill_id}").json(), desk.get(f"/vendors/{lost}")
    assert (bill["vendorId"], bill["vendorName"]) == (MILL, "Prairie Mill")
    assert vendor.status == (404 if vanishes else 200)
    assert vanishes or vendor.json()["archived"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("chart-of-accounts", {"name": "Tolls", "account": {"type": "EXPENSE", "number": "6330"}}),
        ("departments", {"name": "Plant"}),
        ("locations", {"name": "Dubuque"}),
        ("accounting-classes", {"name": "Shops"}),
        ("jobs", {"name": "Oven"}),
        ("items", {"name": "Flour", "expenseChartOfAccountId": FLOUR, "price": 2.5}),
        ("employees", {"firstName": "Maria", "lastName": "Ortiz"}),
    ],
)
def test_every_kind_of_classification(desk: Desk, kind: str, body: dict[str, Any]) -> None:
    path = f"/classifications/{kind}"
    created = desk.post(path, body)
    record = f"{path}/{created.json()['id']}"
    name = "lastName" if kind == "employees" else "name"
    patched = desk.call("PATCH", record, {name: "Changed"}).json()
    archived = desk.post(f"{record}/archive").json()["archived"]
    restored = desk.post(f"{record}/restore").json()["archived"]

    assert created.status == 201
    assert {key: created.json()[key] for key in body} == json.loads(
        json.dumps(body), parse_float=Decimal
    )
    assert patched[name] == "Changed"
    assert desk.get(record).json()["id"] == created.json()["id"]
    assert (archived, restored) == (True, False)
    assert desk.post(path, {}).status == 400


def test_account_number_is_optional_and_accounts_can_be_corrected(desk: Desk) -> None:
    added = desk.world.add_account(BAKERY, name="Fuel", account={"type": "EXPENSE"})
    desk.world.edit_account(TOLLS, account={"number": "6330-300"})
    desk.world.archive_account(added)

    assert "number" not in desk.get(f"/classifications/chart-of-accounts/{added}").json()["account"]
    account = desk.get(f"/classifications/chart-of-accounts/{TOLLS}").json()["account"]
    assert account == {"type": "EXPENSE", "number": "6330-300"}
    assert desk.get(f"/classifications/chart-of-accounts/{added}").json()["archived"] is True


def test_vendor_credits_are_listed_and_read(desk: Desk) -> None:
    rows = desk.get("/vendor-credits", filters=f"vendorId:eq:{MILL}").json()["results"]

    assert rows[0]["creditDate"] == "2026-11-20"
    assert desk.get(f"/vendor-credits/{rows[0]['id']}").json() == rows[0]


def test_data_may_hold_what_the_api_would_refuse(desk: Desk) -> None:
    number = "🥐-" + "9" * 22
    bill_id = desk.world.add_bill(
        BAKERY,
        vendorId="009Gone00000000000001",
        invoice={"invoiceNumber": number, "invoiceDate": "-8d"},
        amount="100.00",
        billLineItems=[{"amount": "99.99", "classifications": {"itemId": CARTON}}],
    )

    bill = desk.get(f"/bills/{bill_id}").json()

    assert bill["invoice"] == {"invoiceNumber": number, "invoiceDate": "2026-11-15"}
    assert bill["amount"] == 100


def test_same_seed_and_data_make_the_same_ids() -> None:
    ledgers = []
    for _ in range(2):
        world = BillWorld(seed="again")
        world.load(sample(), now=NOW)
        world.add_bill(BAKERY, vendorId=MILL, billLineItems=[{"amount": 1}])
        ledgers.append(world.ledger())

    assert ledgers[0] == ledgers[1]


def test_unknown_record_or_organization_is_an_action_error(desk: Desk) -> None:
    with pytest.raises(ActionError, match="no record"):
        desk.world.approve_bill("00nNone0000000000001")
    with pytest.raises(ActionError, match="2 organizations"):
        desk.world.add_bill()
