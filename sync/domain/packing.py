"""The domain's frozen values to JSON and back, by their own type annotations.

Amounts and times travel as text, so nothing is rounded; an unknown key is refused, so a row written
by a newer version is not silently cut.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


def pack(value: Any) -> Any:
    """A value as JSON-ready data; only fields that differ from their default are kept."""
    match value:
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(key): pack(item) for key, item in value.items()}
        case str() | int() | bool() | None:
            return value
        case Sequence() | frozenset() | set():
            return [pack(item) for item in value]
    if is_dataclass(value):
        return {
            field.name: pack(getattr(value, field.name))
            for field in fields(value)
            if getattr(value, field.name) != field.default
        }
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def unpack(kind: type[Value], data: Any) -> Value:
    """The value again; raises TypeError for a key or shape this version does not know."""
    result: Value = _unpack(kind, data)
    return result


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _unpack(kind: Any, data: Any) -> Any:
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        if data is None:
            return None
        return _unpack(next(arm for arm in get_args(kind) if arm is not type(None)), data)
    if origin is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return tuple(_unpack(inner[0], item) for item in data)
        return tuple(_unpack(arm, item) for arm, item in zip(inner, data, strict=True))
    if origin in {dict, Mapping}:
        key_kind, item_kind = get_args(kind)
        return {key_kind(key): _unpack(item_kind, item) for key, item in data.items()}
    if is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]
        unknown = set(data) - set(hints)
        if unknown:
            raise TypeError(f"{kind} has no {', '.join(sorted(unknown))}")
        return kind(**{key: _unpack(hints[key], item) for key, item in data.items()})  # type: ignore[operator]
    return _scalar(kind, data)


def _scalar(kind: Any, data: Any) -> Any:
    if kind in {datetime, date}:
        return kind.fromisoformat(data)
    if kind is Decimal or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(data)
    return data
