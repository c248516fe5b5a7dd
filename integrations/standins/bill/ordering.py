"""Walking a table in the order a list asked for, from any place, without touching what lies before.

A walk goes over live data: a row that is changed while somebody walks by `updatedTime` moves to the
end and is met again there.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import total_ordering
from itertools import islice
from typing import Any

from integrations.standins.bill.filters import Clause, test_for
from integrations.standins.bill.table import Row, Table

Key = tuple[Any, ...]
_FEW = 2_000  # so many candidates are sorted at once; more are met one by one in table order


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What one walk is about; `sort` pairs each field with whether it falls."""

    filters: tuple[Clause, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()


@total_ordering
@dataclass(slots=True, eq=True)
class _Falling:
    value: Any

    def __lt__(self, other: _Falling) -> bool:
        return bool(other.value < self.value)


def walk(table: Table, query: Query, after: Key | None) -> Iterator[Row]:
    """The rows that meet the filters, in order, behind the place `after`."""
    tests = [test_for(clause) for clause in query.filters]
    for row in _candidates(table, query, after):
        if not row.hidden and all(test(row) for test in tests):
            yield row


def place_of(row: Row, query: Query) -> Key:
    """Where a row stands in the order of the query."""
    return _key_maker(query)(row)


def _candidates(table: Table, query: Query, after: Key | None) -> Iterator[Row]:
    listed = [row for row in _named(table, query) if row is not None]
    if listed or any(_is_naming(clause) for clause in query.filters):
        return _sorted_after(listed, query, after)
    low, high = _updated_bounds(table, query)
    index = table.by_updated()
    if query.sort == (("updatedTime", False),):
        start = low if after is None else max(low, bisect_right(index, after))
        return (table.rows[seq] for _, seq in islice(index, start, high))
    if high - low < min(_FEW, len(table)):
        return _sorted_after([table.rows[seq] for _, seq in index[low:high]], query, after)
    if not query.sort:
        return islice(table.rows, 0 if after is None else after[0] + 1, None)
    ordered = _whole_order(table, query)
    start = 0 if after is None else bisect_right(ordered, after, key=lambda pair: pair[0])
    return (row for _, row in islice(ordered, start, None))


def _is_naming(clause: Clause) -> bool:
    return clause.field == "id" and clause.operator in {"eq", "in"}


def _named(table: Table, query: Query) -> list[Row | None]:
    named = [clause for clause in query.filters if _is_naming(clause)]
    return [table.find(each) for each in dict.fromkeys(named[0].values)] if named else []


def _sorted_after(rows: list[Row], query: Query, after: Key | None) -> Iterator[Row]:
    make_key = _key_maker(query)
    keyed = [(make_key(row), row) for row in rows]
    behind = [pair for pair in keyed if after is None or pair[0] > after]
    heap = [(key, row.seq, row) for key, row in behind]
    heapq.heapify(heap)
    while heap:
        yield heapq.heappop(heap)[2]


def _updated_bounds(table: Table, query: Query) -> tuple[int, int]:
    index = table.by_updated()
    low, high = 0, len(index)
    for clause in query.filters:
        if clause.field != "updatedTime":
            continue
        moment = int(clause.value)
        first, behind = bisect_left(index, (moment, -1)), bisect_left(index, (moment + 1, -1))
        match clause.operator:
            case "gte":
                low = max(low, first)
            case "gt":
                low = max(low, behind)
            case "lte":
                high = min(high, behind)
            case "lt":
                high = min(high, first)
    return low, max(low, high)


def _whole_order(table: Table, query: Query) -> list[tuple[Key, Row]]:
    name = str(query.sort)
    kept = table.orders.get(name)
    if kept is None or kept[0] != table.version:
        make_key = _key_maker(query)
        pairs = sorted(((make_key(row), row) for row in table.rows), key=lambda pair: pair[0])
        kept = table.orders[name] = (table.version, pairs)
    return kept[1]


def _key_maker(query: Query) -> Callable[[Row], Key]:
    if not query.sort:
        return lambda row: (row.seq,)
    if query.sort == (("updatedTime", False),):
        return lambda row: (row.updated_ms, row.seq)
    parts = [_part(field, falls=falls) for field, falls in query.sort]
    return lambda row: (*(part(row) for part in parts), row.seq)


def _part(field: str, *, falls: bool) -> Callable[[Row], Any]:
    def value(row: Row) -> tuple[bool, Any]:
        found = row.body.get(field)
        return (found is not None, found if found is not None else 0)

    return (lambda row: _Falling(value(row))) if falls else value
