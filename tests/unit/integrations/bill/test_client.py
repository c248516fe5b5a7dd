"""What the client asks, and what it makes of odd answers."""

import json
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from integrations.bill.client import BillClient
from integrations.bill.errors import NotPermitted
from integrations.bill.sharing import BillLimits
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
)
from integrations.transport import Call
from tests.unit.integrations.bill.fakes import (
    CannedBill,
    OwnQuota,
    OwnSessions,
    Reply,
    an_address,
    fault,
)

KEY = UUID("7b0e9d8e-5f43-4f0e-9b6e-0d6a8f1c2d3e")


def a_client(
    bill: CannedBill, *, quota: OwnQuota | None = None, waits: list[float] | None = None
) -> BillClient:
    return BillClient(
        an_address(),
        bill,
        OwnSessions(),
        quota or OwnQuota(),
        limits=BillLimits(busy_tries=3, busy_pause_seconds=0.5),
        wait=(waits if waits is not None else []).append,
    )


def answers(*replies: Reply) -> CannedBill:
    """The replies in turn, the last one for ever."""
    left = list(replies)
    return CannedBill(lambda call: left.pop(0) if len(left) > 1 else left[0])


def test_sign_in_sends_the_developer_key_in_the_body_and_in_no_header() -> None:
    bill = answers((200, {}))

    session = a_client(bill).sign_in()

    call = bill.calls[0]
    assert json.loads(call.body or b"") == {
        "username": "connector",
        "password": "correct horse",
        "organizationId": "00801",
        "devKey": "dev-key",
    }
    assert "devKey" not in call.headers
    assert call.is_write
    assert session.is_token


def test_calls_carry_session_and_key_and_their_secrets_are_named_for_redaction() -> None:
    bill = answers((200, {"results": []}))

    list(a_client(bill).iter_bills())

    call = bill.asked[0]
    assert (call.headers["sessionId"], call.headers["devKey"]) == ("session-1", "dev-key")
    assert set(call.secrets) == {"correct horse", "dev-key", "session-1"}
    assert "dev-key" not in call.url


def test_the_session_is_used_again_without_another_sign_in() -> None:
    bill = answers((200, {"results": []}))
    client = a_client(bill)

    list(client.iter_bills())
    list(client.iter_vendors())

    assert bill.logins == 1


@pytest.mark.parametrize(
    "refusal",
    [
        (401, fault("BDC_1109", "Session is invalid.  Please log in.")),
        (403, fault("BDC_1361")),
        (200, fault("BDC_1109")),
        (401, b""),
    ],
)
def test_a_lost_session_is_renewed_and_the_same_call_repeated(refusal: Reply) -> None:
    bill = answers(refusal, (200, {"id": "00n01", "amount": 1}))

    found = a_client(bill).get_bill("00n01")

    first, second = bill.asked
    assert found.id == "00n01"
    assert bill.logins == 2
    assert first.url == second.url
    assert second.headers["sessionId"] == "session-2"


def test_a_second_refusal_is_final_and_says_who_acts() -> None:
    bill = answers((401, fault("BDC_1109")))

    with pytest.raises(AuthRefused, match="BILL answered 401") as caught:
        a_client(bill).get_bill("00n01")

    assert bill.logins == 2
    assert len(bill.asked) == 2
    assert "owner" in caught.value.sentence


def test_too_many_at_once_is_waited_out() -> None:
    bill = answers((422, fault("BDC_1322")), (429, fault("BDC_1322")), (200, {"results": []}))
    waits: list[float] = []

    list(a_client(bill, waits=waits).iter_bills())

    assert waits == [0.5, 1.0]


def test_too_many_at_once_is_not_waited_out_for_ever() -> None:
    bill = answers((429, fault("BDC_1322")))

    with pytest.raises(RateLimited):
        list(a_client(bill).iter_bills())
    assert len(bill.asked) == 3


@pytest.mark.parametrize("status", [422, 429, 400])
def test_a_used_up_hour_closes_the_key_for_all(status: int) -> None:
    quota = OwnQuota()
    bill = answers((status, fault("BDC_1144")))

    with pytest.raises(RateLimited) as caught:
        list(a_client(bill, quota=quota).iter_bills())

    assert quota.is_closed
    assert caught.value.retry_after_seconds == 1234.0
    assert len(bill.asked) == 1


