"""The attention page: every cause with its bills and with what mends it, in place where it can be.

What is offered follows from the cause: an account to choose, a vendor to name, a deed on the one
bill, or the other system's side to act on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from integrations.bill.types import BillVendor, ListItem, ListKind
from sync.domain.deeds import Offer, offers
from sync.domain.gl_accounts import fold_number
from sync.domain.mapping_rules import MappingRule
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.problems import Acts, ProblemCode
from sync.domain.vendor_numbers import allot_vendor_number
from sync.domain.vendor_suggestions import SageVendors, Suggestion, suggest
from sync.models import MappingRuleChange, Posting, VendorLink
from sync.models.vendor import LinkState
from sync.queries.bill_desks import Grounds, grounds_of
from sync.queries.causes import Cause, find_causes
from sync.queries.mapping import Options, options_for
from sync.queries.posting_story import standing_for_deeds

SHOWN_BILLS = 8
LATELY_HOURS = 2
ABOUT_VENDORS = frozenset(
    {ProblemCode.VENDOR_NOT_LINKED, ProblemCode.VENDOR_AMBIGUOUS, ProblemCode.VENDOR_TAKEN,
     ProblemCode.VENDOR_MISSING_IN_SAGE}
)  # fmt: skip
ABOUT_TARGETS = frozenset(
    {ProblemCode.GL_MISSING, ProblemCode.GL_INACTIVE, ProblemCode.GL_NOT_POSTABLE,
     ProblemCode.GL_CONTROL, ProblemCode.NUMBER_AMBIGUOUS}
)  # fmt: skip
ABOUT_SAGE_VENDORS = frozenset({ProblemCode.VENDOR_INACTIVE, ProblemCode.TAX_UNCLEAR})
#: A cause mended in Sage → the list that must be read again to see it.
LISTS = {
    **dict.fromkeys(ABOUT_TARGETS, "accounts"),
    **dict.fromkeys(ABOUT_SAGE_VENDORS, "vendors"),
    ProblemCode.VENDOR_MISSING_IN_SAGE: "vendors",
    ProblemCode.PERIOD_CLOSED: "periods",
    ProblemCode.NO_OPEN_PERIOD: "periods",
    ProblemCode.OUTSIDE_CALENDAR: "periods",
}
UNDECIDED = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS, LinkState.REFUSED)


@dataclass(slots=True, kw_only=True)
class CauseShown:
    """One cause as a box; of the mends below exactly those that fit are set.

    `account` with `options`: a BILL account to map. `rules` and `accounts`: what leads to a GL
    account that cannot be used. `link` with `suggestions`: a vendor to name. `offers`: deeds on the
    one bill, which is `posting` where the cause is its own and `alone` where it is the only one
    behind a cause that nothing else on this page mends. `relink`: the link whose Sage vendor cannot be used. `again`: Sage's list to read again
    once it was mended there.
    """

    cause: Cause
    bills: Sequence[Posting] = ()
    account: ListItem | None = None
    options: Options | None = None
    rules: Sequence[tuple[MappingRule, str]] = ()
    accounts: Sequence[ListItem] = ()
    link: VendorLink | None = None
    suggestions: Sequence[Suggestion] = ()
    new_number: str = ""
    group: str = ""
    posting: Posting | None = None
    alone: Posting | None = None
    offers: Sequence[Offer] = ()
    needs_line: bool = False
    relink: VendorLink | None = None
    again: str = ""

    @property
    def needs_deed(self) -> bool:
        """Whether nothing here mends the cause, so that its bills are dealt with one by one."""
        mends = (self.account, self.link, self.relink, self.rules, self.accounts)
        return self.posting is None and not any(mends)

    @property
    def bill(self) -> Posting | None:
        """The one bill that the offers are for."""
        return self.posting or self.alone

    @property
    def more(self) -> int:
        """How many bills are behind it beyond those shown."""
        return max(0, self.cause.count - len(self.bills))


@dataclass(slots=True, kw_only=True)
class AttentionPage:
    """The page; `mended` are the latest changes of rules that let bills go on."""

    causes: Sequence[CauseShown] = ()
    shown: Sequence[CauseShown] = ()
    bills: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    mended: Sequence[MappingRuleChange] = ()
    read_at: datetime | None = None


def attention_page(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, side: str, zone: ZoneInfo, now: datetime
) -> AttentionPage:
    """Gather the page; `side` narrows it to one who must act ("" is all)."""
    causes = find_causes(tenant_id=tenant_id, company_id=company_id)
    wanted = [cause for cause in causes if side in {"", cause.acts.value}]
    rows = _stopped(tenant_id, company_id)
    grounds = grounds_of(tenant_id=tenant_id, company_id=company_id)
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    by_vendor = {
        link.bill_vendor_id: link for link in links.filter(state__in=[*UNDECIDED, "linked"])
    }
    taken = {*grounds.vendors, *grounds.numbers.values()}
    changes = MappingRuleChange.objects.for_tenant(tenant_id).filter(
        company_id=company_id, at__gte=now - timedelta(hours=LATELY_HOURS), waiting_bills__gt=0
    )
    return AttentionPage(
        causes=[CauseShown(cause=cause) for cause in causes],
        shown=[_shown(cause, rows, grounds, by_vendor, taken, zone) for cause in wanted],
        bills=sum(1 for row in rows if row.state != PostingState.REVIEW),
        counts={one.value: sum(cause.acts is one for cause in causes) for one in Acts},
        mended=list(changes.order_by("-at", "-pk")[:3]),
        read_at=grounds.lists.read_at("sage.accounts"),
    )


def _stopped(tenant_id: uuid.UUID, company_id: uuid.UUID) -> list[Posting]:
    rows = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    wanted = rows.filter(
        Q(state__in=[PostingState.BLOCKED, PostingState.ATTENTION, PostingState.REVIEW])
        | Q(state=PostingState.IN_SAGE, changed_in_bill_at__isnull=False)
    )
    return list(wanted.select_related("bill").order_by("invoice_date", "pk"))


def _shown(
    cause: Cause,
    rows: Sequence[Posting],
    grounds: Grounds,
    links: Mapping[str, VendorLink],
    taken: set[str],
    zone: ZoneInfo,
) -> CauseShown:
    code, subject = _named(cause)
    box = CauseShown(cause=cause)
    if cause.posting_id is not None:
        box.posting = next((row for row in rows if row.pk == cause.posting_id), None)
        box.bills = [box.posting] if box.posting else []
        if box.posting is not None:
            box.offers = offers(standing_for_deeds(box.posting, zone=zone))
            codes = {item["code"] for item in box.posting.problems}
            box.needs_line = ProblemCode.LINE_WITHOUT_ACCOUNT in codes
            box.again = next((LISTS[code] for code in LISTS if code in codes), "")
        return box
    behind = [row for row in rows if _is_behind(row, code, subject)]
    box.bills = behind[:SHOWN_BILLS]
    _mend(box, ProblemCode(code), subject, grounds, links, taken)
    if len(behind) == 1 and box.needs_deed:
        box.alone = behind[0]
        box.offers = offers(standing_for_deeds(box.alone, zone=zone))
    return box


def _named(cause: Cause) -> tuple[str, str]:
    """The code and subject a cause's link carries; ("", "") for a bill of its own."""
    code, _, subject = cause.filter.partition(":")
    return code, subject


