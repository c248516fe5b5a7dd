"""The BILL client against a pretended BILL over real HTTP."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID, uuid4

import pytest

from integrations.bill.errors import NotPermitted
from integrations.bill.parse import parse_event
from integrations.bill.sharing import BillLimits
from integrations.bill.signatures import SignedOver, find_form
from integrations.bill.types import ListKind
from integrations.errors import (
    AuthRefused,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
)
from integrations.transport import Record
from tests.integration.integrations.bill_world import (
    ACCOUNT,
    FIRST_CHANGE,
    ORGANIZATION,
    VENDOR,
    Served,
    a_bill,
    a_bill_server,
    a_client,
)

pytestmark = pytest.mark.django_db

QUICK = BillLimits(busy_tries=2, busy_pause_seconds=0.01, call_seconds=5, wait_seconds=1)
HOOK = "https://connector.example/webhooks/bill/1"


@pytest.fixture
def bill() -> Iterator[Served]:
    with a_bill_server([a_bill(number) for number in range(250)]) as served:
        yield served


def all_ids(served: Served, since: datetime | None = None) -> list[str]:
    pages = a_client(served.url, QUICK).iter_bills(updated_since=since)
    return [bill.id for page in pages for bill in page]


EVERY_ID = [str(a_bill(number)["id"]) for number in range(250)]


def test_a_client_learns_who_it_is(bill: Served) -> None:
    client = a_client(bill.url)

    assert client.health().application == "connect"
    assert client.sign_in().is_token
    assert client.whoami().organization_id == ORGANIZATION


def test_a_persons_sign_in_is_not_taken_for_a_token(bill: Served) -> None:
    client = a_client(bill.url, user_name="ada@calder.test", password="pass-word")

    assert not client.sign_in().is_token


def test_all_bills_come_in_one_call_a_hundred(bill: Served) -> None:
    assert sorted(all_ids(bill)) == EVERY_ID
    assert bill.count("GET /connect/v3/bills") == 3


def test_only_what_changed_since_is_asked_for(bill: Served) -> None:
    assert sorted(all_ids(bill, FIRST_CHANGE + timedelta(seconds=20))) == EVERY_ID[200:]
    assert bill.count("GET /connect/v3/bills") == 1


@pytest.mark.parametrize(
    "switches",
    [
        {"last_page": "null"},
        {"last_page": "empty"},
        {"cursor_kind": "offset"},
        {"empty_page_with_cursor": True},
        {"repeat_cursor": True},
    ],
    ids=str,
)
def test_whatever_its_cursors_do_every_bill_comes(
    bill: Served, switches: dict[str, object]
) -> None:
    bill.world.set_switches(switches)

    assert sorted(set(all_ids(bill))) == EVERY_ID


@pytest.mark.parametrize("kind", ["key", "offset"])
def test_a_bill_that_changes_during_the_walk_hides_no_other(bill: Served, kind: str) -> None:
    bill.world.set_switches({"cursor_kind": kind})
    pages = a_client(bill.url).iter_bills()

    seen = [each.id for each in next(pages)]
    bill.world.edit_bill(EVERY_ID[249], description="edited meanwhile")
    seen += [each.id for page in pages for each in page]

    assert sorted(set(seen)) == EVERY_ID


def test_a_session_that_ends_mid_walk_costs_one_sign_in(bill: Served) -> None:
    pages = a_client(bill.url).iter_bills()

    bills = len(next(pages))
    bill.world.expire_sessions()
    bills += sum(len(page) for page in pages)

    assert bills == 250
    assert bill.count("/v3/login") == 2


def test_a_session_reported_lost_the_other_way_is_renewed_too(bill: Served) -> None:
    bill.world.switches.lost_session_as_untrusted = True
    client = a_client(bill.url)
    client.sign_in()
    bill.world.expire_sessions()

    assert client.get_bill(EVERY_ID[0]).id == EVERY_ID[0]


def test_bills_waiting_for_approval_are_read_again_by_fifty(bill: Served) -> None:
    found = a_client(bill.url).read_bills([*EVERY_ID[:120], "00nUNKNOWNUNKNOWNUNK"])

    assert sorted(each.id for each in found) == EVERY_ID[:120]
    assert bill.count("GET /connect/v3/bills") == 3


def test_a_bill_of_two_hundred_lines_in_many_scripts_arrives_whole() -> None:
    lines = [
        {"amount": Decimal("0.10") * (n % 7), "description": f"Mehl № {n} \U0001f35e 面粉 é"}
        for n in range(200)
    ]
    sent = a_bill(1, billLineItems=lines, description="ß" * 4000)

    with a_bill_server([sent]) as served:
        found = a_client(served.url).get_bill(EVERY_ID[1])

    assert len(found.lines) == 200
    assert sum((line.amount or Decimal(0)) for line in found.lines) == found.amount
    assert found.lines[199].description == "Mehl № 199 \U0001f35e 面粉 é"
    assert found.description == "ß" * 4000
    assert found.vendor_name == "Novák Mills"


def test_money_sent_as_text_is_the_same_money(bill: Served) -> None:
    as_number = a_client(bill.url).get_bill(EVERY_ID[0])
    bill.world.switches.money_as_text = True
    as_text = a_client(bill.url).get_bill(EVERY_ID[0])

    assert as_text.amount == as_number.amount == Decimal("10.10")
    assert as_text.content_hash == as_number.content_hash


def test_approval_changes_what_the_bill_is_even_where_no_time_moves() -> None:
    with a_bill_server([a_bill(1, approvalStatus="ASSIGNED")]) as served:
        client = a_client(served.url)
        before = client.get_bill(EVERY_ID[1])
        served.world.approve_bill(EVERY_ID[1])
        after = client.read_bills([EVERY_ID[1]])[0]

    assert after.approval_status == "APPROVED"
    assert after.updated_at == before.updated_at
    assert after.content_hash != before.content_hash


def test_archived_bills_are_in_the_list_and_say_so(bill: Served) -> None:
    bill.world.archive_bill(EVERY_ID[0])

    found = {each.id: each for page in a_client(bill.url).iter_bills() for each in page}

    assert found[EVERY_ID[0]].archived


def test_where_reading_one_is_forbidden_the_list_serves(bill: Served) -> None:
    bill.world.switches.forbidden_operations = ["GET /v3/bills/{billId}"]

    assert a_client(bill.url).get_bill(EVERY_ID[5]).id == EVERY_ID[5]


def test_a_forbidden_list_is_told_apart_from_a_refused_sign_in(bill: Served) -> None:
    bill.world.switches.forbidden_operations = ["GET /v3/bills"]

    with pytest.raises(NotPermitted) as caught:
        all_ids(bill)
    assert "administrator" in caught.value.sentence


def test_vendors_are_read_by_list_by_ids_and_one_by_one(bill: Served) -> None:
    client = a_client(bill.url)

    listed = [vendor.id for page in client.iter_vendors() for vendor in page]

    assert listed == [VENDOR]
    assert client.read_vendors([VENDOR])[0].name == "Novák Mills"
    assert client.get_vendor(VENDOR).currency == "USD"
    with pytest.raises(NotFound):
        client.get_vendor("00999999999999999999")


@pytest.mark.parametrize("kind", ListKind)
def test_every_classification_list_can_be_read(bill: Served, kind: ListKind) -> None:
    items = [item for page in a_client(bill.url).iter_list(kind) for item in page]

    assert [item.number for item in items if item.id == ACCOUNT] == (
        ["6210-100"] if kind is ListKind.ACCOUNT else []
    )


def test_a_classification_list_can_be_asked_for_changes(bill: Served) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)

    pages = list(a_client(bill.url).iter_list(ListKind.ACCOUNT, updated_since=long_ago))

    assert [item.id for page in pages for item in page] == [ACCOUNT]


@pytest.mark.parametrize("status", [422, 429])
def test_a_used_up_hour_stops_every_client_of_the_key(bill: Served, status: int) -> None:
    bill.world.set_switches({"limit_status": status, "max_requests_per_hour": 2})
    with pytest.raises(RateLimited):
        all_ids(bill)
    asked = len(bill.server.requests.rows())

    with pytest.raises(RateLimited) as caught:
        all_ids(bill)

    assert len(bill.server.requests.rows()) == asked
    assert 0 < caught.value.retry_after_seconds <= 3605


@pytest.mark.parametrize("status", [422, 429])
def test_too_many_at_once_is_said_after_a_few_tries(bill: Served, status: int) -> None:
    client = a_client(bill.url, QUICK)
    client.sign_in()
    bill.world.set_switches({"limit_status": status, "max_concurrent": 0})

    with pytest.raises(RateLimited) as caught:
        client.get_bill(EVERY_ID[0])

    assert caught.value.retry_after_seconds == 5
    assert bill.count("GET /connect/v3/bills/") == 2


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": "wrong"}, "BDC_1101"),
        ({"user_name": "nobody"}, "BDC_1101"),
        ({"developer_key": "sandbox-key"}, "BDC_1102"),
        ({"organization_id": "00899999999999999999"}, "BDC_1123"),
    ],
)
def test_wrong_credentials_are_named_and_tried_once(
    bill: Served, wrong: dict[str, str], code: str, status: int
) -> None:
    bill.world.switches.credential_status = status

    with pytest.raises(AuthRefused) as caught:
        list(a_client(bill.url, **wrong).iter_bills())

    assert caught.value.vendor_code == code
    assert "owner" in caught.value.sentence
    assert bill.count("/v3/login") == 1


def test_a_password_changed_meanwhile_is_noticed_at_the_next_sign_in(bill: Served) -> None:
    client = a_client(bill.url)
    client.sign_in()
    bill.world.set_password("connector", "another")
    bill.world.expire_sessions()

    with pytest.raises(AuthRefused):
        client.get_bill(EVERY_ID[0])
    with pytest.raises(AuthRefused):
        client.get_bill(EVERY_ID[0])
    assert bill.count("/v3/login") == 2


def test_a_locked_organization_is_named(bill: Served) -> None:
    bill.world.lock_org()

    with pytest.raises(AuthRefused) as caught:
        all_ids(bill)
    assert "locked" in caught.value.sentence


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("html", {}, UnexpectedAnswer),
        ("huge", {"size_mib": 40}, UnexpectedAnswer),
        ("status", {"status": 500, "body": "<html>oops</html>"}, ServerFault),
        ("status", {"status": 502, "body": "{}"}, ServerFault),
        ("status", {"status": 403, "body": "<html>firewall</html>"}, UnexpectedAnswer),
        ("refuse", {}, ServerFault),
        ("truncate", {}, ServerFault),
        ("empty", {}, UnexpectedAnswer),
        ("delay", {"seconds": 2.0}, ServerFault),
    ],
)
def test_a_server_that_misbehaves_gives_one_clear_sentence(
    bill: Served, kind: str, options: dict[str, object], error: type[IntegrationError]
) -> None:
    client = a_client(bill.url, replace(QUICK, call_seconds=1))
    client.sign_in()
    bill.server.faults.add(kind, "GET /v3/bills", times=0, **options)

    with pytest.raises(error) as caught:
        client.get_bill(EVERY_ID[0])

    assert type(caught.value) is error
    assert caught.value.sentence.endswith(".")
    assert "BILL" in caught.value.sentence


def test_a_passing_fault_goes_unnoticed(bill: Served) -> None:
    bill.server.faults.add("status", "GET /v3/bills", times=1, status=503, body="")

    assert len(all_ids(bill)) == 250


def test_a_sign_in_whose_answer_is_lost_is_not_repeated_by_itself(bill: Served) -> None:
    bill.server.faults.add("lose_answer", "POST /v3/login", times=0)

    with pytest.raises(ServerFault):
        all_ids(bill)
    assert len(bill.server.faults.hits) == 1


def test_an_unreachable_host_is_said_to_be_so() -> None:
    with pytest.raises(Unreachable) as caught:
        a_client("http://127.0.0.1:9", QUICK).sign_in()
    assert caught.value.sentence


def test_each_request_is_observed_without_its_secrets(bill: Served) -> None:
    records: list[Record] = []
    client = a_client(bill.url)
    client._observe = records.append

    client.get_bill(EVERY_ID[0])

    assert [record.path for record in records] == [
        "/connect/v3/login",
        f"/connect/v3/bills/{EVERY_ID[0]}",
    ]


def subscribe(served: Served, key: UUID | None = None) -> tuple[str, str]:
    made = a_client(served.url).create_subscription(
        name="connector",
        url=HOOK,
        event_types=["bill.created", "bill.updated"],
        idempotency_key=key or uuid4(),
    )
    return made.id, made.security_key


def test_a_subscription_lives_its_life(bill: Served) -> None:
    client = a_client(bill.url)
    subscription_id, key = subscribe(bill)

    listed = client.list_subscriptions()
    switched_off = client.set_subscription_enabled(subscription_id, is_enabled=False)
    client.delete_subscription(subscription_id)
    client.delete_subscription(subscription_id)

    assert key
    assert [each.id for each in listed] == [subscription_id]
    assert listed[0].security_key == ""
    assert listed[0].event_types == ("bill.created", "bill.updated")
    assert not switched_off.is_enabled
    with pytest.raises(NotFound):
        client.get_subscription(subscription_id)


def test_a_lost_answer_to_subscribing_is_healed_by_the_same_key(bill: Served) -> None:
    bill.server.faults.add("lose_answer", "POST /v3/subscriptions", times=1)
    idempotency_key = uuid4()
    with pytest.raises(OutcomeUnknown):
        subscribe(bill, idempotency_key)

    subscription_id, key = subscribe(bill, idempotency_key)

    assert key
    assert [each.id for each in a_client(bill.url).list_subscriptions()] == [subscription_id]


def test_a_second_subscription_for_the_same_door_is_refused(bill: Served) -> None:
    subscribe(bill)

    with pytest.raises(Rejected):
        subscribe(bill)


def test_a_rotated_key_is_a_new_one(bill: Served) -> None:
    subscription_id, key = subscribe(bill)

    rotated = a_client(bill.url).rotate_key(subscription_id, idempotency_key=uuid4())

    assert rotated
    assert rotated != key


def test_where_only_the_older_spelling_exists_the_key_is_rotated_too(bill: Served) -> None:
    subscription_id, key = subscribe(bill)
    bill.server.faults.add("status", "POST /security-key$", times=0, status=404, body="")

    assert a_client(bill.url).rotate_key(subscription_id, idempotency_key=uuid4()) != key


def test_what_bill_has_sent_can_be_read_back(bill: Served) -> None:
    subscription_id, _ = subscribe(bill)
    bill.world.edit_bill(EVERY_ID[0], amount=Decimal("11.00"))

    pages = list(a_client(bill.url).iter_past_events(subscription_id))

    events = [event for page in pages for event in page]
    assert [event.event_type for event in events] == ["bill.updated"]
    assert EVERY_ID[0] in events[0].payload


@contextmanager
def a_door() -> Iterator[tuple[str, queue.Queue[tuple[bytes, str]]]]:
    """A receiver of notifications: its address, and what arrived with which signature."""
    arrived: queue.Queue[tuple[bytes, str]] = queue.Queue()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.put((body, self.headers.get("x-bill-sha-signature", "")))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("switches", "form"),
    [
        ({"webhook_body": "minified"}, SignedOver.RAW),
        ({"webhook_body": "pretty"}, SignedOver.MINIFIED),
        ({"webhook_body": "text"}, SignedOver.RAW),
        ({"webhook_version_as_number": True}, SignedOver.RAW),
        ({"webhook_signature": "wrong"}, None),
        ({"webhook_signature": "none"}, None),
    ],
    ids=str,
)
def test_what_bill_delivers_is_known_by_its_signature_and_can_be_read(
    bill: Served, switches: dict[str, object], form: SignedOver | None
) -> None:
    bill.world.set_switches(switches)
    with a_door() as (url, arrived):
        made = a_client(bill.url).create_subscription(
            name="connector", url=url, event_types=["bill.updated"], idempotency_key=uuid4()
        )
        bill.world.edit_bill(EVERY_ID[0], amount=Decimal("11.00"))
        body, signature = arrived.get(timeout=10)
        bill.world.wait_for_post()

    assert find_form(body, signature, [made.security_key.encode()]) is form
    event = parse_event(body)
    assert (event.event_type, event.entity, event.entity_id) == (
        "bill.updated",
        "bill",
        EVERY_ID[0],
    )
    assert (event.subscription_id, event.organization_id) == (made.id, ORGANIZATION)


def test_a_test_notification_says_how_the_door_answered(bill: Served) -> None:
    with a_door() as (url, arrived):
        made = a_client(bill.url).create_subscription(
            name="connector", url=url, event_types=["bill.created"], idempotency_key=uuid4()
        )
        told = a_client(bill.url).test_subscription(made.id)
        arrived.get(timeout=10)

    assert told.status_code == 200
