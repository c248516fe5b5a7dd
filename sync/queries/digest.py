"""Gathers one company's daily mail: what left since the last one, what needs somebody, what is next."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.db.models import F, Max, Q, Sum

from sync.domain.digest import Digest, Need, Share, Tie
from sync.domain.moments import Moments
from sync.domain.posting_state import PostingState
from sync.domain.telling import Kind, Stop
from sync.domain.words import count_of
from sync.models import Posting
from sync.models.posting import PostingQuerySet
from sync.queries.causes import Cause, find_causes
from sync.queries.postings import BILL_AMOUNT, SUMS, WORDS, Standing, standing_of, tally_from
from sync.queries.shell import shell_of
from sync.queries.stops import page_of
from sync.queries.today import CHANGED
from tenants.models import Company

IN_SAGE = (Standing.POSTED, Standing.READY_TO_POST, Standing.OPEN)
WITH_US = (Standing.IN_FLIGHT, Standing.UNCERTAIN)
LYING = "In Sage, not as it was sent"
AS_CHANGED = "Changed in BILL after it was sent"


def digest_of(
    company: Company, *, stops: list[Stop], since: datetime, zone: ZoneInfo, now: datetime
) -> Digest:
    """The day of one company as seen since `since`; inside the tenant's scope."""
    causes = find_causes(tenant_id=company.tenant_id, company_id=company.pk)
    needs = [
        *_paused(company),
        *(_of_stop(stop) for stop in stops if stop.kind is not Kind.REFUSED),
        *(_of_cause(company, cause) for cause in causes),
        *_review(company),
    ]
    return Digest(
        company=company.name,
        currency=company.currency,
        tie=_tie(company, since),
        needs=tuple(needs),
        next_words=_next(company, Moments(zone=zone, now=now)),
    )


def _paused(company: Company) -> list[Need]:
    if not company.is_paused:
        return []
    return [
        Need(
            title=f"{company.name} is paused",
            side=company.paused_reason or "nothing is read and nothing is sent",
            path=page_of(company, "policy"),
        )
    ]


def _of_stop(stop: Stop) -> Need:
    return Need(title=stop.title, side=stop.side, path=stop.path, amount=stop.amount)


def _of_cause(company: Company, cause: Cause) -> Need:
    side = cause.acts.label
    return Need(
        title=cause.title,
        waits=cause.waits,
        side=f"{side[:1].lower()}{side[1:]}",
        path=f"{page_of(company, 'attention')}#{quote(cause.key)}",
        amount=cause.amount or None,  # a bill in another currency is not added up
    )


def _review(company: Company) -> list[Need]:
    found = list(
        _rows(company).in_state(PostingState.REVIEW).values_list("amount", "warnings", "problems")
    )
    if not found:
        return []
    warned = sum(bool(warnings or problems) for _, warnings, problems in found)
    return [
        Need(
            title=f"{count_of(len(found), 'bill')} to review",
            side=f"{warned} {'carries' if warned == 1 else 'carry'} a warning"
            if warned
            else "no warning",
            path=page_of(company, "review"),
            amount=sum((amount or Decimal(0) for amount, *_ in found), Decimal(0)),
        )
    ]


def _rows(company: Company) -> PostingQuerySet:
    return Posting.objects.for_tenant(company.tenant_id).of_company(company.pk)


def _tie(company: Company, since: datetime) -> Tie:
    """What was put into batches since then and has left, itemised by where it is now."""
    left = _rows(company).filter(batch__made_at__gte=since)
    grouped = (
        left.filter(Q(sage_batch_number__isnull=False) | Q(state__in=["IN_FLIGHT", "UNCERTAIN"]))
        .values("state", "sage_status")
        .annotate(
            **SUMS,
            changed=Sum(BILL_AMOUNT - F("sage_amount"), filter=CHANGED),
            read=Max("read_back_at"),
        )
        .order_by()
    )
    shares: dict[str, Share] = {}
    count, amount, read_at = 0, Decimal(0), None
    for row in grouped:
        standing, tally = standing_of(row["state"], row["sage_status"]), tally_from(row)
        count, amount = count + tally.count, amount + tally.in_bill
        read_at = max(filter(None, (read_at, row["read"])), default=None)
        is_in_sage = standing in IN_SAGE
        words = WORDS[standing] if is_in_sage or standing in WITH_US else LYING
        taken = tally.in_sage if is_in_sage else tally.in_bill
        _add(shares, words, tally.count, taken)
        if row["changed"]:
            _add(shares, AS_CHANGED, 0, row["changed"])
    order = [*(WORDS[one] for one in (*IN_SAGE, *WITH_US)), LYING, AS_CHANGED]
    listed = sorted(shares.values(), key=lambda share: order.index(share.words))
    return Tie(since=since, count=count, amount=amount, shares=tuple(listed), read_at=read_at)


def _add(shares: dict[str, Share], words: str, count: int, amount: Decimal) -> None:
    known = shares.get(words, Share(words=words, count=0, amount=Decimal(0)))
    shares[words] = Share(words=words, count=known.count + count, amount=known.amount + amount)


def _next(company: Company, moments: Moments) -> str:
    shell = shell_of(tenant_id=company.tenant_id, company_id=company.pk)
    if company.is_paused or shell.next_run_at is None:
        return ""
    at = max(shell.next_run_at, moments.now)
    sent = f" What is sent {shell.release}." if shell.release else ""
    return f"BILL is read again at {moments.clock(at)}, and what is approved by then goes on.{sent}"
