"""Time zones as a person picks one: the usual ones by their names, then all of them."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.core.exceptions import ValidationError

USUAL = (
    ("America/New_York", "Eastern time, New York"),
    ("America/Chicago", "Central time, Chicago"),
    ("America/Denver", "Mountain time, Denver"),
    ("America/Phoenix", "Mountain time without summer time, Phoenix"),
    ("America/Los_Angeles", "Pacific time, Los Angeles"),
    ("America/Anchorage", "Alaska time, Anchorage"),
    ("Pacific/Honolulu", "Hawaii time, Honolulu"),
    ("America/Toronto", "Eastern time, Toronto"),
    ("America/Winnipeg", "Central time, Winnipeg"),
    ("America/Vancouver", "Pacific time, Vancouver"),
    ("America/Halifax", "Atlantic time, Halifax"),
)

Choices = list[tuple[str, list[tuple[str, str]]]]


@cache
def zone_choices() -> Choices:
    """Groups of (zone, words) for a select."""
    usual = {zone for zone, _ in USUAL}
    areas = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    others = sorted((areas | {"UTC"}) - usual)
    return [
        ("United States and Canada", list(USUAL)),
        ("Everywhere", [(zone, _spelled(zone)) for zone in others]),
    ]


def zone_words(zone: str) -> str:
    """A zone as the select says it: "Pacific time, Los Angeles"."""
    return dict(USUAL).get(zone) or _spelled(zone)


def _spelled(zone: str) -> str:
    return zone.replace("_", " ").replace("/", ", ")


def refuse_unknown_zone(text: str) -> None:
    """Raise ValidationError for a text that is no time zone."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(
            f"“{text[:60]}” is not a time zone such as America/Chicago."
        ) from None
