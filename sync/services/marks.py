"""What a company remembers of Sage's batch numbers from one turn to the next.

`highest` is the highest number ever seen, `low` the one below which nothing of ours can still
appear, `prints` how batches looked when they were last judged. After a restore, of our database or
of Sage, nothing above the low mark is taken for known until `thorough_until`, which is counted from the
first look that got through: Sage may be away for long after a disaster.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from integrations.sage300.types import BatchHeader
from sync.domain import following, sage_restores
from sync.models import CatalogueList

KIND = "sage.batches"
STRANGERS_LAST = timedelta(days=60)


@dataclass(slots=True, kw_only=True)
class Marks:
    """Times are aware. `decisions` are a person's, by batch number, after a restore of Sage.

    `told` are batches under a tag of ours that no row of ours knows, told once; `seen` how the newest
    batches, whosever, looked in the last list; `strangers`, by batch number, order numbers found after
    a restore that no posting had. `trusts_sequences`: `sage_restores.tells_sequences` once held.
    """

    highest: int = 0
    low: int = 0
    first_seen: dict[int, datetime] = field(default_factory=dict)
    prints: dict[int, str] = field(default_factory=dict)
    thorough_until: datetime | None = None
    is_watch_due: bool = False
    decisions: dict[int, str] = field(default_factory=dict)
    told: list[int] = field(default_factory=list)
    seen: dict[int, str] = field(default_factory=dict)
    trusts_sequences: bool = False
    strangers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    history_checked_at: datetime | None = None

    def orders_apart(self) -> set[str]:
        """Every order number among the strangers."""
        return {order for orders in self.strangers.values() for order in orders}

    def is_thorough(self, now: datetime) -> bool:
        """Whether every batch above the low mark is to be read, whatever its description."""
        lasts = self.thorough_until is not None and now < self.thorough_until
        return self.is_watch_due or lasts

    def watch(self, now: datetime) -> None:
        """Look at everything above the low mark, from the first look that gets through."""
        self.is_watch_due = True
        self._watch_from(now)

    def forget_strangers(self, now: datetime) -> None:
        """A bill that BILL has not told again for so long is not told any more."""
        began = self.thorough_until
        if not self.is_watch_due and began is not None and now > began + STRANGERS_LAST:
            self.strangers = {}

    def note_list(
        self,
        headers: Sequence[BatchHeader],
        posted: Mapping[int, int],
        *,
        changed: Sequence[BatchHeader],
    ) -> None:
        """Remember how the newest batches look; those `changed` count as seen once they were judged."""
        self.trusts_sequences |= sage_restores.tells_sequences(headers, posted)
        before = {header.number: self.seen[header.number] for header in changed}
        highest = max([self.highest, *(header.number for header in headers)])
        self.seen = sage_restores.newest(headers, highest=highest) | before

    def note_whole_look(self, changed: Sequence[BatchHeader], now: datetime) -> None:
        """A look has got through; after a restore the watch begins with it."""
        self.seen |= following.listed(changed)
        if self.is_watch_due:
            self.is_watch_due = False
            self._watch_from(now)

    def _watch_from(self, now: datetime) -> None:
        self.thorough_until = now + timedelta(seconds=settings.CONNECTOR.restore_watch_seconds)


def find_marks(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> Marks | None:
    """The company's marks, None before its first look; inside the caller's scope."""
    rows = CatalogueList.objects.for_tenant(tenant_id).filter(company_id=company_id, kind=KIND)
    row = rows.first()
    if row is None:
        return None
    stored = row.rows
    return Marks(
        highest=stored["highest"],
        low=stored["low"],
        first_seen={int(n): datetime.fromisoformat(at) for n, at in stored["first_seen"].items()},
        prints={int(number): text for number, text in stored["prints"].items()},
        thorough_until=_time(stored.get("thorough_until")),
        is_watch_due=stored.get("is_watch_due", False),
        decisions={int(number): text for number, text in stored.get("decisions", {}).items()},
        told=list(stored.get("told", [])),
        seen={int(number): text for number, text in stored.get("seen", {}).items()},
        trusts_sequences=stored.get("trusts_sequences", False),
        strangers={int(number): tuple(o) for number, o in stored.get("strangers", {}).items()},
        history_checked_at=_time(stored.get("history_checked_at")),
    )


def keep_marks(marks: Marks, *, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> None:
    """Store the marks; inside the caller's scope."""
    stored = {
        "highest": marks.highest,
        "low": marks.low,
        "first_seen": {str(n): at.isoformat() for n, at in marks.first_seen.items()},
        "prints": {str(n): text for n, text in marks.prints.items()},
        "thorough_until": _text(marks.thorough_until),
        "is_watch_due": marks.is_watch_due,
        "decisions": {str(n): text for n, text in marks.decisions.items()},
        "told": marks.told,
        "seen": {str(number): text for number, text in marks.seen.items()},
        "trusts_sequences": marks.trusts_sequences,
        "strangers": {str(number): orders for number, orders in marks.strangers.items()},
        "history_checked_at": _text(marks.history_checked_at),
    }
    CatalogueList.objects.for_tenant(tenant_id).update_or_create(
        company_id=company_id,
        kind=KIND,
        defaults={
            "tenant_id": tenant_id,
            "rows": stored,
            "row_count": len(marks.prints),
            "read_at": now,
        },
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
