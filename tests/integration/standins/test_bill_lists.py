"""How the pretended BILL hands out lists: sizes, cursors, filters, order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.standins.bill_desk import (
    BAKERY,
    CAFE,
    FLOUR,
    LAFLEUR,
    MILL,
    Desk,
    open_desk,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


def fill(desk: Desk, count: int = 5, **fields: Any) -> list[str]:
    """Bills a minute apart."""
    ids = []
    for _ in range(count):
        desk.world.advance_clock(60)
        ids.append(desk.world.add_bill(BAKERY, **{"vendorId": MILL, **fields}))
    return ids


@pytest.mark.parametrize("size", ["0", "101", "-1", "ten", ""])
def test_page_size_outside_1_to_100_is_refused(desk: Desk, size: str) -> None:
    answer = desk.get("/bills", max=size)

    assert (answer.status, answer.code) == (400, "BDC_1143")


def test_page_holds_20_rows_unless_told_otherwise(desk: Desk) -> None:
    fill(desk, 21)

    assert len(desk.get("/bills").json()["results"]) == 20
    assert len(desk.get("/bills", max=100).json()["results"]) == 21


def test_cursors_lead_through_all_rows_once_and_back(desk: Desk) -> None:
    ids = fill(desk)

    first = desk.get("/bills", max=2).json()
    second = desk.get("/bills", max=2, page=first["nextPage"]).json()
    third = desk.get("/bills", max=2, page=second["nextPage"]).json()
    back = desk.get("/bills", max=2, page=second["prevPage"]).json()

    assert [row["id"] for page in (first, second, third) for row in page["results"]] == ids
    assert "prevPage" not in first
    assert "nextPage" not in third
    assert back["results"] == first["results"]


@pytest.mark.parametrize(
    ("mark", "expected"),
    [("omitted", {}), ("null", {"nextPage": None}), ("empty", {"nextPage": ""})],
)
def test_last_page_ends_in_one_of_three_ways(
    desk: Desk, mark: str, expected: dict[str, object]
) -> None:
    desk.world.set_switches({"last_page": mark})

    page = desk.get("/vendors").json()

    assert {name: value for name, value in page.items() if name == "nextPage"} == expected


@pytest.mark.parametrize("repeats", [True, False])
def test_cursor_works_with_and_without_repeated_filters(desk: Desk, repeats: bool) -> None:
    ids = fill(desk, 3)
    wanted = {"filters": f"vendorId:eq:{MILL}", "sort": "updatedTime:desc"}
    first = desk.get("/bills", max=2, **wanted).json()

    again = wanted if repeats else {}
    second = desk.get("/bills", max=2, page=first["nextPage"], **again).json()

    assert [row["id"] for row in second["results"]] == ids[:1]


def test_cursor_of_another_list_or_organization_is_refused(desk: Desk) -> None:
    fill(desk, 2)
    cursor = desk.get("/bills", max=1).json()["nextPage"]

    on_other_list = desk.get("/vendors", page=cursor)
    desk.sign_in(organization=CAFE)

    assert on_other_list.status == 400
    assert desk.get("/bills", page=cursor).status == 400
    assert desk.get("/bills", page="made up").status == 400


def test_row_changed_during_a_walk_by_updated_time_is_met_again(desk: Desk) -> None:
    ids = fill(desk, 4)
    first = desk.get("/bills", max=2, sort="updatedTime:asc").json()
    desk.world.advance_clock(60)
    desk.world.edit_bill(ids[0], description="changed")

    rest = desk.get("/bills", max=100, page=first["nextPage"]).json()["results"]

    assert [row["id"] for row in rest] == [ids[2], ids[3], ids[0]]


def test_cursor_that_counts_rows_skips_one_when_a_row_moves(desk: Desk) -> None:
    desk.world.set_switches({"cursor_kind": "offset"})
    ids = fill(desk, 4)
    first = desk.get("/bills", max=2, sort="updatedTime:asc").json()
    desk.world.advance_clock(60)
    desk.world.edit_bill(ids[0], description="changed")

    rest = desk.get("/bills", max=100, page=first["nextPage"]).json()["results"]

    assert [row["id"] for row in rest] == [ids[3], ids[0]]


def test_empty_page_with_a_cursor_is_not_the_end(desk: Desk) -> None:
    desk.world.set_switches({"empty_page_with_cursor": True})
    ids = fill(desk, 3)

    assert desk.walk("/bills", max=2) == [ids[:2], [], ids[2:]]


def test_cursor_may_repeat_itself(desk: Desk) -> None:
    desk.world.set_switches({"repeat_cursor": True})
    fill(desk, 3)
    cursor = desk.get("/bills", max=1).json()["nextPage"]

    assert desk.get("/bills", max=1, page=cursor).json()["nextPage"] == cursor


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("archived:eq:false", "bcd"),
        ("archived:ne:false", "a"),
        ("vendorId:eq:{mill}", "abd"),
        ('vendorId:in:"{mill},{lafleur}"', "abcd"),
        ("vendorId:eq:{mill},archived:eq:false", "bd"),
        ("dueDate:gte:2026-12-02", "bcd"),
        ('dueDate:lt:"2026-12-02"', "a"),
        ("paymentStatus:in:PAID", "d"),
        ("paymentStatus:ne:PAID", "abc"),
        ("classifications.chartOfAccountId:eq:{flour}", "b"),
        ("classifications.chartOfAccountId:ne:{flour}", "acd"),
        ('updatedTime:gte:"2026-11-23T09:02:00.000Z"', "bcd"),
        ("updatedTime:gt:2026-11-23T09:02:00.000Z", "cd"),
        ("updatedTime:lte:2026-11-23T09:02:00Z", "ab"),
        ("updatedTime:lt:2026-11-23T09:02Z,updatedTime:gte:2026-11-23", "a"),
        ("createdTime:gte:2026-11-23T10:03:00.000+0100", "cd"),
        ("createdTime:lt:2026-11-23T04:02:00.001-05", "ab"),
        ("createdTime:gte:2026-11-24", ""),
    ],
)
def test_filter_grammar(desk: Desk, filters: str, expected: str) -> None:
    by_letter = dict(
        zip(
            "abcd",
            fill(desk, 1, dueDate="2026-12-01", archived=True)
            + fill(desk, 1, dueDate="2026-12-02", classifications={"chartOfAccountId": FLOUR})
            + fill(desk, 1, dueDate="2026-12-03", vendorId=LAFLEUR)
            + fill(desk, 1, dueDate="2026-12-04", paymentStatus="PAID"),
            strict=True,
        )
    )

    written = filters.format(mill=MILL, lafleur=LAFLEUR, flour=FLOUR)
    found = [bill_id for page in desk.walk("/bills", filters=written) for bill_id in page]

    assert found == [by_letter[letter] for letter in expected]


def test_gte_is_inclusive_to_the_millisecond(desk: Desk) -> None:
    desk.world.advance_clock(0.127)
    bill_id = desk.world.add_bill(BAKERY)

    at = desk.walk("/bills", filters="updatedTime:gte:2026-11-23T09:00:00.127Z")
    after = desk.walk("/bills", filters="updatedTime:gte:2026-11-23T09:00:00.128Z")

    assert (at, after) == ([[bill_id]], [[]])


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("/bills", "amount:gt:5"),  # not a documented field
        ("/bills", "approvalStatus:eq:APPROVED"),
        ("/bills", "vendorId:ne:x"),  # not an operator of this field
        ("/bills", "archived:eq:yes"),
        ("/bills", "paymentStatus:eq:OPEN"),
        ("/bills", "updatedTime:gte:yesterday"),
        ("/bills", "updatedTime:gte:2026-13-01"),
        ("/bills", "updatedTime:gte"),
        ("/bills", "id:in:a,b"),  # a list must stand in quotes
        ("/bills", 'id:in:"a,b'),
        ("/bills", 'id:eq:"a"b'),
        ("/bills", "id:like:a"),
        ("/vendors", "email:eq:a@b.example"),
        ("/vendors", 'name:in:"a,b"'),
        ("/classifications/chart-of-accounts", "account.number:eq:5010-100"),
    ],
)
def test_filters_that_are_not_documented_are_refused(desk: Desk, path: str, filters: str) -> None:
    answer = desk.get(path, filters=filters)

    assert (answer.status, answer.code) == (400, "BDC_1143")


def test_approval_status_is_a_filter_by_switch_only(desk: Desk) -> None:
    approved = desk.world.add_bill(BAKERY, approvalStatus="APPROVED")
    desk.world.add_bill(BAKERY)
    desk.world.set_switches({"approval_status_filter": True})

    assert desk.walk("/bills", filters="approvalStatus:eq:APPROVED") == [[approved]]
    assert desk.get("/bills", filters="approvalStatus:eq:PENDING").status == 400


def test_quoted_values_may_hold_commas_and_colons(desk: Desk) -> None:
    vendor_id = desk.world.add_vendor(BAKERY, name="Mill: Grain, Flour & Co")

    assert desk.walk("/vendors", filters='name:eq:"Mill: Grain, Flour & Co"') == [[vendor_id]]
    assert desk.walk("/vendors", filters='name:sw:"Mill: Grain,"') == [[vendor_id]]


@pytest.mark.parametrize(
    "sort", ["amount:asc", "updatedTime", "updatedTime:up", "dueDate:asc,id:asc"]
)
def test_only_documented_fields_sort(desk: Desk, sort: str) -> None:
    assert desk.get("/bills", sort=sort).status == 400


def test_several_fields_sort_in_their_own_directions(desk: Desk) -> None:
    rows = [("2026-12-02", "a"), ("2026-12-01", "b"), ("2026-12-02", "c"), ("2026-12-01", None)]
    made = [fill(desk, 1, dueDate=due, description=text)[0] for due, text in rows]

    pages = desk.walk("/bills", max=1, sort="dueDate:asc,description:desc")

    assert [page[0] for page in pages] == [made[1], made[3], made[2], made[0]]


def test_archived_rows_are_in_default_lists_by_switch(desk: Desk) -> None:
    bill_id = desk.world.add_bill(BAKERY, archived=True)
    with_them = desk.walk("/bills")
    desk.world.set_switches({"archived_in_default_lists": False})

    assert with_them == [[bill_id]]
    assert desk.walk("/bills") == [[]]
    assert desk.walk("/bills", filters="archived:eq:true") == [[bill_id]]


def test_list_rows_may_be_thinner_than_the_record(desk: Desk) -> None:
    vendor_id = desk.world.add_vendor(BAKERY, paymentInformation={"payeeName": "Mill"})
    desk.world.set_switches({"thin_list_rows": True})

    rows = desk.get("/vendors", filters=f"id:eq:{vendor_id}").json()["results"]

    assert "paymentInformation" not in rows[0]
    assert "paymentInformation" in desk.get(f"/vendors/{vendor_id}").json()
