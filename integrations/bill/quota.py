"""BILL's limits, shared by every process through PostgreSQL and its clock.

BILL counts per developer key: requests at once (for each organization), requests an hour, sign-ins
an hour and a minute. A limit kept inside one process would be wrong with the second worker. Taking
a place costs one short statement and giving it back another; no transaction is open between them.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from integrations.bill.queries import BillAddress
from integrations.bill.sharing import BillLimits
from integrations.errors import RateLimited
from integrations.models import BillQuotaRow, BillSlot
from tenants.commits import commit_without_waiting

FIRST_POLL_SECONDS = 0.02
LONGEST_POLL_SECONDS = 0.25
HOUR_SECONDS = 3600.0
MINUTE_SECONDS = 60.0
# BILL's clock and the database's may differ a little.
REOPENING_MARGIN_SECONDS = 5.0

_TAKE = """
WITH free AS (
    SELECT id, slot FROM {slots}
     WHERE key = %(slot_key)s AND slot < %(places)s
       AND (held_until IS NULL OR held_until <= clock_timestamp())
     ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED
), counted AS (
    UPDATE {quota} AS quota
       SET calls = CASE WHEN quota.hour_started_at = date_trunc('hour', clock_timestamp())
                        THEN quota.calls + 1 ELSE 1 END,
           hour_started_at = date_trunc('hour', clock_timestamp())
      FROM free
     WHERE quota.key = %(key)s
       AND (quota.closed_until IS NULL OR quota.closed_until <= clock_timestamp())
       AND (quota.hour_started_at IS DISTINCT FROM date_trunc('hour', clock_timestamp())
            OR quota.calls < %(calls)s)
 RETURNING quota.calls
), taken AS (
    UPDATE {slots} AS slots
       SET held_until = clock_timestamp() + make_interval(secs => %(lease)s),
           holder = %(holder)s
      FROM free, counted
     WHERE slots.id = free.id
 RETURNING slots.slot
)
SELECT (SELECT slot FROM taken),
       EXISTS (SELECT 1 FROM free),
       extract(epoch FROM GREATEST(
           quota.closed_until,
           CASE WHEN quota.calls >= %(calls)s
                THEN quota.hour_started_at + interval '1 hour' END
       ) - clock_timestamp())::float8
  FROM {quota} AS quota WHERE quota.key = %(key)s
"""

_RELEASE = """
UPDATE {slots} SET held_until = NULL, holder = ''
 WHERE key = %s AND slot = %s AND holder = %s
"""

_CLOSE = """
UPDATE {quota}
   SET closed_until = date_trunc('hour', clock_timestamp()) + interval '1 hour'
                      + make_interval(secs => %s)
 WHERE key = %s
