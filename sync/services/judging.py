"""What the rules say about one posting: where it stands now, and what travels if it is ready.

Reads nothing and writes nothing: everything the rules ask for lies on the desk. Which numbers a
bill gets in Sage is asked elsewhere, for many bills at once, so a bill that may go is a `Draft`
until then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from integrations.bill.types import Bill, BillVendor
from integrations.sage300.types import FiscalPeriod, SageVendor
from sync.domain.line_accounts import Catalogue
from sync.domain.mapping import Mapped, Unmapped, map_bill, to_invoice
from sync.domain.mapping_rules import MappingRule as Rule
from sync.domain.packing import pack, unpack
from sync.domain.posting_date import PostingDate, choose_posting_date
from sync.domain.posting_state import PostingState
from sync.domain.problems import Problem, ProblemCode, problem, problem_from_dict
from sync.domain.readiness import Hold, Post, Skip, SkipRule, VendorStanding, Wait, decide
from sync.domain.vendor_suggestions import SageVendors
from sync.models import Posting, VendorLink
from sync.models.vendor import LinkState
from sync.services.identities import Identity
from sync.services.work import Work

ABOUT_ACCOUNTS = frozenset({ProblemCode.ACCOUNT_UNMAPPED, ProblemCode.LINE_WITHOUT_ACCOUNT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the rules ask for, gathered once."""

    work: Work
    now: datetime
    catalogue: Catalogue
    sage_vendors: SageVendors
    periods: Sequence[FiscalPeriod]
    links: Mapping[str, VendorLink]
    rules: Sequence[Rule]
    skip_rules: Sequence[SkipRule]
    vendor_accounts: Mapping[str, str]
    group_accounts: Mapping[str, str]
    refused_periods: Collection[tuple[str, str]]
    bill_vendors: dict[str, BillVendor] = field(default_factory=dict)

    def bill_vendor(self, vendor_id: str) -> BillVendor | None:
        """BILL's vendor as read, unpacked once for all its bills; None where it never was."""
        if vendor_id not in self.bill_vendors and vendor_id in self.links:
            link = self.links[vendor_id]
            self.bill_vendors[vendor_id] = unpack(BillVendor, link.snapshot)
        return self.bill_vendors.get(vendor_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where one posting goes, and what else is written with it."""

    state: PostingState
    sentence: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    values: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A bill that may go, but for its numbers in Sage."""

    bill: Bill
    vendor_number: str
    mapped: Mapped
    dated: PostingDate
    needs_review: bool


def judge(desk: Desk, posting: Posting, overrides: Mapping[str, str]) -> Verdict | Draft:
    """Where the posting goes by every rule but that of its numbers."""
    bill = unpack(Bill, posting.bill.snapshot)
    standing, vendor, vendor_problem = _vendor(desk, bill)
    decision = decide(
        bill,
        policy=desk.work.policy,
        company_zone=desk.work.zone,
        vendor=standing,
        vendor_problem=vendor_problem,
        skip_rules=desk.skip_rules,
        allowed_before_cutover=posting.is_allowed_before_cutover,
    )
    match decision:
        case Wait(sentence=sentence):
            return Verdict(state=PostingState.WAITING, sentence=sentence)
        case Skip(sentence=sentence):
            return Verdict(state=PostingState.SKIPPED, sentence=sentence)
        case Hold(problems=problems):
            others = _other_problems(desk, bill, overrides)
            return _blocked(desk, bill, (*problems, *others))
        case Post(needs_review=needs_review):
            return _map(desk, posting, bill, vendor, overrides, needs_review=needs_review)
        case _:
            assert_never(decision)


def _blocked(
    desk: Desk, bill: Bill, problems: Sequence[Problem], warnings: Sequence[Problem] = ()
) -> Verdict:
    """Stopped by its problems; an amount that is not in the company's money says in which it is."""
    unique = tuple(dict.fromkeys(problems))
    return Verdict(
        state=PostingState.BLOCKED,
        sentence=" ".join(found.sentence for found in unique)[:1000],
        problems=unique,
        warnings=tuple(warnings),
        values={"currency": _foreign_currency(desk, bill, unique)},
    )


def _foreign_currency(desk: Desk, bill: Bill, problems: Sequence[Problem]) -> str:
    """The code that BILL keeps on the vendor of a bill in another currency; "" for any other."""
    if all(found.code is not ProblemCode.FOREIGN_CURRENCY for found in problems):
        return ""
    vendor = desk.bill_vendor(bill.vendor_id)
    return vendor.currency[:3] if vendor else ""


def _vendor(desk: Desk, bill: Bill) -> tuple[VendorStanding, SageVendor, Problem | None]:
    """How the bill's vendor stands, the Sage vendor it is, and the cause where it is none."""
    nobody = SageVendor(number="", name=bill.vendor_name)
    link = desk.links.get(bill.vendor_id)
    if link is None:
        cause = problem(
            ProblemCode.VENDOR_NOT_LINKED,
            f"BILL has not shown us vendor {bill.vendor_name or bill.vendor_id} yet. It is read"
            " with the next sync; if it stays so, look in BILL whether it was merged.",
            subject=bill.vendor_id,
            subject_name=bill.vendor_name,
        )
        return VendorStanding.NEEDS_PERSON, nobody, cause
    match LinkState(link.state):
        case LinkState.LINKED:
            return _linked(desk, link, nobody)
        case LinkState.CREATING | LinkState.NEW:
            return VendorStanding.TO_CREATE, nobody, None
        case LinkState.IGNORED:
            return VendorStanding.IGNORED, nobody, None
        case LinkState.REFUSED:
            cause = problem(
                ProblemCode.VENDOR_NOT_LINKED,
                f"Sage refused to create vendor {link.name}: {link.reason}",
                subject=link.bill_vendor_id,
                subject_name=link.name,
            )
        case LinkState.ASK | LinkState.AMBIGUOUS:
            cause = (
                problem_from_dict(link.problem)
                if link.problem
                else problem(
                    ProblemCode.VENDOR_NOT_LINKED,
                    f"{link.name} is not linked to a Sage vendor. Link or create it here.",
                    subject=link.bill_vendor_id,
                    subject_name=link.name,
                )
            )
    return VendorStanding.NEEDS_PERSON, nobody, cause


def _linked(
    desk: Desk, link: VendorLink, nobody: SageVendor
) -> tuple[VendorStanding, SageVendor, Problem | None]:
    vendor = desk.sage_vendors.find(link.sage_number)
    if vendor is None:
        cause = problem(
            ProblemCode.VENDOR_MISSING_IN_SAGE,
            f"{link.name} is linked to Sage vendor {link.sage_number}, and Sage has no such vendor."
            " Link it anew here, or restore the vendor in Sage.",
            subject=link.bill_vendor_id,
            subject_name=link.name,
        )
        return VendorStanding.NEEDS_PERSON, nobody, cause
    account = desk.vendor_accounts.get(link.bill_vendor_id) or desk.group_accounts.get(
        vendor.group_code
    )
    if account:
        vendor = replace(vendor, gl_account=account, distribution_type="GLAccount")
    return VendorStanding.LINKED, vendor, None


def _other_problems(desk: Desk, bill: Bill, overrides: Mapping[str, str]) -> tuple[Problem, ...]:
    """What else would hold the bill, so that nobody mends one thing only to meet the next.

    Accounts that the vendor's own default might still give are not counted.
    """
    nobody = SageVendor(number="", name=bill.vendor_name)
    mapped = _translate(desk, bill, nobody, overrides)
    problems = mapped.problems if isinstance(mapped, Unmapped) else ()
    return tuple(found for found in problems if found.code not in ABOUT_ACCOUNTS)


def _translate(
    desk: Desk, bill: Bill, vendor: SageVendor, overrides: Mapping[str, str]
) -> Mapped | Unmapped:
    return map_bill(
        bill,
        vendor=vendor,
        bill_vendor=desk.bill_vendor(bill.vendor_id),
        catalogue=desk.catalogue,
        rules=desk.rules,
        policy=desk.work.policy,
        overrides=overrides,
    )


def _map(
    desk: Desk,
    posting: Posting,
    bill: Bill,
    vendor: SageVendor,
    overrides: Mapping[str, str],
    *,
    needs_review: bool,
) -> Verdict | Draft:
    mapped = _translate(desk, bill, vendor, overrides)
    dated = _date(desk, posting, bill)
    problems = [dated] if isinstance(dated, Problem) else []
    if isinstance(mapped, Unmapped):
        return _blocked(desk, bill, (*mapped.problems, *problems), mapped.warnings)
    if isinstance(dated, Problem):
        return _blocked(desk, bill, problems, mapped.warnings)
    return Draft(
        bill=bill,
        vendor_number=vendor.number,
        mapped=mapped,
        dated=dated,
        needs_review=needs_review,
    )


def finish(desk: Desk, posting: Posting, draft: Draft, identity: Identity | Problem) -> Verdict:
    """Where the posting goes now that its numbers are known, or why it has none."""
    warnings = draft.mapped.warnings
    if draft.dated.is_moved:
        warnings = (*warnings, problem(ProblemCode.POSTING_DATE_MOVED, draft.dated.sentence))
    values = _values(desk, draft)
    if isinstance(identity, Problem):
        is_review = identity.code is ProblemCode.POSSIBLE_DUPLICATE
        return Verdict(
            state=PostingState.REVIEW if is_review else PostingState.BLOCKED,
            sentence=identity.sentence,
            problems=(identity,),
            warnings=warnings,
            values=values,
        )
    invoice = to_invoice(
        draft.mapped,
        bill=draft.bill,
        vendor_number=identity.vendor_number,
        document_number=identity.document_number,
        order_number=identity.order_number,
        posting_date=draft.dated.on,
    )
    values |= {**identity.columns(), "invoice": pack(invoice)}
    must_wait = draft.needs_review and not posting.is_review_accepted
    return Verdict(
        state=PostingState.REVIEW if must_wait else PostingState.READY,
        sentence="Ready, and waits for an accountant's yes, as your policy asks."
        if must_wait
        else "Goes with the next batch.",
        warnings=warnings,
        values=values,
    )


def _date(desk: Desk, posting: Posting, bill: Bill) -> PostingDate | Problem:
    zone = desk.work.zone
    seen = posting.approval_seen_at or desk.now
    return choose_posting_date(
        policy=desk.work.policy,
        periods=desk.periods,
        invoice_date=bill.invoice_date,
        approval_seen_date=seen.astimezone(zone).date(),
        today=desk.now.astimezone(zone).date(),
        refused_periods=desk.refused_periods,
    )


def _values(desk: Desk, draft: Draft) -> dict[str, object]:
    return {
        "amount": draft.mapped.total,
        "currency": desk.work.policy.currency,
        "lines": [pack(line) for line in draft.mapped.lines],
        "posting_date": draft.dated.on,
        "fiscal_year": draft.dated.year,
        "fiscal_period": draft.dated.period,
        "mapped_hash": draft.bill.content_hash,
        "policy_version": desk.work.policy_version,
        "database_key": desk.work.database_key,
    }
