"""What is remembered of Sage's numbers, as `services/marks.py` keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from integrations.sage300.types import BatchHeader
from sync.domain import following
from sync.domain.replacing import replace

#: How long every new batch in Sage is read after a restore: `CONNECTOR_RESTORE_WATCH_SECONDS`.
RESTORE_WATCH_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is remembered of Sage's numbers, as `services/marks.py` keeps it."""

    highest: int = 0
    low: int = 0
    first_seen: dict[int, float] = field(default_factory=dict)
    prints: dict[int, str] = field(default_factory=dict)
    thorough_until: float = -1.0
    is_watch_due: bool = False
    told: tuple[int, ...] = ()
    seen: dict[int, str] = field(default_factory=dict)
    trusts_sequences: bool = False
    strangers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    history_checked_at: float | None = None

    def is_thorough(self, now: float) -> bool:
        return self.is_watch_due or now < self.thorough_until

    def watch(self, now: float) -> Marks:
        """`Marks.watch`: everything is looked at, from the first look that gets through."""
        return replace(self, is_watch_due=True, thorough_until=now + RESTORE_WATCH_SECONDS)

    def note_list(
        self, newest: dict[int, str], changed: Sequence[BatchHeader], *, tells: bool
    ) -> Marks:
        before = {header.number: self.seen[header.number] for header in changed}
        trusts = self.trusts_sequences or tells
        return replace(self, trusts_sequences=trusts, seen=newest | before if before else newest)

    def note_whole_look(self, changed: Sequence[BatchHeader], now: float) -> Marks:
        marks = replace(self, seen=self.seen | following.listed(changed))
        if not self.is_watch_due:
            return marks
        return replace(marks, is_watch_due=False, thorough_until=now + RESTORE_WATCH_SECONDS)
