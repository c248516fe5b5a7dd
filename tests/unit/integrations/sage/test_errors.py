"""What Sage's refusals mean: one line for each code, and for each page of the web server."""

import json
from collections.abc import Mapping

import pytest

from integrations.errors import (
    AddressRefused,
    AuthRefused,
    Busy,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)
from integrations.sage300.errors import Reply, RightMissing, refusal, refused_document, unreadable

HTML = b"<!DOCTYPE html><html><body><h2>Server Error</h2></body></html>"


def a_reply(status: int, body: bytes = b"", *, is_write: bool = False, **headers: str) -> Reply:
    names: Mapping[str, str] = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(
        status=status,
        headers=names,
        body=body,
        is_write=is_write,
        what="create an invoice batch",
        company="CALBAK",
        user="MLCONN",
        request_id="r1",
    )


def envelope(code: str, text: str = "Sage's own words") -> bytes:
    message = {"lang": "en-US", "value": text}
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (401, "Unauthorized", AuthRefused, AuthRefused),
        (403, "Forbidden", RightMissing, RightMissing),
        (429, "TooManyRequests", RateLimited, RateLimited),
        (400, "InvalidParameters", UnexpectedAnswer, UnexpectedAnswer),
        (400, "InvalidEntityKey", UnexpectedAnswer, UnexpectedAnswer),
        (400, "InvalidAction", UnexpectedAnswer, UnexpectedAnswer),
        (405, "MethodNotAllowed", UnexpectedAnswer, UnexpectedAnswer),
        (400, "InvalidPayload", Rejected, Rejected),
        (404, "RecordNotFound", NotFound, NotFound),
        (404, "ResourceNotFound", NotFound, NotFound),
        (409, "RecordDuplicate", Rejected, Rejected),
        (409, "RecordInvalid", Rejected, Rejected),
        (409, "FieldInvalid", Rejected, Rejected),
        (409, "General", Busy, Busy),
        (500, "DBLinkError", ServerFault, OutcomeUnknown),
        (500, "SessionError", ServerFault, OutcomeUnknown),
        (500, "InternalServerError", ServerFault, OutcomeUnknown),
        (500, "NeverHeardOf", ServerFault, OutcomeUnknown),
        (409, "NeverHeardOf", UnexpectedAnswer, OutcomeUnknown),
    ],
)
def test_the_code_decides(
    status: int, code: str, read: type[IntegrationError], write: type[IntegrationError]
) -> None:
    on_read = refusal(a_reply(status, envelope(code)))
    on_write = refusal(a_reply(status, envelope(code), is_write=True))

    assert (type(on_read), type(on_write)) == (read, write)
    assert (on_read.vendor_code, on_read.http_status, on_read.request_id) == (code, status, "r1")
    assert on_read.vendor_message == "Sage's own words"


@pytest.mark.parametrize(
    "text",
    ["Batch 58 is Posted and cannot be edited.", "Batch is Ready To Post.", "Address incomplete."],
)
def test_waiting_does_not_help_where_sage_says_the_batch_is_past_editing(text: str) -> None:
    assert type(refusal(a_reply(409, envelope("General", text), is_write=True))) is Rejected


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "words"),
    [
        (401, HTML, {}, AuthRefused, "turns MLCONN away before Sage 300"),
        (401, b"", {"www_authenticate": "NTLM"}, AuthRefused, "Windows sign-in"),
        (401, HTML, {"www_authenticate": "Negotiate, NTLM"}, AuthRefused, "Windows sign-in"),
        (403, HTML, {}, AuthRefused, "forbids this address"),
        (404, HTML, {}, AddressRefused, "no Sage 300 Web API at this address"),
        (413, HTML, {}, Rejected, "no request of this size"),
        (429, HTML, {}, RateLimited, "too much to do"),
        (500, HTML, {}, ServerFault, "Sage 300 behind it does not (HTTP 500)"),
        (502, b"", {}, ServerFault, "HTTP 502"),
        (503, HTML, {}, ServerFault, "application pool"),
        (418, HTML, {}, UnexpectedAnswer, "A web page came where Sage 300 should"),
        (418, b"{}", {}, UnexpectedAnswer, "something this connector does not know"),
    ],
)
def test_pages_of_the_web_server_are_told_apart(
    status: int,
    body: bytes,
    headers: dict[str, str],
    kind: type[IntegrationError],
    words: str,
) -> None:
    error = refusal(a_reply(status, body, **headers))

    assert type(error) is kind
    assert words in error.sentence


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_answered_by_a_failing_server_may_have_happened(status: int) -> None:
    assert type(refusal(a_reply(status, HTML, is_write=True))) is OutcomeUnknown


def test_a_wrong_password_names_the_switch_and_the_user() -> None:
    sentence = refusal(a_reply(401, envelope("Unauthorized"))).sentence

    assert "MLCONN" in sentence
    assert 'the switch "password case"' in sentence
    assert "in capitals" in sentence


def test_the_user_admin_is_explained() -> None:
    reply = Reply(
        status=401,
        headers={},
        body=envelope("Unauthorized"),
        is_write=False,
        what="list the vendors",
        company="CALBAK",
        user="ADMIN",
    )

    assert "turns away the user ADMIN" in refusal(reply).sentence


def test_patience_follows_the_server_or_a_default() -> None:
    told = refusal(a_reply(429, envelope("TooManyRequests"), retry_after="7"))
    untold = refusal(a_reply(429, envelope("TooManyRequests")))

    assert isinstance(told, RateLimited)
    assert isinstance(untold, RateLimited)
    assert (told.retry_after_seconds, untold.retry_after_seconds) == (7.0, 30.0)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (HTML, "A web page came where Sage 300 should have answered"),
        (b"", "answered without saying anything"),
        (b'{"x":1}', "something this connector does not know"),
    ],
)
def test_a_success_that_says_something_else_is_no_success(body: bytes, words: str) -> None:
    on_read = unreadable(a_reply(200, body), "not what was due")
    on_write = unreadable(a_reply(200, body, is_write=True), "not what was due")

    assert (type(on_read), type(on_write)) == (UnexpectedAnswer, OutcomeUnknown)
    assert words in on_read.sentence


@pytest.mark.parametrize(
    ("message", "numbers", "expected"),
    [
        ("Document number '10442' for vendor NOVAK already exists.", ["10442", "10443"], "10442"),
        ("Document number '2010' already exists.", ["10", "20", "2010"], "2010"),
        ("document number inv-7 already exists", ["INV-7", "INV-77"], "INV-7"),
        ("Number 10-A exists", ["10", "10-A"], "10-A"),
        ("Number 10-A exists", ["10"], None),
        ("INV 10 exists", ["10", "INV 10"], "INV 10"),
        ("10 and 20 exist", ["10", "20"], None),
        ("Something is wrong.", ["10"], None),
        ("", ["10"], None),
        ("Document (A+B) exists", ["(A+B)"], "(A+B)"),
    ],
)
def test_a_refusal_names_one_document_or_none(
    message: str, numbers: list[str], expected: str | None
) -> None:
    assert refused_document(message, numbers) == expected


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"error":"x"}', b'{"error":{"message":"x"}}', b"\xff", b'{"error":null}'],
)
def test_an_envelope_that_is_none_is_judged_by_its_status(body: bytes) -> None:
    assert type(refusal(a_reply(503, body))) is ServerFault
