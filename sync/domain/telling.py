"""Who is told what by mail, and when: what stops the flow at once, the rest once a day.

A stop is one thing that keeps bills from moving until somebody acts. A person is told of it once,
and again only after it was mended and came back, or after a set time while it still stands. The
daily mail belongs to an hour on the person's own clock. All of it is decided here, from plain
values; nothing is read and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from sync.domain.words import count_of

DEFAULT_HOUR = 8
#: A daily mail that could not be made at its hour is still made this long after; then the next one.
LATE_HOURS = 12
_ACTING_ROLES = frozenset({"owner", "accountant"})


class Kind(StrEnum):
    """What is told at once."""

    CONNECTION = "connection"
    UNSETTLED = "unsettled"
    WEBHOOKS = "webhooks"
    REFUSED = "refused"


#: kind → (what the person chooses, what it means)
KIND_WORDS: dict[Kind, tuple[str, str]] = {
    Kind.CONNECTION: (
        "A connection is paused or does not answer",
        "BILL or Sage 300 refuses our sign-in, or nothing has been heard from it for a while.",
    ),
    Kind.UNSETTLED: (
        "The outcome of a batch is not settled",
        "An answer of Sage's was lost and looking it up has not helped yet, or sending is held.",
    ),
    Kind.REFUSED: (
        "Sage refuses bills of a batch",
        "Also when an invoice is not in Sage as it was sent. The other bills go on.",
    ),
    Kind.WEBHOOKS: (
        "BILL has switched our webhooks off",
        "Nothing is lost, bills are found by asking; they only take longer.",
    ),
}


class Days(StrEnum):
    """On which days the daily mail goes."""

    WEEKDAYS = "weekdays"
    DAILY = "daily"
    NEVER = "never"


DAY_WORDS: dict[Days, str] = {
    Days.WEEKDAYS: "On working days, Monday to Friday",
    Days.DAILY: "Every day",
    Days.NEVER: "Never",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one person wants to be told of one company; `hour` is 0 to 23 on their own clock."""

    kinds: frozenset[Kind]
    days: Days
    hour: int = DEFAULT_HOUR

    @property
    def rhythm(self) -> str:
        """`on working days at 8:00 am`, for the foot of a daily mail."""
        word = "every day" if self.days is Days.DAILY else "on working days"
        return f"{word} at {hour_words(self.hour)}"


def default_choice(role: str) -> Choice:
    """What counts until a person has chosen: who can act is told, who only looks is not."""
    if role in _ACTING_ROLES:
        return Choice(kinds=frozenset(Kind), days=Days.WEEKDAYS)
    return Choice(kinds=frozenset(), days=Days.NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One thing that stops the flow: the fact, what it means, and where it is mended.

    `keys` name it for as long as it stands; `path` is an address of the site; `side` says who
    acts; `amount` is None where no bills are counted.
    """

    kind: Kind
    keys: tuple[str, ...]
    title: str
    sentence: str
    side: str
    path: str
    button: str
    since: datetime | None = None
    count: int = 0
    amount: Decimal | None = None


def untold(stops: Iterable[Stop], *, choice: Choice, told: Collection[str]) -> list[Stop]:
    """The stops this person wants to hear of and has not heard of yet, as they are mailed."""
    new = [
        stop
        for stop in stops
        if stop.kind in choice.kinds and not any(key in told for key in stop.keys)
    ]
    refused = [stop for stop in new if stop.kind is Kind.REFUSED]
    others = [stop for stop in new if stop.kind is not Kind.REFUSED]
    return [*others, *([_together(refused)] if refused else [])]


def _together(stops: Sequence[Stop]) -> Stop:
    """Several refused batches as one mail: a wrong setting must not fill a mailbox."""
    if len(stops) == 1:
        return stops[0]
    first = stops[0]
    count = sum(stop.count for stop in stops)
    return replace(
        first,
        keys=tuple(sorted(key for stop in stops for key in stop.keys)),
        title=f"{count_of(count, 'bill')} of {len(stops)} batches did not go through in Sage",
        since=min((stop.since for stop in stops if stop.since), default=None),
        count=count,
        amount=sum((stop.amount or Decimal(0) for stop in stops), Decimal(0)),
    )


def digest_day(choice: Choice, *, zone: ZoneInfo, since: datetime, now: datetime) -> date | None:
    """The day whose daily mail is due, None when none is.

    `since` is when the person chose this or joined: an hour that was over by then is not made up
    for. The caller makes one mail a day.
    """
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        at = _at(day, choice, zone)
        if at is not None and max(since, now - timedelta(hours=LATE_HOURS)) < at <= now:
            return day
    return None


def next_digest_at(choice: Choice, *, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the next daily mail is due (UTC), None when none is wanted."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=number) for number in range(8))
    return next((at for day in days if (at := _at(day, choice, zone)) and at > now), None)


def _at(day: date, choice: Choice, zone: ZoneInfo) -> datetime | None:
    """The instant of that day's mail; an hour skipped in spring is the one after, an hour that
    comes twice in autumn is the first.
    """
    if choice.days is Days.NEVER or (choice.days is Days.WEEKDAYS and day.weekday() >= 5):
        return None
    return datetime.combine(day, time(choice.hour), tzinfo=zone).astimezone(UTC)


def hour_words(hour: int) -> str:
    """`8:00 am`."""
    return f"{hour % 12 or 12}:00 {'am' if hour < 12 else 'pm'}"
