"""What BILL and Sage disagree about, as values: each difference with its reason and the next step.

A kind belongs to one part of the page and says who moves it on: a person, the product itself, or
nobody because it is explained. Loudness follows from that alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo


class Part(StrEnum):
    """What was compared."""

    INVOICES = "invoices"
    ACCOUNTS = "accounts"
    VENDORS = "vendors"
    BATCHES = "batches"


class Mover(StrEnum):
    """Who moves a difference on."""

    PERSON = "person"
    ITSELF = "itself"
    EXPLAINED = "explained"


class Target(StrEnum):
    """The page on which the one thing is done; its id is the difference's `target_id`."""

    NONE = ""
    POSTING = "posting"
    BILL_ACCOUNT = "bill_account"
    RULES = "rules"
    POLICY = "policy"
    VENDOR = "vendor"
    VENDOR_DEFAULTS = "vendor_defaults"
    REVIEW = "review"
    ATTENTION = "attention"
    BATCH = "batch"


class Kind(StrEnum):
    """Every way in which the two sides can differ."""

    # invoices: approved in BILL and not, or not so, in Sage
    BLOCKED = "blocked"
    REVIEW = "review"
    REFUSED = "refused"
    UNCERTAIN = "uncertain"
    IN_FLIGHT = "in_flight"
    READY = "ready"
    WAITING = "waiting"
    BEFORE_CUTOVER = "before_cutover"
    LEFT_OUT = "left_out"
    RULED_OUT = "ruled_out"
    OTHER_PERIOD = "other_period"
    CHANGED_IN_BILL = "changed_in_bill"
    GONE_FROM_BILL = "gone_from_bill"
    DEALT_WITH = "dealt_with"
    UNEXPLAINED = "unexplained"
    # our batches: what people did in Sage
    BATCH_DELETED = "batch_deleted"
    BATCH_GONE = "batch_gone"
    ENTRY_GONE = "entry_gone"
    ENTRY_CHANGED = "entry_changed"
    ENTRY_STOPPED = "entry_stopped"
    ENTRY_TWICE = "entry_twice"
    ENTRY_TURNED_UP = "entry_turned_up"
    ENTRIES_ADDED = "entries_added"
    # mapped GL accounts
    ACCOUNT_GONE = "account_gone"
    ACCOUNT_INACTIVE = "account_inactive"
    ACCOUNT_NOT_POSTABLE = "account_not_postable"
    # linked vendors
    VENDOR_GONE = "vendor_gone"
    VENDOR_INACTIVE = "vendor_inactive"
    VENDOR_ON_HOLD = "vendor_on_hold"
    VENDOR_DIFFERS = "vendor_differs"
    VENDOR_TO_WRITE = "vendor_to_write"


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFacts:
    """What is true of every difference of one kind; `state` is the word a row shows."""

    part: Part
    mover: Mover
    state: str


def _of(part: Part, mover: Mover, state: str) -> KindFacts:
    return KindFacts(part=part, mover=mover, state=state)


_PERSON, _ITSELF, _EXPLAINED = Mover.PERSON, Mover.ITSELF, Mover.EXPLAINED
_IN, _AC, _VE, _BA = Part.INVOICES, Part.ACCOUNTS, Part.VENDORS, Part.BATCHES

