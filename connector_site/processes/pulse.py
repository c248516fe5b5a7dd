"""The queue's pulse, taken through the one door to the queue; and the database behind it.

Every look uses a connection of its own: one that has hung since the database was stopped and
started would tell nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DatabaseError, InterfaceError, connections

from connector_site import database, embedded_postgres
from connector_site.processes.watchdog import DatabaseAway
from sync import jobs


class QueuePulse:
    """Rings through ``sync.jobs`` and reads the beats it wrote."""

    def ring(self) -> None:
        """Put a heartbeat job into the queue; whoever waits for a dead worker need wait no longer."""
        with _fresh_connection():
            jobs.ring_heartbeat()
            jobs.release_the_dead()

    def last_beat(self) -> datetime | None:
        """Return when a heartbeat job last ran."""
        with _fresh_connection():
            return jobs.last_beat()

    def attempt_is_under_way(self, now: datetime) -> bool:
        """Return whether some call is still inside its own deadline."""
        with _fresh_connection():
            return jobs.is_an_attempt_under_way(now)


def mend_database() -> None:
    """Start the embedded database when it stopped; another's is only asked whether it is back."""
    try:
        database.ensure_running()
    except (database.DatabaseRefused, embedded_postgres.ServerRefused) as refusal:
        raise DatabaseAway(str(refusal)) from refusal


@contextmanager
def _fresh_connection() -> Iterator[None]:
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        raise DatabaseAway(str(error).strip()) from error
    finally:
        connections.close_all()
