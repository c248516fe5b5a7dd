"""The table a terminal shows: every bill with its accounts, its state, and where it lies in Sage."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from connector_site.demo.shown import Row

_COLUMNS = (("Bill", 24), ("Vendor", 30), ("Amount", 11), ("GL accounts", 19), ("State", 16))
_WIDTH = 118


def table(rows: Iterable[Row]) -> str:
    """Return the table; the sentence of each bill stands below its line."""
    head = "  ".join(f"{title:<{width}}" for title, width in _COLUMNS) + "  Batch"
    return "\n".join([head, "-" * _WIDTH, *(line for row in rows for line in _lines(row))])


def _lines(row: Row) -> list[str]:
    amount = f"{row.posting.amount:,.2f}" if row.posting.amount is not None else ""
    cells = (
        f"{_cut(row.posting.invoice_number, 24):<24}",
        f"{_cut(row.posting.vendor_name, 30):<30}",
        f"{amount:>11}",
        f"{_cut(row.accounts, 19):<19}",
        f"{row.word:<16}",
        row.place,
    )
    sentence = textwrap.wrap(row.sentence, _WIDTH - 6)
    return ["  ".join(cells).rstrip(), *(f"      {line}" for line in sentence)]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a bill approved in BILL took, in seconds, to be seen in Sage."""

    title: str
    company: str
    told_by: str
    open_seconds: float | None
    posted_seconds: float | None


def timings_text(timings: Sequence[Timing], *, cadence_seconds: int) -> str:
    """Return the minutes of each live approval and the 95th percentile by how it was told."""
    lines = ["Approved in BILL while the product ran            → Open     → Posted   told by"]
    lines += [
        f"{_cut(f'{each.company}: {each.title}', 48):<48}  {_minutes(each.open_seconds):<9}"
        f"  {_minutes(each.posted_seconds):<9}  {each.told_by}"
        for each in timings
    ]
    for told_by, limit in (("webhook", 30), ("poll", cadence_seconds + 60)):
        taken = [each.open_seconds for each in timings if each.told_by == told_by]
        known = [seconds for seconds in taken if seconds is not None]
        if not known or len(known) < len(taken):
            lines.append(f"By {told_by}: not every one was in Sage in time.")
            continue
        slow = p95(known)
        verdict = "within" if slow <= limit else "OVER"
        lines.append(f"By {told_by}: p95 {slow:.1f} s until read back, {verdict} {limit} s.")
    return "\n".join(lines)


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile by nearest rank; of a few values it is the slowest."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]


def _minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.2f} min"
