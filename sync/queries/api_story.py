"""What the API tells of one posting beyond its row: its log and the writes that carried it."""

from __future__ import annotations

from django.db.models import QuerySet

from sync.models import Attempt, LogEntry, Posting

MOST_ATTEMPTS = 50


def log_of(posting: Posting) -> QuerySet[LogEntry]:
    """Every line about the posting, oldest first."""
    rows = LogEntry.objects.for_tenant(posting.tenant_id).filter(posting=posting)
    return rows.order_by("at", "pk")


def attempts_of(posting: Posting) -> QuerySet[Attempt]:
    """The writes of the batch it travels in, and those its log tells of; newest first."""
    rows = Attempt.objects.for_tenant(posting.tenant_id).select_related("answer")
    told = LogEntry.objects.for_tenant(posting.tenant_id).filter(
        posting=posting, attempt__isnull=False
    )
    of_log = rows.filter(pk__in=told.values("attempt_id"))
    of_batch = rows.filter(batch_id=posting.batch_id) if posting.batch_id else rows.none()
    return (of_log | of_batch).order_by("-started_at")[:MOST_ATTEMPTS]
