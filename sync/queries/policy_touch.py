"""What each choice of the policy touches now, in counts and amounts, beside its question."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, Sum

from integrations.sage300.types import VendorGroup
from sync.domain.packing import unpack
from sync.domain.policy import Policy
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.domain.words import count_of, money
from sync.models import Batch, CatalogueList, Posting, VendorLink
from sync.models.vendor import LinkState

UNSENT = (
    PostingState.WAITING, PostingState.BLOCKED, PostingState.REVIEW, PostingState.READY,
    PostingState.SKIPPED,
)  # fmt: skip
ON_THE_WAY = (PostingState.BLOCKED, PostingState.REVIEW, PostingState.READY)
UNDECIDED = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A count, set in bold, and the words after it; `count` None says only the words."""

    count: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Counted:
    """How a count reads: "3 bills held for tax", or the sentence for none."""

    one: str
    rest: str
    none: str


#: By the name under which it is counted.
COUNTED: Mapping[str, Counted] = {
    "unassigned": Counted("bill", "without an approver", "No bill is without an approver."),
    "older": Counted(
        "bill", "older; they stay out unless you send one by hand", "No older bill waits."
    ),
    "review": Counted("bill", "in Review", "Nothing is in Review now."),
    "twins": Counted("bill", "held for it now", "None is held now."),
    "way": Counted("bill", "not yet in a batch", "No bill waits for a batch now."),
    "closed": Counted("bill", "held by a closed period", "No bill meets a closed period now."),
    "moved": Counted("bill", "moved to a later day", "No posting date is moved now."),
    "unmapped": Counted("bill", "waiting for an account", "No bill waits for an account now."),
    "taxed": Counted("bill", "held for tax", "No bill is held for tax now."),
    "undecided": Counted("vendor", "not linked yet", "No vendor waits."),
    "linked": Counted("vendor", "linked", "No vendor is linked yet."),
    "made": Counted("vendor", "made by us keep what they have", "No vendor was made by us yet."),
}
#: Field of the policy → the count of what it touches.
TOUCHED: Mapping[str, str] = {
    "unassigned_bills": "unassigned",
    "cutover_date": "older",
    "review": "review",
    "duplicate_rule": "twins",
    "release": "way",
    "posting_date_rule": "way",
    "closed_period_rule": "closed",
    "first_open_date": "moved",
    "catch_all_account": "unmapped",
    "tax_rule": "taxed",
    "vendor_creation": "undecided",
    "stored_number_rule": "undecided",
    "number_map": "linked",
    "vendor_number_rule": "made",
    "vendor_gl_account": "linked",
    "owned_vendor_fields": "linked",
}
NEW_VENDORS_ONLY = ("vendor_group", "vendor_terms", "vendor_tax_group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Touches:
    """By field of the policy; `unsent` is how many bills are decided anew by any change."""

    by_field: dict[str, Touch]
    unsent: int


def touches_of(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, zone: ZoneInfo, policy: Policy, currency: str
) -> Touches:
    """Count what the choices touch; five queries whatever the number of bills."""
    rows = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    totals = rows.aggregate(
        unsent=_count(Q(state__in=UNSENT) & ~Q(state=PostingState.SKIPPED)),
        way=_count(Q(state__in=ON_THE_WAY)),
        way_amount=Sum("amount", filter=Q(state__in=ON_THE_WAY)),
        unassigned=_count(Q(state=PostingState.WAITING, bill__approval_status="UNASSIGNED")),
        review=_count(Q(state=PostingState.REVIEW)),
        review_amount=Sum("amount", filter=Q(state=PostingState.REVIEW)),
        closed=_count(_because(ProblemCode.PERIOD_CLOSED, ProblemCode.NO_OPEN_PERIOD)),
        moved=_count(Q(state__in=ON_THE_WAY) & _warned(ProblemCode.POSTING_DATE_MOVED)),
        twins=_count(_because(ProblemCode.POSSIBLE_DUPLICATE)),
        unmapped=_count(_because(ProblemCode.ACCOUNT_UNMAPPED, ProblemCode.LINE_WITHOUT_ACCOUNT)),
        unmapped_amount=Sum(
            "amount",
            filter=_because(ProblemCode.ACCOUNT_UNMAPPED, ProblemCode.LINE_WITHOUT_ACCOUNT),
        ),
        taxed=_count(_because(ProblemCode.TAX_UNCLEAR)),
        unlinked=_count(_because(ProblemCode.VENDOR_NOT_LINKED, ProblemCode.VENDOR_AMBIGUOUS)),
    )
    older = _older(rows, policy, zone)
    vendors = (
        VendorLink.objects.for_tenant(tenant_id)
        .filter(company_id=company_id)
        .aggregate(
            linked=Count("pk", filter=Q(state=LinkState.LINKED)),
            undecided=Count("pk", filter=Q(state__in=UNDECIDED)),
            made=Count("pk", filter=Q(is_created_by_us=True)),
        )
    )
    batches = Batch.objects.for_tenant(tenant_id).filter(company_id=company_id)
    largest = (
        batches.annotate(size=Count("postings")).order_by("-size").values_list("size", flat=True)
    ).first()
    return Touches(
        by_field=_in_words({**totals, **vendors, "older": older, "largest": largest}, currency),
        unsent=totals["unsent"],
    )


def vendor_groups(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> list[tuple[str, str]]:
    """Sage's active vendor groups as last read, (code, description); [] before the first run."""
    rows = CatalogueList.objects.for_tenant(tenant_id)
    stored = rows.filter(company_id=company_id, kind="sage.groups").first()
    groups = [unpack(VendorGroup, row) for row in stored.rows] if stored else []
    return [(group.code, group.description) for group in groups if group.is_active]


def _older(rows: object, policy: Policy, zone: ZoneInfo) -> int:
    if policy.cutover_date is None:
        return 0
    first = datetime.combine(policy.cutover_date, time.min, tzinfo=zone)
    return int(
        rows.filter(  # type: ignore[attr-defined]
            state=PostingState.WAITING,
            is_allowed_before_cutover=False,
            bill__created_in_bill_at__lt=first,
        ).count()
    )


def _in_words(found: Mapping[str, object], currency: str) -> dict[str, Touch]:
    told = {key: _told(key, found, currency) for key in COUNTED}
    largest = int(str(found["largest"] or 0))
    so_far = f"Largest so far: {count_of(largest, 'entry', 'entries')}."
    return {
        **{name: told[key] for name, key in TOUCHED.items()},
        "batch_size": Touch(count=None, words=so_far) if largest else told["way"],
        "batch_description": Touch(count=None, words="Batches to come; those in Sage keep theirs."),
        **dict.fromkeys(NEW_VENDORS_ONLY, Touch(count=None, words="New vendors only.")),
    }


def _told(key: str, found: Mapping[str, object], currency: str) -> Touch:
    """One count with its amount, where it has one; the words for none where nothing was found."""
    counted = COUNTED[key]
    count = int(str(found[key] or 0))
    if not count:
        return Touch(count=None, words=counted.none)
    thing = count_of(count, counted.one)[len(str(count)) :].strip()
    amount = found.get(f"{key}_amount")
    more = f", {money(amount, currency)}" if isinstance(amount, Decimal) else ""
    return Touch(count=count, words=f"{thing} {counted.rest}{more}.")


def _count(condition: Q) -> Count:
    return Count("pk", filter=condition)


def _because(*codes: ProblemCode) -> Q:
    found = Q()
    for code in codes:
        found |= Q(problems__contains=[{"code": code.value}])
    return Q(state__in=ON_THE_WAY) & found


def _warned(code: ProblemCode) -> Q:
    return Q(warnings__contains=[{"code": code.value}])
