"""Counts what the letter box refuses, so that an operator sees a wrong key or somebody knocking.

Counted in the process and written at most every few seconds, whichever box was asked for: strangers
must not be able to make us write, nor learn from the time of an answer which boxes exist.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock

from django.conf import settings
from django.db import connection

SIGNATURE = "signature"
TOO_LONG = "too long"
CUT_OFF = "cut off"

_STATEMENT = """
    INSERT INTO sync_refusal (hour, reason, count)
    SELECT date_trunc('hour', clock_timestamp()), reason, count
    FROM unnest(%s::text[], %s::int[]) AS counted(reason, count)
    ON CONFLICT (hour, reason) DO UPDATE SET count = sync_refusal.count + EXCLUDED.count
"""


class Tally:
    """What one process has counted and not written yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._write_at = 0.0

    def note(self, reason: str, *, at: float) -> None:
        """Count one; `at` is in seconds of any clock that only goes forward."""
        with self._lock:
            self._counts[reason] += 1
            if at < self._write_at:
                return
            counted = dict(self._counts)
            self._counts.clear()
            self._write_at = at + settings.CONNECTOR.webhook_tally_seconds
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENT, [list(counted), list(counted.values())])
