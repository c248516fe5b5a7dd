"""A log line is one JSON object, and no secret is in it."""

import json
import logging
import sys

import pytest

from connector_site.logs import REDACTED, JsonLines, redact, redact_text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Basic TUxDT05OOlNFQ1JFVA==",
        "authorization=Bearer mlc_s3cretS3cretS3cret",
        '{"sessionId": "s3cret-id", "devKey": "s3cret-key"}',
        "{'password': 's3cret', 'userName': 'MLCONN'}",
        "Cookie: connector_session=s3cret",
        "securityKey=s3cret&more=1",
        "postgresql://connector:s3cret@db.example.com/connector",
        '{\\"password\\": \\"s3cret\\"}',
        "retrying with Basic TUxDT05OOlNFQ1JFVA==",
    ],
)
def test_secret_in_a_text_is_taken_out(text: str) -> None:
    redacted = redact_text(text)

    assert "s3cret" not in redacted.lower()
    assert "TUxD" not in redacted
    assert REDACTED in redacted


def test_plain_text_stays_as_it_is() -> None:
    text = "Batch 4471, entry 2, Novak invoice 10442, 742.90"

    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name", ["Authorization", "sessionId", "session_id", "devKey", "dev_key", "password", "cookie"]
)
def test_field_with_a_secrets_name_is_taken_out_at_any_depth(name: str) -> None:
    assert redact({"outer": [{name: "anything"}]}) == {"outer": [{name: REDACTED}]}


def test_line_holds_message_and_fields() -> None:
    line = _line("posting.settled", posting_id="p-1", amount="742.90", devKey="s3cret")

    assert line["message"] == "posting.settled"
    assert (line["posting_id"], line["amount"], line["devKey"]) == ("p-1", "742.90", REDACTED)


def test_traceback_is_redacted() -> None:
    try:
        raise ValueError("password=s3cret was refused")
    except ValueError:
        line = _line("call.failed", exc_info=sys.exc_info())

    assert "ValueError" in line["traceback"]
    assert "s3cret" not in line["traceback"]


def test_line_break_in_a_value_does_not_make_a_second_line() -> None:
    record = logging.makeLogRecord({"msg": "a\nb", "vendor": "Novak\n{}"})

    assert "\n" not in JsonLines().format(record)


def _line(message: str, **fields: object) -> dict[str, str]:
    line = JsonLines().format(logging.makeLogRecord({"msg": message, **fields}))
    return json.loads(line)
