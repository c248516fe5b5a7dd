"""Every bill and where it stands: the list people filter, page through and add up.

A list's whole state is its query string. Counts and sums come from one grouping by state, so the
views, the foot row and the rows themselves cannot disagree.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, DecimalField, F, Q, Sum, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.models import Posting
from sync.models.posting import PostingQuerySet
from sync.queries.paging import clean, slice_of

S = PostingState
ELSEWHERE = [{"code": ProblemCode.FOREIGN_CURRENCY.value}]
APPROVAL_PENDING = ("ASSIGNED", "APPROVING")
LARGEST = Decimal(10) ** 15


class Standing(StrEnum):
    """A posting's state as people see it: in Sage, by Sage's own words."""

    WAITING = "waiting"
    BLOCKED = "blocked"
    REVIEW = "review"
    READY = "ready"
    IN_FLIGHT = "flight"
    UNCERTAIN = "uncertain"
    OPEN = "open"
    READY_TO_POST = "rtp"
    POSTED = "posted"
    ATTENTION = "attention"
    SKIPPED = "skipped"


WORDS: Mapping[Standing, str] = {
    Standing.WAITING: "Waiting",
    Standing.BLOCKED: "Blocked",
    Standing.REVIEW: "To review",
    Standing.READY: "Ready",
    Standing.IN_FLIGHT: "Sending",
    Standing.UNCERTAIN: "Being looked up",
    Standing.OPEN: "Open",
    Standing.READY_TO_POST: "Ready To Post",
    Standing.POSTED: "Posted",
    Standing.ATTENTION: "Needs attention",
    Standing.SKIPPED: "Skipped",
}
STATES: Mapping[PostingState, Standing] = {
    S.WAITING: Standing.WAITING,
    S.BLOCKED: Standing.BLOCKED,
    S.REVIEW: Standing.REVIEW,
    S.READY: Standing.READY,
    S.IN_FLIGHT: Standing.IN_FLIGHT,
    S.UNCERTAIN: Standing.UNCERTAIN,
    S.ATTENTION: Standing.ATTENTION,
    S.SKIPPED: Standing.SKIPPED,
}


class View(StrEnum):
    """The five views of the list."""

    ALL = "all"
    WITH_US = "with-us"
    STOPPED = "stopped"
    IN_SAGE = "in-sage"
    SKIPPED = "skipped"


VIEWS: Mapping[View, tuple[str, frozenset[Standing]]] = {
    View.ALL: ("All", frozenset(Standing)),
    View.WITH_US: (
        "With us",
        frozenset(
            {
                Standing.WAITING,
                Standing.REVIEW,
                Standing.READY,
                Standing.IN_FLIGHT,
                Standing.UNCERTAIN,
            }
        ),
    ),
    View.STOPPED: ("Stopped", frozenset({Standing.BLOCKED, Standing.ATTENTION})),
    View.IN_SAGE: (
        "In Sage",
        frozenset({Standing.OPEN, Standing.READY_TO_POST, Standing.POSTED}),
    ),
    View.SKIPPED: ("Skipped", frozenset({Standing.SKIPPED})),
}


def standing_named(status: str) -> Standing | None:
    """The state a log line left its bill in; None for a word of another kind."""
    by_word = {"Open": Standing.OPEN, "Ready To Post": Standing.READY_TO_POST,
               "Posted": Standing.POSTED}  # fmt: skip
    return by_word.get(status) or Standing.__members__.get(status)


def standing_of(state: str, sage_status: str) -> Standing:
    """How a posting is shown; a word of Sage's between Open and Posted counts as Ready To Post."""
    if state != S.IN_SAGE:
        return STATES[PostingState(state)]
    if sage_status == "Posted":
        return Standing.POSTED
    return Standing.OPEN if sage_status in {"Open", ""} else Standing.READY_TO_POST


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the list is narrowed to; "" narrows nothing.

    `approval` is a word of BILL's or "pending"; `cause` is "code:subject" of a problem; `find`
    looks in invoice number, vendor, amount and BILL id at once.
    """

    view: View = View.ALL
    standing: Standing | None = None
    vendor: str = ""
    invoice: str = ""
    find: str = ""
    cause: str = ""
    approval: str = ""
    batch: str = ""
    changed: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filter:
        """Read a query string; what it does not know it leaves out."""
        return cls(
            view=_member(View, query.get("view", "")) or View.ALL,
            standing=_member(Standing, query.get("state", "")),
            vendor=clean(query.get("vendor", ""), 100),
            invoice=clean(query.get("invoice", ""), 100),
            find=clean(query.get("find", ""), 100),
            cause=clean(query.get("cause", ""), 200),
            approval=clean(query.get("approval", ""), 40),
            batch=clean(query.get("batch", ""), 12),
            changed=query.get("changed", "")[:1],
        )

    def query(self, **changes: Any) -> str:
        """The query string of this filter with these changes, "" for none set."""
        other = replace(self, **changes)
        pairs = {
            "view": "" if other.view is View.ALL else other.view.value,
            "state": other.standing.value if other.standing else "",
            "vendor": other.vendor,
            "invoice": other.invoice,
            "find": other.find,
            "cause": other.cause,
            "approval": other.approval,
            "batch": other.batch,
            "changed": other.changed,
        }
        return urlencode({key: value for key, value in pairs.items() if value})

    @property
    def shown(self) -> frozenset[Standing]:
        """The standings this view and state leave."""
        return frozenset({self.standing}) if self.standing else VIEWS[self.view][1]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the view is set."""
        return bool(replace(self, view=View.ALL).query())


