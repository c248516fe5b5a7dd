"""How a time reads for one person: in one zone, named once on a page, and never only relative.

Today's times are a clock, yesterday's week has its weekday, older ones their date; a machine finds
the whole instant beside it. The zone's name is a word people say ("Central"), not an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sync.domain.words import MONTHS, count_of

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
SPOKEN_ZONES = {
    "America/New_York": "Eastern time",
    "America/Detroit": "Eastern time",
    "America/Toronto": "Eastern time",
    "America/Chicago": "Central time",
    "America/Winnipeg": "Central time",
    "America/Denver": "Mountain time",
    "America/Phoenix": "Arizona time",
    "America/Edmonton": "Mountain time",
    "America/Los_Angeles": "Pacific time",
    "America/Vancouver": "Pacific time",
    "America/Anchorage": "Alaska time",
    "Pacific/Honolulu": "Hawaii time",
    "America/Halifax": "Atlantic time",
    "UTC": "UTC",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Times in words, as seen from `now` (aware) in `zone`."""

    zone: ZoneInfo
    now: datetime

    @property
    def zone_name(self) -> str:
        """What people call the zone: "Central time", "Zurich time"."""
        key = self.zone.key
        return SPOKEN_ZONES.get(key) or f"{key.rpartition('/')[2].replace('_', ' ')} time"

    @property
    def today(self) -> date:
        """The date where the person is."""
        return self.local(self.now).date()

    def local(self, value: datetime) -> datetime:
        """The same instant on the person's clock."""
        return value.astimezone(self.zone)

    def clock(self, value: datetime, *, has_seconds: bool = False) -> str:
        """`8:42 am`, or `8:42:05 am`."""
        local = self.local(value)
        seconds = f":{local.second:02d}" if has_seconds else ""
        half = "am" if local.hour < 12 else "pm"
        return f"{local.hour % 12 or 12}:{local.minute:02d}{seconds} {half}"

    def short(self, value: datetime, *, has_seconds: bool = False) -> str:
        """`8:42 am` today, `Mon 5:20 pm` in the last six days, `Nov 25` before, with its year."""
        day = self.local(value).date()
        clock = self.clock(value, has_seconds=has_seconds)
        if day == self.today:
            return clock
        if timedelta(0) < self.today - day < timedelta(days=7):
            return f"{WEEKDAYS[day.weekday()][:3]} {clock}"
        return self.civil(day)

    def full(self, value: datetime) -> str:
        """`Tuesday, December 1, 2026, 8:42 am`."""
        day = self.local(value).date()
        return (
            f"{WEEKDAYS[day.weekday()]}, {MONTHS[day.month - 1]} {day.day}, {day.year},"
            f" {self.clock(value)}"
        )

    def day_heading(self, value: datetime) -> str:
        """`Today, December 1`, `Monday, November 30`, with the year when it is another."""
        day = self.local(value).date()
        word = "Today" if day == self.today else WEEKDAYS[day.weekday()]
        year = "" if day.year == self.today.year else f", {day.year}"
        return f"{word}, {MONTHS[day.month - 1]} {day.day}{year}"

    def civil(self, value: date) -> str:
        """`Nov 24`, with the year when it is another."""
        year = "" if value.year == self.today.year else f", {value.year}"
        return f"{MONTHS[value.month - 1][:3]} {value.day}{year}"

    def civil_full(self, value: date) -> str:
        """`Nov 24, 2026`."""
        return f"{MONTHS[value.month - 1][:3]} {value.day}, {value.year}"


def seconds_in_words(seconds: float) -> str:
    """`0.6 s`, `41 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def age_in_words(age: timedelta) -> str:
    """`1 minute`, `5 hours`, `8 days`: in whole steps, as old as it is at least."""
    minutes = max(1, int(age / timedelta(minutes=1)))
    if minutes >= 1440:
        return count_of(minutes // 1440, "day")
    return count_of(minutes // 60, "hour") if minutes >= 60 else count_of(minutes, "minute")
