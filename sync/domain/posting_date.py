"""Which day, and so which fiscal period, an invoice is posted in.

BILL has no posting date; Sage's fiscal period follows it. Sage tells its calendar but not which
periods are locked for Accounts Payable, so the company's first open day, and periods Sage has
refused, count as closed too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from integrations.sage300.types import FiscalPeriod
from sync.domain.policy import ClosedPeriodRule, Policy, PostingDateRule
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.words import day, period_name


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingDate:
    """The day chosen; `sentence` says why it is not the one the rule asks for, when it is not.

    Where Sage's calendar is not known, `year` and `period` are the calendar's own year and month;
    they are then good for grouping only.
    """

    on: date
    year: str
    period: str
    is_moved: bool = False
    sentence: str = ""


def choose_posting_date(
    *,
    policy: Policy,
    periods: Sequence[FiscalPeriod],
    invoice_date: date | None,
    approval_seen_date: date,
    today: date,
    refused_periods: Collection[tuple[str, str]] = (),
) -> PostingDate | Problem:
    """Apply the company's rule; all three dates are days in the company's time zone.

    `refused_periods` are (year, period) that Sage has refused. Without `periods` only the
    company's first open day is known.
    """
    wanted = _wanted(policy.posting_date_rule, invoice_date, approval_seen_date, today)
    if wanted is None:
        return problem(
            ProblemCode.NO_INVOICE_DATE,
            "The bill has no invoice date, and the posting date follows it. Enter it in BILL.",
        )
    home = _period_of(wanted, periods)
    if periods and home is None:
        return problem(
            ProblemCode.OUTSIDE_CALENDAR,
            f"{day(wanted)} is in no period of Sage's fiscal calendar. Add the fiscal year in "
            "Sage, or correct the date in BILL.",
            subject=str(wanted.year),
            subject_name=str(wanted.year),
        )
    if _takes(wanted, home, policy, refused_periods):
        return _on(wanted, home)
    return _closed(wanted, home, policy, periods, refused_periods)


def home_period(
    *,
    rule: PostingDateRule,
    periods: Sequence[FiscalPeriod],
    invoice_date: date | None,
    approval_seen_date: date,
    today: date,
) -> tuple[str, str] | None:
    """The (year, period) a bill belongs to by the rule alone, closed or not; None where it has none.

    Outside Sage's calendar, or without one, it is the calendar's own year and month.
    """
    wanted = _wanted(rule, invoice_date, approval_seen_date, today)
    if wanted is None:
        return None
    home = _period_of(wanted, periods)
    return (home.year, home.period) if home else (f"{wanted:%Y}", f"{wanted:%m}")


def _wanted(
    rule: PostingDateRule, invoice_date: date | None, approval_seen_date: date, today: date
) -> date | None:
    match rule:
        case PostingDateRule.INVOICE_DATE:
            return invoice_date
        case PostingDateRule.APPROVAL_SEEN:
            return approval_seen_date
        case PostingDateRule.TODAY:
            return today
        case _:
            assert_never(rule)


def _period_of(wanted: date, periods: Sequence[FiscalPeriod]) -> FiscalPeriod | None:
    return next((p for p in periods if p.first_date <= wanted <= p.last_date), None)


def _is_open(period: FiscalPeriod, refused: Collection[tuple[str, str]]) -> bool:
    return period.is_open and (period.year, period.period) not in refused


def _takes(
    wanted: date,
    home: FiscalPeriod | None,
    policy: Policy,
    refused: Collection[tuple[str, str]],
) -> bool:
    if policy.first_open_date and wanted < policy.first_open_date:
        return False
    return home is None or _is_open(home, refused)


def _closed(
    wanted: date,
    home: FiscalPeriod | None,
    policy: Policy,
    periods: Sequence[FiscalPeriod],
    refused: Collection[tuple[str, str]],
) -> PostingDate | Problem:
    closed = _closed_words(wanted, home, policy)
    next_open = _next_open(wanted, policy, periods, refused)
    if next_open is None:
        return problem(
            ProblemCode.NO_OPEN_PERIOD,
            f"{closed}, and Sage's calendar has no open period after it. Open one in Sage.",
            subject=_subject(wanted, home),
        )
    match policy.closed_period_rule:
        case ClosedPeriodRule.HOLD:
            return problem(
                ProblemCode.PERIOD_CLOSED,
                f"{closed}. The first open day is {day(next_open)}. Open the period in Sage, or "
                "let the policy use the first open day.",
                subject=_subject(wanted, home),
                subject_name=_subject(wanted, home),
            )
        case ClosedPeriodRule.NEXT_OPEN:
            moved = f"Posting date moved to {day(next_open)}: {closed[0].lower()}{closed[1:]}."
            return _on(next_open, _period_of(next_open, periods), sentence=moved)
        case _:
            assert_never(policy.closed_period_rule)


def _next_open(
    wanted: date,
    policy: Policy,
    periods: Sequence[FiscalPeriod],
    refused: Collection[tuple[str, str]],
) -> date | None:
    floor = max(wanted, policy.first_open_date or wanted)
    if not periods:
        return floor if floor > wanted else None
    days = [
        max(p.first_date, floor) for p in periods if _is_open(p, refused) and p.last_date >= floor
    ]
    return min(days, default=None)


def _closed_words(wanted: date, home: FiscalPeriod | None, policy: Policy) -> str:
    if policy.first_open_date and wanted < policy.first_open_date:
        where = f"{day(wanted)} is before the first open day of the policy"
        return f"{where} (period {_name(home)})" if home else where
    return f"Period {_subject(wanted, home)} is closed in Sage"


def _name(period: FiscalPeriod) -> str:
    return period_name(period.year, period.period)


def _subject(wanted: date, home: FiscalPeriod | None) -> str:
    return _name(home) if home else f"{wanted:%Y-%m}"


def _on(chosen: date, home: FiscalPeriod | None, sentence: str = "") -> PostingDate:
    return PostingDate(
        on=chosen,
        year=home.year if home else f"{chosen:%Y}",
        period=home.period if home else f"{chosen:%m}",
        is_moved=bool(sentence),
        sentence=sentence,
    )
