from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.bill.types import Coding
from sync.domain.policy import Policy, ReviewRule, UnassignedBills
from sync.domain.problems import ProblemCode, problem
from sync.domain.readiness import (
    Decision,
    Hold,
    Post,
    Skip,
    SkipReason,
    SkipRule,
    VendorStanding,
    Wait,
    WaitReason,
    decide,
)
from tests.unit.domain.values import a_bill, a_bill_of, a_line

CHICAGO = ZoneInfo("America/Chicago")
POST_UNASSIGNED = Policy(unassigned_bills=UnassignedBills.POST)
NOVEMBER = Policy(cutover_date=date(2026, 11, 1))


def ask(bill: Any = None, **facts: Any) -> Decision:
    known = {"policy": Policy(), "company_zone": CHICAGO, "vendor": VendorStanding.LINKED}
    return decide(bill or a_bill(), **{**known, **facts})


@pytest.mark.parametrize(
    ("word", "policy", "outcome"),
    [
        ("APPROVED", Policy(), None),
        ("ASSIGNED", Policy(), WaitReason.APPROVAL),
        ("APPROVING", Policy(), WaitReason.APPROVAL),
        ("DENIED", Policy(), WaitReason.DENIED),
        ("UNASSIGNED", Policy(), WaitReason.UNASSIGNED),
        ("UNASSIGNED", POST_UNASSIGNED, None),
        ("ASSIGNED", POST_UNASSIGNED, WaitReason.APPROVAL),
        ("DENIED", POST_UNASSIGNED, WaitReason.DENIED),
        ("UNDEFINED", POST_UNASSIGNED, WaitReason.UNKNOWN_WORD),
        ("", POST_UNASSIGNED, WaitReason.UNKNOWN_WORD),
        ("approved", Policy(), WaitReason.UNKNOWN_WORD),
    ],
)
def test_only_what_bill_calls_approved_goes_unless_policy_says_otherwise(
    word: str, policy: Policy, outcome: WaitReason | None
) -> None:
    decision = ask(a_bill(approval_status=word), policy=policy)
    if outcome is None:
        assert isinstance(decision, Post)
    else:
        assert isinstance(decision, Wait)
        assert decision.reason is outcome


@pytest.mark.parametrize(
    ("bill", "facts", "words"),
    [
        (
            a_bill(approval_status="PENDING"),
            {},
            "BILL says “PENDING” about its approval, which counts as not approved.",
        ),
        (
            a_bill(approval_status="UNASSIGNED"),
            {},
            "It has no approver in BILL, and your policy leaves such bills there. Assign one in "
            "BILL, or change the policy.",
        ),
        (
            a_bill(approval_status="UNASSIGNED"),
            {"policy": POST_UNASSIGNED},
            "No approver in BILL, and your policy sends such bills. Goes with the next batch.",
        ),
        (
            a_bill(),
            {"policy": Policy(review=ReviewRule.REVIEW_ALL)},
            "Approved in BILL. Waits for a yes in Review.",
        ),
        (
            a_bill(created_at=datetime(2026, 10, 3, 12, tzinfo=UTC)),
            {"policy": NOVEMBER},
            "Entered in BILL on October 3, 2026; your first day is November 1, 2026. You may send "
            "it by itself.",
        ),
        (
            a_bill(),
            {"vendor": VendorStanding.TO_CREATE},
            "Waits for vendor Prairie Mill & Grain to be created in Sage, which comes first.",
        ),
    ],
)
def test_the_decision_says_why(bill: Any, facts: dict[str, Any], words: str) -> None:
    decision = ask(bill, **facts)
    assert isinstance(decision, Post | Wait)
    assert decision.sentence == words


@pytest.mark.parametrize(
    ("created_at", "is_before"),
    [
        (datetime(2026, 11, 1, 4, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 1, 5, 0, tzinfo=UTC), False),
        (None, True),
    ],
)
def test_the_cutover_is_a_day_in_the_companys_zone(
    created_at: datetime | None, is_before: bool
) -> None:
    bill = a_bill(created_at=created_at)
    decision = ask(bill, policy=NOVEMBER)
    assert isinstance(decision, Wait) is is_before
    assert isinstance(ask(bill, policy=NOVEMBER, allowed_before_cutover=True), Post)
    assert isinstance(ask(bill), Post)


def test_an_older_bill_that_is_not_approved_waits_for_approval_first() -> None:
    bill = a_bill(approval_status="ASSIGNED", created_at=None)
    decision = ask(bill, policy=NOVEMBER, allowed_before_cutover=True)
    assert isinstance(decision, Wait)
    assert decision.reason is WaitReason.APPROVAL


@pytest.mark.parametrize("word", ["APPROVED", "DENIED", "UNASSIGNED"])
def test_archived_is_left_out_whatever_its_approval(word: str) -> None:
    decision = ask(a_bill(archived=True, approval_status=word))
    assert isinstance(decision, Skip)
    assert decision.reason is SkipReason.ARCHIVED


@pytest.mark.parametrize(
    ("rule", "is_skipped"),
    [
        (SkipRule(id="1", name="Intercompany", vendor_id="009Mill"), True),
        (SkipRule(id="1", name="Intercompany", vendor_id="009Other"), False),
        (SkipRule(id="1", name="Cards", invoice_number_prefix="pm-"), True),
        (SkipRule(id="1", name="Cards", invoice_number_prefix="CC"), False),
        (SkipRule(id="1", name="Card clearing", account_id="0caCard"), True),
        (SkipRule(id="1", name="Flour", account_id="0caFlour"), False),
        (SkipRule(id="1", name="Both", vendor_id="009Mill", account_id="0caFlour"), False),
        (SkipRule(id="1", name="Nothing named"), False),
    ],
)
def test_a_skip_rule_leaves_out_what_agrees_in_everything_it_names(
    rule: SkipRule, is_skipped: bool
) -> None:
    bill = a_bill_of(
        a_line(account_id="0caCard"),
        a_line(id="bli2", department_id="0dePlant"),
        coding=Coding(account_id="0caCard"),
    )
    decision = ask(bill, skip_rules=[rule])
    assert isinstance(decision, Skip) is is_skipped
    if isinstance(decision, Skip):
        assert (decision.rule_id, decision.sentence) == ("1", f"Left out by rule: {rule.name}.")


def test_a_vendor_that_needs_a_person_holds_the_bill_with_its_cause() -> None:
    cause = problem(ProblemCode.VENDOR_NOT_LINKED, "Link it here.", subject="009Mill")
    decision = ask(vendor=VendorStanding.NEEDS_PERSON, vendor_problem=cause)
    assert decision == Hold(problems=(cause,))


def test_a_vendor_a_person_ignores_leaves_its_bills_out() -> None:
    decision = ask(vendor=VendorStanding.IGNORED)
    assert isinstance(decision, Skip)
    assert decision.reason is SkipReason.VENDOR_IGNORED


def test_a_held_vendor_without_a_cause_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="comes with its problem"):
        ask(vendor=VendorStanding.NEEDS_PERSON)