def test_a_limit_by_the_minute_does_not_close_the_hour() -> None:
    quota = OwnQuota()
    bill = answers((422, fault("BDC_1144", "Max number of allowed requests per minute: 5.")))

    with pytest.raises(RateLimited):
        list(a_client(bill, quota=quota).iter_bills())

    assert not quota.is_closed


def test_every_request_is_counted_sign_ins_too() -> None:
    quota = OwnQuota()
    bill = answers((200, {"results": []}))

    list(a_client(bill, quota=quota).iter_bills())

    assert quota.requests == len(bill.calls) == 2


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((400, fault("BDC_1101")), AuthRefused),
        ((401, fault("BDC_1101")), AuthRefused),
        ((400, fault("BDC_1102")), AuthRefused),
        ((423, fault("BDC_1107")), AuthRefused),
        ((401, b""), AuthRefused),
        ((401, fault("BDC_1109")), AuthRefused),
        ((400, fault("BDC_9999", "devKey: must not be null")), AuthRefused),
        ((404, fault("BDC_9999", "nothing here")), AuthRefused),
        ((502, b"<html>"), ServerFault),
        ((200, b"<html>"), UnexpectedAnswer),
        ((200, {"organizationId": "00801"}), ServerFault),
        ((200, {"organizationId": "00999", "sessionId": "s"}), AuthRefused),
        ((422, fault("BDC_1144")), RateLimited),
    ],
)
def test_a_sign_in_that_fails_says_so_once(reply: Reply, kind: type[IntegrationError]) -> None:
    class Refusing(CannedBill):
        def _login(self) -> Reply:
            self.logins += 1
            return reply

    bill = Refusing(lambda call: (200, {}))

    with pytest.raises(kind) as caught:
        list(a_client(bill).iter_bills())

    assert type(caught.value) is kind
    assert bill.logins == 1
    assert caught.value.sentence.endswith((".", "null", "here"))


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((200, b"<html>sign in</html>"), UnexpectedAnswer),
        ((200, b'"text"'), UnexpectedAnswer),
        ((200, b""), UnexpectedAnswer),
        ((200, {"message": "odd"}), UnexpectedAnswer),
        ((500, b""), ServerFault),
        ((502, {"message": "gateway"}), ServerFault),
        ((403, fault("BDC_1145")), NotPermitted),
    ],
)
def test_odd_answers_to_a_list_are_named(reply: Reply, kind: type[IntegrationError]) -> None:
    with pytest.raises(kind) as caught:
        list(a_client(answers(reply)).iter_bills())

    assert caught.value.sentence


def test_bills_are_read_again_by_fifty_ids_a_call() -> None:
    def find(call: Call) -> Reply:
        wanted = parse_qs(urlsplit(call.url).query)["filters"][0].split('"')[1].split(",")
        return 200, {"results": [{"id": each, "amount": 1.5} for each in wanted]}

    bill = CannedBill(find)
    ids = [f"00n{n:017d}" for n in range(120)]

    found = a_client(bill).read_bills(ids)

    assert [each.id for each in found] == ids
    assert found[0].amount == Decimal("1.5")
    assert len(bill.asked) == 3


def test_no_ids_cost_no_call() -> None:
    bill = answers((200, {}))

    assert a_client(bill).read_bills([]) == ()
    assert bill.calls == []


def test_where_the_single_read_is_forbidden_the_list_is_asked() -> None:
    bill = answers((403, fault("BDC_1145")), (200, {"results": [{"id": "00901", "name": "N"}]}))

    assert a_client(bill).get_vendor("00901").name == "N"


def test_a_record_in_neither_is_not_found() -> None:
    bill = answers((403, fault("BDC_1145")), (200, {"results": []}))

    with pytest.raises(NotFound) as caught:
        a_client(bill).get_bill("00n01")
    assert "accountant" in caught.value.sentence


def test_an_unknown_record_is_not_found() -> None:
    with pytest.raises(NotFound):
        a_client(answers((404, fault("BDC_1205")))).get_vendor("00901")


def test_an_odd_id_cannot_leave_its_place_in_the_path() -> None:
    bill = answers((404, fault("BDC_1205")))

    with pytest.raises(NotFound):
        a_client(bill).get_bill("../vendors?x=1")
    assert bill.asked[0].url.endswith("/v3/bills/..%2Fvendors%3Fx%3D1")


