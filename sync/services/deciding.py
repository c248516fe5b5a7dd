"""Decides, for every bill that may have changed its mind, where its posting stands now.

The rules are the domain's; this room gathers what they need, once per pass, and writes what they
say. When the lists, the rules or the policy change, everything not yet sent is decided anew, so a
mended mapping lets its bills go by themselves.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from django.db import IntegrityError, transaction

from integrations.bill.types import Bill, BillVendor
from integrations.sage300.types import FiscalPeriod, SageVendor
from sync.domain.gl_accounts import SageAccounts
from sync.domain.line_accounts import Catalogue
from sync.domain.mapping import Mapped, Unmapped, map_bill, to_invoice
from sync.domain.mapping_rules import MappingRule as Rule
from sync.domain.packing import pack, unpack
from sync.domain.posting_date import PostingDate, choose_posting_date
from sync.domain.posting_state import PostingState
from sync.domain.problems import Problem, ProblemCode, problem, problem_from_dict, problem_to_dict
from sync.domain.readiness import Hold, Post, Skip, SkipRule, VendorStanding, Wait, decide
from sync.domain.vendor_suggestions import SageVendors
from sync.models import (
    CompanyPolicy,
    Cursor,
    LineOverride,
    LogEntry,
    MappingRule,
    Posting,
    VendorLink,
)
from sync.models.vendor import LinkState
from sync.services import identities, journal, periods
from sync.services.catalogue import Lists
from sync.services.work import Work
from tenants.scoping import tenant_scope

CHUNK = 200
STREAM = "decided"
DECIDABLE = (
    PostingState.WAITING,
    PostingState.BLOCKED,
    PostingState.REVIEW,
    PostingState.READY,
    PostingState.SKIPPED,
)
UNREAD = frozenset({ProblemCode.BILL_ACCOUNT_UNKNOWN, ProblemCode.BILL_ITEM_UNKNOWN})
ABOUT_ACCOUNTS = frozenset({ProblemCode.ACCOUNT_UNMAPPED, ProblemCode.LINE_WITHOUT_ACCOUNT})


@dataclass(slots=True, kw_only=True)
class Decided:
    """What a pass found; `unread` says that some bill names an id of a BILL list not read yet."""

    looked_at: int = 0
    moved: int = 0
    unread: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Where one posting goes, and what else is written with it."""

    state: PostingState
    sentence: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    values: Mapping[str, object] | None = None


def decide_all(work: Work) -> Decided:
    """Decide every posting that is marked, or all not yet sent when their grounds have changed."""
    decided = Decided()
    with tenant_scope(work.tenant_id):
        desk, stamp = _gather(work)
        is_changed = _stamp_of(work) != stamp
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        if is_changed:
            rows.in_state(*DECIDABLE).filter(is_skipped_by_person=False).update(is_dirty=True)
    while True:
        with tenant_scope(work.tenant_id):
            count = _decide_chunk(work, desk, decided)
        if count < CHUNK:
            break
    if is_changed:
        with tenant_scope(work.tenant_id):
            Cursor.objects.for_tenant(work.tenant_id).update_or_create(
                company_id=work.company_id,
                stream=STREAM,
                defaults={"tenant_id": work.tenant_id, "value": stamp, "moved_at": work.clock()},
            )
    return decided


def _gather(work: Work) -> tuple[Desk, str]:
    lists = Lists(work.tenant_id, work.company_id)
    owned = CompanyPolicy.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
    rule_rows = list(
        MappingRule.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    )
    link_rows = list(
        VendorLink.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    )
    desk = Desk(
        work=work,
        now=work.clock(),
        catalogue=Catalogue(lists=lists.bill_items(), accounts=SageAccounts.of(lists.accounts())),
        sage_vendors=SageVendors.of(lists.vendors()),
        periods=lists.periods(),
        links={link.bill_vendor_id: link for link in link_rows},
        rules=[_rule(row) for row in rule_rows],
        skip_rules=[SkipRule(**row) for row in owned.skip_rules],
        vendor_accounts=owned.vendor_accounts,
        group_accounts=owned.group_accounts,
        refused_periods=periods.refused_periods(
            tenant_id=work.tenant_id, company_id=work.company_id, now=work.clock()
        ),
    )
    grounds = [
        str(owned.version),
        lists.stamp,
        *sorted(f"{row.pk}{row.gl_account}{row.made_at}" for row in rule_rows),
        *sorted(f"{row.bill_vendor_id}{row.state}{row.sage_number}" for row in link_rows),
    ]
    return desk, hashlib.sha256("\n".join(grounds).encode()).hexdigest()


def _rule(row: MappingRule) -> Rule:
    return Rule(
        id=str(row.pk),
        gl_account=row.gl_account,
        vendor_id=row.vendor_id,
        item_id=row.item_id,
        class_id=row.class_id,
        location_id=row.location_id,
        department_id=row.department_id,
        account_id=row.account_id,
    )


def _stamp_of(work: Work) -> str:
    cursor = (
        Cursor.objects.for_tenant(work.tenant_id)
        .filter(company_id=work.company_id, stream=STREAM)
        .first()
    )
    return cursor.value if cursor else ""


