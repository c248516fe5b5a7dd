"""Reads single values out of BILL's JSON: text, ids, amounts, dates, moments.

BILL leaves out what is unset, writes ids as twenty zeros in older places, sends account numbers as
numbers in webhooks, and amounts as numbers or as text. Everything that arrives is brought into one
shape here, so that no other room has to know. What cannot be read becomes "unset" and never zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

LARGEST_AMOUNT = Decimal(10) ** 15
FINEST_PLACE = Decimal("1e-8")
FINEST_EXPONENT = -8

_CIVIL_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:$|[T ])", re.ASCII)
_AMOUNT = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,25})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
# PostgreSQL cannot store U+0000, and lone surrogates cannot be encoded at all; JSON allows both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadableJson(ValueError):
    """The bytes are not JSON that this product can use."""


def read_json(body: bytes | str) -> object:
    """Return the JSON value, with every fraction as Decimal and every whole number as int.

    Raises UnreadableJson for anything else: HTML, NaN, nesting without end, foreign encodings.
    """
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        value: object = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise UnreadableJson(f"not JSON: {type(error).__name__}") from error
    return value


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON value")


def member(raw: Mapping[str, object], key: str) -> Mapping[str, object]:
    """Return the object under `key`, or an empty one where it is missing or something else."""
    return as_mapping(raw.get(key))


def as_mapping(value: object) -> Mapping[str, object]:
    """Return the value where it is a JSON object, else an empty object."""
    return value if isinstance(value, dict) else {}


def rows_of(value: object) -> tuple[Mapping[str, object], ...]:
    """Return the objects of a JSON array, leaving out what is not an object."""
    if not isinstance(value, list):
        return ()
    return tuple(row for row in value if isinstance(row, dict))


def text_of(value: object) -> str:
    """Return text as sent; a number is written plainly, anything else is ""."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, str):
        return _UNSTORABLE.sub(_storable, value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return str(value)
    return ""


def _storable(found: re.Match[str]) -> str:
    return "" if found.group() == "\x00" else "\N{REPLACEMENT CHARACTER}"


def id_of(value: object) -> str:
    """Return an id, or "" for the three spellings of unset: missing, empty, all zeros."""
    text = text_of(value).strip()
    return text if text.strip("0") else ""


def amount_of(value: object) -> Decimal | None:
    """Return an amount as written, or None where there is none that can be trusted.

    Servers written in Java spell ten million as 1.0E7 and 0.1 + 0.2 as 0.30000000000000004: the
    first is exact, the second is noise beyond the eighth place, which no amount has. Thousands
    separators and sizes no bill has are not guessed at.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < LARGEST_AMOUNT else None
    if isinstance(value, str):
        text = value.strip()
        return _plain(Decimal(text)) if _AMOUNT.fullmatch(text) else None
    if isinstance(value, Decimal):
        return _plain(value)
    return None


def _plain(value: Decimal) -> Decimal | None:
    """The amount without an exponent and without noise, or None beyond all sense."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or not -25 <= exponent <= 15 or abs(value) >= LARGEST_AMOUNT:
        return None
    if exponent < FINEST_EXPONENT:
        value = value.quantize(FINEST_PLACE).normalize()
    return Decimal(format(value, "f"))


def date_of(value: object) -> date | None:
    """Return the civil date as written.

    Webhooks send midnight-Z date-times where REST sends dates; the day is the text's own, and it is
    never converted to another zone (that would move the invoice to the day before).
    """
    found = _CIVIL_DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return date.fromisoformat(found.group(1))
    except ValueError:
        return None


def moment_of(value: object) -> datetime | None:
    """Return an aware datetime in UTC; a text without an offset is taken as UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def flag_of(value: object) -> bool:
    """Return true only for JSON's true, or the word where a text was sent."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