def _member(kind: type[Any], text: str) -> Any:
    try:
        return kind(text) if text else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many, and how much in BILL and as read back from Sage.

    Bills in another currency are counted in `elsewhere` and never added to the company's money.
    """

    count: int = 0
    in_bill: Decimal = Decimal(0)
    in_sage: Decimal = Decimal(0)
    elsewhere: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            count=self.count + other.count,
            in_bill=self.in_bill + other.in_bill,
            in_sage=self.in_sage + other.in_sage,
            elsewhere=self.elsewhere + other.elsewhere,
        )

    @property
    def apart(self) -> Decimal:
        """What BILL has and Sage does not show."""
        return self.in_bill - self.in_sage


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the list with the sums of everything it is a page of.

    `newer` and `older` are the cursors of the neighbouring pages, "" where there is none.
    """

    rows: tuple[Posting, ...]
    tallies: Mapping[Standing, Tally]
    shown: frozenset[Standing]
    newer: str
    older: str

    def tally(self, standings: frozenset[Standing]) -> Tally:
        """The sum over these standings."""
        return sum((self.tallies.get(one, Tally()) for one in standings), Tally())

    @property
    def total(self) -> Tally:
        """The sum of everything this view shows."""
        return self.tally(self.shown)


def find_page(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    wanted: Filter,
    size: int,
    after: str = "",
    before: str = "",
) -> Page:
    """The page after or before a cursor, newest change first; two queries."""
    rows = _narrowed(tenant_id, company_id, wanted)
    listed = _shown(rows, wanted.shown).annotate(
        approval=F("bill__approval_status"), bill_amount=BILL_AMOUNT
    )
    found = slice_of(listed, field="changed_at", size=size, after=after, before=before)
    return Page(
        rows=tuple(found.rows),
        tallies=tally_by_standing(rows),
        shown=wanted.shown,
        newer=found.newer,
        older=found.older,
    )


def iter_rows(*, tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: Filter) -> Iterator[Posting]:
    """Every row of the filter, newest change first, read in chunks; for an export."""
    rows = _shown(_narrowed(tenant_id, company_id, wanted), wanted.shown)
    rows = rows.annotate(bill_amount=BILL_AMOUNT)
    yield from rows.order_by("-changed_at", "pk").iterator(chunk_size=500)


