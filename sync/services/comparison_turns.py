"""When both sides of a company are compared next, and who is at it.

An alarm clock beside that of its passes (`turns.py`): comparing only reads, so the two may go on at
the same time. A doorbell may be lost or rung twice; the row holds the truth. Times are the
database's own clock.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import connection

from sync.services.turns import IS_WORKED_FOR, Turn


def ask_now(*, company_id: uuid.UUID) -> None:
    """Make the comparison due: a person asked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET compare_at = clock_timestamp() WHERE company_id = %s",
            [company_id],
        )


def plan_first(*, company_id: uuid.UUID) -> None:
    """Make a company's first comparison due, now that a pass has been made; later ones plan themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET compare_at = clock_timestamp()"
            " WHERE company_id = %s AND compare_at IS NULL",
            [company_id],
        )


def due(*, limit: int) -> list[Turn]:
    """The companies whose comparison is due and at which nobody is, longest due first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, company_id FROM sync_duework WHERE compare_at <= clock_timestamp()"  # noqa: S608 - the clause is our own
            " AND (compare_until IS NULL OR compare_until < clock_timestamp())"
            f" AND {IS_WORKED_FOR}"
            " ORDER BY compare_at LIMIT %s",
            [limit],
        )
        return [Turn(tenant_id=tenant, company_id=company) for tenant, company in cursor.fetchall()]


def take(*, company_id: uuid.UUID, seconds: float, owner: str) -> Turn | None:
    """Be the one who compares for `seconds`; None when it is not due or somebody is at it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE sync_duework SET compare_by = %s,
              compare_until = clock_timestamp() + make_interval(secs => %s)
            WHERE company_id = %s AND compare_at <= clock_timestamp()
              AND (compare_until IS NULL OR compare_until < clock_timestamp())
              AND {IS_WORKED_FOR}
            RETURNING tenant_id, compare_at
            """,  # noqa: S608 - the clause is our own
            [owner, seconds, company_id],
        )
        row = cursor.fetchone()
    return Turn(tenant_id=row[0], company_id=company_id, due_at=row[1]) if row else None


def end(*, company_id: uuid.UUID, next_at: datetime, due_at: datetime | None) -> None:
    """Step back until `next_at`; one asked for since `due_at` was taken is not lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET compare_until = NULL,"
            " compare_at = CASE WHEN compare_at = %s THEN %s ELSE compare_at END"
            " WHERE company_id = %s",
            [due_at, next_at, company_id],
        )
