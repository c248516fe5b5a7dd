"""Leaving a server alone that keeps failing, and asking it one cheap question before going on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sync.domain.backoff import FailureKind, Limits, retry_at

LIMITS = Limits(base_seconds=60, cap_seconds=1800, tries=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """`failures` in a row since it last answered; `open_until` while it is left alone (aware)."""

    failures: int = 0
    open_until: datetime | None = None

    @property
    def is_closed(self) -> bool:
        """Whether calls go through without a question first."""
        return self.open_until is None

    def is_resting(self, now: datetime) -> bool:
        """Whether not even the question is asked now."""
        return self.open_until is not None and now < self.open_until

    def after_failure(
        self, now: datetime, *, limit: int, uniform: Callable[[float, float], float]
    ) -> Circuit:
        """One more failure; from `limit` on it opens, each time for up to twice as long."""
        failures = self.failures + 1
        if failures < limit:
            return Circuit(failures=failures)
        until = retry_at(
            FailureKind.UNREACHABLE,
            failures=failures - limit + 1,
            now=now,
            uniform=uniform,
            limits=LIMITS,
        )
        return Circuit(failures=failures, open_until=until)

    def after_success(self) -> Circuit:
        """It answered: closed, and nothing held against it."""
        return Circuit()
