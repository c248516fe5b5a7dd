"""One kind of record of one organization: kept in the order of making, indexed by id and by the time
of the last change, so that a hundred thousand of them can be listed page by page at once."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.bill.answers import Json, minified, unknown_record
from integrations.standins.bill.clock import time_text


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """A record as it goes over the wire, and what BILL does not show of it.

    `seq` is its place in the order of making. A hidden row answers 404, like a merged vendor.
    """

    seq: int
    body: Json
    created_ms: int
    updated_ms: int
    hidden: bool = False
    rendered: dict[str, bytes] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The record's id."""
        return str(self.body["id"])


class Table:
    """The rows of one kind."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.version = 0  # moves with every change; orders made before it are stale
        self.orders: dict[str, tuple[int, list[tuple[tuple[Any, ...], Row]]]] = {}
        self._by_id: dict[str, Row] = {}
        self._by_updated: list[tuple[int, int]] = []
        self._is_sorted = True

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return (row for row in self.rows if not row.hidden)

    def add(self, body: Json, *, created_ms: int, updated_ms: int) -> Row:
        """Keep a new record; its times are written into it."""
        row = Row(seq=len(self.rows), body=body, created_ms=created_ms, updated_ms=updated_ms)
        body["createdTime"] = time_text(created_ms)
        body["updatedTime"] = time_text(updated_ms)
        self.rows.append(row)
        self._by_id[row.id] = row
        self._by_updated.append((updated_ms, row.seq))
        self._is_sorted = False
        self.version += 1
        return row

    def touch(self, row: Row, now_ms: int | None) -> None:
        """Note that a row has changed; with a moment, its updatedTime moves there."""
        if now_ms is not None and now_ms != row.updated_ms:
            index = self.by_updated()
            index.pop(bisect_left(index, (row.updated_ms, row.seq)))
            insort(index, (now_ms, row.seq))
            row.updated_ms = now_ms
            row.body["updatedTime"] = time_text(now_ms)
        row.rendered.clear()
        self.version += 1

    def find(self, record_id: object) -> Row | None:
        """The row with that id, or None; hidden rows are not found."""
        row = self._by_id.get(record_id) if isinstance(record_id, str) else None
        return None if row is None or row.hidden else row

    def get(self, record_id: str) -> Row:
        """The row with that id; raises BILL's 404."""
        row = self.find(record_id)
        if row is None:
            raise unknown_record(record_id)
        return row

    def by_updated(self) -> list[tuple[int, int]]:
        """(updated, seq) of every row, in rising order."""
        if not self._is_sorted:
            self._by_updated.sort()
            self._is_sorted = True
        return self._by_updated


def render(row: Row, *, without: frozenset[str], money_as_text: bool) -> bytes:
    """The row as JSON bytes; kept until the row changes."""
    key = f"{money_as_text}{sorted(without)}" if without else f"{money_as_text}"
    found = row.rendered.get(key)
    if found is None:
        shown = {name: value for name, value in row.body.items() if name not in without}
        found = row.rendered[key] = minified(shown, money_as_text=money_as_text)
    return found
