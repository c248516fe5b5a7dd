"""What BILL's refusals become."""

import json

import pytest

from integrations.bill.errors import (
    MEANINGS,
    NotPermitted,
    SessionLost,
    error_for,
    is_refusal,
    read_faults,
)
from integrations.errors import (
    AuthRefused,
    Disposition,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)


def body_of(*faults: tuple[str, str]) -> bytes:
    return json.dumps(
        [
            {
                "timestamp": "2026-12-25T00:00:00.000+00:00",
                "code": code,
                "severity": "ERROR",
                "category": "REQUEST",
                "message": message,
            }
            for code, message in faults
        ]
    ).encode()


def error(status: int, body: bytes, *, is_write: bool = False) -> IntegrationError:
    return error_for(status=status, body=body, request_id="r-1", is_write=is_write)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("BDC_1101", AuthRefused),
        ("BDC_1102", AuthRefused),
        ("BDC_1103", AuthRefused),
        ("BDC_1104", AuthRefused),
        ("BDC_1107", AuthRefused),
        ("BDC_1109", SessionLost),
        ("BDC_1110", AuthRefused),
        ("BDC_1111", AuthRefused),
        ("BDC_1113", AuthRefused),
        ("BDC_1121", UnexpectedAnswer),
        ("BDC_1123", AuthRefused),
        ("BDC_1144", RateLimited),
        ("BDC_1145", NotPermitted),
        ("BDC_1205", NotFound),
        ("BDC_1302", NotPermitted),
        ("BDC_1322", RateLimited),
        ("BDC_1361", SessionLost),
    ],
)
def test_the_code_decides_whatever_the_status(code: str, kind: type[IntegrationError]) -> None:
    for status in (400, 401, 403, 422, 423, 429):
        found = error(status, body_of((code, "text")))

        assert (type(found), found.vendor_code) == (kind, code), status
        assert (found.http_status, found.request_id) == (status, "r-1")
        assert found.vendor_message == "text"


@pytest.mark.parametrize("code", MEANINGS)
def test_every_sentence_says_who_acts(code: str) -> None:
    sentence = MEANINGS[code].sentence

    actors = ("owner", "administrator", "holder", "user", "accountant", "upport", "obody")
    assert any(actor in sentence for actor in actors)
    assert sentence.endswith(".")
    assert "BDC" not in sentence


def test_an_untrusted_session_is_a_missing_right_and_not_a_lost_session() -> None:
    assert type(error(403, body_of(("BDC_1361", "Untrusted session.")))) is NotPermitted


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, body_of(("BDC_9999", "address: must not be null")), Rejected),
        (422, body_of(("BDC_1171", "Duplicate number")), Rejected),
        (400, b'{"message": "odd"}', Rejected),
        (401, b'{"message": "Unauthorized"}', SessionLost),
        (401, b"", SessionLost),
        (403, body_of(("BDC_9999", "no")), NotPermitted),
        (403, b"<html>firewall</html>", UnexpectedAnswer),
        (404, body_of(("BDC_9999", "gone")), NotFound),
        (404, b"<html>", UnexpectedAnswer),
        (423, b"", AuthRefused),
        (429, b"", RateLimited),
        (500, body_of(("BDC_9999", "boom")), ServerFault),
        (502, b"<html>Bad gateway</html>", ServerFault),
        (503, b"", ServerFault),
    ],
)
def test_without_a_known_code_the_status_speaks(
    status: int, body: bytes, kind: type[IntegrationError]
) -> None:
    assert type(error(status, body)) is kind


def test_a_write_answered_by_a_fault_may_have_happened() -> None:
    found = error(502, b"<html>", is_write=True)

    assert type(found) is OutcomeUnknown
    assert found.disposition is Disposition.LOOK_FIRST


def test_a_known_code_is_found_among_others() -> None:
    found = error(400, body_of(("BDC_9999", "first"), ("BDC_1123", "Invalid organization id.")))

    assert found.vendor_code == "BDC_1123"


def test_one_thing_said_twice_is_told_once() -> None:
    found = error(
        400,
        body_of(("BDC_1143", "email: must not be blank"), ("", "00901: email: must not be blank")),
    )

    assert found.vendor_message == "email: must not be blank"
    assert "email: must not be blank" in found.sentence


def test_the_busy_answer_asks_for_less_patience_than_an_unnamed_limit() -> None:
    busy = error(429, body_of(("BDC_1322", "Max number of concurrent requests")))
    unnamed = error(429, b"")

    assert isinstance(busy, RateLimited)
    assert isinstance(unnamed, RateLimited)
    assert busy.retry_after_seconds < unnamed.retry_after_seconds


@pytest.mark.parametrize(
    ("status", "value", "expected"),
    [
        (200, {"results": []}, False),
        (201, {"id": "1"}, False),
        (200, [{"type": "bill.created", "versions": ["1"]}], False),
        (200, [{"code": "BDC_1109", "message": "Session is invalid."}], True),
        (200, [], False),
        (404, None, True),
        (302, None, True),
    ],
)
def test_a_good_status_may_still_carry_a_refusal(
    status: int, value: object, expected: bool
) -> None:
    assert is_refusal(status, value) is expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[1]", b"5", b'{"results": []}'])
def test_bodies_without_entries_have_no_faults(body: bytes) -> None:
    assert read_faults(body) == ()
