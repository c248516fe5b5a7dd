"""The domain's frozen values to JSON and back, by their own type annotations.

Amounts and times travel as text, so nothing is rounded; an unknown key is refused, so a row written
by a newer version is not silently cut.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
Reader = Callable[[Any], Any]

_PLAIN = frozenset({str, int, bool, type(None)})


def pack(value: Any) -> Any:
    """A value as JSON-ready data; only fields that differ from their default are kept."""
    if type(value) in _PLAIN:
        return value
    if is_dataclass(value):
        return {
            name: pack(item)
            for name, default in _defaults(type(value))  # type: ignore[arg-type]
            if (item := getattr(value, name)) != default
        }
    match value:
        case Enum():
            return value.value
        case str() | int() | None:
            return value
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): pack(item) for key, item in value.items()}
        case Sequence() | frozenset() | set():
            return [pack(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def unpack(kind: type[Value], data: Any) -> Value:
    """The value again; raises TypeError for a key or shape this version does not know."""
    result: Value = _reader(kind)(data)  # type: ignore[arg-type]
    return result


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


@cache
def _reader(kind: Any) -> Reader:
    """What turns JSON into this kind; made once, because a pass reads thousands of values."""
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        read = _reader(next(arm for arm in get_args(kind) if arm is not type(None)))
        return lambda data: None if data is None else read(data)
    if origin is tuple:
        return _tuple_reader(get_args(kind))
    if origin in {dict, Mapping}:
        key_kind, item_kind = get_args(kind)
        read = _reader(item_kind)
        return lambda data: {key_kind(key): read(item) for key, item in data.items()}
    if is_dataclass(kind):
        return _dataclass_reader(kind)  # type: ignore[arg-type]
    if kind in {datetime, date}:
        return kind.fromisoformat  # type: ignore[no-any-return]
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind
    return _as_it_is


def _as_it_is(data: Any) -> Any:
    return data


def _tuple_reader(arms: tuple[Any, ...]) -> Reader:
    if arms[-1] is Ellipsis:
        read = _reader(arms[0])
        return lambda data: tuple([read(item) for item in data])
    readers = [_reader(arm) for arm in arms]
    return lambda data: tuple([read(item) for read, item in zip(readers, data, strict=True)])


def _dataclass_reader(kind: type) -> Reader:
    readers: dict[str, Reader] = {}

    def read(data: Any) -> Any:
        if not readers:  # not before the first use: a kind may be part of itself
            readers.update({name: _reader(hint) for name, hint in get_type_hints(kind).items()})
        try:
            return kind(**{key: readers[key](item) for key, item in data.items()})
        except KeyError as error:
            unknown = set(data) - set(readers)
            if not unknown:
                raise
            raise TypeError(f"{kind} has no {', '.join(sorted(unknown))}") from error

    return read
