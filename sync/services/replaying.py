"""Asks again for one bill or for all of a filter: first the count and the sum, then the deed.

A replay never sends anything by itself: each bill is decided anew and looked up in Sage before its
next send. The set a person agreed to is the set that goes; if it has changed since, they are shown
the new one. The caller holds the tenant's scope and wakes the company afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from sync.domain.deeds import Deed, find_offer, mark_of
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.domain.words import count_of, money
from sync.models import Posting
from sync.queries.posting_story import standing_for_deeds
from sync.queries.postings import Filter, iter_rows
from sync.services import acts, journal
from sync.services.acts import Done, NotOpen, Overtaken
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company

LONGEST_REASON = 250
STOPPED = (PostingState.BLOCKED, PostingState.ATTENTION)


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a replay of a filter would touch, and what it would leave and why.

    `left` counts the bills of the filter that are not replayed, by the words of the reason.
    `mark` names this exact set, so that what is done is what was agreed to.
    """

    postings: Sequence[Posting] = ()
    amount: Decimal = Decimal(0)
    left: Mapping[str, int] = field(default_factory=dict)
    beyond: int = 0

    @property
    def count(self) -> int:
        """How many bills would be asked for again."""
        return len(self.postings)

    @property
    def elsewhere(self) -> int:
        """How many of them are in another currency, and so not in the amount."""
        return sum(map(_is_elsewhere, self.postings))

    @property
    def mark(self) -> str:
        """This very set, as a form carries it."""
        return mark_of((row.pk, row.amount) for row in self.postings)


def plan(company: Company, wanted: Filter, *, zone: ZoneInfo) -> Plan:
    """Count what a replay would do; writes nothing. At most a knob's number of bills at a time."""
    good: list[Posting] = []
    left: dict[str, int] = {}
    beyond = 0
    for posting in iter_rows(tenant_id=company.tenant_id, company_id=company.pk, wanted=wanted):
        reason = _why_not(posting, zone)
        if reason:
            left[reason] = left.get(reason, 0) + 1
        elif len(good) >= settings.CONNECTOR.replay_bills:
            beyond += 1
        else:
            good.append(posting)
    return Plan(postings=good, amount=sum(map(_amount, good), Decimal(0)), left=left, beyond=beyond)


def replay(
    company: Company,
    wanted: Filter,
    *,
    mark: str,
    reason: str,
    actor: Actor,
    zone: ZoneInfo,
    now: datetime,
) -> Done | NotOpen | Overtaken:
    """Ask again for every bill of the plan with this `mark`; `reason` is kept with each."""
    reason = reason.replace("\x00", "").strip()[:LONGEST_REASON]
    if not reason:
        return NotOpen(
            sentence="Nothing was done yet. Please say why: the reason is kept with each bill."
        )
    planned = plan(company, wanted, zone=zone)
    if planned.mark != mark:
        return Overtaken(
            sentence=f"Nothing was done: meanwhile it is {count_of(planned.count, 'bill')},"
            f" {money(planned.amount, company.currency)}. Look at the new count and press again."
        )
    done, total = 0, Decimal(0)
    for posting in planned.postings:
        amount = _amount(posting)
        outcome = acts.act(
            posting, Deed.REPLAY, seen_state=posting.state, actor=actor, note=reason, zone=zone,
            now=now,
        )  # fmt: skip
        if isinstance(outcome, Done):
            done, total = done + 1, total + amount
    told = f"{count_of(done, 'bill')} asked for again, {money(total, company.currency)}."
    _record(company, wanted, told, reason, actor, now)
    beyond = f" {planned.beyond} more fit the filter; replay them next." if planned.beyond else ""
    return Done(sentence=f"{told} Each is decided anew and looked up in Sage first.{beyond}")


def _why_not(posting: Posting, zone: ZoneInfo) -> str:
    """Why this bill is not replayed, in words; "" when it is."""
    if find_offer(standing_for_deeds(posting, zone=zone), Deed.REPLAY) is not None:
        return ""
    if posting.state not in STOPPED:
        return "not stopped"
    if posting.sage_batch_number is not None:
        return "lies in Sage, to be mended there"
    return "waits for somebody to look in Sage"


def _amount(posting: Posting) -> Decimal:
    """The amount in the company's money; a bill in another currency adds nothing to a sum."""
    return Decimal(0) if _is_elsewhere(posting) else posting.amount or Decimal(0)


def _is_elsewhere(posting: Posting) -> bool:
    return ProblemCode.FOREIGN_CURRENCY in {item["code"] for item in posting.problems}


def _record(
    company: Company, wanted: Filter, told: str, reason: str, actor: Actor, now: datetime
) -> None:
    line = journal.company_line(
        tenant_id=company.tenant_id, company_id=company.pk, event="person.replay_many",
        sentence=f"{told} {reason}", now=now, actor=actor.name,
    )  # fmt: skip
    journal.write([line])
    audit.record(
        tenant=company.tenant_id,
        actor=actor,
        action="postings.replay",
        subject=told,
        subject_id=company.pk,
        details={"filter": wanted.query(), "reason": reason},
        now=now,
    )
