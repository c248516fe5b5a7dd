"""CSV streamed line by line, each cell safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from defusedcsv import csv
from django.http import StreamingHttpResponse


class _Echo:
    """A file that gives each written line back, so that it can be streamed."""

    def write(self, value: str) -> str:
        return value


def stream_csv(lines: Iterator[Iterable[object]], name: str) -> StreamingHttpResponse:
    """An answer that is a file of this name; `lines` opens its own scope."""
    writer = csv.writer(_Echo())
    return StreamingHttpResponse(
        (writer.writerow(line) for line in lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def figure(amount: object) -> str:
    """A plain figure a spreadsheet reads: no separators, a hyphen for minus."""
    return "" if amount is None else f"{amount:.2f}"