def _decide_chunk(work: Work, desk: Desk, decided: Decided) -> int:
    postings = list(
        Posting.objects.for_tenant(work.tenant_id)
        .of_company(work.company_id)
        .in_state(*DECIDABLE)
        .filter(is_dirty=True, is_skipped_by_person=False)
        .select_related("bill")
        .order_by("bill__created_in_bill_at", "pk")
        .select_for_update(of=("self",))[:CHUNK]
    )
    overrides: dict[uuid.UUID, dict[str, str]] = {}
    for row in LineOverride.objects.for_tenant(work.tenant_id).filter(posting__in=postings):
        overrides.setdefault(row.posting_id, {})[row.line_id] = row.gl_account
    lines: list[LogEntry] = []
    for posting in postings:
        verdict = _judge(desk, posting, overrides.get(posting.pk, {}))
        line = _write(desk, posting, verdict)
        if line is not None:
            lines.append(line)
        decided.unread |= any(found.code in UNREAD for found in verdict.problems)
    journal.write(lines)
    decided.looked_at += len(postings)
    decided.moved += len(lines)
    return len(postings)


def _judge(desk: Desk, posting: Posting, overrides: Mapping[str, str]) -> Verdict:
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
            return _blocked((*problems, *others))
        case Post(needs_review=needs_review):
            return _map(desk, posting, bill, vendor, overrides, needs_review=needs_review)
        case _:
            assert_never(decision)


def _blocked(problems: Sequence[Problem], warnings: Sequence[Problem] = ()) -> Verdict:
    unique = tuple(dict.fromkeys(problems))
    return Verdict(
        state=PostingState.BLOCKED,
        sentence=" ".join(found.sentence for found in unique)[:1000],
        problems=unique,
        warnings=tuple(warnings),
    )


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
    link = desk.links.get(bill.vendor_id)
    return map_bill(
        bill,
        vendor=vendor,
        bill_vendor=unpack(BillVendor, link.snapshot) if link else None,
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
) -> Verdict:
    mapped = _translate(desk, bill, vendor, overrides)
    dated = _date(desk, posting, bill)
    problems = [dated] if isinstance(dated, Problem) else []
    if isinstance(mapped, Unmapped):
        return _blocked((*mapped.problems, *problems), mapped.warnings)
    if isinstance(dated, Problem):
        return _blocked(problems, mapped.warnings)
    identity = identities.allot(
        desk.work, posting, bill, vendor_number=vendor.number, wanted=mapped.document_number
    )
    warnings = mapped.warnings
    if dated.is_moved:
        warnings = (*warnings, problem(ProblemCode.POSTING_DATE_MOVED, dated.sentence))
    values = _values(desk, posting, bill, mapped, dated)
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
        mapped,
        bill=bill,
        vendor_number=identity.vendor_number,
        document_number=identity.document_number,
        order_number=identity.order_number,
        posting_date=dated.on,
    )
    values |= {**identity.columns(), "invoice": pack(invoice)}
    if needs_review and not posting.is_review_accepted:
        sentence = "Ready, and waits for an accountant's yes, as your policy asks."
        return Verdict(
            state=PostingState.REVIEW, sentence=sentence, warnings=warnings, values=values
        )
    return Verdict(
        state=PostingState.READY,
        sentence="Goes with the next batch.",
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


def _values(
    desk: Desk, posting: Posting, bill: Bill, mapped: Mapped, dated: PostingDate
) -> dict[str, object]:
    return {
        "amount": mapped.total,
        "currency": desk.work.policy.currency,
        "lines": [pack(line) for line in mapped.lines],
        "posting_date": dated.on,
        "fiscal_year": dated.year,
        "fiscal_period": dated.period,
        "mapped_hash": bill.content_hash,
        "policy_version": desk.work.policy_version,
        "database_key": desk.work.database_key,
    }


def _write(desk: Desk, posting: Posting, verdict: Verdict) -> LogEntry | None:
    """Write the verdict; with a log line where people would see a difference."""
    before = (posting.state, posting.sentence)
    values: dict[str, Any] = {
        "sentence": verdict.sentence[:1000],
        "problems": [problem_to_dict(found) for found in verdict.problems],
        "warnings": [problem_to_dict(found) for found in verdict.warnings],
        "is_dirty": False,
        **(verdict.values or {}),
    }
    if verdict.values is None or "document_number" not in verdict.values:
        values |= identities.given_back(posting)
    try:
        with transaction.atomic():
            posting.advance(verdict.state, now=desk.now, **values)
    except IntegrityError:
        held = identities.held_elsewhere(posting, verdict.values or {})
        values |= {
            "sentence": held.sentence,
            "problems": [problem_to_dict(held)],
            **identities.given_back(posting),
        }
        posting.advance(PostingState.BLOCKED, now=desk.now, **values)
    if (posting.state, posting.sentence) == before:
        return None
    return journal.line_for(
        posting,
        event=f"posting.{posting.state.lower()}",
        sentence=posting.sentence,
        now=desk.now,
        run_id=desk.work.run_id,
    )
