"""Which ready invoices travel together, and how a refused batch is taken apart.

One batch holds one fiscal period and one currency, so that its total means something and can be
compared. The order is stable, and the tag depends only on what is in the batch: a worker that
starts again without memory computes the same one.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from integrations.sage300.types import DESCRIPTION_LENGTH
from sync.domain.sage_text import fit

Entry = TypeVar("Entry")

TAG_PREFIX = "MLC1-"
TAG_LENGTH = len(TAG_PREFIX) + 16


_TAG = re.compile(rf"{TAG_PREFIX}[A-Z2-7]{{16}}")


def tag_in(description: str) -> str:
    """The tag a batch's description carries, without the number of its POST; "" for none."""
    found = _TAG.search(description)
    return found.group() if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyEntry:
    """A posting that may travel; `year` and `period` are the fiscal period of its posting date."""

    posting_id: str
    posting_date: date
    year: str
    period: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """Entries for one `APInvoiceBatches` POST, in the order they will have in Sage."""

    entries: tuple[ReadyEntry, ...]
    year: str
    period: str
    currency: str

    @property
    def total(self) -> Decimal:
        """What the batch total in Sage must be."""
        return sum((entry.amount for entry in self.entries), Decimal(0))


def plan_batches(entries: Iterable[ReadyEntry], *, size: int) -> tuple[PlannedBatch, ...]:
    """Every entry in exactly one batch of at most `size`; oldest posting date first."""
    if size < 1:
        raise ValueError(f"a batch holds at least one invoice, not {size}")
    ordered = sorted(entries, key=lambda e: (e.posting_date, e.posting_id))
    groups: dict[tuple[str, str, str], list[ReadyEntry]] = {}
    for entry in ordered:
        groups.setdefault((entry.year, entry.period, entry.currency), []).append(entry)
    return tuple(
        PlannedBatch(
            entries=tuple(group[start : start + size]), year=year, period=period, currency=currency
        )
        for (year, period, currency), group in groups.items()
        for start in range(0, len(group), size)
    )


def batch_tag(*, company_id: str, posting_ids: Iterable[str], round_number: int) -> str:
    """`MLC1-` and 16 signs; the same for the same postings in any order.

    `round_number` tells a later batch of the same postings from an earlier one.
    """
    parts = [company_id, *sorted(posting_ids), str(round_number)]
    digest = hashlib.sha256("\n".join(parts).encode()).digest()
    return TAG_PREFIX + base64.b32encode(digest).decode("ascii")[:16]


def describe_batch(
    template: str, *, tag: str, day: date, count: int, company: str, year: str, period: str
) -> str:
    """The batch description, 60 at most; the tag is whole whatever else must go."""
    parts = {
        "tag": tag,
        "date": day.isoformat(),
        "count": count,
        "company": company,
        "period": f"{year}-{period}",
    }
    text = fit(template.format_map(parts), DESCRIPTION_LENGTH).text
    if tag in text:
        return text
    rest = template.format_map({**parts, "tag": ""})
    return fit(f"{tag} {rest}", DESCRIPTION_LENGTH).text


def split(entries: Sequence[Entry]) -> tuple[tuple[Entry, ...], ...]:
    """Two halves, the first no smaller; one entry alone cannot be split further."""
    if len(entries) < 2:
        return (tuple(entries),) if entries else ()
    middle = (len(entries) + 1) // 2
    return tuple(entries[:middle]), tuple(entries[middle:])