def tally_by_standing(rows: PostingQuerySet) -> dict[Standing, Tally]:
    """Count and add up by standing, in one query."""
    tallies: dict[Standing, Tally] = {}
    grouped = rows.order_by().values("state", "sage_status").annotate(**SUMS)
    for row in grouped:
        standing = standing_of(row["state"], row["sage_status"])
        tallies[standing] = tallies.get(standing, Tally()) + tally_from(row)
    return tallies


#: BILL changed it after it was sent, dealt with by a person meanwhile or not.
EVER_CHANGED = Q(changed_in_bill_at__isnull=False) | ~Q(change_note="")
#: What BILL says now. A posting keeps the amount that was sent when BILL changes afterwards.
BILL_AMOUNT = Case(
    When(
        EVER_CHANGED,
        then=Coalesce(
            Cast(
                KeyTextTransform("amount", F("bill__snapshot")),
                DecimalField(max_digits=19, decimal_places=3),
            ),
            F("amount"),
        ),
    ),
    default=F("amount"),
)
SUMS: Mapping[str, Any] = {
    "n": Count("pk"),
    "elsewhere": Count("pk", filter=Q(problems__contains=ELSEWHERE)),
    "in_bill": Sum(BILL_AMOUNT, filter=~Q(problems__contains=ELSEWHERE)),
    "in_sage": Sum("sage_amount", filter=Q(sage_batch_number__isnull=False)),
}


def tally_from(row: Mapping[str, Any]) -> Tally:
    """A tally from a row grouped with `SUMS`."""
    return Tally(
        count=row["n"],
        in_bill=row["in_bill"] or Decimal(0),
        in_sage=row["in_sage"] or Decimal(0),
        elsewhere=row["elsewhere"],
    )


def _narrowed(tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: Filter) -> PostingQuerySet:
    rows: PostingQuerySet = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    if wanted.vendor:
        rows = rows.filter(vendor_name__icontains=wanted.vendor)
    if wanted.invoice:
        rows = rows.filter(invoice_number__icontains=wanted.invoice)
    if wanted.find:
        rows = rows.filter(_found_by(wanted.find))
    if wanted.cause:
        rows = rows.filter(_caused_by(wanted.cause))
    if wanted.approval == "pending":
        rows = rows.filter(bill__approval_status__in=APPROVAL_PENDING)
    elif wanted.approval:
        rows = rows.filter(bill__approval_status=wanted.approval)
    if wanted.batch:
        number = int(wanted.batch) if wanted.batch.isdecimal() else 0
        rows = rows.filter(sage_batch_number=number)
    if wanted.changed:
        rows = rows.filter(EVER_CHANGED)
    return rows


def _found_by(text: str) -> Q:
    question = (
        Q(invoice_number__icontains=text) | Q(vendor_name__icontains=text) | Q(source_id=text)
    )
    try:
        amount = Decimal(text.replace(",", "").lstrip("$"))
    except InvalidOperation:
        return question
    if not amount.is_finite():
        return question
    return question | Q(amount=amount) if abs(amount) < LARGEST else question


def _caused_by(cause: str) -> Q:
    code, _, subject = cause.partition(":")
    wanted = {"code": code, "subject": subject} if subject else {"code": code}
    return Q(problems__contains=[wanted])


def _shown(rows: PostingQuerySet, standings: frozenset[Standing]) -> PostingQuerySet:
    if standings == VIEWS[View.ALL][1]:
        return rows
    states = [state for state, standing in STATES.items() if standing in standings]
    question = Q(state__in=states)
    in_sage = Q(state=S.IN_SAGE)
    if Standing.OPEN in standings:
        question |= in_sage & Q(sage_status__in=["Open", ""])
    if Standing.POSTED in standings:
        question |= in_sage & Q(sage_status="Posted")
    if Standing.READY_TO_POST in standings:
        question |= in_sage & ~Q(sage_status__in=["Open", "", "Posted"])
    return rows.filter(question)
