"""Requests and replies as a world sees them, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar, Protocol

_EXACT_DIGITS = 15  # a float of up to 15 digits prints exactly the decimal it was made from


def as_number(value: object) -> object:
    """A Decimal as a JSON number; for `json.dumps(default=...)`."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} cannot be written as JSON.")
    if value == value.to_integral_value():
        return int(value)
    if len(value.as_tuple().digits) > _EXACT_DIGITS:
        raise TypeError(f"{value} has more digits than a JSON number carries safely.")
    return float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: decoded path without query, decoded query pairs, lower-cased header names."""

    method: str
    path: str
    raw_path: str = ""
    raw_query: str = ""
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    received_at: float = 0.0

    def json(self) -> Any:
        """The body as JSON, amounts as Decimal; raises ValueError where it is none."""
        return json.loads(self.body, parse_float=Decimal)


@dataclass(slots=True, kw_only=True)
class Reply:
    """One reply; the server adds Content-Length and Date."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def json(status: int, content: object, *, content_type: str = "application/json") -> Reply:
        """A JSON reply; Decimals are written as numbers."""
        body = json.dumps(content, default=as_number, ensure_ascii=False, separators=(",", ":"))
        return Reply(status=status, body=body.encode(), headers={"Content-Type": content_type})

    @staticmethod
    def html(status: int, text: str) -> Reply:
        """A page, as web servers send it when the application did not answer."""
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return Reply(status=status, body=text.encode(), headers=headers)

    @staticmethod
    def empty(status: int) -> Reply:
        """A reply without a body."""
        return Reply(status=status)


class ActionError(ValueError):
    """A control action that cannot be done; the text says why."""


class World(Protocol):
    """A pretended system. `ACTIONS` names the methods the control door may call."""

    name: ClassVar[str]
    ACTIONS: ClassVar[frozenset[str]]

    def handle(self, request: Request) -> Reply:
        """Answer one request to the pretended API."""

    def normalise_path(self, path: str) -> str:
        """The path with ids and keys taken out, to count calls by kind."""

    def ledger(self) -> object:
        """Everything a test compares, as plain JSON, amounts as strings, nothing volatile."""

    def read_switches(self) -> dict[str, object]:
        """The switches and their present values."""

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        """Change switches; raises ActionError for a name or value it does not know."""