def _is_behind(row: Posting, code: str, subject: str) -> bool:
    return row.state != PostingState.REVIEW and any(
        item["code"] == code and item["subject"] == subject for item in row.problems
    )


def _mend(
    box: CauseShown,
    code: ProblemCode,
    subject: str,
    grounds: Grounds,
    links: Mapping[str, VendorLink],
    taken: set[str],
) -> None:
    box.again = LISTS.get(code, "")
    if code in ABOUT_SAGE_VENDORS:
        box.relink = next((one for one in links.values() if one.sage_number == subject), None)
    if code is ProblemCode.ACCOUNT_UNMAPPED and subject in grounds.items:
        box.account = grounds.items[subject]
        box.options = options_for(grounds, box.account)
    elif code in ABOUT_TARGETS:
        box.rules = [
            (rule, grounds.words_of(rule))
            for rule in grounds.rules
            if fold_number(rule.gl_account) == fold_number(subject)
        ]
        box.accounts = [
            item
            for item in grounds.items.values()
            if item.kind is ListKind.ACCOUNT
            and item.number
            and fold_number(item.number) == fold_number(subject)
        ]
    elif code in ABOUT_VENDORS and subject in links:
        link = links[subject]
        vendor = unpack(BillVendor, link.snapshot)
        made = allot_vendor_number(vendor, rule=grounds.policy.vendor_number_rule, taken=taken)
        box.link = link
        box.suggestions = [unpack(Suggestion, one) for one in link.suggestions]
        if link.state == LinkState.LINKED:
            box.suggestions = suggest(vendor, SageVendors.of(grounds.vendors.values()))
        is_foreign = vendor.currency not in {"", grounds.policy.currency}
        box.new_number = made if isinstance(made, str) and not is_foreign else ""
        box.group = grounds.policy.vendor_group
