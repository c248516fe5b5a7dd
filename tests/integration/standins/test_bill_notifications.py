"""Subscriptions of the pretended BILL, and the notifications it really sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.standins.bill_desk import (
    BAKERY,
    CAFE,
    MILL,
    Answer,
    Desk,
    Receiver,
    open_desk,
    open_receiver,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with open_desk() as desk:
        yield desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


def subscribe(
    desk: Desk, url: str, *events: str, key: str | None = None, **changes: object
) -> Answer:
    body = {
        "name": "connector",
        "status": {"enabled": True},
        "events": [
            {"type": event, "version": "1"}
            for event in events or ("bill.created", "bill.updated", "vendor.updated")
        ],
        "notificationUrl": url,
        **changes,
    }
    headers = {"X-Idempotent-Key": str(uuid.uuid4()) if key is None else key}
    return desk.events("POST", "/subscriptions", body, headers=headers)


def signature(key: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def sent(desk: Desk, receiver: Receiver) -> list[Any]:
    assert desk.world.wait_for_post()
    return [letter.json() for letter in receiver.letters]


def test_catalog_names_every_event_with_its_version(desk: Desk) -> None:
    catalog = desk.events("GET", "/events/catalog").json()

    assert {"type": "bill.archived", "versions": ["1"]} in catalog
    assert {each["type"] for each in catalog} >= {"vendor.restored", "payment.failed"}


def test_events_api_has_its_own_base_and_its_own_header_check(desk: Desk) -> None:
    missing = desk.events("GET", "/subscriptions", headers={"sessionId": ""})
    wrong = desk.events("GET", "/subscriptions", headers={"sessionId": "bogus"})

    assert desk.get("/subscriptions").code == "BDC_1121"
    assert (missing.status, wrong.status) == (400, 401)


def test_security_key_is_shown_once(desk: Desk) -> None:
    created = subscribe(desk, "https://connector.example/hook").json()
    path = f"/subscriptions/{created['id']}"

    shown = [desk.events("GET", path).json(), desk.events("PATCH", path, {"name": "new"}).json()]
    listed = desk.events("GET", "/subscriptions").json()["results"]

    assert created["securityKey"]
    assert created["organizationId"] == BAKERY
    assert all("securityKey" not in each for each in (*shown, *listed))
    assert listed == [shown[1]]
    assert created["securityKey"] not in json.dumps(desk.world.ledger())


@pytest.mark.parametrize("spelling", ["security-key", "security_key"])
def test_key_is_rotated_under_both_spellings(desk: Desk, receiver: Receiver, spelling: str) -> None:
    created = subscribe(desk, receiver.url).json()
    path = f"/subscriptions/{created['id']}/{spelling}"

    rotated = desk.events("POST", path, headers={"X-Idempotent-Key": str(uuid.uuid4())}).json()
    desk.world.add_bill(BAKERY)
    sent(desk, receiver)

    letter = receiver.letters[0]
    assert rotated["securityKey"] != created["securityKey"]
    assert letter.headers["x-bill-sha-signature"] == signature(rotated["securityKey"], letter.body)


@pytest.mark.parametrize("key", ["", "not-a-uuid", "00000000-0000-1000-8000-000000000000"])
def test_idempotency_key_must_be_a_version_4_uuid(desk: Desk, key: str) -> None:
    answer = subscribe(desk, "https://connector.example/hook", key=key)

    assert (answer.status, answer.code) == (400, "BDC_1143")


def test_idempotency_key_replays_the_first_success_for_a_day(desk: Desk) -> None:
    key, url = str(uuid.uuid4()), "https://connector.example/hook"
    refused = subscribe(desk, "ftp://connector.example", key=key)
    first = subscribe(desk, url, key=key)
    again = subscribe(desk, url, key=key)
    desk.world.advance_clock(24 * 3600)
    desk.sign_in()
    later = subscribe(desk, url, key=key)

    assert refused.status == 400
    assert again.content == first.content
    assert later.messages == ["subscription: the same events and notificationUrl exist already"]


def test_eleventh_subscription_and_a_twin_are_refused(desk: Desk) -> None:
    statuses = [subscribe(desk, f"https://connector.example/{each}").status for each in range(11)]
    desk.sign_in(organization=CAFE)
    first = subscribe(desk, "https://connector.example/x", "bill.created", "bill.updated")
    twin = subscribe(desk, "https://connector.example/x", "bill.updated", "bill.created")
    other = subscribe(desk, "https://connector.example/x", "bill.updated")

    assert statuses == [200] * 10 + [400]
    assert (first.status, twin.status, other.status) == (200, 400, 200)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"status": None},
        {"events": []},
        {"events": [{"type": "bill.approved", "version": "1"}]},
        {"events": [{"type": "bill.created", "version": "2"}]},
        {"notificationUrl": "http://connector.example/hook"},
        {"notificationUrl": None},
    ],
)
def test_subscription_that_cannot_be_is_refused(desk: Desk, change: dict[str, object]) -> None:
    assert subscribe(desk, "https://connector.example/hook", **change).status == 400


def test_plain_http_is_taken_for_loopback_by_switch_only(desk: Desk, receiver: Receiver) -> None:
    taken = subscribe(desk, receiver.url)
    desk.world.set_switches({"allow_http_loopback": False})

    assert taken.status == 200
    assert subscribe(desk, receiver.url, "bill.archived").status == 400


def test_put_replaces_the_events_and_delete_ends_it(desk: Desk, receiver: Receiver) -> None:
    created = subscribe(desk, receiver.url).json()
    path = f"/subscriptions/{created['id']}"
    body = {**created, "events": [{"type": "vendor.created", "version": "1"}]}

    replaced = desk.events("PUT", path, body).json()
    desk.world.add_bill(BAKERY)
    desk.world.add_vendor(BAKERY, name="New")
    seen = [each["metadata"]["eventType"] for each in sent(desk, receiver)]
    deleted = desk.events("DELETE", path)

    assert replaced["events"] == body["events"]
    assert seen == ["vendor.created"]
    assert (deleted.status, deleted.content) == (200, b"")
    assert desk.events("GET", path).status == 404


def test_bill_notification_has_the_documented_shape(desk: Desk, receiver: Receiver) -> None:
    created = subscribe(desk, receiver.url).json()
    desk.world.add_bill(
        BAKERY,
        vendorId=MILL,
        invoice={"invoiceNumber": "PM-1", "invoiceDate": "2026-12-15"},
        billLineItems=[{"amount": "12.50"}],
        approvalStatus="APPROVED",
    )
    notice = sent(desk, receiver)[0]
    letter = receiver.letters[0]

    assert set(notice) == {"metadata", "bill"}
    assert set(notice["metadata"]) == {
        *("eventId", "subscriptionId", "organizationId", "eventType", "version"),
    }
    assert notice["metadata"]["version"] == "1"
    assert notice["bill"]["invoice"]["invoiceDate"] == "2026-12-15T00:00:00.000Z"
    assert not {"billLineItems", "approvalStatus", "dueAmount", "vendorName"} & set(notice["bill"])
    assert letter.headers["x-bill-sha-signature"] == signature(created["securityKey"], letter.body)
    assert letter.body == json.dumps(notice, separators=(",", ":")).encode()


def test_vendor_notification_shows_the_account_number_as_a_number(
    desk: Desk, receiver: Receiver
) -> None:
    subscribe(desk, receiver.url)
    desk.world.edit_vendor(MILL, email="not told")
    desk.world.edit_vendor(MILL, name="Prairie Mill Co")

    vendors = [each["vendor"] for each in sent(desk, receiver)]

    assert [(vendor["name"], vendor["accountNumber"]) for vendor in vendors] == [
        ("Prairie Mill Co", 40055)
    ]


@pytest.mark.parametrize(("switch", "expected"), [(False, 0), (True, 1)])
def test_approval_is_told_by_switch_only(
    desk: Desk, receiver: Receiver, switch: bool, expected: int
) -> None:
    bill_id = desk.world.add_bill(BAKERY, vendorId=MILL)
    subscribe(desk, receiver.url)
    desk.world.set_switches({"approval_sends_event": switch})

    desk.world.approve_bill(bill_id)

    assert len(sent(desk, receiver)) == expected


def test_archiving_twice_is_told_once(desk: Desk, receiver: Receiver) -> None:
    bill_id = desk.world.add_bill(BAKERY)
    subscribe(desk, receiver.url, "bill.archived", "bill.restored")

    for _ in range(2):
        desk.world.archive_bill(bill_id)
    desk.world.restore_bill(bill_id)

    assert {each["metadata"]["eventType"] for each in sent(desk, receiver)} == {
        "bill.archived",
        "bill.restored",
    }
    assert len(receiver.letters) == 2


def test_anything_but_200_is_tried_again_under_the_same_event_id(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.statuses = [500, 204, 302]
    subscribe(desk, receiver.url)

    desk.world.add_bill(BAKERY)

    notices = sent(desk, receiver)
    assert len(notices) == 4
    assert len({each["metadata"]["eventId"] for each in notices}) == 1


def test_five_failures_switch_the_subscription_off_until_it_is_patched(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.statuses = [500] * 5
    path = f"/subscriptions/{subscribe(desk, receiver.url).json()['id']}"
    desk.world.add_bill(BAKERY)
    sent(desk, receiver)
    off = desk.events("GET", path).json()["status"]
    desk.world.add_bill(BAKERY)
    while_off = len(sent(desk, receiver))
    desk.events("PATCH", path, {"status": {"enabled": True}})
    desk.world.add_bill(BAKERY)

    assert off == {"enabled": False}
    assert while_off == 5
    assert len(sent(desk, receiver)) == 6
    assert desk.world.ledger()[BAKERY]["deadEvents"] == 1


def test_a_slow_receiver_counts_as_failed(desk: Desk, receiver: Receiver) -> None:
    desk.world.set_switches({"answer_seconds": 0.0001})
    subscribe(desk, receiver.url)

    desk.world.add_bill(BAKERY)
    sent(desk, receiver)

    assert desk.world.ledger()[BAKERY]["deadEvents"] == 1


def test_history_holds_every_event_and_filters_by_entity(desk: Desk, receiver: Receiver) -> None:
    subscription_id = subscribe(desk, receiver.url).json()["id"]
    path = f"/events/subscription/{subscription_id}"
    desk.world.set_switches({"webhooks_lost": True})
    first, second = desk.world.add_bill(BAKERY), desk.world.add_bill(BAKERY)

    newest = desk.events("GET", path, max=1).json()
    older = desk.events("GET", path, max=1, page=newest["nextPage"]).json()
    of_first = desk.events("GET", path, entityId=first).json()["results"]
    desk.world.advance_clock(181 * 86_400)
    desk.sign_in()

    assert receiver.letters == []
    assert json.loads(newest["results"][0]["payload"])["bill"]["id"] == second
    assert older["results"] == of_first
    assert "prevPage" not in older
    assert of_first[0]["statusCode"] == 0
    assert desk.events("GET", path).json() == {"results": []}


def test_resend_and_test_really_send(desk: Desk, receiver: Receiver) -> None:
    subscription_id = subscribe(desk, receiver.url).json()["id"]
    desk.world.set_switches({"webhooks_lost": True})
    bill_id = desk.world.add_bill(BAKERY)
    history = f"/events/subscription/{subscription_id}"
    event_id = desk.events("GET", history).json()["results"][0]["id"]

    resent = desk.events("POST", f"{history}/event/{event_id}").json()
    receiver.statuses = [401]
    tested = desk.events("POST", f"/subscriptions/{subscription_id}/test", {"bill": {"id": "x"}})

    letters = [letter.json() for letter in receiver.letters]
    assert (resent["id"], resent["statusCode"]) == (event_id, 200)
    assert letters[0]["metadata"]["eventId"] == event_id
    assert letters[0]["bill"]["id"] == bill_id
    assert tested.json()["statusCode"] == 401
    assert letters[1]["bill"]["id"] == "x"
    assert desk.events("POST", f"{history}/event/unknown").status == 404


@pytest.mark.parametrize(
    ("switches", "is_right"),
    [
        ({}, True),
        ({"webhook_body": "text"}, True),
        ({"webhook_body": "pretty"}, False),  # signed in its minified form
        ({"webhook_signature": "wrong"}, False),
        ({"webhook_signature": "none"}, False),
    ],
)
def test_body_and_signature_come_in_the_forms_asked_for(
    desk: Desk, receiver: Receiver, switches: dict[str, str], is_right: bool
) -> None:
    key = subscribe(desk, receiver.url).json()["securityKey"]
    desk.world.set_switches(switches)

    desk.world.add_bill(BAKERY)
    content = sent(desk, receiver)[0]

    letter = receiver.letters[0]
    given = letter.headers.get("x-bill-sha-signature")
    plain = json.loads(content) if isinstance(content, str) else content
    assert (given == signature(key, letter.body)) is is_right
    assert plain["metadata"]["eventType"] == "bill.created"
    if switches.get("webhook_body") == "pretty":
        minified = json.dumps(plain, separators=(",", ":")).encode()
        assert given == signature(key, minified)


def test_notifications_are_doubled_and_overtake_each_other_by_switch(
    desk: Desk, receiver: Receiver
) -> None:
    subscribe(desk, receiver.url)
    desk.world.set_switches({"webhook_copies": 2, "webhook_reorder": True})
    ids = [desk.world.add_bill(BAKERY), desk.world.add_bill(BAKERY)]

    seen = [each["bill"]["id"] for each in sent(desk, receiver)]

    assert seen == [ids[1], ids[1], ids[0], ids[0]]


def test_an_event_can_be_sent_though_nothing_happened(desk: Desk, receiver: Receiver) -> None:
    subscribe(desk, receiver.url)

    desk.world.deliver("vendor.updated", MILL)

    assert sent(desk, receiver)[0]["vendor"]["id"] == MILL


def test_switched_off_subscription_keeps_its_history_by_switch(
    desk: Desk, receiver: Receiver
) -> None:
    subscription_id = subscribe(desk, receiver.url).json()["id"]
    desk.world.set_subscription_enabled(subscription_id, enabled=False)
    desk.world.add_bill(BAKERY)
    desk.world.set_switches({"history_while_disabled": False})
    desk.world.add_bill(BAKERY)

    assert sent(desk, receiver) == []
    assert desk.world.ledger()[BAKERY]["events"] == {"bill.created": 1}
