"""The database's own clock, moved to the simulated time.

Leases are good by PostgreSQL's `clock_timestamp()`. Here a function of that name in a schema of its
own is found first, and tells the second at which the world stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection

SCHEMA = "simulated"


@contextmanager
def simulated_clock() -> Iterator[None]:
    """Inside, the database's clock stands where `set_clock` puts it."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        cursor.execute(
            f"CREATE OR REPLACE FUNCTION {SCHEMA}.clock_timestamp() RETURNS timestamptz"
            " LANGUAGE sql STABLE AS $$ SELECT current_setting('simulated.now')::timestamptz $$"
        )
        cursor.execute("SHOW search_path")
        before = cursor.fetchone()[0]
        cursor.execute(f"SET search_path = {SCHEMA}, public, pg_catalog")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path = {before}")
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def set_clock(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('simulated.now', %s, false)", [now.isoformat()])
