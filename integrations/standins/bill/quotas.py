"""BILL's limits: so many requests at a time, so many an hour, so many logins.

developer.bill.com/v3/docs/api-rate-limits. No answer carries Retry-After. The code for too many
logins a minute is not documented; BDC_1144 stands in for it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from integrations.standins.bill.answers import Refusal, refuse
from integrations.standins.bill.clock import Clock
from integrations.standins.bill.switches import Switches

_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000


class Quotas:
    """Counts calls by developer key; the hour is the clock's hour, the minute slides."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._lock = Lock()
        self._hour = 0
        self._requests: Counter[str] = Counter()
        self._logins: Counter[str] = Counter()
        self._latest_logins: dict[str, deque[int]] = {}
        self._running: Counter[tuple[str, str]] = Counter()

    def count_request(self, key: str) -> None:
        """Count one request; raises BDC_1144 beyond the hour's limit."""
        with self._lock:
            self._turn_hour()
            self._requests[key] += 1
            if self._requests[key] > self._switches.max_requests_per_hour:
                raise self._too_many("requests per hour", self._switches.max_requests_per_hour)

    def count_login(self, key: str) -> None:
        """Count one login; raises BDC_1144 beyond the hour's or the minute's limit."""
        with self._lock:
            self._turn_hour()
            now_ms = self._clock.now_ms()
            latest = self._latest_logins.setdefault(key, deque())
            while latest and latest[0] <= now_ms - _MINUTE_MS:
                latest.popleft()
            if len(latest) >= self._switches.max_logins_per_minute:
                raise self._too_many("requests per minute", self._switches.max_logins_per_minute)
            latest.append(now_ms)
            self._logins[key] += 1
            if self._logins[key] > self._switches.max_logins_per_hour:
                raise self._too_many("requests per hour", self._switches.max_logins_per_hour)

    @contextmanager
    def running(self, key: str, organization_id: str) -> Iterator[None]:
        """Count a request as under way; raises BDC_1322 where too many already are."""
        place = (key, organization_id)
        with self._lock:
            if self._running[place] >= self._switches.max_concurrent:
                raise refuse(
                    self._switches.limit_status,
                    "BDC_1322",
                    "Max number of concurrent requests per organization reached.",
                    "DOWNSTREAM",
                )
            self._running[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[place] -= 1

    def _turn_hour(self) -> None:
        hour = self._clock.now_ms() // _HOUR_MS
        if hour != self._hour:
            self._hour = hour
            self._requests.clear()
            self._logins.clear()

    def _too_many(self, of_what: str, limit: int) -> Refusal:
        message = f"Max number of allowed {of_what} reached: {limit}."
        return refuse(self._switches.limit_status, "BDC_1144", message, "DOWNSTREAM")
