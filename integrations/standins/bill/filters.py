"""The filter grammar of BILL's lists: `field:op:value,field:op:value`, all of which must hold.

There is no OR and no test for an unset field. Values with commas stand in double quotes; date-times
may stand with or without them. Nothing can be escaped (developer.bill.com/docs/search-op-with-lists).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integrations.standins.bill.answers import Json, bad_field
from integrations.standins.bill.clock import is_date, to_ms
from integrations.standins.bill.fields import Field, Kind
from integrations.standins.bill.table import Row

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{3}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$"
)
_OPERATORS = frozenset({"eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "sw"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One condition; `values` holds more than one for `in` and `nin` only."""

    field: str
    operator: str
    values: tuple[str | int | bool, ...]
    kind: Kind

    @property
    def value(self) -> str | int | bool:
        """The one value of an operator that takes one."""
        return self.values[0]


def read_filters(text: str, allowed: dict[str, Field]) -> tuple[Clause, ...]:
    """The conditions in `text`; raises BILL's 400 for what this list does not take."""
    return tuple(_read_clause(*parts, allowed) for parts in _split(text))


def _split(text: str) -> list[tuple[str, str, str]]:
    parts = []
    rest = text
    while rest:
        field, colon, rest = rest.partition(":")
        operator, second_colon, rest = rest.partition(":")
        if not (colon and second_colon):
            raise bad_field(f"filters: cannot be read from {field!r}")
        if rest.startswith('"'):
            value, quote, rest = rest[1:].partition('"')
            if not quote or (rest and not rest.startswith(",")):
                raise bad_field(f"filters: the quotes of {field!r} do not match")
            rest = rest[1:]
        else:
            value, _, rest = rest.partition(",")
            if '"' in value:
                raise bad_field(f"filters: the quotes of {field!r} do not match")
        parts.append((field, operator, value))
    return parts


def _read_clause(name: str, operator: str, text: str, allowed: dict[str, Field]) -> Clause:
    field = allowed.get(name)
    if field is None:
        raise bad_field(f"filters: {name!r} cannot be filtered by")
    if operator not in _OPERATORS or operator not in field.operators:
        raise bad_field(f"filters: {name!r} does not take the operator {operator!r}")
    texts = text.split(",") if operator in {"in", "nin"} else [text]
    values = tuple(_read_value(name, field, each.strip()) for each in texts)
    return Clause(field=name, operator=operator, values=values, kind=field.kind)


def _read_value(name: str, field: Field, text: str) -> str | int | bool:
    problem = bad_field(f"filters: {text!r} is no value for {name!r}")
    match field.kind:
        case Kind.FLAG if text in {"true", "false"}:
            return text == "true"
        case Kind.CHOICE if text in field.choices:
            return text
        case Kind.DATE if is_date(text):
            return text
        case Kind.TIME:
            return read_time(text, problem)
        case Kind.TEXT if text:
            return text
        case _:
            raise problem


def read_time(text: str, problem: Exception) -> int:
    """A date-time in any form BILL documents, in milliseconds; without a zone it means UTC."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise problem
    day, minute, second, millis, zone = found.groups()
    zone = "+00:00" if zone in {None, "Z"} else zone.replace(":", "").ljust(5, "0")
    try:
        written = f"{day}T{minute or '00:00'}:{second or '00'}.{millis or '000'}{zone}"
        return to_ms(datetime.fromisoformat(written).astimezone(UTC))
    except ValueError:
        raise problem from None


def test_for(clause: Clause) -> Callable[[Row], bool]:
    """A function that says whether a row meets the condition."""
    read = _reader(clause)
    value, values = clause.value, frozenset(clause.values)
    tests: dict[str, Callable[[Row], bool]] = {
        "eq": lambda row: bool(read(row) == value),
        "ne": lambda row: bool(read(row) != value),
        "in": lambda row: read(row) in values,
        "nin": lambda row: read(row) not in values,
        "sw": lambda row: str(read(row) or "").startswith(str(value)),
        "gt": lambda row: (have := read(row)) is not None and bool(have > value),
        "gte": lambda row: (have := read(row)) is not None and bool(have >= value),
        "lt": lambda row: (have := read(row)) is not None and bool(have < value),
        "lte": lambda row: (have := read(row)) is not None and bool(have <= value),
    }
    return tests[clause.operator]


def _reader(clause: Clause) -> Callable[[Row], Any]:
    if clause.field == "updatedTime":
        return lambda row: row.updated_ms
    if clause.field == "createdTime":
        return lambda row: row.created_ms
    first, _, second = clause.field.partition(".")
    if not second:
        return lambda row: row.body.get(first)
    return lambda row: _inner(row.body, first).get(second)


def _inner(body: Json, name: str) -> Json:
    inner = body.get(name)
    return inner if isinstance(inner, dict) else {}
