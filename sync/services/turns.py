"""Whose turn it is: companies are served in the order in which their work fell due.

The row holds the truth and the queue is only a doorbell, so a doorbell may be lost or rung twice.
The companies of a suspended tenant stay due and are passed over. Times are the database's own clock.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

#: The companies of a suspended tenant stay due, and nobody takes them.
IS_WORKED_FOR = (
    "NOT EXISTS (SELECT FROM tenants_tenant AS customer"
    " WHERE customer.id = sync_duework.tenant_id AND customer.status = 'suspended')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One company whose work is due; `is_poll_due` when its cadence is, not only a doorbell.

    `due_at` is when its poll fell due: whoever asks for another one meanwhile moves it.
    """

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    is_poll_due: bool = True
    due_at: datetime | None = None


def keep_turns(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> None:
    """Give a company its alarm clock, due now; harmless when it has one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sync_duework (company_id, tenant_id, next_run_at)"
            " VALUES (%s, %s, clock_timestamp()) ON CONFLICT (company_id) DO NOTHING",
            [company_id, tenant_id],
        )


def ring(*, company_id: uuid.UUID, seconds: float = 0) -> bool:
    """Make a company due in `seconds` at the latest; False while it is not set up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET rung_at = LEAST("
            " COALESCE(rung_at, 'infinity'), clock_timestamp() + make_interval(secs => %s))"
            " WHERE company_id = %s",
            [seconds, company_id],
        )
        return bool(cursor.rowcount)


def poll_now(*, company_id: uuid.UUID) -> None:
    """Make a company's poll due now: a person asked, or something was mended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_duework SET next_run_at = clock_timestamp() WHERE company_id = %s",
            [company_id],
        )


def hold_company(company_id: uuid.UUID) -> None:
    """Be the only one to take this company's records in, to decide, or to choose what travels, until
    the transaction ends.

    Two passes may meet (a command beside a worker), and both would add what neither has seen yet. In
    one pass the writer chooses while the reader decides; one after the other they never wait for
    each other's rows crosswise.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(company_id)])


def due_turns(*, limit: int) -> list[Turn]:
    """The companies whose work is due and on which nobody is, longest unserved first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT tenant_id, company_id, next_run_at <= clock_timestamp() FROM sync_duework
            WHERE LEAST(next_run_at, COALESCE(rung_at, 'infinity')) <= clock_timestamp()
              AND (taken_until IS NULL OR taken_until < clock_timestamp())
              AND {IS_WORKED_FOR}
            ORDER BY COALESCE(served_at, '-infinity'), next_run_at LIMIT %s
            """,  # noqa: S608 - the clause is our own
            [limit],
        )
        return [
            Turn(tenant_id=tenant, company_id=company, is_poll_due=is_due)
            for tenant, company, is_due in cursor.fetchall()
        ]


def take_turn(*, company_id: uuid.UUID, seconds: float, owner: str = "") -> Turn | None:
    """Be the one who works on this company for `seconds`; None when it is not due or taken.

    `owner` is the worker's name: its turn is free at once when it is known to have died.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE sync_duework SET rung_at = NULL, taken_by = %s,
              taken_until = clock_timestamp() + make_interval(secs => %s)
            WHERE company_id = %s
              AND LEAST(next_run_at, COALESCE(rung_at, 'infinity')) <= clock_timestamp()
              AND (taken_until IS NULL OR taken_until < clock_timestamp())
              AND {IS_WORKED_FOR}
            RETURNING tenant_id, next_run_at <= clock_timestamp(), next_run_at
            """,  # noqa: S608 - the clause is our own
            [owner, seconds, company_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Turn(tenant_id=row[0], company_id=company_id, is_poll_due=row[1], due_at=row[2])


def end_turn(
    *,
    company_id: uuid.UUID,
    cadence_seconds: float,
    was_poll: bool,
    again_in_seconds: float | None,
    due_at: datetime | None = None,
) -> bool:
    """Step back: the next poll after the cadence, and sooner where something waits for a look.

    Returns whether the company is due again at once. `due_at` is that of the turn taken: a poll
    asked for since then is not lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE sync_duework SET taken_until = NULL, served_at = clock_timestamp(),
              next_run_at = CASE
                WHEN %(poll)s AND next_run_at = COALESCE(%(due)s, next_run_at)
                THEN clock_timestamp() + make_interval(secs => %(cadence)s)
                ELSE next_run_at END,
              rung_at = CASE WHEN %(again)s::float8 IS NULL THEN rung_at
                ELSE LEAST(COALESCE(rung_at, 'infinity'),
                           clock_timestamp() + make_interval(secs => %(again)s::float8)) END
            WHERE company_id = %(company)s
            RETURNING LEAST(next_run_at, COALESCE(rung_at, 'infinity')) <= clock_timestamp()
            """,
            {
                "poll": was_poll,
                "cadence": cadence_seconds,
                "again": again_in_seconds,
                "company": company_id,
                "due": due_at,
            },
        )
        row = cursor.fetchone()
    return bool(row and row[0])
