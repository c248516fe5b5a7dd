"""Days are the company's own, bars add up to what is said, and an empty day has no bar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sync.domain.flow import Bar, flow_of

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 12, 1, 15, tzinfo=UTC)
TODAY = date(2026, 12, 1)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_bills_are_counted_by_the_companys_day() -> None:
    late_monday = _at("2026-12-01T03:00")
    took = [(at, at - timedelta(hours=hours)) for at, hours in ((late_monday, 1), (NOW, 5))]

    flow = flow_of({date(2026, 11, 30): 30_000, TODAY: 1}, took, zone=CHICAGO, now=NOW, days=3)

    assert [(day.day, day.count, day.hours) for day in flow.days] == [
        (date(2026, 11, 29), 0, None),
        (date(2026, 11, 30), 30_000, 1),
        (TODAY, 1, 5),
    ]
    assert flow.count == 30_001


def test_what_is_older_than_the_span_is_not_counted() -> None:
    old = NOW - timedelta(days=14)

    flow = flow_of({old.date(): 1}, [(old, old)], zone=CHICAGO, now=NOW, days=14)

    assert (flow.count, flow.bars, flow.hours) == (0, [], None)


def test_the_tallest_bar_fills_the_chart_and_a_day_without_bills_has_none() -> None:
    counts = {TODAY: 4, TODAY - timedelta(days=2): 1}

    flow = flow_of(counts, [], zone=CHICAGO, now=NOW, days=3)

    assert flow.bars == [
        Bar(x=26, y=122, width=48, height=38, is_today=False),
        Bar(x=226, y=10, width=48, height=150, is_today=True),
    ]
    assert flow.width == 300


def test_the_time_from_approval_to_sage_is_the_median_of_those_that_tell_it() -> None:
    there = [(NOW, NOW - timedelta(hours=hours)) for hours in (1, 2, 9)] + [(NOW, None)]

    flow = flow_of({TODAY: 4}, there, zone=CHICAGO, now=NOW, days=2)

    assert flow.hours == 2
    assert [day.hours for day in flow.days] == [None, 2]
