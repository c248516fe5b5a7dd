"""What keeps bills from Sage, grouped by cause: mend one and every bill behind it goes on.

A cause is a problem's code and subject. A refusal of Sage's and a change in BILL after sending are
each a cause of their own bill.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlencode

from django.db.models import Case, F, Q, When

from sync.domain.posting_state import AttentionMode, PostingState
from sync.domain.problems import CODES, Acts, ProblemCode
from sync.domain.words import count_of
from sync.models import Posting
from sync.queries.postings import BILL_AMOUNT

MODES = {
    AttentionMode.NONE: Acts.SAGE,
    AttentionMode.DATA: Acts.SAGE,
    AttentionMode.CONFIG: Acts.HERE,
    AttentionMode.EXCEEDED: Acts.HERE,
    AttentionMode.INTERNAL: Acts.IT,
}
AT_STAKE = Case(
    When(state=PostingState.IN_SAGE, then=BILL_AMOUNT - F("sage_amount")), default=F("amount")
)
FIELDS = (
    "pk", "state", "mode", "sentence", "problems", "vendor_name", "invoice_number",
    "since", "changed_in_bill_at", "change_note", "sage_batch_number", "currency",
    "in_sage_at",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Cause:
    """One thing to mend; `query` leads to its bills, `posting_id` to the one bill it is about.

    Of a bill changed after it was sent the amount is the difference, BILL less Sage.

    `glyph` is "blocked" or "attention". `amount` is in the company's currency; bills in another
    one are in `elsewhere`, by currency, and never added to it.
    """

    title: str
    sentence: str
    acts: Acts
    glyph: str
    query: str = ""
    posting_id: uuid.UUID | None = None
    count: int = 0
    amount: Decimal = Decimal(0)
    elsewhere: dict[str, Decimal] = field(default_factory=dict)
    oldest: datetime | None = None

    @property
    def filter(self) -> str:
        """`code:subject`, which narrows a list to its bills; "" where it is about one bill."""
        return parse_qs(self.query).get("cause", [""])[0]

    @property
    def key(self) -> str:
        """Names this cause among the others: where its box stands on the attention page."""
        return self.filter.replace(":", "-", 1) or str(self.posting_id)

    def add(self, row: dict[str, object]) -> None:
        """Count one more bill behind this cause."""
        self.count += 1
        amount, since = row["at_stake"], row["since"]
        is_elsewhere = "foreign_currency" in {item["code"] for item in row["problems"]}  # type: ignore[attr-defined]
        if isinstance(amount, Decimal) and is_elsewhere:
            currency = str(row["currency"])
            self.elsewhere[currency] = self.elsewhere.get(currency, Decimal(0)) + amount
        elif isinstance(amount, Decimal):
            self.amount += amount
        if isinstance(since, datetime):
            self.oldest = min(self.oldest or since, since)

    @property
    def waits(self) -> str:
        """`3 bills wait`; a refused or changed bill does not wait for anything."""
        if self.glyph == "attention":
            return count_of(self.count, "bill")
        return f"{count_of(self.count, 'bill')} {'waits' if self.count == 1 else 'wait'}"


def find_causes(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> list[Cause]:
    """Every cause with its bills counted; refusals first, then by how many bills wait. One query."""
    stopped = (PostingState.BLOCKED, PostingState.ATTENTION)
    rows = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(
            Q(state__in=stopped) | Q(state=PostingState.IN_SAGE, changed_in_bill_at__isnull=False)
        )
        .order_by("since", "pk")
        .values(*FIELDS, at_stake=AT_STAKE)
    )
    causes: dict[object, Cause] = {}
    for row in rows:
        for key, cause in _causes_of(row):
            causes.setdefault(key, cause).add(row)
    return sorted(
        causes.values(), key=lambda cause: (cause.glyph != "attention", -cause.count, cause.title)
    )


def _causes_of(row: dict[str, object]) -> list[tuple[object, Cause]]:
    name = f"{row['vendor_name']} {row['invoice_number']}".strip()
    problems = row["problems"] if isinstance(row["problems"], list) else []
    if row["state"] == PostingState.BLOCKED and problems:
        found = [_shared(item, row) for item in problems if item["severity"] == "holds"]
        return list({key: (key, cause) for key, cause in found}.values())
    if row["changed_in_bill_at"] is not None and row["state"] == PostingState.IN_SAGE:
        title = f"{name} changed in BILL after it was sent"
        return [(row["pk"], _own(row, title, str(row["change_note"]), Acts.SAGE))]
    title = f"Sage did not take {name}"
    if row["sage_batch_number"] is not None:
        title = f"{name} is not in Sage as it was sent"
    elif row["in_sage_at"] is not None:
        title = f"{name} is not in Sage any more"
    acts = MODES.get(AttentionMode(str(row["mode"])), Acts.SAGE)
    return [(row["pk"], _own(row, title, str(row["sentence"]), acts))]


def _shared(item: dict[str, str], row: dict[str, object]) -> tuple[object, Cause]:
    code = ProblemCode(item["code"])
    is_own = not item["subject"]
    title = CODES[code].title
    if item["subject_name"]:
        title = f"{title}: {item['subject_name']}"
    elif is_own:
        title = f"{title}: {row['vendor_name']} {row['invoice_number']}".strip()
    key: object = (code, item["subject"] or row["pk"])
    cause = Cause(
        title=title,
        sentence=item["sentence"],
        acts=Acts(item["acts"]),
        glyph="blocked",
    )
    if is_own:
        cause.posting_id = uuid.UUID(str(row["pk"]))
    else:
        cause.query = urlencode({"cause": f"{code.value}:{item['subject']}"})
    return key, cause


def _own(row: dict[str, object], title: str, sentence: str, acts: Acts) -> Cause:
    return Cause(
        title=title,
        sentence=sentence,
        acts=acts,
        glyph="attention",
        posting_id=uuid.UUID(str(row["pk"])),
    )
