"""What differs between BILL and Sage, why, and what is left without a reason."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.bill.types import BillVendor
from integrations.sage300.types import GLAccount, SageVendor
from sync.domain.gl_accounts import SageAccounts
from sync.domain.policy import Policy, VendorField
from sync.domain.posting_state import PostingState as S
from sync.domain.problems import ProblemCode, problem
from sync.domain.reconciliation import KINDS, Kind, Target, next_comparison
from sync.domain.reconciliation_lists import (
    LinkedVendor,
    MappedAccount,
    compare_accounts,
    compare_vendors,
)
from sync.domain.reconciliation_reasons import Claim, SageEntry
from sync.domain.reconciliation_sums import add_up

HUNDRED = Decimal("100.00")
CHICAGO = ZoneInfo("America/Chicago")


def a_claim(**changes: Any) -> Claim:
    claim = Claim(
        posting_id="p1", name="Novak 10442", state=S.IN_SAGE, amount=HUNDRED, currency="USD",
        period="2026-11", was_in_sage=True, batch_number=41,
    )  # fmt: skip
    return replace(claim, **changes)


def an_entry(**changes: Any) -> SageEntry:
    entry = SageEntry(
        batch_number=41, entry_number=3, status="Open", amount=HUNDRED, period="2026-11",
        currency="USD",
    )  # fmt: skip
    return replace(entry, **changes)


def unmapped(subject: str = "a1") -> Any:
    return problem(ProblemCode.ACCOUNT_UNMAPPED, "No.", subject=subject, subject_name="Trade Shows")


@pytest.mark.parametrize(
    ("claim", "entries", "batches", "kinds", "apart"),
    [
        pytest.param({}, [{}], {41: "Open"}, [], 0, id="ties"),
        pytest.param({"state": S.BLOCKED, "problems": (unmapped(),)}, [], {}, [Kind.BLOCKED], 100, id="blocked"),
        pytest.param({"state": S.REVIEW}, [], {}, [Kind.REVIEW], 100, id="review"),
        pytest.param({"state": S.READY}, [], {}, [Kind.READY], 100, id="ready"),
        pytest.param({"state": S.IN_FLIGHT}, [], {}, [Kind.IN_FLIGHT], 100, id="being sent"),
        pytest.param({"state": S.UNCERTAIN}, [], {}, [Kind.UNCERTAIN], 100, id="looked up"),
        pytest.param({"state": S.WAITING, "is_before_cutover": True}, [], {}, [Kind.BEFORE_CUTOVER], 100,
                     id="before cutover"),
        pytest.param({"state": S.WAITING}, [], {}, [Kind.WAITING], 100, id="waits for its vendor"),
        pytest.param({"state": S.SKIPPED, "who": "Dana"}, [], {}, [Kind.LEFT_OUT], 100, id="left out"),
        pytest.param({"state": S.SKIPPED}, [], {}, [Kind.RULED_OUT], 100, id="by rule"),
        pytest.param({"state": S.ATTENTION, "was_in_sage": False}, [], {}, [Kind.REFUSED], 100, id="refused"),
        pytest.param({"state": S.ATTENTION}, [], {}, [Kind.ENTRY_STOPPED], 100, id="removed"),
        pytest.param({"is_approved": False, "state": S.WAITING}, [], {}, [], 0, id="not approved"),
        pytest.param({}, [], {41: "Open"}, [Kind.ENTRY_GONE], 100, id="entry deleted"),
        pytest.param({}, [], {41: "Deleted"}, [Kind.BATCH_DELETED], 100, id="batch deleted"),
        pytest.param({}, [{"status": "Deleted"}], {41: "Deleted"}, [Kind.BATCH_DELETED], 100,
                     id="batch deleted, its entries still shown"),
        pytest.param({}, [], {}, [Kind.BATCH_GONE], 100, id="batch gone"),
        pytest.param({"amount": Decimal(90), "change_note": "Amount changed"}, [{}], {}, [Kind.CHANGED_IN_BILL], -10,
                     id="changed in BILL"),
        pytest.param({"change_note": "Lines changed"}, [{}], {}, [Kind.CHANGED_IN_BILL], 0, id="changed, same amount"),
        pytest.param({"is_approved": False, "change_note": "Archived"}, [{}], {}, [Kind.GONE_FROM_BILL], -100,
                     id="archived in BILL"),
        pytest.param({"amount": Decimal(90), "dealt_with": "By hand"}, [{}], {}, [Kind.DEALT_WITH], -10,
                     id="changed in BILL and dealt with"),
        pytest.param({"is_approved": False, "dealt_with": "Reversed"}, [{}], {}, [Kind.DEALT_WITH], -100,
                     id="archived in BILL and dealt with"),
        pytest.param({"amount": Decimal(90), "dealt_with": "By hand"},
                     [{"amount": Decimal(70), "differences": ("total",)}], {}, [Kind.ENTRY_CHANGED], 20,
                     id="dealt with, and changed in Sage since"),
        pytest.param({}, [{"amount": Decimal(70), "differences": ("total",)}], {}, [Kind.ENTRY_CHANGED], 30,
                     id="changed in Sage"),
        pytest.param({"state": S.ATTENTION}, [{"amount": Decimal(70)}], {}, [Kind.ENTRY_STOPPED], 30,
                     id="changed in Sage and told"),
        pytest.param({"state": S.SKIPPED, "who": "Dana"}, [{"amount": Decimal(70)}], {}, [Kind.LEFT_OUT], 30,
                     id="left as it lies"),
        pytest.param({"state": S.READY}, [{}], {}, [Kind.ENTRY_TURNED_UP], 0, id="turned up"),
        pytest.param({}, [{}, {"batch_number": 42}], {}, [Kind.ENTRY_TWICE], -100, id="stands twice"),
    ],
)  # fmt: skip
def test_every_difference_has_its_reason(
    claim: dict[str, Any],
    entries: list[dict[str, Any]],
    batches: dict[int, str],
    kinds: list[Kind],
    apart: int,
) -> None:
    addition = add_up([a_claim(**claim)], {"p1": [an_entry(**e) for e in entries]}, batches=batches)

    assert [one.kind for one in addition.differences] == kinds
    assert sum(one.apart for one in addition.sums) == apart
    assert all(one.unexplained == 0 for one in addition.sums)
    for one in addition.differences:
        needs_a_person = KINDS[one.kind].mover == "person"
        assert bool(one.do) == needs_a_person, "exactly one thing to do where a person must act"
        assert not one.do or one.target


def test_what_no_reason_covers_stays_unexplained() -> None:
    addition = add_up([a_claim()], {"p1": [an_entry(amount=Decimal("99.99"))]}, batches={})

    (one,) = addition.sums
    assert (one.apart, one.named, one.unexplained) == (Decimal("0.01"), 0, Decimal("0.01"))
    assert [d.kind for d in addition.differences] == [Kind.UNEXPLAINED]


def test_another_period_in_sage_is_said_in_both_and_both_tie() -> None:
    addition = add_up(
        [a_claim()], {"p1": [an_entry(period="2026-12", status="Posted")]}, batches={}
    )

    december, november = addition.sums
    assert (december.period, december.posted, december.apart) == ("2026-12", HUNDRED, -HUNDRED)
    assert (november.period, november.approved, november.apart) == ("2026-11", HUNDRED, HUNDRED)
    assert december.unexplained == november.unexplained == 0
    assert {d.title for d in addition.differences} == {
        "Novak 10442 is in 2026-12 in Sage", "Novak 10442 belongs to 2026-11 in BILL",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "entry", "kinds", "left"),
    [
        pytest.param({}, {}, [Kind.UNEXPLAINED], 10, id="no reason"),
        pytest.param({"change_note": "Amount changed"}, {}, [Kind.CHANGED_IN_BILL], 0, id="changed in BILL"),
        pytest.param({}, {"differences": ("total",)}, [Kind.ENTRY_CHANGED], 0, id="changed in Sage"),
        pytest.param({"is_approved": False}, {}, [Kind.GONE_FROM_BILL], 0, id="archived in BILL"),
        pytest.param({}, {"currency": "CAD"}, [], 0, id="not comparable"),
    ],
)  # fmt: skip
def test_another_period_explains_no_difference_in_the_amount(
    claim: dict[str, Any], entry: dict[str, Any], kinds: list[Kind], left: int
) -> None:
    there = an_entry(period="2026-12", amount=Decimal(90), **entry)

    addition = add_up([a_claim(**claim)], {"p1": [there]}, batches={})

    said = [one for one in addition.differences if one.kind is not Kind.OTHER_PERIOD]
    assert [one.kind for one in said] == kinds
    unexplained = {one.period: one.unexplained for one in addition.sums}
    assert unexplained.get("2026-11", 0) == left
    assert unexplained["2026-12"] == 0
    if there.currency == "USD" and a_claim(**claim).is_approved:
        assert [(one.period, one.amount) for one in said] == [("2026-11", Decimal(10))]


def test_bills_of_one_cause_are_one_difference_and_currencies_stay_apart() -> None:
    early, late = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 9, tzinfo=UTC)
    stopped = a_claim(state=S.BLOCKED, problems=(unmapped(),), since=late)
    claims = [
        stopped,
        replace(stopped, posting_id="p2", since=early),
        replace(stopped, posting_id="p3", currency="CAD"),
        a_claim(posting_id="p4", state=S.REVIEW),
    ]

    addition = add_up(claims, {}, batches={})

    trade_shows, foreign, review = addition.differences
    assert (trade_shows.bills, trade_shows.amount, trade_shows.since) == (2, 2 * HUNDRED, early)
    assert (trade_shows.do, trade_shows.target_id) == ("Map it", "a1")
    assert (foreign.currency, foreign.amount) == ("CAD", HUNDRED)
    assert review.do == "Review 1 bill"
    assert {(s.currency, s.approved) for s in addition.sums} == {
        ("USD", 3 * HUNDRED),
        ("CAD", HUNDRED),
    }


def test_sums_take_sages_own_words_for_its_columns() -> None:
    claims = [a_claim(posting_id=status) for status in ("Open", "Ready To Post", "Posted")]
    entries = {claim.posting_id: [an_entry(status=claim.posting_id)] for claim in claims}

    (one,) = add_up(claims, entries, batches={}).sums

    assert (one.open, one.ready, one.posted, one.bills) == (HUNDRED, HUNDRED, HUNDRED, 3)


CASCADE = BillVendor(id="009", name="Cascade Oven Works", phone="312 555 0101")
THERE = SageVendor(number="CASCAD", name="Cascade Oven Works Inc.", phone="(312) 555-0101")


@pytest.mark.parametrize(
    ("there", "owned", "is_due", "kinds"),
    [
        pytest.param(THERE, [], False, [], id="spelt a little otherwise"),
        pytest.param(None, [], False, [Kind.VENDOR_GONE], id="deleted"),
        pytest.param(replace(THERE, is_active=False), [], False, [Kind.VENDOR_INACTIVE], id="inactive"),
        pytest.param(replace(THERE, is_on_hold=True), [], False, [Kind.VENDOR_ON_HOLD], id="on hold"),
        pytest.param(replace(THERE, name="Quicksilver"), [], False, [Kind.VENDOR_DIFFERS], id="renamed"),
        pytest.param(replace(THERE, phone="1"), [], False, [], id="a field of Sage's own"),
        pytest.param(replace(THERE, phone="1"), [VendorField.PHONE], False, [Kind.VENDOR_DIFFERS], id="a field of ours"),
        pytest.param(replace(THERE, phone="1"), [VendorField.PHONE], True, [Kind.VENDOR_TO_WRITE], id="on its way"),
    ],
)  # fmt: skip
def test_linked_vendors(
    there: SageVendor | None, owned: list[VendorField], is_due: bool, kinds: list[Kind]
) -> None:
    linked = [LinkedVendor(number="CASCAD", vendor=CASCADE, is_due=is_due)]
    sage = {there.number: there} if there else {}

    found = compare_vendors(linked, sage, policy=Policy(owned_vendor_fields=frozenset(owned)))

    assert [one.kind for one in found] == kinds
    assert all(one.target is Target.VENDOR and one.target_id == "009" for one in found)


ACCOUNT = GLAccount(number="6320300", formatted="6320-300", description="Fuel")


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        pytest.param(ACCOUNT, None, id="good"),
        pytest.param(None, Kind.ACCOUNT_GONE, id="gone"),
        pytest.param(replace(ACCOUNT, is_active=False), Kind.ACCOUNT_INACTIVE, id="inactive"),
        pytest.param(
            replace(ACCOUNT, post_to="Prohibited"), Kind.ACCOUNT_NOT_POSTABLE, id="closed"
        ),
        pytest.param(replace(ACCOUNT, is_rollup=True), Kind.ACCOUNT_NOT_POSTABLE, id="rollup"),
        pytest.param(replace(ACCOUNT, is_control=True), Kind.ACCOUNT_NOT_POSTABLE, id="control"),
    ],
)
def test_mapped_accounts_are_judged_once_each(account: GLAccount | None, kind: Kind | None) -> None:
    mapped = [
        MappedAccount(number="6320-300", origin="mapped for Fuel", target=Target.BILL_ACCOUNT, target_id="a"),
        MappedAccount(number="6320300", origin="the catch-all account", target=Target.POLICY),
    ]  # fmt: skip

    found = compare_accounts(mapped, SageAccounts.of([account] if account else []))

    assert [one.kind for one in found] == ([kind] if kind else [])
    assert all(one.detail == "mapped for Fuel" and one.target_id == "a" for one in found)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-26T11:00:00+00:00", "2026-11-26T06:07:00-06:00"),
        ("2026-11-26T12:07:00+00:00", "2026-11-27T06:07:00-06:00"),
        ("2026-03-07T20:00:00+00:00", "2026-03-08T06:07:00-05:00"),  # the night clocks go forward
    ],
)
def test_it_is_compared_once_a_day_on_the_companys_clock(now: str, expected: str) -> None:
    found = next_comparison(datetime.fromisoformat(now), zone=CHICAGO, hour=6, spread_minutes=7)

    assert found == datetime.fromisoformat(expected)
