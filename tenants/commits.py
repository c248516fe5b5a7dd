"""Commits that need not wait for the disk.

A power cut may lose the last moments of what is only a sign of life: a run's progress, a place
under BILL's limits that frees itself. Everything a promise rests on waits for the disk.
"""

from django.db import connection


def commit_without_waiting() -> None:
    """Let the transaction that is open now commit before it is on disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
