"""The first page of the operators: whether the house works, in a dozen lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from sync import jobs
from sync.admin import cells
from sync.admin.operate import site
from sync.domain.moments import Moments, seconds_in_words
from sync.domain.words import count_of
from sync.queries.house import House, KeyUse, house_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact: its name, the figure, what it means, and its dress ("", near or over)."""

    name: str
    figure: str
    said: str = ""
    dress: str = ""


def tell(request: HttpRequest) -> Sequence[Line]:
    """The lines of the page."""
    now = timezone.now()
    moments, house = cells.moments(), house_of(now)
    return [
        _heartbeat(now, moments),
        Line(name="Jobs in the queue", figure=str(jobs.queue_length())),
        _due(house, now, moments),
        *_letters(house, moments),
        *_sessions(house),
        *(_key(key, moments) for key in house.keys),
    ]


def _heartbeat(now: datetime, moments: Moments) -> Line:
    beat = jobs.last_beat()
    if beat is None:
        return Line(
            name="Workers", figure="no sign yet", said="Start `manage.py run`.", dress="over"
        )
    age = max(0.0, (now - beat).total_seconds())
    is_late = age > settings.CONNECTOR.watchdog_stalled_seconds
    said = "The watchdog replaces workers that are silent for longer." if is_late else ""
    return Line(
        name="Workers' last sign of life",
        figure=f"{seconds_in_words(age)} ago",
        said=said or f"{moments.clock(beat, has_seconds=True)}, {moments.zone_name}",
        dress="over" if is_late else "",
    )


def _due(house: House, now: datetime, moments: Moments) -> Line:
    said = []
    if house.oldest_due_at is not None:
        said.append(f"the oldest since {moments.short(house.oldest_due_at)}")
    if house.suspended:
        said.append(f"{count_of(house.suspended, 'suspended tenant')} left out")
    late = timedelta(seconds=settings.CONNECTOR.behind_seconds)
    is_behind = house.oldest_due_at is not None and house.oldest_due_at < now - late
    return Line(
        name="Companies due, nobody on them yet",
        figure=str(house.due),
        said=", ".join(said),
        dress="over" if is_behind else "",
    )


def _letters(house: House, moments: Moments) -> list[Line]:
    refused = sum(number for _, number in house.refused)
    waits = (
        f"the oldest since {moments.short(house.oldest_event_at)}" if house.oldest_event_at else ""
    )
    return [
        Line(
            name="BILL's news in 24 hours",
            figure=str(house.events),
            said=f"{house.unreadable} could not be read" if house.unreadable else "",
            dress="near" if house.unreadable else "",
        ),
        Line(name="News not yet acted on", figure=str(house.events_waiting), said=waits),
        Line(
            name="Refused at the letter box in 24 hours",
            figure=str(refused),
            said=", ".join(f"{number} for {reason}" for reason, number in house.refused),
            dress="near" if refused else "",
        ),
        Line(
            name="Subscriptions BILL has switched off",
            figure=str(house.switched_off),
            dress="near" if house.switched_off else "",
        ),
    ]


def _sessions(house: House) -> list[Line]:
    return [
        Line(name="Sessions with BILL", figure=str(house.sessions)),
        Line(
            name="Sign-ins BILL refused in 24 hours",
            figure=str(house.sign_ins_refused),
            dress="near" if house.sign_ins_refused else "",
        ),
    ]


def _key(key: KeyUse, moments: Moments) -> Line:
    knobs = settings.CONNECTOR
    said = [
        count_of(key.companies, "company", "companies"),
        f"{key.calls:,} of {knobs.bill_calls_per_hour:,} calls this hour",
        f"{key.sign_ins} of {knobs.bill_logins_per_hour} sign-ins",
    ]
    if key.closed_until is not None:
        said.append(f"closed until {moments.clock(key.closed_until)}")
    is_near = key.percent >= knobs.quota_near_percent
    return Line(
        name=f"Developer key {key.key}…",
        figure=f"{key.percent:.0f}%",
        said=", ".join(said),
        dress="over" if key.closed_until else "near" if is_near else "",
    )


site().tell_on_index("house", tell)
