"""What may stand in a body, and what becomes of it.

Unknown names, wrong types and unknown words are `InvalidPayload` before anything is written; a text
that is too long is a `FieldInvalid`, or is cut, by switch. Texts lose what the database's code page
cannot hold: it comes back as `?`.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from integrations.standins.sage300.errors import SageError, field_invalid
from integrations.standins.sage300.schema import ENTITIES, Entity, Property, Row
from integrations.standins.sage300.switches import Switches

_DATE = re.compile(
    r"^(\d{4})-(\d{2})-(\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$"
)
_MOST_DIGITS = 15
_TOO_LARGE = 10**16  # an amount has 19 digits, three of them decimals


def _wrong(prop: Property, value: object) -> SageError:
    shown = repr(value)[:60]
    return SageError("InvalidPayload", f"{shown} is not a value for the property {prop.name}.")


def date_text(day: date) -> str:
    """A date as Sage writes it."""
    return f"{day.isoformat()}T00:00:00Z"


def as_date(text: str) -> date:
    """The calendar day of a date as Sage writes it."""
    return date.fromisoformat(text[:10])


def plus_days(text: str, days: int) -> str:
    """The date so many days later."""
    return date_text(as_date(text) + timedelta(days=days))


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """Rounded half up, as the business layer rounds amounts."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _date(prop: Property, value: object) -> str | None:
    if value is None or value == "":
        return None
    match = _DATE.match(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(prop, value)
    try:
        return date_text(date(*(int(part) for part in match.groups())))
    except ValueError:
        raise _wrong(prop, value) from None


def _number(prop: Property, value: object) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(prop, value)
    if not -_TOO_LARGE < value < _TOO_LARGE:
        raise _wrong(prop, value)
    if prop.kind == "int" or prop.size == 0:
        if value != int(value):
            raise _wrong(prop, value)
        return int(value)
    number = rounded(Decimal(value), prop.size)
    if len(number.normalize().as_tuple().digits) > _MOST_DIGITS:
        raise field_invalid(f"{prop.name} has too many digits.")
    return number


def _word(prop: Property, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(prop, value)
    word = dict(prop.word_of_code).get(value, value)
    if prop.words and word not in prop.words:
        raise _wrong(prop, value)
    return word


def _text(prop: Property, value: object, switches: Switches) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(prop, value)
    text = value.rstrip(" ")
    if switches.code_page:
        text = text.encode(switches.code_page, errors="replace").decode(switches.code_page)
    if prop.kind == "upper":
        text = text.upper()
    if len(text) > prop.size and switches.over_length == "refuse":
        raise field_invalid(f"{prop.name} '{text}' is longer than {prop.size} characters.")
    return text[: prop.size]


def take(prop: Property, value: object, switches: Switches) -> Any:
    """The value as it is stored; raises SageError where the property cannot hold it."""
    match prop.kind:
        case "date":
            return _date(prop, value)
        case "number" | "int":
            return _number(prop, value)
        case "enum" | "name":
            return _word(prop, value)
        case "bool":
            if not isinstance(value, bool):
                raise _wrong(prop, value)
            return value
        case _:
            return _text(prop, value, switches)


def check_payload(entity: Entity, payload: object, switches: Switches) -> Row:
    """The payload, proved to hold only known names and fitting types, at every level.

    Lengths are left to `take`: a too long text breaks a business rule, not the payload.
    """
    if not isinstance(payload, dict):
        raise SageError("InvalidPayload", f"A {entity.name} must be a JSON object.")
    for name, value in payload.items():
        if name.startswith("@odata."):
            continue
        prop = entity.properties.get(name)
        if prop is None:
            raise SageError("InvalidPayload", f"{entity.name} has no property {name}.")
        if prop.kind == "rows":
            if not isinstance(value, list):
                raise _wrong(prop, value)
            for row in value:
                check_payload(ENTITIES[prop.entity], row, switches)
        elif prop.kind in {"text", "upper"}:
            if value is not None and not isinstance(value, str):
                raise _wrong(prop, value)
        else:
            take(prop, value, switches)
    return payload
