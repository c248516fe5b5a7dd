"""Which notifications count as signed."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from integrations.bill.signatures import SignedOver, find_form, minify, sign, verify

KEY = b"fc8c1ee4-2a94-4d2e-8f0b-1c6e6f5a1b11"
OLD_KEY = b"0d7f4e0a-old"
BODY = '{"metadata":{"eventId":"e1"},"bill":{"id":"00n","amount":1500.00,"note":"a \\" b: é"}}'.encode()
PRETTY = b'{\n  "metadata": {"eventId": "e1"},\n  "bill": {"amount": 1500.00, "note": " a  b "}\n}'


def signed(message: bytes, key: bytes = KEY) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def test_known_vector() -> None:
    header = "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg="

    assert verify(b"The quick brown fox jumps over the lazy dog", header, [b"key"])


@pytest.mark.parametrize(
    ("body", "header", "keys", "expected"),
    [
        (BODY, signed(BODY), [KEY], True),
        (BODY, f" {signed(BODY)} ", [KEY], True),
        (BODY, signed(BODY), [OLD_KEY, KEY], True),
        (BODY, signed(BODY, OLD_KEY), [KEY, OLD_KEY], True),
        (BODY, signed(BODY, OLD_KEY), [KEY], False),
        (BODY + b" ", signed(BODY + b"  "), [KEY], False),
        (BODY.replace(b"1500.00", b"1600.00"), signed(BODY), [KEY], False),
        (BODY, signed(BODY)[:-2], [KEY], False),
        (BODY, signed(BODY).lower(), [KEY], False),
        (BODY, "", [KEY], False),
        (BODY, "é\udcff", [KEY], False),
        (BODY, signed(BODY), [], False),
        (BODY, signed(BODY, b""), [b""], False),
        (b"", signed(b""), [KEY], True),
        (b"not json", signed(b"not json"), [KEY], True),
        (b"not json", signed(b"other"), [KEY], False),
    ],
)
def test_only_the_bytes_signed_with_a_live_key_pass(
    body: bytes, header: str, keys: list[bytes], expected: bool
) -> None:
    assert verify(body, header, keys) is expected


def test_a_pretty_body_signed_minified_is_accepted_and_named() -> None:
    compact = b'{"metadata":{"eventId":"e1"},"bill":{"amount":1500.00,"note":" a  b "}}'

    assert find_form(PRETTY, signed(compact), [KEY]) is SignedOver.MINIFIED
    assert find_form(PRETTY, signed(PRETTY), [KEY]) is SignedOver.RAW


def test_a_body_sent_as_a_string_may_be_signed_inside() -> None:
    body = json.dumps(BODY.decode()).encode()

    assert find_form(body, signed(BODY), [KEY]) is SignedOver.INNER


def test_minifying_changes_white_space_only() -> None:
    assert json.loads(minify(PRETTY)) == json.loads(PRETTY)
    assert minify(BODY) == BODY
    assert b"1500.00" in minify(PRETTY)


def test_signing_and_verifying_agree() -> None:
    assert verify(BODY, sign(BODY, KEY), [KEY])


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 120_000, b"[" * 240_000, b' "' * 100_000])
def test_a_stranger_cannot_make_the_check_slow(body: bytes) -> None:
    started = time.perf_counter()

    assert not verify(body, "x", [KEY])

    assert time.perf_counter() - started < 0.5
