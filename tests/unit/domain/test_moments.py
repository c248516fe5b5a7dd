"""Times as people read them, in one zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from sync.domain.moments import Moments, seconds_in_words

MOMENTS = Moments(zone=ZoneInfo("America/Chicago"), now=datetime(2026, 12, 1, 14, 42, tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (datetime(2026, 12, 1, 14, 5, tzinfo=UTC), "8:05 am"),
        (datetime(2026, 12, 1, 6, 0, tzinfo=UTC), "12:00 am"),
        (datetime(2026, 12, 1, 5, 59, tzinfo=UTC), "Mon 11:59 pm"),
        (datetime(2026, 11, 25, 18, 0, tzinfo=UTC), "Wed 12:00 pm"),
        (datetime(2026, 11, 24, 18, 0, tzinfo=UTC), "Nov 24"),
        (datetime(2025, 11, 24, 18, 0, tzinfo=UTC), "Nov 24, 2025"),
        (datetime(2026, 12, 2, 18, 0, tzinfo=UTC), "Dec 2"),
    ],
)
def test_a_time_is_as_short_as_it_can_be_without_doubt(value: datetime, said: str) -> None:
    assert MOMENTS.short(value) == said


def test_a_heading_names_today_and_the_year_only_when_it_is_another() -> None:
    assert MOMENTS.day_heading(MOMENTS.now) == "Today, December 1"
    assert (
        MOMENTS.day_heading(datetime(2025, 11, 24, 18, tzinfo=UTC)) == "Monday, November 24, 2025"
    )


def test_the_whole_time_has_weekday_and_date() -> None:
    assert MOMENTS.full(MOMENTS.now) == "Tuesday, December 1, 2026, 8:42 am"
    assert MOMENTS.clock(MOMENTS.now, has_seconds=True) == "8:42:00 am"


def test_dates_without_a_zone_stay_what_they_are() -> None:
    assert MOMENTS.civil(date(2026, 11, 24)) == "Nov 24"
    assert MOMENTS.civil_full(date(2026, 11, 24)) == "Nov 24, 2026"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("America/Chicago", "Central time"),
        ("UTC", "UTC"),
        ("Europe/Zurich", "Zurich time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
    ],
)
def test_a_zone_has_the_name_people_say(key: str, said: str) -> None:
    assert Moments(zone=ZoneInfo(key), now=MOMENTS.now).zone_name == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.62, "0.6 s"), (41.4, "41 s"), (185, "3 min 5 s"), (7440, "2 h 4 min")],
)
def test_a_span_is_said_in_its_own_unit(seconds: float, said: str) -> None:
    assert seconds_in_words(seconds) == said
