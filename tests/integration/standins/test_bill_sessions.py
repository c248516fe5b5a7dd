"""Signing in to the pretended BILL, its sessions, limits and refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.standins.bill_desk import (
    BAKERY,
    CAFE,
    FIRST,
    KEY,
    OTHER_KEY,
    Desk,
    open_desk,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


def test_login_answers_who_and_where(desk: Desk) -> None:
    answer = desk.sign_in()

    assert answer.json() == {
        "organizationId": BAKERY,
        "sessionId": desk.session,
        "trusted": False,
        "userId": FIRST,
    }
    assert desk.get("/login/session").json()["userId"] == FIRST


def test_health_needs_no_session(desk: Desk) -> None:
    answer = desk.call("GET", "/health", headers={"devKey": "", "sessionId": ""})

    assert (answer.status, set(answer.json())) == (
        200,
        {"appId", "appEnv", "appVersion", "bdcRegion"},
    )


def test_developer_key_in_the_header_alone_leaves_the_body_null(desk: Desk) -> None:
    body = {"username": "first@calder.example", "password": "right", "organizationId": BAKERY}
    answer = desk.post("/login", body)

    assert (answer.status, answer.messages) == (400, ["devKey: must not be null"])


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "wrong"}, "BDC_1101"),
        ({"username": "nobody"}, "BDC_1101"),
        ({"key": "from the other environment"}, "BDC_1102"),
        ({"key": "asleep"}, "BDC_1103"),
        ({"organization": "00800000000000000000"}, "BDC_1123"),
    ],
)
def test_wrong_credentials_are_refused_by_code(
    desk: Desk, wrong: dict[str, str], code: str, status: int
) -> None:
    desk.world.switches.credential_status = status

    answer = desk.sign_in(**wrong)

    assert (answer.status, answer.code) == (status, code)


def test_wrong_passwords_lock_the_login_until_it_is_reset(desk: Desk) -> None:
    desk.world.set_switches({"max_logins_per_minute": 100, "failed_logins_before_lock": 3})

    codes = [desk.sign_in(password="wrong").code for _ in range(4)]
    locked = desk.sign_in()
    desk.world.set_password("first@calder.example", "new", BAKERY)

    assert codes == ["BDC_1101"] * 3 + ["BDC_1110"]
    assert locked.code == "BDC_1110"
    assert desk.sign_in(password="new").status == 200


def test_locked_organization_answers_423_everywhere(desk: Desk) -> None:
    desk.world.lock_org(BAKERY)
    refused = [desk.get("/bills"), desk.sign_in()]
    desk.world.unlock_org(BAKERY)

    assert [(each.status, each.code) for each in refused] == [(423, "BDC_1107")] * 2
    assert desk.get("/bills").status == 200


def test_session_lives_while_it_is_used_and_dies_of_35_idle_minutes(desk: Desk) -> None:
    for _ in range(3):
        desk.world.advance_clock(34 * 60)
        assert desk.get("/vendors").status == 200

    desk.world.advance_clock(35 * 60)

    answer = desk.get("/vendors")
    assert (answer.status, answer.code) == (401, "BDC_1109")


def test_sync_token_session_lasts_48_idle_hours_and_has_no_approvals_of_its_own(desk: Desk) -> None:
    answer = desk.sign_in("connector", "token-value").json()
    desk.world.advance_clock(47 * 3600)

    assert answer["userId"].startswith("syu0")
    assert answer["trusted"] is False
    assert desk.get("/vendors").status == 200
    assert desk.get("/bill-approvals/pending-user-approvals").code == "BDC_1302"
    desk.world.advance_clock(48 * 3600)
    assert desk.get("/vendors").status == 401


def test_lost_session_may_read_as_untrusted(desk: Desk) -> None:
    desk.world.set_switches({"lost_session_as_untrusted": True})
    desk.world.expire_sessions()

    answer = desk.get("/vendors")

    assert (answer.status, answer.code) == (403, "BDC_1361")


def test_logout_ends_the_session_with_an_empty_answer(desk: Desk) -> None:
    answer = desk.post("/logout")

    assert (answer.status, answer.content) == (200, b"")
    assert desk.get("/vendors").code == "BDC_1109"


@pytest.mark.parametrize(
    "headers", [{"sessionId": ""}, {"sessionId": "bogus"}, {"devKey": OTHER_KEY}]
)
def test_session_works_only_with_its_own_key(desk: Desk, headers: dict[str, str]) -> None:
    answer = desk.call("GET", "/vendors", headers=headers)

    assert (answer.status, answer.code) == (401, "BDC_1109")


def test_refusal_is_an_array_in_the_documented_form(desk: Desk) -> None:
    entry = desk.get("/bills/00nNOSUCHBILL0000000").json()[0]

    assert set(entry) == {"timestamp", "code", "severity", "category", "message"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["timestamp"])
    assert (entry["code"], entry["severity"]) == ("BDC_1205", "ERROR")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/Bills"), ("GET", "/session"), ("DELETE", "/bills"), ("GET", "/payment-terms")],
)
def test_unknown_path_or_capitals_are_not_supported(desk: Desk, method: str, path: str) -> None:
    answer = desk.call(method, path)

    assert (answer.status, answer.code) == (404, "BDC_1121")


def test_permission_can_be_missing_for_one_operation(desk: Desk) -> None:
    bill_id = desk.world.add_bill(BAKERY, vendorId="009Mill0000000000001")
    desk.world.set_switches({"forbidden_operations": ["GET /v3/bills/{billId}"]})

    refused = desk.get(f"/bills/{bill_id}")

    assert (refused.status, refused.code) == (403, "BDC_1145")
    assert desk.walk("/bills", filters=f"id:in:{bill_id}") == [[bill_id]]


def test_organizations_do_not_see_each_other(desk: Desk) -> None:
    bill_id = desk.world.add_bill(BAKERY)
    desk.sign_in(organization=CAFE)

    assert desk.get("/bills").json()["results"] == []
    assert desk.get(f"/bills/{bill_id}").code == "BDC_1205"


@pytest.mark.parametrize("status", [422, 429])
def test_fourth_request_at_a_time_is_refused(desk: Desk, status: int) -> None:
    desk.world.set_switches({"seconds_per_call": 0.3, "limit_status": status})

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: desk.get("/vendors"), range(4)))

    refused = [each for each in answers if each.status != 200]
    assert [(each.status, each.code) for each in refused] == [(status, "BDC_1322")]
    assert "Retry-After" not in refused[0].headers


def test_hourly_limit_lasts_until_the_next_clock_hour(desk: Desk) -> None:
    desk.world.set_switches({"max_requests_per_hour": 3, "session_seconds": 10**6})
    answers = [desk.get("/vendors") for _ in range(3)]
    desk.world.advance_clock(59 * 60)
    still = desk.get("/vendors")
    desk.world.advance_clock(60)

    assert [each.status for each in answers] == [200, 200, 422]  # the login was the first request
    assert answers[2].messages == ["Max number of allowed requests per hour reached: 3."]
    assert still.code == "BDC_1144"
    assert desk.sign_in().status == 200


def test_sixth_login_in_a_minute_and_201st_in_an_hour_are_refused() -> None:
    with open_desk(signed_in=False) as desk:
        codes = [desk.sign_in().status for _ in range(6)]
        desk.world.advance_clock(60)
        later = desk.sign_in().status
        desk.world.set_switches({"max_logins_per_minute": 1000})
        for _ in range(194):
            desk.sign_in()

        assert codes == [200] * 5 + [422]
        assert later == 200
        assert desk.sign_in().code == "BDC_1144"


def test_control_door_steers_from_another_process(desk: Desk) -> None:
    done = desk.call(
        "POST",
        "/do",
        {"action": "add_vendor", "organization": "Bakery", "name": "New"},
        base="/_standin",
    )
    unknown = desk.call("POST", "/do", {"action": "handle"}, base="/_standin")
    refused = desk.call("POST", "/do", {"action": "archive_bill", "bill_id": "x"}, base="/_standin")
    switched = desk.call("POST", "/switches", {"money_as_text": "yes"}, base="/_standin")
    ledger = desk.call("GET", "/ledger", base="/_standin").json()

    assert done.json()["result"].startswith("009")
    assert [unknown.status, refused.status, switched.status] == [400, 400, 400]
    assert "New" in {vendor["name"] for vendor in ledger[BAKERY]["vendors"]}
    assert KEY not in json.dumps(ledger, default=str)
