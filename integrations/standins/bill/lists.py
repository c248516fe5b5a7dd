"""Pages: how BILL hands out a list in pieces.

A cursor is a name for a place in one walk of one organization's list; nobody else can use it and
nothing can be read out of it. The newest 20,000 are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from integrations.standins.bill.answers import bad_field
from integrations.standins.bill.fields import APPROVAL_STATUS, BILLS, ListRules
from integrations.standins.bill.filters import read_filters
from integrations.standins.bill.ids import IdMaker
from integrations.standins.bill.ordering import Key, Query, place_of, walk
from integrations.standins.bill.switches import Switches
from integrations.standins.bill.table import Row, Table

Item = TypeVar("Item")
DEFAULT_SIZE, LARGEST_SIZE = 20, 100
_KEPT_CURSORS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """What a cursor stands for."""

    owner: str  # organization and list
    query: Query
    after: Key | None
    offset: int
    size: int
    previous: str | None = None
    follows_empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: its rows and the cursors to its neighbours."""

    rows: Sequence[Row]
    next_page: str | None
    previous_page: str | None


class Pager:
    """Reads list parameters, walks, and remembers the cursors it gave out."""

    def __init__(self, ids: IdMaker, switches: Switches) -> None:
        self._ids = ids
        self._switches = switches
        self._spots: OrderedDict[str, Spot] = OrderedDict()

    def page(
        self, table: Table, *, owner: str, rules: ListRules, parameters: dict[str, str]
    ) -> Page:
        """The page the parameters ask for; raises BILL's 400 for what this list does not take."""
        token = parameters.get("page")
        size = _read_size(parameters)
        if token is None:
            query = self._read_query(rules, parameters)
            spot = Spot(owner=owner, query=query, after=None, offset=0, size=size or DEFAULT_SIZE)
        else:
            spot = self._recall(token, owner)
            spot = replace(spot, size=size or spot.size)
        return self._turn(table, spot, token)

    def forward(
        self, items: Sequence[tuple[Key, Item]], *, owner: str, parameters: dict[str, str]
    ) -> tuple[list[Item], str | None]:
        """A page of a list that only goes forward, and its next cursor; `items` in rising order."""
        token = parameters.get("page")
        size = _read_size(parameters) or DEFAULT_SIZE
        after = self._recall(token, owner).after if token is not None else None
        behind = [pair for pair in items if after is None or pair[0] > after]
        shown = behind[:size]
        if len(behind) == len(shown):
            return [item for _, item in shown], None
        spot = Spot(owner=owner, query=Query(), after=shown[-1][0], offset=0, size=size)
        return [item for _, item in shown], self._remember(spot)

    def _turn(self, table: Table, spot: Spot, token: str | None) -> Page:
        switches = self._switches
        if switches.empty_page_with_cursor and token is not None and not spot.follows_empty:
            again = self._remember(replace(spot, follows_empty=True))
            return Page(rows=(), next_page=again, previous_page=spot.previous)
        rows = self._rows(table, spot)
        shown = rows[: spot.size]
        next_page = None
        if len(rows) > spot.size:
            here = token or self._remember(spot)
            next_page = self._remember(_behind(spot, shown, previous=here))
        if switches.repeat_cursor and token is not None:
            next_page = token
        return Page(rows=shown, next_page=next_page, previous_page=spot.previous)

    def _rows(self, table: Table, spot: Spot) -> list[Row]:
        by_offset = self._switches.cursor_kind == "offset"
        rows: Iterable[Row] = walk(table, spot.query, None if by_offset else spot.after)
        if not self._switches.archived_in_default_lists and not _names_archived(spot.query):
            rows = (row for row in rows if not row.body.get("archived"))
        start = spot.offset if by_offset else 0
        return list(islice(rows, start, start + spot.size + 1))

    def _read_query(self, rules: ListRules, parameters: dict[str, str]) -> Query:
        allowed = rules.filterable
        if rules is BILLS and self._switches.approval_status_filter:
            allowed = {**allowed, "approvalStatus": APPROVAL_STATUS}
        filters = read_filters(parameters.get("filters", ""), allowed)
        return Query(filters=filters, sort=_read_sort(parameters.get("sort", ""), rules))

    def _remember(self, spot: Spot) -> str:
        token = self._ids.token("cursor", 44)
        self._spots[token] = spot
        if len(self._spots) > _KEPT_CURSORS:
            self._spots.popitem(last=False)
        return token

    def _recall(self, token: str, owner: str) -> Spot:
        spot = self._spots.get(token)
        if spot is None or spot.owner != owner:
            raise bad_field("page: is not a page of this list")
        return spot


def _behind(spot: Spot, shown: Sequence[Row], *, previous: str) -> Spot:
    return replace(
        spot,
        after=place_of(shown[-1], spot.query),
        offset=spot.offset + len(shown),
        previous=previous,
        follows_empty=False,
    )


def _names_archived(query: Query) -> bool:
    return any(clause.field in {"archived", "id"} for clause in query.filters)


def _read_size(parameters: dict[str, str]) -> int | None:
    text = parameters.get("max")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LARGEST_SIZE):
        raise bad_field(f"max: must be between 1 and {LARGEST_SIZE}")
    return int(text)


def _read_sort(text: str, rules: ListRules) -> tuple[tuple[str, bool], ...]:
    pairs = []
    for part in text.split(",") if text else ():
        field, _, direction = part.partition(":")
        if field not in rules.sortable or direction not in {"asc", "desc"}:
            raise bad_field(f"sort: {part!r} cannot be sorted by")
        pairs.append((field, direction == "desc"))
    return tuple(pairs)
