"""A mapping table as a spreadsheet holds it: named columns in any order, one rule a line.

Reading says for each line what it asks for or what is wrong with it, in words that name the line;
whether the named records exist is asked elsewhere. A value that begins like a formula is written
with an apostrophe, so no spreadsheet runs it; reading takes that apostrophe off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_LINES, LARGEST_BYTES = 5_000, 2_000_000
#: A rule's dimension → its column.
COLUMNS: Mapping[str, str] = {
    "account_id": "BILL account",
    "department_id": "Department",
    "location_id": "Location",
    "class_id": "Class",
    "item_id": "Item",
    "vendor_id": "Vendor",
}
TARGET, TARGET_NAME, RULE_NAME = "Sage account", "Sage account name", "Rule name"
HEADER = (*COLUMNS.values(), TARGET, TARGET_NAME, RULE_NAME)


class FileRefused(ValueError):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRule:
    """One line: what it names as written, by dimension; `line` counts from 1, the header too."""

    line: int
    gl_account: str
    name: str = ""
    named: Mapping[str, str] = field(default_factory=dict)


def read_rules(content: bytes) -> list[CsvRule]:
    """Every line that is not empty; raises FileRefused."""
    if len(content) > LARGEST_BYTES:
        raise FileRefused("The file is larger than 2 MB. Split it, or take out unused columns.")
    rows = _rows(_text(content))
    header = next(rows, (1, []))[1]
    places = _places(header)
    found = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        values = {
            name: _plain(cells[place]) if place < len(cells) else ""
            for name, place in places.items()
        }
        named = {key: values[title] for key, title in COLUMNS.items() if values.get(title)}
        found.append(
            CsvRule(
                line=line, gl_account=values[TARGET], name=values.get(RULE_NAME, ""), named=named
            )
        )
        if len(found) > MOST_LINES:
            raise FileRefused(f"The file has more than {MOST_LINES:,} rules. Split it.")
    if not found:
        raise FileRefused("The file has no line below its header.")
    return found


def _text(content: bytes) -> str:
    """Excel writes UTF-8 with a mark or the old Windows code page; both are read."""
    if b"\x00" in content:
        raise FileRefused(
            "This is not a CSV file. In Excel, choose Save As, CSV UTF-8 (comma delimited)."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise FileRefused(f"Line {reader.line_num} cannot be read as CSV: {error}.") from error


def _places(header: Sequence[str]) -> dict[str, int]:
    known = {title.casefold(): title for title in HEADER}
    places: dict[str, int] = {}
    for place, cell in enumerate(header):
        title = known.get(" ".join(_plain(cell).split()).casefold())
        if title is None:
            raise FileRefused(
                f"Column “{cell.strip()[:40]}” is not known. The columns are: {', '.join(HEADER)}."
            )
        if title in places:
            raise FileRefused(f"Column “{title}” is there twice.")
        places[title] = place
    if TARGET not in places:
        raise FileRefused(f"The column “{TARGET}” is missing from the first line.")
    if not any(title in places for title in COLUMNS.values()):
        raise FileRefused(f"The file needs at least one of: {', '.join(COLUMNS.values())}.")
    return places


def _plain(cell: str) -> str:
    """The cell without what was put before it to keep spreadsheets from running it."""
    text = cell.strip()
    if text[:1] == "'" and text[1:2] in set("=+-@"):
        text = text[1:]
    return text.replace("\\|", "|").replace("\x00", "")