RETURNING extract(epoch FROM closed_until - clock_timestamp())::float8
"""


class SharedQuota:
    """The quota of one developer key, and the places of one organization under it.

    Safe to use from many threads and processes; each thread uses its own database connection.
    """

    def __init__(
        self,
        address: BillAddress,
        limits: BillLimits | None = None,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits or BillLimits()
        self._key = quota_key(address)
        self._slot_key = _hashed(address.api_url, address.developer_key, address.organization_id)
        self._wait = wait
        self._tables = {"slots": BillSlot._meta.db_table, "quota": BillQuotaRow._meta.db_table}
        self._is_prepared = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one place for one request, and count the request.

        Waits for a place at most `wait_seconds`. Raises RateLimited after that, and at once where
        the hour is used up. A holder that dies gives its place back when the lease runs out.
        """
        holder = uuid.uuid4().hex
        place = self._take(holder)
        try:
            yield
        finally:
            with transaction.atomic():
                commit_without_waiting()
                self._execute(_RELEASE, [self._slot_key, place, holder])

    def permit_login(self) -> None:
        """Count one sign-in; waits for its turn at most `wait_seconds`, else raises RateLimited."""
        self._prepare()
        deadline = time.monotonic() + self._limits.wait_seconds
        while (seconds := self._count_login()) > 0:
            if time.monotonic() + seconds > deadline:
                raise RateLimited(
                    "sign-ins to BILL used up",
                    sentence="BILL allows only a few sign-ins a minute and an hour. The connector "
                    "signs in by itself when the next one is due; nobody needs to act.",
                    retry_after_seconds=seconds,
                )
            self._wait(seconds)

    def close_for_the_hour(self) -> float:
        """Close the key for all until the next clock hour; return the seconds until it opens."""
        self._prepare()
        row = self._fetch(_CLOSE, [REOPENING_MARGIN_SECONDS, self._key])
        return float(row[0]) if row else HOUR_SECONDS

    def _take(self, holder: str) -> int:
        self._prepare()
        deadline = time.monotonic() + self._limits.wait_seconds
        pause = FIRST_POLL_SECONDS
        while True:
            place, is_free, closed_seconds = self._try_to_take(holder)
            if place is not None:
                return place
            if is_free and closed_seconds > 0:
                raise RateLimited(
                    "hourly quota of the developer key used up",
                    sentence="BILL's hourly limit for this developer key is used up. Work goes on "
                    "by itself at the next full hour; nobody needs to act.",
                    retry_after_seconds=closed_seconds,
                )
            if time.monotonic() + pause > deadline:
                raise RateLimited(
                    "no free place for a request to BILL",
                    sentence="Other work is using all the requests BILL allows at once. This goes "
                    "on by itself in a moment; nobody needs to act.",
                    retry_after_seconds=self._limits.busy_pause_seconds,
                )
            self._wait(pause)
            pause = min(pause * 1.5, LONGEST_POLL_SECONDS)

    def _try_to_take(self, holder: str) -> tuple[int | None, bool, float]:
        # Durable: a caller that holds a transaction open while it talks to BILL would keep the
        # count locked for every process on this key. It gets a RuntimeError instead.
        with transaction.atomic(durable=True):
            commit_without_waiting()
            row = self._fetch(
                _TAKE,
                {
                    "key": self._key,
                    "slot_key": self._slot_key,
                    "places": self._limits.concurrency,
                    "calls": self._limits.calls_per_hour,
                    "lease": self._limits.slot_lease_seconds,
                    "holder": holder,
                },
            )
        if row is None:
            self._is_prepared = False
            self._prepare()
            return None, False, 0.0
        place, is_free, closed_seconds = row
        return place, bool(is_free), closed_seconds or 0.0

    def _count_login(self) -> float:
        """Count a sign-in and return 0, or return the seconds until one is due."""
        with transaction.atomic():
            row = BillQuotaRow.objects.select_for_update().get(key=self._key)
            now = self._database_seconds()
            recent = [float(at) for at in row.logins if now - float(at) < HOUR_SECONDS]
            limits = self._limits
            due = max(
                _due(recent, within=MINUTE_SECONDS, at_most=limits.logins_per_minute, now=now),
                _due(recent, within=HOUR_SECONDS, at_most=limits.logins_per_hour, now=now),
            )
            if due <= 0:
                row.logins = [*recent, now]
                row.save(update_fields=["logins"])
        return due

    def _database_seconds(self) -> float:
        row = self._fetch("SELECT extract(epoch FROM clock_timestamp())::float8", [])
        return float(row[0]) if row else 0.0

    def _prepare(self) -> None:
        """Make the rows of this key and organization where they are missing."""
        if self._is_prepared:
            return
        BillQuotaRow.objects.bulk_create([BillQuotaRow(key=self._key)], ignore_conflicts=True)
        BillSlot.objects.bulk_create(
            [BillSlot(key=self._slot_key, slot=n) for n in range(self._limits.concurrency)],
            ignore_conflicts=True,
        )
        self._is_prepared = True

    def _fetch(self, statement: str, values: Any) -> tuple[Any, ...] | None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(**self._tables), values)
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def _execute(self, statement: str, values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(**self._tables), values)


def _due(times: list[float], *, within: float, at_most: int, now: float) -> float:
    """Seconds until another one fits into the last `within` seconds; 0 or less: now."""
    inside = sorted(at for at in times if now - at < within)
    return inside[-at_most] + within - now if len(inside) >= at_most else 0.0


def quota_key(address: BillAddress) -> str:
    """The name of the row in which this developer key's use of BILL is counted."""
    return _hashed(address.api_url, address.developer_key)


def _hashed(*parts: str) -> str:
    """A key for a row that tells nobody the developer key."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
