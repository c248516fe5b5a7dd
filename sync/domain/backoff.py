"""When something that failed is tried again, and when a person is asked instead.

Delays grow by doubling and are drawn from the whole span below ("full jitter"), so that many
companies that failed together do not come back together. A vendor's own `Retry-After` is honoured
to the second. Randomness is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class FailureKind(StrEnum):
    """Failures that may pass by themselves; everything else goes to a person at once."""

    UNREACHABLE = "unreachable"
    RATE_LIMITED = "rate_limited"
    SERVER_FAULT = "server_fault"
    BUSY = "busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`base_seconds` doubles at each failure up to `cap_seconds`; after `tries` a person acts.

    `tries` None: patience without end, as for a quota, where a person could do nothing.
    """

    base_seconds: float
    cap_seconds: float
    tries: int | None


LIMITS = {
    FailureKind.UNREACHABLE: Limits(base_seconds=15, cap_seconds=1800, tries=20),
    FailureKind.RATE_LIMITED: Limits(base_seconds=15, cap_seconds=3600, tries=None),
    FailureKind.SERVER_FAULT: Limits(base_seconds=30, cap_seconds=1800, tries=12),
    # A person has the batch open on a screen: three more looks, then they are asked to close it.
    FailureKind.BUSY: Limits(base_seconds=60, cap_seconds=600, tries=3),
}


def retry_at(
    kind: FailureKind,
    *,
    failures: int,
    now: datetime,
    uniform: Callable[[float, float], float],
    retry_after_seconds: float = 0.0,
    limits: Limits | None = None,
) -> datetime | None:
    """When to try again after the `failures`-th failure in a row (1 is the first); None: a person.

    `uniform(low, high)` draws the jitter, such as `random.uniform`.
    """
    if failures < 1:
        raise ValueError(f"failures are counted from 1, not {failures}")
    bounds = limits or LIMITS[kind]
    if bounds.tries is not None and failures > bounds.tries:
        return None
    if retry_after_seconds > 0:
        return now + timedelta(seconds=retry_after_seconds + uniform(0.0, 1.0))
    # The exponent is bounded, since 2.0 ** 1024 is no float any more.
    span = min(bounds.cap_seconds, bounds.base_seconds * 2.0 ** min(failures - 1, 64))
    return now + timedelta(seconds=max(1.0, uniform(0.0, span)))


GOOD_BEFORE_GROWING = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPace:
    """How many invoices a batch holds just now: halved by a time-out, grown by steady success."""

    size: int
    good_in_a_row: int = 0

    def after_timeout(self) -> BatchPace:
        """Half, one at least."""
        return BatchPace(size=max(1, self.size // 2))

    def after_good(self, limit: int) -> BatchPace:
        """One more after every five good batches, up to the company's `limit`."""
        good = self.good_in_a_row + 1
        if good < GOOD_BEFORE_GROWING:
            return replace(self, size=min(self.size, limit), good_in_a_row=good)
        return BatchPace(size=min(self.size + 1, limit))
