"""One writer per Sage database, across tenants and machines, by the database's own clock.

The epoch grows with every new holder. A worker paused past its lease finds another epoch and can
write nothing more; its POST, if one is under way, is found by the next holder's look.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection


class LeaseLost(Exception):
    """Somebody else is the writer now; nothing more may be written by this worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A held lease; good until it is released, taken over, or not renewed in time."""

    database_key: str
    owner: str
    epoch: int
    seconds: float


def take_lease(database_key: str, *, owner: str, seconds: float) -> Lease | None:
    """Become the writer for `seconds`, or return None while somebody else is."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sync_sagelease AS held (database_key, owner, epoch, expires_at)
            VALUES (%(key)s, %(owner)s, 1, clock_timestamp() + make_interval(secs => %(seconds)s))
            ON CONFLICT (database_key) DO UPDATE
            SET owner = EXCLUDED.owner, epoch = held.epoch + 1, expires_at = EXCLUDED.expires_at
            WHERE held.expires_at IS NULL OR held.expires_at < clock_timestamp()
            RETURNING epoch
            """,
            {"key": database_key, "owner": owner, "seconds": seconds},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Lease(database_key=database_key, owner=owner, epoch=int(row[0]), seconds=seconds)


def renew_lease(lease: Lease, *, seconds: float | None = None) -> bool:
    """Stay the writer for another `seconds`; False when somebody else has become it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_sagelease"
            " SET expires_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE database_key = %s AND epoch = %s AND expires_at > clock_timestamp()",
            [seconds or lease.seconds, lease.database_key, lease.epoch],
        )
        return bool(cursor.rowcount == 1)


def is_writer(lease: Lease, *, seconds: float) -> bool:
    """Whether the lease is ours and lasts for another `seconds` at least; changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM sync_sagelease WHERE database_key = %s AND epoch = %s"
            " AND expires_at > clock_timestamp() + make_interval(secs => %s)",
            [lease.database_key, lease.epoch, seconds],
        )
        return cursor.fetchone() is not None


def keep_lease(lease: Lease) -> bool | None:
    """Renew inside the caller's transaction and lock the row until its end.

    None: somebody else is the writer. False: it is still ours to finish under, but ran out, and
    nothing new may begin.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_sagelease SET expires_at = CASE WHEN expires_at > clock_timestamp()"
            " THEN clock_timestamp() + make_interval(secs => %s) ELSE expires_at END"
            " WHERE database_key = %s AND epoch = %s"
            " RETURNING COALESCE(expires_at > clock_timestamp(), FALSE)",
            [lease.seconds, lease.database_key, lease.epoch],
        )
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def holds_lease(lease: Lease) -> bool:
    """Whether the epoch is still ours, inside the caller's transaction and locked until its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM sync_sagelease WHERE database_key = %s AND epoch = %s FOR SHARE",
            [lease.database_key, lease.epoch],
        )
        return cursor.fetchone() is not None


def release_lease(lease: Lease) -> None:
    """Let the next worker in at once; harmless when the lease is no longer ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_sagelease SET expires_at = NULL, owner = ''"
            " WHERE database_key = %s AND epoch = %s",
            [lease.database_key, lease.epoch],
        )
