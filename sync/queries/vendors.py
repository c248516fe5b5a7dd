"""The vendors page: who is linked to whom, who waits for a person, and what speaks for which match.

Both sides are shown as last read. The comparison is field by field with a word for each; its order
and its score only help a person, and link nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.db.models import Count, Q, Sum

from integrations.bill.types import BillVendor
from integrations.sage300.types import SageVendor, VendorGroup
from sync.domain.packing import unpack
from sync.domain.policy import Policy, VendorField
from sync.domain.problems import Problem
from sync.domain.vendor_fields import changes, wanted_vendor
from sync.domain.vendor_numbers import allot_vendor_number
from sync.domain.vendor_suggestions import SageVendors, Suggestion, suggest
from sync.domain.words import count_of
from sync.models import CompanyPolicy, LogEntry, Posting, VendorLink
from sync.models.vendor import LinkState
from sync.queries.lists import VENDORS, Lists
from sync.queries.paging import clean
from sync.queries.rule_effects import NOT_YET_SENT

ROWS = 60
OWNERS: Mapping[VendorField, tuple[str, tuple[str, ...]]] = {
    VendorField.NAME: ("Name", ("VendorName",)),
    VendorField.ADDRESS: (
        "Address",
        ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "City", "StateProvince",
         "ZipPostalCode", "Country"),
    ),
    VendorField.PHONE: ("Telephone", ("PhoneNumber",)),
    VendorField.EMAIL: ("E-mail", ("Email",)),
    VendorField.TERMS: ("Terms", ("Terms",)),
    VendorField.TAX_GROUP: ("Tax group", ("TaxGroup",)),
    VendorField.GL_ACCOUNT: ("Default account", ("DistributionType", "GLAccount")),
}  # fmt: skip


class View(StrEnum):
    """The views of the page."""

    DECIDE = "decide"
    LINKED = "linked"
    MAKING = "making"
    ARCHIVED = "archived"
    IGNORED = "ignored"
    DEFAULTS = "defaults"


VIEWS: Mapping[View, str] = {
    View.DECIDE: "To decide",
    View.LINKED: "Linked",
    View.MAKING: "Being created",
    View.ARCHIVED: "Archived in BILL",
    View.IGNORED: "Left out",
    View.DEFAULTS: "Default accounts",
}
TO_DECIDE = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS, LinkState.REFUSED)
CONDITIONS: Mapping[View, Q] = {
    View.DECIDE: Q(state__in=TO_DECIDE, is_archived=False),
    View.LINKED: Q(state=LinkState.LINKED),
    View.MAKING: Q(state=LinkState.CREATING),
    View.ARCHIVED: Q(is_archived=True),
    View.IGNORED: Q(state=LinkState.IGNORED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The bills of a vendor that are not in Sage yet; other currencies stand in `elsewhere`."""

    count: int = 0
    amount: Decimal = Decimal(0)
    elsewhere: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """`2 bills wait`, `no bill waits`."""
        if not self.count:
            return "no bill waits"
        return f"{count_of(self.count, 'bill')} {'waits' if self.count == 1 else 'wait'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorRow:
    """One BILL vendor as a row; `trouble` is what is wrong with its Sage vendor, in few words."""

    link: VendorLink
    sage: SageVendor | None
    waiting: Waiting
    trouble: str = ""
    default: str = ""
    default_from: str = ""

    @property
    def candidates(self) -> str:
        """How many Sage vendors come into question, for the list of those to decide."""
        number = len(self.link.suggestions)
        return f"{count_of(number, 'candidate')} in Sage" if number else "no candidate, likely new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How one field of a Sage vendor compares: `verdict` is same, close or differs."""

    value: str
    verdict: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A Sage vendor that may be it, with what agrees, and what linking would change in Sage."""

    vendor: SageVendor
    marks: Sequence[Mark]
    agree: int
    likely: str
    holder: str
    changes: Sequence[tuple[str, str, str]]
    is_current: bool = False

    @property
    def standing(self) -> str:
        """`active, group TRADE`."""
        words = ["active" if self.vendor.is_active else "inactive"]
        if self.vendor.is_on_hold:
            words.append("on hold")
        if self.vendor.group_code:
            words.append(f"group {self.vendor.group_code}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorBench:
    """One BILL vendor beside the Sage vendors that may be it.

    `rows` are (field, BILL's value, one mark for each candidate); `new_number` is what the
    company's rule would number it, "" with `no_number` saying why.
    """

    row: VendorRow
    bill: BillVendor
    candidates: Sequence[Candidate]
    rows: Sequence[tuple[str, str, Sequence[Mark]]]
    groups: Sequence[VendorGroup]
    default_group: str
    new_number: str
    no_number: str
    story: Sequence[LogEntry]


@dataclass(slots=True, kw_only=True)
class VendorsPage:
    """The page: counts of its views and the rows of one."""

    counts: Mapping[View, int]
    rows: Sequence[VendorRow] = ()
    next_after: str = ""
    read_at: datetime | None = None
    lists: Lists | None = None
    policy: Policy = field(default_factory=Policy)
    vendor_accounts: Mapping[str, str] = field(default_factory=dict)
    group_accounts: Mapping[str, str] = field(default_factory=dict)


def vendors_page(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, view: View, find: str = "", after: str = ""
) -> VendorsPage:
    """One page of one view, by name; six queries."""
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    counted = {one.value: Count("pk", filter=condition) for one, condition in CONDITIONS.items()}
    counts = links.aggregate(**counted)
    owned = CompanyPolicy.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
    lists = Lists(tenant_id, company_id)
    page = VendorsPage(
        counts={View(key): value for key, value in counts.items()},
        read_at=lists.read_at(VENDORS),
        lists=lists,
        policy=owned.policy() if owned else Policy(),
        vendor_accounts=owned.vendor_accounts if owned else {},
        group_accounts=owned.group_accounts if owned else {},
    )
    if view is View.DEFAULTS:
        return page
    wanted = links.filter(CONDITIONS[view])
    if text := clean(find, 100):
        wanted = wanted.filter(Q(name__icontains=text) | Q(sage_number__icontains=text))
    if after:
        name, _, key = clean(after, 300).rpartition("~")
        wanted = wanted.filter(Q(name__gt=name) | Q(name=name, bill_vendor_id__gt=key))
    found = list(wanted.order_by("name", "bill_vendor_id")[: ROWS + 1])
    page.rows = rows_of(found[:ROWS], page, tenant_id=tenant_id, company_id=company_id)
    if len(found) > ROWS:
        last = found[ROWS - 1]
        page.next_after = f"{last.name}~{last.bill_vendor_id}"
    return page


def rows_of(
    links: Sequence[VendorLink], page: VendorsPage, *, tenant_id: uuid.UUID, company_id: uuid.UUID
) -> list[VendorRow]:
    """Links as rows with their Sage vendor and their waiting bills; one query."""
    vendors = {one.number.upper(): one for one in page.lists.vendors()} if page.lists else {}
    waiting = _waiting(tenant_id, company_id, [link.bill_vendor_id for link in links])
    return [
        _row(link, vendors.get(link.sage_number.upper()), page, waiting.get(link.bill_vendor_id))
        for link in links
    ]


def _row(
    link: VendorLink, sage: SageVendor | None, page: VendorsPage, waiting: Waiting | None
) -> VendorRow:
    own = page.vendor_accounts.get(link.bill_vendor_id, "")
    group = page.group_accounts.get(sage.group_code, "") if sage else ""
    default, source = own, "chosen here" if own else ""
    if not own and group and sage:
        default, source = group, f"of group {sage.group_code}"
    elif not own and sage and sage.gl_account:
        default, source = sage.gl_account, "in Sage"
    return VendorRow(
        link=link,
        sage=sage,
        waiting=waiting or Waiting(),
        trouble=_trouble(link, sage),
        default=default,
        default_from=source,
    )


def _trouble(link: VendorLink, sage: SageVendor | None) -> str:
    if link.state != LinkState.LINKED:
        return ""
    if sage is None:
        return "not in Sage any more"
    if not sage.is_active:
        return "inactive in Sage"
    return "on hold in Sage" if sage.is_on_hold else ""


def _waiting(
    tenant_id: uuid.UUID, company_id: uuid.UUID, vendor_ids: Sequence[str]
) -> dict[str, Waiting]:
    grouped = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .in_state(*NOT_YET_SENT)
        .filter(bill_vendor_id__in=vendor_ids)
        .order_by()
        .values("bill_vendor_id", "currency", "company__currency")
        .annotate(n=Count("pk"), total=Sum("amount"))
    )
    found: dict[str, Waiting] = {}
    for row in grouped:
        so_far, total = found.get(row["bill_vendor_id"], Waiting()), row["total"] or Decimal(0)
        is_home = row["currency"] in {"", row["company__currency"]}
        found[row["bill_vendor_id"]] = Waiting(
            count=so_far.count + row["n"],
            amount=so_far.amount + (total if is_home else 0),
            elsewhere={**so_far.elsewhere} | ({} if is_home else {row["currency"]: total}),
        )
    return found


def bench_of(
    link: VendorLink, page: VendorsPage, *, tenant_id: uuid.UUID, company_id: uuid.UUID
) -> VendorBench:
    """Everything a person needs to say who this vendor is; three queries."""
    vendors = page.lists.vendors() if page.lists else []
    index = SageVendors.of(vendors)
    bill = unpack(BillVendor, link.snapshot)
    links = VendorLink.objects.for_tenant(tenant_id).filter(company_id=company_id)
    holders = dict(
        links.exclude(pk=link.pk).exclude(sage_number="").values_list("sage_number", "name")
    )
    suggested = {one.number: one for one in suggest(bill, index)}
    numbers = list(dict.fromkeys([*([link.sage_number] if link.sage_number else []), *suggested]))
    found = [index.find(number) for number in numbers]
    candidates = [
        _candidate(link, bill, one, suggested.get(one.number), holders, page)
        for one in found
        if one is not None
    ]
    made = allot_vendor_number(
        bill, rule=page.policy.vendor_number_rule, taken={*holders, *index.by_number}
    )
    names = [name for name, _ in _facts(bill)]
    rows = [
        (name, value, [candidate.marks[place] for candidate in candidates])
        for place, (name, value) in enumerate(zip(names, [v for _, v in _facts(bill)], strict=True))
    ]
    story = LogEntry.objects.for_tenant(tenant_id).filter(vendor_link_id=link.pk)
    return VendorBench(
        row=rows_of([link], page, tenant_id=tenant_id, company_id=company_id)[0],
        bill=bill,
        candidates=candidates,
        rows=rows,
        groups=[one for one in (page.lists.groups() if page.lists else []) if one.is_active],
        default_group=link.group_code or page.policy.vendor_group,
        new_number="" if isinstance(made, Problem) else made,
        no_number=made.sentence if isinstance(made, Problem) else "",
        story=list(story.order_by("-at", "-pk")[:8]),
    )


def _facts(bill: BillVendor) -> list[tuple[str, str]]:
    address = bill.address
    place = " ".join(filter(None, [address.city, address.state_or_province, address.postal_code]))
    return [
        ("Name", bill.name),
        ("E-mail", bill.email),
        ("Telephone", bill.phone),
        ("Address", ", ".join(filter(None, [address.line1, address.line2, place]))),
        ("Currency", bill.currency),
    ]


def _candidate(
    link: VendorLink,
    bill: BillVendor,
    sage: SageVendor,
    suggestion: Suggestion | None,
    holders: Mapping[str, str],
    page: VendorsPage,
) -> Candidate:
    place = " ".join(filter(None, [sage.city, sage.state_province, sage.postal_code]))
    values = [
        sage.name,
        sage.email,
        sage.phone,
        ", ".join(filter(None, [*sage.address_lines, place])),
        sage.currency,
    ]
    marks = [
        _mark(name, ours, theirs) for (name, ours), theirs in zip(_facts(bill), values, strict=True)
    ]
    # Nearly every vendor bills in the same currency, so that agreeing says nothing.
    telling = marks[:-1]
    agree = sum(1 for mark in telling if mark.verdict == "same")
    compared = sum(1 for mark in telling if mark.word != "cannot compare")
    word = "likely" if suggestion and suggestion.is_close else "unlikely"
    said = (
        f"{agree} of {count_of(compared, 'field')} the same, currency aside"
        if compared
        else "nothing to compare"
    )
    return Candidate(
        vendor=sage,
        marks=marks,
        agree=agree,
        likely=f"{word}, {said}" if suggestion else said,
        holder=holders.get(sage.number, ""),
        changes=_changes(bill, sage, page),
        is_current=link.sage_number == sage.number,
    )


def _mark(name: str, ours: str, theirs: str) -> Mark:
    if not ours.strip() or not theirs.strip():
        return Mark(value=theirs, verdict="none", word="cannot compare")
    if _plain(name, ours) == _plain(name, theirs):
        return Mark(value=theirs, verdict="same", word="same")
    shared = set(ours.casefold().split()) & set(theirs.casefold().split())
    if name == "E-mail" and ours.partition("@")[2] == theirs.partition("@")[2]:
        return Mark(value=theirs, verdict="close", word="same domain")
    if name in {"Name", "Address"} and shared:
        return Mark(value=theirs, verdict="close", word="close, not equal")
    return Mark(value=theirs, verdict="differs", word="differs")


def _plain(name: str, text: str) -> str:
    if name == "Telephone":
        return "".join(c for c in text if c.isdigit())[-10:]
    return " ".join(text.casefold().split())


def _changes(bill: BillVendor, sage: SageVendor, page: VendorsPage) -> list[tuple[str, str, str]]:
    """(field, in Sage now, after linking) for the fields the policy lets BILL own."""
    account = page.vendor_accounts.get(bill.id, "")
    wanted = wanted_vendor(bill, number=sage.number, policy=page.policy, gl_account=account)
    found = changes(sage, wanted.vendor, page.policy.owned_vendor_fields)
    shown = []
    for owner, (label, properties) in OWNERS.items():
        new = [found[name] for name in properties if name in found]
        if new:
            shown.append((label, _now(owner, sage), ", ".join(new)))
    return shown


def _now(owner: VendorField, sage: SageVendor) -> str:
    match owner:
        case VendorField.ADDRESS:
            return ", ".join(filter(None, [*sage.address_lines, sage.city]))
        case VendorField.NAME | VendorField.PHONE | VendorField.EMAIL | VendorField.TERMS:
            return str(getattr(sage, owner.value))
        case _:
            return str(getattr(sage, owner.value, ""))
