"""Walking a list to its end, whatever its cursors do."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from integrations.bill.queries import BILLS, ListQuery, changes_query
from integrations.bill.walk import Row, walk
from integrations.errors import Rejected, UnexpectedAnswer

QUERY = changes_query(BILLS)


def a_row(number: int, *, changed: int | None = None) -> Row:
    stamp = number if changed is None else changed
    moment = f"2026-11-01T{stamp // 3600:02d}:{stamp // 60 % 60:02d}:{stamp % 60:02d}.000+00:00"
    return {"id": f"00n{number:05d}", "updatedTime": moment}


class Book:
    """A list of rows in pages of 100; `turn` may spoil the answer to (how many asked, cursor)."""

    def __init__(self, rows: list[Row], turn: Callable[[int, int], object] | None = None) -> None:
        self.rows = rows
        self.turn = turn
        self.urls: list[str] = []

    def ask(self, url: str) -> object:
        self.urls.append(url)
        asked = parse_qs(urlsplit(url).query)
        start = int(asked.get("page", ["0"])[0])
        spoiled = self.turn(len(self.urls), start) if self.turn else None
        if isinstance(spoiled, Exception):
            raise spoiled
        if spoiled is not None:
            return spoiled
        lower = asked.get("filters", [""])[0].partition('"')[2].rstrip('"')
        rows = [row for row in self.rows if str(row["updatedTime"])[:19] >= lower[:19]]
        answer: dict[str, object] = {"results": rows[start : start + 100]}
        if start + 100 < len(rows):
            answer["nextPage"] = str(start + 100)
        return answer

    def walk(self, query: ListQuery = QUERY) -> list[str]:
        return [str(row["id"]) for page in walk(self.ask, "https://b", query) for row in page]


ROWS = [a_row(number) for number in range(250)]
IDS = [str(row["id"]) for row in ROWS]


def a_refusal() -> Rejected:
    return Rejected("cursor", http_status=400)


def test_every_row_comes_once_in_one_call_a_page() -> None:
    book = Book(ROWS)

    assert book.walk() == IDS
    assert len(book.urls) == 3


def test_an_empty_list_costs_one_call_and_yields_no_page() -> None:
    book = Book([])

    assert list(walk(book.ask, "https://b", QUERY)) == []
    assert len(book.urls) == 1


def test_an_empty_page_with_a_cursor_leads_on() -> None:
    book = Book(ROWS, lambda n, start: {"results": [], "nextPage": "00"} if n == 1 else None)

    assert book.walk() == IDS


def test_empty_pages_without_end_are_an_error() -> None:
    book = Book(ROWS, lambda n, start: {"results": [], "nextPage": str(n)})

    with pytest.raises(UnexpectedAnswer):
        book.walk()


def test_a_row_that_moved_to_the_end_comes_again_as_changed() -> None:
    moved = a_row(3, changed=900)
    book = Book([*ROWS, moved])

    assert book.walk() == [*IDS, moved["id"]]


def test_a_row_shifted_onto_the_next_page_comes_once() -> None:
    def shift(n: int, start: int) -> object:
        return {"results": [ROWS[99], *ROWS[100:199]], "nextPage": "199"} if start == 100 else None

    assert Book(ROWS, shift).walk() == IDS


def test_a_refused_cursor_begins_again_at_the_last_change_seen() -> None:
    book = Book(ROWS, lambda n, start: a_refusal() if n == 2 else None)

    assert book.walk() == IDS
    assert "00%3A01%3A39.000Z" in book.urls[2]


def test_cursors_that_are_always_refused_still_lead_to_the_end() -> None:
    assert Book(ROWS, lambda n, start: a_refusal() if start else None).walk() == IDS


def test_a_cursor_refused_twice_at_one_place_is_an_error() -> None:
    rows = [a_row(number, changed=5) for number in range(250)]

    with pytest.raises(Rejected):
        Book(rows, lambda n, start: a_refusal() if start else None).walk()


def test_a_refusal_of_the_question_itself_is_not_tried_again() -> None:
    book = Book(ROWS, lambda n, start: a_refusal())

    with pytest.raises(Rejected):
        book.walk()
    assert len(book.urls) == 1


def test_a_cursor_that_repeats_itself_does_not_cut_the_list_short() -> None:
    def stuck(n: int, start: int) -> object:
        return {"results": ROWS[100:200], "nextPage": "100"} if start == 100 and n < 4 else None

    assert Book(ROWS, stuck).walk() == IDS


def test_a_last_page_that_repeats_its_cursor_is_the_end() -> None:
    book = Book(ROWS[:7], lambda n, start: {"results": ROWS[:7], "nextPage": "0"})

    assert book.walk() == IDS[:7]
    assert len(book.urls) < 6


def test_a_list_that_only_goes_in_circles_is_an_error() -> None:
    book = Book(ROWS, lambda n, start: {"results": ROWS[:100], "nextPage": "0"})

    with pytest.raises(UnexpectedAnswer):
        book.walk()
