"""Decides whether a notification was signed with one of our keys.

BILL signs with base64(HMAC-SHA256(security key, message)). Its guide says the message is minified
JSON, and its clients sign the raw body; the two agree as long as BILL sends minified JSON. So the
raw bytes are tried first, and only when they do not fit the same text without its white space and,
where the body is a JSON string, the text inside it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from enum import StrEnum

_STRING_OR_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)


class SignedOver(StrEnum):
    """Which form of the body a signature fitted; worth a log field, as BILL's guide is unclear."""

    RAW = "raw"
    MINIFIED = "minified"
    INNER = "inner"


def verify(raw: bytes, header: str, keys: Sequence[bytes]) -> bool:
    """Tell whether `header` signs `raw` with any of `keys`; empty keys never fit."""
    return find_form(raw, header, keys) is not None


def find_form(raw: bytes, header: str, keys: Sequence[bytes]) -> SignedOver | None:
    """Return the form of the body that fits, or None.

    Every key is always tried and compared in constant time, so the time taken does not tell which
    key fits, or that none does.
    """
    given = header.strip().encode("utf-8", "replace")
    if _fits(raw, given, keys):
        return SignedOver.RAW
    # The other forms are computed for valid JSON only: there every string ends, so that the
    # expression above stays linear on whatever a stranger sends.
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if _fits(minify(raw), given, keys):
        return SignedOver.MINIFIED
    if isinstance(value, str) and _fits(value.encode("utf-8", "replace"), given, keys):
        return SignedOver.INNER
    return None


def sign(message: bytes, key: bytes) -> str:
    """Return the header value BILL would send for this message."""
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode("ascii")


def minify(document: bytes) -> bytes:
    """Return JSON without the white space between its tokens; numbers and strings stay as they are.

    Parsing and writing again would not do: 1500.00 would come back as 1500.0.
    """
    return _STRING_OR_SPACE.sub(lambda found: found.group(1) or b"", document)


def _fits(message: bytes, given: bytes, keys: Sequence[bytes]) -> bool:
    verdicts = [
        hmac.compare_digest(sign(message, key).encode("ascii"), given) for key in keys if key
    ]
    return any(verdicts)
