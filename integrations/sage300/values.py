"""Single values of Sage's JSON, in both directions.

Numbers may come as 58 or 58.0 and amounts never pass through a float; dates are calendar dates
whose midnight Z means no time zone; yes and no are words in some places and booleans in others;
texts come padded. One room knows this, so that no reader of records has to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

EMPTY_YEAR = 1900  # 1899-12-30 is how Sage writes "no date"

Row = Mapping[str, Any]


class WireError(ValueError):
    """An answer is not shaped like anything Sage 300 sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list; `next_skip` is None on the last one."""

    rows: tuple[Row, ...]
    next_skip: int | None
    count: int | None


def loads(body: bytes) -> Any:
    """Read JSON with exact numbers; raises WireError."""
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON: {error}") from error


def dumps(value: object) -> bytes:
    """Write JSON with the keys in the given order and every Decimal digit for digit."""
    return _written(value).encode("ascii")


def _written(value: object) -> str:
    match value:
        case Mapping():
            inside = (f"{json.dumps(str(key))}:{_written(item)}" for key, item in value.items())
            return "{" + ",".join(inside) + "}"
        case Decimal():
            if not value.is_finite():
                raise WireError(f"{value} is not an amount")
            return format(value, "f")
        case date():
            return f'"{value:%Y-%m-%d}T00:00:00Z"'
        case str() | bool() | int() | None:
            return json.dumps(value)
        case Sequence():
            return "[" + ",".join(_written(item) for item in value) + "]"
        case _:
            raise WireError(f"{type(value).__name__} has no place in a request")


def record(body: bytes) -> Row:
    """One entity, in the v4 envelope or the older `{"d": …}`; raises WireError."""
    data = loads(body)
    if isinstance(data, dict) and isinstance(data.get("d"), dict):
        data = data["d"]
    if not isinstance(data, dict) or "error" in data:
        raise WireError("no record in the answer")
    return data


def page(body: bytes) -> Page:
    """One page in the v4 envelope, its v3 spelling, or `{"d": {"results": …}}`."""
    data = loads(body)
    if isinstance(data, dict) and isinstance(data.get("d"), dict | list):
        data = data["d"]
    if isinstance(data, list):
        data = {"value": data}
    if not isinstance(data, dict):
        raise WireError("no list in the answer")
    rows = data.get("value", data.get("results"))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WireError("no list in the answer")
    link = data.get("@odata.nextLink") or data.get("odata.nextLink") or data.get("__next") or ""
    count = data.get("@odata.count", data.get("odata.count", data.get("__count")))
    return Page(
        rows=tuple(rows),
        next_skip=_skip(str(link)),
        count=None if count is None else whole(count),
    )


def _skip(link: str) -> int | None:
    """What a next link asks to skip. Its host is not trusted: it may be the server's inner name."""
    if not link:
        return None
    found = parse_qs(urlsplit(link).query).get("$skip", [""])[0]
    if not found.isdecimal():
        raise WireError("a next link without $skip")
    return int(found)


def whole(value: object, default: int = 0) -> int:
    """A batch, entry or line number, written 58, 58.0 or "58"."""
    number = amount(value)
    if number is None:
        return default
    if number != number.to_integral_value():
        raise WireError(f"{value} is not a whole number")
    return int(number)


def amount(value: object) -> Decimal | None:
    """An amount; None where Sage says nothing."""
    match value:
        case None | "":
            return None
        case bool():
            raise WireError("a yes or no where a number was due")
        case Decimal() | int():
            return Decimal(value)
        case str():
            try:
                number = Decimal(value.strip())
            except ArithmeticError:
                raise WireError("a text where a number was due") from None
            if not number.is_finite():
                raise WireError("a text where a number was due")
            return number
        case _:
            raise WireError("something else where a number was due")


def children(row: Row, name: str) -> tuple[Row, ...]:
    """The records below a record; none where Sage sends nothing."""
    found = row.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(child, dict) for child in found):
        raise WireError(f"{name} is no list of records")
    return tuple(found)


def text(row: Row, *names: str) -> str:
    """The first of these properties that is there, without its padding."""
    for name in names:
        if row.get(name) is not None:
            return str(row[name]).strip()
    return ""


def folded(row: Row, *names: str) -> str:
    """A text Sage keeps under an upper-casing mask."""
    return text(row, *names).upper()


def day(value: object) -> date | None:
    """The calendar date, never moved by a time zone."""
    written = str(value or "")[:10]
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return None
    return found if found.year >= EMPTY_YEAR else None


def is_yes(value: object) -> bool:
    """Sage's Yes, or a true boolean, or 1."""
    return value is True or str(value or "").strip().lower() in {"yes", "true", "1"}


def unformatted(account: str) -> str:
    """An account number without its separators, as the general ledger keys it."""
    return re.sub(r"[^0-9A-Z]", "", account.upper())
