"""Whether a bill goes to Sage now: post it, wait, hold it for a person, or leave it out.

Decided on what BILL says when read again, never on what an event claimed. How the bill would stand
in Sage is the translator's question (`mapping.py`); this room asks only whether its time has come.
An approval word this product does not know counts as not approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import assert_never

from integrations.bill.types import Approval, Bill
from sync.domain.policy import Policy, ReviewRule, UnassignedBills
from sync.domain.problems import Problem
from sync.domain.words import day, shown


class WaitReason(StrEnum):
    """What a waiting bill waits for; nobody here has to act."""

    APPROVAL = "approval"
    UNASSIGNED = "unassigned"
    DENIED = "denied"
    UNKNOWN_WORD = "unknown_word"
    BEFORE_CUTOVER = "before_cutover"
    VENDOR_BEING_CREATED = "vendor_being_created"


class SkipReason(StrEnum):
    """Why a bill is left out; it comes back when the reason goes."""

    ARCHIVED = "archived"
    RULE = "rule"
    VENDOR_IGNORED = "vendor_ignored"


class VendorStanding(StrEnum):
    """How the bill's vendor stands to Sage."""

    LINKED = "linked"
    TO_CREATE = "to_create"
    NEEDS_PERSON = "needs_person"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipRule:
    """Bills that agree in everything named ("" is any) are left out; `name` is its reason in words.

    `account_id` fits when every line is coded to it (a card's clearing account, for example).
    """

    id: str
    name: str
    vendor_id: str = ""
    account_id: str = ""
    invoice_number_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Its time has come; `needs_review` where the company wants a person's yes for each bill."""

    sentence: str
    needs_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Not yet, and nobody here need act."""

    reason: WaitReason
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person must act first."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Left out; `rule_id` names the skip rule, where one did it."""

    reason: SkipReason
    sentence: str
    rule_id: str = ""


Decision = Post | Wait | Hold | Skip


def decide(
    bill: Bill,
    *,
    policy: Policy,
    company_zone: tzinfo,
    vendor: VendorStanding,
    vendor_problem: Problem | None = None,
    skip_rules: Sequence[SkipRule] = (),
    allowed_before_cutover: bool = False,
) -> Decision:
    """Ask in this order: left out, approved, after the cutover, vendor known.

    `vendor_problem` is the cause to show while the vendor needs a person;
    `allowed_before_cutover` says an accountant chose this older bill by hand.
    """
    decision: Decision | None = _left_out(bill, skip_rules) or _not_approved(bill, policy)
    if decision is None and not allowed_before_cutover:
        decision = _before_cutover(bill, policy, company_zone)
    if decision is None:
        decision = _vendor(bill, vendor, vendor_problem)
    if decision is not None:
        return decision
    needs_review = policy.review is ReviewRule.REVIEW_ALL
    approved = "Approved in BILL"
    if bill.approval_status == Approval.UNASSIGNED:
        approved = "No approver in BILL, and your policy sends such bills"
    then = "Waits for a yes in Review." if needs_review else "Goes with the next batch."
    return Post(sentence=f"{approved}. {then}", needs_review=needs_review)


def _left_out(bill: Bill, skip_rules: Sequence[SkipRule]) -> Skip | None:
    if bill.archived:
        return Skip(
            reason=SkipReason.ARCHIVED,
            sentence="Archived in BILL. It comes back if it is restored there.",
        )
    for rule in skip_rules:
        if _skips(rule, bill):
            return Skip(
                reason=SkipReason.RULE, sentence=f"Left out by rule: {rule.name}.", rule_id=rule.id
            )
    return None


def _skips(rule: SkipRule, bill: Bill) -> bool:
    asked = [
        (rule.vendor_id, rule.vendor_id == bill.vendor_id),
        (rule.account_id, _is_all_on(rule.account_id, bill)),
        (
            rule.invoice_number_prefix,
            bill.invoice_number.upper().startswith(rule.invoice_number_prefix.upper()),
        ),
    ]
    named = [fits for condition, fits in asked if condition]
    return bool(named) and all(named)


def _is_all_on(account_id: str, bill: Bill) -> bool:
    accounts = {line.coding.account_id or bill.coding.account_id for line in bill.lines}
    return accounts == {account_id}


def _not_approved(bill: Bill, policy: Policy) -> Wait | None:
    try:
        approval = Approval(bill.approval_status)
    except ValueError:
        said = f"“{shown(bill.approval_status)}”" if bill.approval_status else "nothing"
        return Wait(
            reason=WaitReason.UNKNOWN_WORD,
            sentence=f"BILL says {said} about its approval, which counts as not approved.",
        )
    match approval:
        case Approval.APPROVED:
            return None
        case Approval.UNASSIGNED:
            return _unassigned(policy)
        case Approval.ASSIGNED:
            sentence = "Waits for approval in BILL; no approver has acted yet."
            return Wait(reason=WaitReason.APPROVAL, sentence=sentence)
        case Approval.APPROVING:
            sentence = "Waits for approval in BILL; some approvers have said yes, not all."
            return Wait(reason=WaitReason.APPROVAL, sentence=sentence)
        case Approval.DENIED:
            sentence = "An approver denied it in BILL. It goes only if it is approved there."
            return Wait(reason=WaitReason.DENIED, sentence=sentence)
        case _:
            assert_never(approval)


def _unassigned(policy: Policy) -> Wait | None:
    match policy.unassigned_bills:
        case UnassignedBills.POST:
            return None
        case UnassignedBills.LEAVE:
            return Wait(
                reason=WaitReason.UNASSIGNED,
                sentence="It has no approver in BILL, and your policy leaves such bills there. "
                "Assign one in BILL, or change the policy.",
            )
        case _:
            assert_never(policy.unassigned_bills)


def _before_cutover(bill: Bill, policy: Policy, zone: tzinfo) -> Wait | None:
    first = policy.cutover_date
    if first is None:
        return None
    if bill.created_at is None:
        since = "BILL does not say when it was entered"
    elif (entered := bill.created_at.astimezone(zone).date()) < first:
        since = f"Entered in BILL on {day(entered)}"
    else:
        return None
    return Wait(
        reason=WaitReason.BEFORE_CUTOVER,
        sentence=f"{since}; your first day is {day(first)}. You may send it by itself.",
    )


def _vendor(
    bill: Bill, standing: VendorStanding, vendor_problem: Problem | None
) -> Decision | None:
    name = bill.vendor_name or bill.vendor_id
    match standing:
        case VendorStanding.LINKED:
            return None
        case VendorStanding.TO_CREATE:
            return Wait(
                reason=WaitReason.VENDOR_BEING_CREATED,
                sentence=f"Waits for vendor {name} to be created in Sage, which comes first.",
            )
        case VendorStanding.IGNORED:
            return Skip(
                reason=SkipReason.VENDOR_IGNORED,
                sentence=f"Vendor {name} is left out by your choice.",
            )
        case VendorStanding.NEEDS_PERSON:
            if vendor_problem is None:
                raise ValueError("a vendor that needs a person comes with its problem")
            return Hold(problems=(vendor_problem,))
        case _:
            assert_never(standing)
