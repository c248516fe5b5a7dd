"""Today: are both systems there, where does every bill stand, does it tie, and what needs a person."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Max, Q, Sum

from integrations.models import BillConnection, Sage300Connection, WebhookSubscription
from sync.domain.posting_state import PostingState
from sync.models import Batch, LogEntry, Posting, VendorLink, WebhookEvent
from sync.models.vendor import LinkState
from sync.queries.causes import Cause, find_causes
from sync.queries.postings import (
    APPROVAL_PENDING,
    BILL_AMOUNT,
    EVER_CHANGED,
    SUMS,
    Standing,
    Tally,
    standing_of,
    tally_from,
)

IN_SAGE = (Standing.OPEN, Standing.READY_TO_POST, Standing.POSTED)
CHANGED = Q(state=PostingState.IN_SAGE) & EVER_CHANGED
TO_DEAL_WITH = Q(state=PostingState.IN_SAGE, changed_in_bill_at__isnull=False)
QUIET = ("posting.waiting", "posting.ready", "posting.batched", "posting.pending", "bill.changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """One system in the strip: `state` is ok, paused, off or missing; `last_at` its last success."""

    name: str
    state: str
    sentence: str = ""
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SageBatch:
    """One batch in Sage as our postings were read back from it; `number` 0 is not known yet."""

    number: int
    standing: Standing
    sent_at: datetime
    count: int
    in_bill: Decimal
    in_sage: Decimal

    @property
    def ties(self) -> bool:
        """Whether everything sent was read back to the cent."""
        return self.number > 0 and self.in_bill == self.in_sage


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorTally:
    """BILL's vendors by what they are in Sage; together with the archived ones they are all."""

    matched: int = 0
    created: int = 0
    being_created: int = 0
    to_decide: int = 0
    left_out: int = 0
    archived: int = 0

    @property
    def everybody(self) -> int:
        """All vendors that BILL has shown us."""
        return sum(getattr(self, name) for name in self.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A line of the log, or several that tell the same of one Sage batch."""

    line: LogEntry
    count: int = 1

    def is_told_by(self, other: LogEntry) -> bool:
        """Whether `other` says the same of the same batch."""
        return (
            other.batch_number is not None
            and other.batch_number == self.line.batch_number
            and other.event == self.line.event
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The page's figures; `tallies` by standing add up to every bill.

    `changed` counts the bills that BILL changed after sending and nobody has dealt with;
    `changed_ever` and `changed_amount` are of all of them.
    """

    lights: Sequence[Light]
    tallies: Mapping[Standing, Tally]
    pending: Tally
    unassigned: Tally
    denied: Tally
    other_waiting: Tally
    lying: Tally
    changed: int
    changed_ever: int
    changed_amount: Decimal
    causes: Sequence[Cause]
    batches: Sequence[SageBatch]
    vendors: VendorTally
    lately: Sequence[Told]

    @property
    def everything(self) -> Tally:
        """All bills."""
        return sum(self.tallies.values(), Tally())

    @property
    def in_sage(self) -> Tally:
        """All bills whose entry was read back."""
        return sum((self.tallies.get(one, Tally()) for one in IN_SAGE), Tally())

    @property
    def sent(self) -> Tally:
        """All bills that left for Sage: read back, on their way, looked up, or lying there unequal."""
        flight = self.tallies.get(Standing.IN_FLIGHT, Tally())
        return self.in_sage + flight + self.tallies.get(Standing.UNCERTAIN, Tally()) + self.lying

    @property
    def changed_item(self) -> Decimal:
        """What changes in BILL take from the addition, as its line shows it."""
        return -self.changed_amount

    @property
    def unexplained(self) -> Decimal:
        """What was sent, less what was read back and what is itemised."""
        itemised = (
            self.tallies.get(Standing.IN_FLIGHT, Tally()).in_bill
            + self.tallies.get(Standing.UNCERTAIN, Tally()).in_bill
            + self.lying.in_bill
        )
        return self.sent.in_bill - self.in_sage.in_sage - itemised - self.changed_amount

    @property
    def stopped(self) -> int:
        """How many bills are behind the causes; a bill with two causes counts once."""
        blocked = self.tallies.get(Standing.BLOCKED, Tally()).count
        return blocked + self.tallies.get(Standing.ATTENTION, Tally()).count + self.changed


def today_of(*, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> Today:
    """Gather the page; ten queries whatever the number of bills."""
    tallies: dict[Standing, Tally] = {}
    waiting: dict[str, Tally] = {}
    lying, changed, changed_ever, changed_amount = Tally(), 0, 0, Decimal(0)
    rows = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    grouped = (
        rows.annotate(lies_in_sage=Q(sage_batch_number__isnull=False))
        .values("state", "sage_status", "bill__approval_status", "lies_in_sage")
        .annotate(
            **SUMS,
            changed=Count("pk", filter=TO_DEAL_WITH),
            changed_ever=Count("pk", filter=CHANGED),
            changed_amount=Sum(BILL_AMOUNT - F("sage_amount"), filter=CHANGED),
        )
    )
    for row in grouped:
        standing, tally = standing_of(row["state"], row["sage_status"]), tally_from(row)
        tallies[standing] = tallies.get(standing, Tally()) + tally
        changed += row["changed"]
        changed_ever += row["changed_ever"]
        changed_amount += row["changed_amount"] or Decimal(0)
        if standing is Standing.WAITING:
            word = row["bill__approval_status"]
            waiting[word] = waiting.get(word, Tally()) + tally
        if standing is Standing.ATTENTION and row["lies_in_sage"]:
            lying += tally
    pending = sum((waiting.pop(word, Tally()) for word in APPROVAL_PENDING), Tally())
    return Today(
        lights=_lights(tenant_id, company_id),
        tallies=tallies,
        pending=pending,
        unassigned=waiting.pop("UNASSIGNED", Tally()),
        denied=waiting.pop("DENIED", Tally()),
        other_waiting=sum(waiting.values(), Tally()),
        lying=lying,
        changed=changed,
        changed_ever=changed_ever,
        changed_amount=changed_amount,
        causes=find_causes(tenant_id=tenant_id, company_id=company_id),
        batches=_batches(tenant_id, company_id, since=now - timedelta(days=7)),
        vendors=_vendors(tenant_id, company_id),
        lately=_lately(tenant_id, company_id),
    )


def _vendors(tenant_id: uuid.UUID, company_id: uuid.UUID) -> VendorTally:
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    grouped = links.values_list("state", "is_created_by_us", "is_archived").annotate(n=Count("pk"))
    counts: Counter[str] = Counter()
    for state, is_created_by_us, is_archived, count in grouped:
        counts[_vendor_kind(state, is_created_by_us, is_archived)] += count
    return VendorTally(**counts)


def _vendor_kind(state: str, is_created_by_us: bool, is_archived: bool) -> str:
    if is_archived:
        return "archived"
    match state:
        case LinkState.LINKED:
            return "created" if is_created_by_us else "matched"
        case LinkState.CREATING:
            return "being_created"
        case LinkState.IGNORED:
            return "left_out"
        case _:
            return "to_decide"


def _lights(tenant_id: uuid.UUID, company_id: uuid.UUID) -> list[Light]:
    bill = BillConnection.objects.for_tenant(tenant_id).filter(company_id=company_id)
    sage = Sage300Connection.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return [
        _connection("BILL", bill.values("state", "paused_reason", "last_ok_at").first()),
        _letter_box(tenant_id, company_id),
        _connection("Sage 300", sage.values("state", "paused_reason", "last_ok_at").first()),
    ]


def _connection(name: str, row: Mapping[str, object] | None) -> Light:
    if row is None:
        return Light(name=name, state="missing")
    last = row["last_ok_at"]
    return Light(
        name=name,
        state="paused" if row["state"] == "paused" else "ok",
        sentence=str(row["paused_reason"]),
        last_at=last if isinstance(last, datetime) else None,
    )


def _letter_box(tenant_id: uuid.UUID, company_id: uuid.UUID) -> Light:
    row = WebhookSubscription.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
    events = WebhookEvent.objects.for_tenant(tenant_id).filter(company_id=company_id)
    last = events.aggregate(last=Max("received_at"))["last"]
    if row is None:
        return Light(name="Webhooks", state="missing", last_at=last)
    state = {"registered": "ok", "switched_off": "paused"}.get(row.status, "off")
    return Light(name="Webhooks", state=state, sentence=row.reason, last_at=last)


def _batches(
    tenant_id: uuid.UUID, company_id: uuid.UUID, *, since: datetime, limit: int = 8
) -> list[SageBatch]:
    """The latest batches, by what our postings say of them; one query."""
    recent = (
        Batch.objects.for_tenant(tenant_id)
        .filter(company_id=company_id, made_at__gte=since)
        .order_by("-made_at")
        .values("pk")[:limit]
    )
    states = [PostingState.IN_FLIGHT, PostingState.UNCERTAIN, PostingState.IN_SAGE]
    grouped = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(batch__in=recent)
        .in_state(*states)
        .values("state", "sage_status", "sage_batch_number", "batch__made_at")
        .annotate(**SUMS)
        .order_by("-batch__made_at", "sage_batch_number")
    )
    return [_batch(row) for row in grouped]


def _batch(row: Mapping[str, Any]) -> SageBatch:
    tally = tally_from(row)
    return SageBatch(
        number=row["sage_batch_number"] or 0,
        standing=standing_of(row["state"], row["sage_status"]),
        sent_at=row["batch__made_at"],
        count=tally.count,
        in_bill=tally.in_bill,
        in_sage=tally.in_sage,
    )


def _lately(tenant_id: uuid.UUID, company_id: uuid.UUID, *, limit: int = 6) -> list[Told]:
    """The latest lines; those that tell the same of one batch are one. One query."""
    rows = LogEntry.objects.for_tenant(tenant_id).filter(company_id=company_id)
    told: list[Told] = []
    for line in rows.exclude(event__in=QUIET).order_by("-at", "-pk")[: limit * 10]:
        last = told[-1] if told else None
        if last is not None and last.is_told_by(line):
            told[-1] = replace(last, count=last.count + 1)
        elif len(told) == limit:
            break
        else:
            told.append(Told(line=line))
    return told
