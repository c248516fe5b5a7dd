"""When it is looked whether somebody must be told: one alarm clock a company, beside that of its runs.

The clock stands on the same directory row, so that the tick needs no tenant's scope. Times are the
database's own.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTurn:
    """One company to look at; `taken_at` is our mark on its clock."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    taken_at: datetime


def ring_mail(*, company_id: uuid.UUID) -> None:
    """Have a company looked at as soon as a worker is free: something may have changed."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sync_duework SET tell_at = NULL WHERE company_id = %s", [company_id])


def is_any_due() -> bool:
    """Whether any company is to be looked at now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM sync_duework"
            " WHERE tell_at IS NULL OR tell_at <= clock_timestamp())"
        )
        return bool(cursor.fetchone()[0])


def take_mail_turn(*, seconds: float) -> MailTurn | None:
    """Take the company that waits longest, for `seconds`; None when none is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE sync_duework SET tell_at = clock_timestamp() + make_interval(secs => %s)
            WHERE company_id = (
              SELECT company_id FROM sync_duework
              WHERE tell_at IS NULL OR tell_at <= clock_timestamp()
              ORDER BY COALESCE(tell_at, '-infinity'), company_id
              LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING tenant_id, company_id, tell_at
            """,
            [seconds],
        )
        row = cursor.fetchone()
    return MailTurn(tenant_id=row[0], company_id=row[1], taken_at=row[2]) if row else None


def end_mail_turn(turn: MailTurn, *, again_in_seconds: float) -> None:
    """Set the clock anew, unless somebody rang meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET tell_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE company_id = %s AND tell_at = %s",
            [again_in_seconds, turn.company_id, turn.taken_at],
        )
