"""The clock of the pretended BILL, which a test can move, and the forms in which BILL writes time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RELATIVE = re.compile(r"([+-])(\d+)d(?:(\d+)h)?(?:(\d+)m)?$")


def read_real_time() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


class Clock:
    """A clock that runs with its source and can be put forward."""

    def __init__(self, source: Callable[[], datetime] = read_real_time) -> None:
        self._source = source
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._source().astimezone(UTC) + self._ahead

    def now_ms(self) -> int:
        """The present moment in whole milliseconds since 1970, the precision BILL keeps."""
        return to_ms(self.now())

    def advance(self, seconds: float) -> None:
        """Put the clock forward, or back where seconds are negative."""
        self._ahead += timedelta(seconds=seconds)


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    """The moment that many milliseconds after 1970, in UTC."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def time_text(milliseconds: int) -> str:
    """A date-time as BILL writes it: `2025-12-30T23:15:23.127+00:00`."""
    return from_ms(milliseconds).isoformat(timespec="milliseconds")


def resolve_date(text: str, now: datetime) -> str:
    """A date; `-8d` means eight days before `now`, anything else stays as it is."""
    moment = _resolve(text, now)
    return text if moment is None else moment.date().isoformat()


def resolve_time(text: str, now: datetime) -> int:
    """A date-time in milliseconds; `-3d4h` means three days and four hours before `now`."""
    moment = _resolve(text, now)
    if moment is None:
        moment = datetime.fromisoformat(text)
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _resolve(text: str, now: datetime) -> datetime | None:
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return None
    sign, days, hours, minutes = found.groups()
    span = timedelta(days=int(days), hours=int(hours or 0), minutes=int(minutes or 0))
    return now - span if sign == "-" else now + span


def is_date(value: object) -> bool:
    """Whether a value is a civil date in the form BILL takes, `yyyy-MM-dd`."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
