"""A person's yes to several bills at once: those named, or all of a view as it was counted.

A possible duplicate asks for more than a yes, so it is never among them. The caller holds the
tenant's scope and wakes the company afterwards.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sync.domain.deeds import Deed
from sync.domain.words import count_of, money
from sync.models import Posting
from sync.queries.review import ReviewPage
from sync.services import acts
from sync.services.acts import Done, NotOpen, Outcome, Overtaken
from tenants.audit import Actor
from tenants.models import Company


def approve(
    company: Company,
    page: ReviewPage,
    *,
    chosen: Collection[str],
    is_all: bool,
    mark: str,
    actor: Actor,
    now: datetime,
) -> Outcome:
    """Approve the bills whose ids are `chosen`, or all of the page if it still has this `mark`."""
    if is_all and mark != page.mark:
        return Overtaken(
            sentence=f"Nothing was approved: meanwhile it is {count_of(len(page.rows), 'bill')},"
            f" {money(page.amount, company.currency)}. Look and press again."
        )
    rows = [row for row in page.approvable if is_all or str(row.pk) in chosen]
    if not rows:
        return NotOpen(sentence="Nothing was approved: no bill was chosen.")
    done = _approve(company, rows, actor, now)
    total = sum((row.amount or Decimal(0) for row in done), Decimal(0))
    told = (
        f"{count_of(len(done), 'bill')} approved to post,"
        f" {money(total, company.currency)}. They go with the next batch."
    )
    left = 0 if is_all else len(set(chosen)) - len(rows)
    if left > 0:
        told += f" {count_of(left, 'ticked bill')} had moved on or may be a duplicate."
    return Done(sentence=told)


def _approve(company: Company, rows: list[Posting], actor: Actor, now: datetime) -> list[Posting]:
    zone = ZoneInfo(company.time_zone)
    return [
        row
        for row in rows
        if isinstance(
            acts.act(
                row, Deed.APPROVE, seen_state=row.state, actor=actor, note="", zone=zone, now=now
            ),
            Done,
        )
    ]
