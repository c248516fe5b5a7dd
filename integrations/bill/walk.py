"""Walks a list of BILL's to its end, page by page, over rows that change meanwhile.

A cursor is opaque, lives for one walk, and points into live data: a row that changes moves to the
end and may come twice, a page may be empty and still lead on, and a cursor may be refused or lead
back to itself. Where that happens the walk begins again at the last change it has seen, as long as
it gets further each time; it never ends early and silently, because the reader's own place in the
list would then move past rows that nobody has read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from integrations.bill.parse import Page, parse_page
from integrations.bill.queries import OLDEST_CHANGE_FIRST, PAGE_SIZE, ListQuery
from integrations.bill.values import id_of, moment_of, text_of
from integrations.errors import Rejected, UnexpectedAnswer

Row = Mapping[str, object]
Ask = Callable[[str], object]

REMEMBERED_ROWS = 2_000
EMPTY_PAGES_IN_A_ROW = 20

_IN_CIRCLES = (
    "BILL's list leads back to a page that was already read, so the rest of it cannot be reached. "
    "What was read is kept and the connector tries again; support must look at it if this stays."
)


def walk(ask: Ask, base: str, query: ListQuery) -> Iterator[tuple[Row, ...]]:
    """Yield pages of rows that are new in this walk; `ask` is called once for each page.

    A row that changed since it was yielded is yielded again. Pages that hold nothing new are not
    yielded. Raises UnexpectedAnswer where the list cannot be walked to its end.
    """
    return _Walk(ask, base, query).pages()


class _Walk:
    """Where one walk stands."""

    def __init__(self, ask: Ask, base: str, query: ListQuery) -> None:
        self._ask = ask
        self._base = base
        self._query = query
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._latest: datetime | None = None
        self._has_progressed = True

    def pages(self) -> Iterator[tuple[Row, ...]]:
        cursor = ""
        cursors: set[str] = set()
        empty_pages = 0
        while True:
            page = self._page(cursor)
            if page is None:
                cursor, cursors = self._begin_again(), set()
                continue
            fresh = self._fresh(page.rows)
            if fresh:
                self._has_progressed = True
                yield fresh
            if not page.next_cursor:
                return
            empty_pages = 0 if page.rows else empty_pages + 1
            if empty_pages > EMPTY_PAGES_IN_A_ROW:
                raise UnexpectedAnswer("empty pages without end", sentence=_IN_CIRCLES)
            if page.next_cursor not in cursors:
                cursor = page.next_cursor
                cursors.add(cursor)
            elif self._has_progressed:
                cursor, cursors = self._begin_again(), set()
            elif len(page.rows) < PAGE_SIZE:
                return
            else:
                raise UnexpectedAnswer("the list's cursor repeats itself", sentence=_IN_CIRCLES)

    def _page(self, cursor: str) -> Page | None:
        """The page behind the cursor, or None where the cursor is refused and we may start over."""
        try:
            return parse_page(self._ask(self._query.url(self._base, cursor)))
        except Rejected:
            if not cursor or not self._has_progressed:
                raise
            return None

    def _begin_again(self) -> str:
        """Move the question to the last change seen; from there only dropped rows come twice."""
        self._has_progressed = False
        if self._query.sort == OLDEST_CHANGE_FIRST and self._latest is not None:
            self._query = self._query.from_moment(self._latest)
        return ""

    def _fresh(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(row for row in rows if self._is_fresh(row))

    def _is_fresh(self, row: Row) -> bool:
        changed = text_of(row.get("updatedTime"))
        mark = (id_of(row.get("id")), changed)
        if mark in self._known:
            return False
        self._known[mark] = None
        if len(self._known) > REMEMBERED_ROWS:
            self._known.popitem(last=False)
        moment = moment_of(changed)
        if moment is not None and (self._latest is None or moment > self._latest):
            self._latest = moment
        return True
