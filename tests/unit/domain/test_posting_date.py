from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sync.domain.policy import ClosedPeriodRule, Policy, PostingDateRule
from sync.domain.posting_date import PostingDate, choose_posting_date
from sync.domain.problems import Acts, Problem, ProblemCode
from tests.unit.domain.values import a_period

OCT_CLOSED = (a_period(2026, 10, is_open=False), a_period(2026, 11), a_period(2026, 12))
ALL_OPEN = tuple(a_period(2026, month) for month in (10, 11, 12))
NEXT = ClosedPeriodRule.NEXT_OPEN


def choose(
    *, rules: dict[str, Any] | None = None, invoice: date | None = date(2026, 10, 30), **rest: Any
) -> PostingDate | Problem:
    return choose_posting_date(
        policy=Policy(**(rules or {})),
        **{
            "periods": ALL_OPEN,
            "invoice_date": invoice,
            "approval_seen_date": date(2026, 11, 20),
            "today": date(2026, 12, 1),
            **rest,
        },
    )


@pytest.mark.parametrize(
    ("rule", "on", "period"),
    [
        (PostingDateRule.INVOICE_DATE, date(2026, 10, 30), "10"),
        (PostingDateRule.APPROVAL_SEEN, date(2026, 11, 20), "11"),
        (PostingDateRule.TODAY, date(2026, 12, 1), "12"),
    ],
)
def test_the_rule_names_the_day_and_the_calendar_its_period(
    rule: PostingDateRule, on: date, period: str
) -> None:
    assert choose(rules={"posting_date_rule": rule}) == PostingDate(
        on=on, year="2026", period=period
    )


@pytest.mark.parametrize(
    ("rules", "rest", "on"),
    [
        ({"closed_period_rule": NEXT}, {"periods": OCT_CLOSED}, date(2026, 11, 1)),
        (
            {"closed_period_rule": NEXT},
            {"refused_periods": {("2026", "10"), ("2026", "11")}},
            date(2026, 12, 1),
        ),
        (
            {"closed_period_rule": NEXT, "first_open_date": date(2026, 11, 10)},
            {},
            date(2026, 11, 10),
        ),
        (
            {"closed_period_rule": NEXT, "first_open_date": date(2026, 11, 10)},
            {"periods": ()},
            date(2026, 11, 10),
        ),
        (
            {"closed_period_rule": NEXT, "first_open_date": date(2026, 10, 15)},
            {"invoice": date(2026, 10, 2)},
            date(2026, 10, 15),
        ),
    ],
)
def test_a_closed_period_moves_the_date_to_the_first_open_day_and_says_so(
    rules: dict[str, Any], rest: dict[str, Any], on: date
) -> None:
    chosen = choose(rules=rules, **rest)
    assert isinstance(chosen, PostingDate)
    assert (chosen.on, chosen.is_moved) == (on, True)
    assert chosen.sentence.startswith(f"Posting date moved to {on:%B} {on.day}, 2026: ")


@pytest.mark.parametrize(
    ("rules", "rest", "words"),
    [
        (
            {},
            {"periods": OCT_CLOSED},
            "Period 2026-10 is closed in Sage. The first open day is November 1, 2026. Open the "
            "period in Sage, or let the policy use the first open day.",
        ),
        (
            {"first_open_date": date(2026, 11, 1)},
            {},
            "October 30, 2026 is before the first open day of the policy (period 2026-10). The "
            "first open day is November 1, 2026. Open the period in Sage, or let the policy use "
            "the first open day.",
        ),
    ],
)
def test_a_closed_period_holds_where_the_policy_says_hold(
    rules: dict[str, Any], rest: dict[str, Any], words: str
) -> None:
    held = choose(rules=rules, **rest)
    assert isinstance(held, Problem)
    assert (held.code, held.sentence) == (ProblemCode.PERIOD_CLOSED, words)
    assert held.subject == "2026-10"


@pytest.mark.parametrize(
    ("rest", "code", "acts"),
    [
        ({"invoice": None}, ProblemCode.NO_INVOICE_DATE, Acts.BILL),
        ({"invoice": date(2019, 1, 5)}, ProblemCode.OUTSIDE_CALENDAR, Acts.SAGE),
        ({"invoice": date(2027, 1, 5)}, ProblemCode.OUTSIDE_CALENDAR, Acts.SAGE),
        (
            {
                "periods": (a_period(2026, 10, is_open=False),),
                "rules": {"closed_period_rule": NEXT},
            },
            ProblemCode.NO_OPEN_PERIOD,
            Acts.SAGE,
        ),
        (
            {"refused_periods": {("2026", "10")}, "periods": (a_period(2026, 10),)},
            ProblemCode.NO_OPEN_PERIOD,
            Acts.SAGE,
        ),
    ],
)
def test_a_date_no_period_takes_is_held(
    rest: dict[str, Any], code: ProblemCode, acts: Acts
) -> None:
    held = choose(**rest)
    assert isinstance(held, Problem)
    assert (held.code, held.acts) == (code, acts)


def test_without_a_calendar_the_month_stands_in() -> None:
    assert choose(periods=()) == PostingDate(on=date(2026, 10, 30), year="2026", period="10")


def test_a_bill_without_a_date_still_posts_on_the_day_it_is_sent() -> None:
    chosen = choose(rules={"posting_date_rule": PostingDateRule.TODAY}, invoice=None)
    assert isinstance(chosen, PostingDate)
    assert chosen.on == date(2026, 12, 1)
