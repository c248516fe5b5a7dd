"""Who is told what and when, as tables."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.domain.telling import (
    KIND_WORDS,
    Choice,
    Days,
    Kind,
    Stop,
    default_choice,
    digest_day,
    hour_words,
    next_digest_at,
    untold,
)

CHICAGO, BERLIN, KATHMANDU = (
    ZoneInfo(name) for name in ("America/Chicago", "Europe/Berlin", "Asia/Kathmandu")
)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ALL = Choice(kinds=frozenset(Kind), days=Days.DAILY, hour=8)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_stop(kind: Kind, *keys: str, **more: Any) -> Stop:
    fields: dict[str, Any] = {"title": "It stands", "sentence": "", "side": "", "path": "/",
                              "button": "Open"}  # fmt: skip
    return Stop(kind=kind, keys=keys, **(fields | more))


def test_every_kind_is_said_in_words() -> None:
    assert set(KIND_WORDS) == set(Kind)


@pytest.mark.parametrize(
    ("role", "kinds", "days"),
    [
        ("owner", set(Kind), Days.WEEKDAYS),
        ("accountant", set(Kind), Days.WEEKDAYS),
        ("viewer", set(), Days.NEVER),
        ("somebody new", set(), Days.NEVER),
    ],
)
def test_who_can_act_is_told_by_default(role: str, kinds: set[Kind], days: Days) -> None:
    choice = default_choice(role)

    assert (choice.kinds, choice.days, choice.hour) == (kinds, days, 8)


@pytest.mark.parametrize(
    ("told", "kinds", "heard"),
    [
        (set(), set(Kind), ["sage", "b1"]),
        ({"sage"}, set(Kind), ["b1"]),
        ({"b1"}, set(Kind), ["sage"]),
        ({"b2"}, set(Kind), ["sage"]),  # one of the batches it names was told of
        ({"an older one"}, set(Kind), ["sage", "b1"]),
        (set(), {Kind.UNSETTLED}, ["b1"]),
        (set(), set(), []),
    ],
)
def test_a_person_hears_what_they_chose_and_have_not_heard(
    told: set[str], kinds: set[Kind], heard: list[str]
) -> None:
    stops = [a_stop(Kind.CONNECTION, "sage"), a_stop(Kind.UNSETTLED, "b1", "b2")]

    found = untold(stops, choice=replace(ALL, kinds=frozenset(kinds)), told=told)

    assert [stop.keys[0] for stop in found] == heard


def test_several_refused_batches_are_one_mail() -> None:
    early, late = utc("2026-12-01 08:00"), utc("2026-12-01 09:00")
    stops = [
        a_stop(Kind.REFUSED, "r9", count=2, amount=Decimal("10.00"), since=late),
        a_stop(Kind.REFUSED, "r1", count=1, amount=Decimal("5.50"), since=early),
        a_stop(Kind.CONNECTION, "sage"),
        a_stop(Kind.REFUSED, "r5", count=1, amount=Decimal("1.00")),
    ]

    first, second = untold(stops, choice=ALL, told={"r5"})

    assert first.keys == ("sage",)
    assert second.keys == ("r1", "r9")
    assert (second.count, second.amount, second.since) == (3, Decimal("15.50"), early)
    assert second.title == "3 bills of 2 batches did not go through in Sage"


# December 1, 2026 is a Tuesday; in Chicago it is 6 hours behind UTC.
@pytest.mark.parametrize(
    ("now", "zone", "days", "hour", "day"),
    [
        ("2026-12-01 13:59", CHICAGO, Days.DAILY, 8, None),
        ("2026-12-01 14:00", CHICAGO, Days.DAILY, 8, date(2026, 12, 1)),
        ("2026-12-01 14:00", BERLIN, Days.DAILY, 8, date(2026, 12, 1)),
        ("2026-12-01 06:59", BERLIN, Days.DAILY, 8, None),
        ("2026-12-01 02:15", KATHMANDU, Days.DAILY, 8, date(2026, 12, 1)),
        ("2026-12-01 02:14", KATHMANDU, Days.DAILY, 8, None),
        ("2026-12-02 02:00", CHICAGO, Days.DAILY, 8, None),  # twelve hours late is too late
        ("2026-12-02 01:59", CHICAGO, Days.DAILY, 8, date(2026, 12, 1)),
        ("2026-12-02 06:30", CHICAGO, Days.DAILY, 23, date(2026, 12, 1)),  # half past midnight
        ("2026-12-05 15:00", CHICAGO, Days.WEEKDAYS, 8, None),  # a Saturday
        ("2026-12-05 15:00", CHICAGO, Days.DAILY, 8, date(2026, 12, 5)),
        ("2026-12-05 01:00", CHICAGO, Days.WEEKDAYS, 18, date(2026, 12, 4)),  # Friday evening there
        ("2026-12-01 15:00", CHICAGO, Days.NEVER, 8, None),
        # The night of March 8 has no 2:00 in Chicago: that hour is the one after.
        ("2026-03-08 07:59", CHICAGO, Days.DAILY, 2, None),
        ("2026-03-08 08:00", CHICAGO, Days.DAILY, 2, date(2026, 3, 8)),
        # The night of November 1 has 1:00 twice: the first counts, and its day is one day.
        ("2026-11-01 06:00", CHICAGO, Days.DAILY, 1, date(2026, 11, 1)),
        ("2026-11-01 07:00", CHICAGO, Days.DAILY, 1, date(2026, 11, 1)),
        # The day before and after the change the same hour on the wall is another in UTC.
        ("2026-03-07 14:00", CHICAGO, Days.DAILY, 8, date(2026, 3, 7)),
        ("2026-03-08 13:00", CHICAGO, Days.DAILY, 8, date(2026, 3, 8)),
    ],
)
def test_the_daily_mail_is_due_at_the_persons_own_hour(
    now: str, zone: ZoneInfo, days: Days, hour: int, day: date | None
) -> None:
    choice = replace(ALL, days=days, hour=hour)

    assert digest_day(choice, zone=zone, since=LONG_AGO, now=utc(now)) == day


@pytest.mark.parametrize(("since", "is_due"), [("13:59", True), ("14:00", False), ("14:30", False)])
def test_an_hour_that_was_over_when_it_was_chosen_is_not_made_up_for(
    since: str, is_due: bool
) -> None:
    day = digest_day(
        ALL, zone=CHICAGO, since=utc(f"2026-12-01 {since}"), now=utc("2026-12-01 15:00")
    )

    assert (day is not None) == is_due


@pytest.mark.parametrize(
    ("now", "days", "hour", "at"),
    [
        ("2026-12-01 13:59", Days.DAILY, 8, "2026-12-01 14:00"),
        ("2026-12-01 14:00", Days.DAILY, 8, "2026-12-02 14:00"),
        ("2026-12-04 14:00", Days.WEEKDAYS, 8, "2026-12-07 14:00"),  # Friday to Monday
        ("2026-03-07 14:00", Days.DAILY, 8, "2026-03-08 13:00"),  # the clock goes forward
        ("2026-10-31 13:00", Days.DAILY, 8, "2026-11-01 14:00"),  # and back
        ("2026-12-01 13:59", Days.NEVER, 8, None),
    ],
)
def test_the_next_daily_mail_is_told_beforehand(
    now: str, days: Days, hour: int, at: str | None
) -> None:
    choice = replace(ALL, days=days, hour=hour)

    assert next_digest_at(choice, zone=CHICAGO, now=utc(now)) == (utc(at) if at else None)


@pytest.mark.parametrize(
    ("hour", "words"), [(0, "12:00 am"), (8, "8:00 am"), (12, "12:00 pm"), (23, "11:00 pm")]
)
def test_an_hour_reads_as_on_a_clock(hour: int, words: str) -> None:
    assert hour_words(hour) == words