def test_a_list_that_cannot_be_filtered_by_time_comes_whole() -> None:
    from datetime import UTC, datetime

    bill = answers(
        (400, fault("BDC_9999", "updatedTime: not filterable")),
        (200, {"results": [{"id": "0ca1", "name": "Flour", "account": {"number": "6210"}}]}),
    )

    pages = list(
        a_client(bill).iter_list(ListKind.ACCOUNT, updated_since=datetime(2026, 1, 1, tzinfo=UTC))
    )

    assert [item.number for page in pages for item in page] == ["6210"]
    assert "filters" not in bill.asked[1].url


def test_a_refused_list_stays_refused() -> None:
    with pytest.raises(Rejected):
        list(a_client(answers((400, fault("BDC_9999")))).iter_list(ListKind.JOB))


def test_health_needs_no_sign_in() -> None:
    bill = answers((200, {"appId": "connect", "bdcRegion": "us"}))

    assert a_client(bill).health().region == "us"
    assert bill.logins == 0
    assert "devKey" not in bill.calls[0].headers


def test_who_am_i_names_organization_and_kind_of_user() -> None:
    bill = answers((200, {"organizationId": "00801", "userId": "00601", "mfaStatus": "DISABLED"}))

    whoami = a_client(bill).whoami()

    assert (whoami.organization_id, whoami.is_token) == ("00801", False)


SUBSCRIPTION = {
    "id": "sub-1",
    "name": "connector",
    "status": {"enabled": True},
    "events": [{"type": "bill.created", "version": "1"}],
    "notificationUrl": "https://example.com/hook",
}


def test_subscribing_sends_the_stored_idempotency_key() -> None:
    bill = answers((200, {**SUBSCRIPTION, "securityKey": "k-1"}))

    made = a_client(bill).create_subscription(
        name="connector",
        url="https://example.com/hook",
        event_types=["bill.created"],
        idempotency_key=KEY,
    )

    call = bill.asked[0]
    assert made.security_key == "k-1"
    assert call.headers["X-Idempotent-Key"] == str(KEY)
    assert call.url == "https://bill.test/connect-events/v3/subscriptions"
    assert call.is_write
    assert json.loads(call.body or b"")["events"] == [{"type": "bill.created", "version": "1"}]


@pytest.mark.parametrize(
    "missing", [(404, fault("BDC_1121")), (404, fault("BDC_1205")), (404, b"")]
)
def test_both_spellings_of_the_key_path_are_tried(missing: Reply) -> None:
    bill = answers(missing, (200, {"securityKey": "k-2"}))

    assert a_client(bill).rotate_key("sub-1", idempotency_key=KEY) == "k-2"
    assert [call.url.rpartition("/")[2] for call in bill.asked] == ["security-key", "security_key"]


def test_a_rotation_without_a_key_in_its_answer_is_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown):
        a_client(answers((200, {}))).rotate_key("sub-1", idempotency_key=KEY)


@pytest.mark.parametrize("reply", [(200, b""), (404, fault("BDC_1205"))])
def test_removing_a_subscription_twice_is_no_error(reply: Reply) -> None:
    bill = answers(reply)

    a_client(bill).delete_subscription("sub-1")

    assert [call.method for call in bill.asked] == ["DELETE"]


@pytest.mark.parametrize("envelope", [True, False])
def test_subscriptions_come_in_an_envelope_or_bare(envelope: bool) -> None:
    rows = [SUBSCRIPTION]
    bill = answers((200, {"results": rows} if envelope else rows))

    assert [each.id for each in a_client(bill).list_subscriptions()] == ["sub-1"]


def test_switching_a_subscription_on_sends_only_its_status() -> None:
    bill = answers((200, SUBSCRIPTION))

    assert a_client(bill).set_subscription_enabled("sub-1", is_enabled=True).is_enabled
    assert json.loads(bill.asked[0].body or b"") == {"status": {"enabled": True}}
    assert bill.asked[0].method == "PATCH"


def test_history_can_be_asked_for_one_object() -> None:
    row = {"id": "e-1", "type": "bill.created", "payload": "{}", "statusCode": 500}
    bill = answers((200, {"results": [row]}))

    pages = list(a_client(bill).iter_past_events("sub-1", entity_id="00n01"))

    assert [event.status_code for page in pages for event in page] == [500]
    assert "entityId=00n01" in bill.asked[0].url
    assert "/v3/events/subscription/sub-1?" in bill.asked[0].url
