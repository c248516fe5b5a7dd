"""How bills flowed into Sage, day by day: what a chart draws, and the numbers that stand beneath it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

Arrival = tuple[datetime, datetime | None]
"""When a bill was read back in Sage, and when its approval was seen; both aware."""

_STEP, _WIDTH, _HEIGHT = 100, 48, 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day in the company's zone; `hours` is the median from approval to Sage, None without one."""

    day: date
    count: int
    hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One mark, in the chart's own units: every day is 100 wide, the tallest bar 150 high."""

    x: int
    y: int
    width: int
    height: int
    is_today: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The days, oldest first; the last one is today."""

    days: Sequence[Day]
    hours: float | None

    @property
    def count(self) -> int:
        """How many bills reached Sage in all these days."""
        return sum(day.count for day in self.days)

    @property
    def bars(self) -> list[Bar]:
        """The marks; a day without a bill has none."""
        tallest = max((day.count for day in self.days), default=0)
        return [
            _bar(place, day.count / tallest, is_today=place == len(self.days) - 1)
            for place, day in enumerate(self.days)
            if day.count
        ]

    @property
    def width(self) -> int:
        """The chart's own width."""
        return _STEP * len(self.days)


def _bar(place: int, share: float, *, is_today: bool) -> Bar:
    height = max(2, round(_HEIGHT * share))
    left = place * _STEP + (_STEP - _WIDTH) // 2
    return Bar(x=left, y=160 - height, width=_WIDTH, height=height, is_today=is_today)


def flow_of(
    counts: Mapping[date, int],
    arrivals: Sequence[Arrival],
    *,
    zone: ZoneInfo,
    now: datetime,
    days: int,
) -> Flow:
    """The days of `zone` up to the day of `now`: `counts` are whole, `arrivals` give the medians."""
    today = now.astimezone(zone).date()
    span = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    by_day: dict[date, list[Arrival]] = {day: [] for day in span}
    for arrival in arrivals:
        by_day.get(arrival[0].astimezone(zone).date(), []).append(arrival)
    return Flow(
        days=[
            Day(day=day, count=counts.get(day, 0), hours=_median_hours(of))
            for day, of in by_day.items()
        ],
        hours=_median_hours([one for of in by_day.values() for one in of]),
    )


def _median_hours(arrivals: Sequence[Arrival]) -> float | None:
    hours = [
        max(0.0, (there - seen) / timedelta(hours=1))
        for there, seen in arrivals
        if seen is not None
    ]
    return median(hours) if hours else None