KINDS: Mapping[Kind, KindFacts] = {
    Kind.BLOCKED: _of(_IN, _PERSON, "Blocked"),
    Kind.REVIEW: _of(_IN, _PERSON, "To review"),
    Kind.REFUSED: _of(_IN, _PERSON, "Needs attention"),
    Kind.UNCERTAIN: _of(_IN, _ITSELF, "Being looked up"),
    Kind.IN_FLIGHT: _of(_IN, _ITSELF, "Sending"),
    Kind.READY: _of(_IN, _ITSELF, "Ready"),
    Kind.WAITING: _of(_IN, _ITSELF, "Waiting"),
    Kind.BEFORE_CUTOVER: _of(_IN, _EXPLAINED, "Waiting"),
    Kind.LEFT_OUT: _of(_IN, _EXPLAINED, "Skipped"),
    Kind.RULED_OUT: _of(_IN, _EXPLAINED, "Skipped"),
    Kind.OTHER_PERIOD: _of(_IN, _EXPLAINED, "other period"),
    Kind.CHANGED_IN_BILL: _of(_IN, _PERSON, "differs"),
    Kind.GONE_FROM_BILL: _of(_IN, _PERSON, "differs"),
    Kind.DEALT_WITH: _of(_IN, _EXPLAINED, "dealt with"),
    Kind.UNEXPLAINED: _of(_IN, _PERSON, "no reason found"),
    Kind.BATCH_DELETED: _of(_BA, _ITSELF, "deleted"),
    Kind.BATCH_GONE: _of(_BA, _ITSELF, "not listed"),
    Kind.ENTRY_GONE: _of(_BA, _ITSELF, "not found"),
    Kind.ENTRY_CHANGED: _of(_BA, _ITSELF, "changed"),
    Kind.ENTRY_STOPPED: _of(_BA, _PERSON, "Needs attention"),
    Kind.ENTRY_TWICE: _of(_BA, _PERSON, "stands twice"),
    Kind.ENTRY_TURNED_UP: _of(_BA, _ITSELF, "found"),
    Kind.ENTRIES_ADDED: _of(_BA, _EXPLAINED, "not ours"),
    Kind.ACCOUNT_GONE: _of(_AC, _PERSON, "not in Sage"),
    Kind.ACCOUNT_INACTIVE: _of(_AC, _PERSON, "inactive"),
    Kind.ACCOUNT_NOT_POSTABLE: _of(_AC, _PERSON, "takes no postings"),
    Kind.VENDOR_GONE: _of(_VE, _PERSON, "not in Sage"),
    Kind.VENDOR_INACTIVE: _of(_VE, _PERSON, "inactive"),
    Kind.VENDOR_ON_HOLD: _of(_VE, _PERSON, "on hold"),
    Kind.VENDOR_DIFFERS: _of(_VE, _PERSON, "differs"),
    Kind.VENDOR_TO_WRITE: _of(_VE, _ITSELF, "differs"),
}
#: What people did in Sage that the next run finds out more about.
FOLLOWED = frozenset(
    {Kind.BATCH_DELETED, Kind.BATCH_GONE, Kind.ENTRY_GONE, Kind.ENTRY_CHANGED, Kind.ENTRY_TURNED_UP}
)
#: A person's differences that Review and Attention count already.
COUNTED_ELSEWHERE = frozenset(
    {Kind.BLOCKED, Kind.REVIEW, Kind.REFUSED, Kind.ENTRY_STOPPED, Kind.CHANGED_IN_BILL,
     Kind.GONE_FROM_BILL}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference; `key` is the same in every comparison that finds it.

    `amount` is what it takes off Sage's side of its period's addition (BILL less Sage), None where
    it moves no money. `since` is when it is known to have begun. `do` is a verb and its object, ""
    where nobody need act.
    """

    kind: Kind
    key: str
    title: str
    detail: str = ""
    do: str = ""
    target: Target = Target.NONE
    target_id: str = ""
    period: str = ""
    currency: str = ""
    bills: int = 0
    amount: Decimal | None = None
    since: datetime | None = None

    @property
    def part(self) -> Part:
        """Where the page shows it."""
        return KINDS[self.kind].part

    @property
    def mover(self) -> Mover:
        """Who moves it on."""
        return KINDS[self.kind].mover


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodSum:
    """One fiscal period in one currency: BILL's side, Sage's side, and what has a reason.

    `named` is what the differences with a reason come to; the rest is unexplained, however it came
    about. `is_open` is Sage's calendar's word, None where it says nothing. `is_partial`: an older
    period, of which only what is not finished is looked at.
    """

    period: str
    currency: str
    bills: int = 0
    approved: Decimal = Decimal(0)
    open: Decimal = Decimal(0)
    ready: Decimal = Decimal(0)
    posted: Decimal = Decimal(0)
    open_count: int = 0
    ready_count: int = 0
    posted_count: int = 0
    named: Decimal = Decimal(0)
    is_open: bool | None = None
    is_partial: bool = False

    @property
    def in_sage(self) -> int:
        """How many entries Sage shows in this period."""
        return self.open_count + self.ready_count + self.posted_count

    @property
    def apart(self) -> Decimal:
        """What BILL has approved and Sage does not show, in this period."""
        return self.approved - self.open - self.ready - self.posted

    @property
    def unexplained(self) -> Decimal:
        """What is left when every reason is taken off."""
        return self.apart - self.named


def next_comparison(now: datetime, *, zone: ZoneInfo, hour: int, spread_minutes: int) -> datetime:
    """The next time it is `hour` in `zone`, some minutes after it, so that not all come at once."""
    local = now.astimezone(zone)
    clock = time(hour % 24, spread_minutes % 60)
    today = datetime.combine(local.date(), clock, tzinfo=zone)
    return today if today > now else datetime.combine(local.date() + timedelta(1), clock, zone)
