"""How figures read in the operators' lists: one look per fact, times in the operator's own zone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from integrations.ping.ladder import Step, Verdict
from sync.domain.health import LOOKS, Facts, Health, cause_of
from sync.domain.moments import Moments, seconds_in_words
from sync.domain.words import count_of

NEAR, OVER = "near", "over"
BREAK = SafeString("<br>")
VERDICTS = {
    Verdict.OK: ("health--ok", "i-ok-c", "passed"),
    Verdict.WARNING: ("health--slow", "i-slow", "passed, to know"),
    Verdict.FAILED: ("health--bad", "s-attention", "failed"),
    Verdict.NOT_TRIED: ("health--off", "s-skipped", "not tried"),
}


def moments() -> Moments:
    """Times as this operator reads them; the site has set the zone for the request."""
    zone = timezone.get_current_timezone()
    return Moments(zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"), now=timezone.now())


def stacked(*lines: tuple[object, str]) -> SafeString:
    """Lines below one another, each with its dress ("" is plain)."""
    return format_html_join(BREAK, '<span class="{1}">{0}</span>', lines)


def with_note(value: object, note: object, dress: str = "") -> SafeString:
    """A figure with a small second line."""
    return format_html('<span class="{}">{}</span><small>{}</small>', dress, value, note)


def mark(dress: str, glyph: str, word: str) -> SafeString:
    """Glyph and word: never colour alone."""
    return format_html(
        '<span class="health {}"><svg aria-hidden="true"><use href="#{}" /></svg>{}</span>',
        dress, glyph, word,
    )  # fmt: skip


def health(facts: Facts, *, longest: int = 70) -> SafeString:
    """The word for how a tenant fares, and why, in at most so many characters."""
    look = LOOKS[facts.health]
    shown = mark(f"health--{look.dress}", look.glyph, look.word)
    return format_html("{}<small>{}</small>", shown, cause_of(facts, moments(), longest=longest))


def last_success(tenant: Any) -> SafeString:
    """When each side last answered as it should, the company that waits longest."""
    shown = moments()
    rows = (
        ("BILL", tenant.bill_ok_at, tenant.bill_paused, tenant.bill_silent),
        ("Sage", tenant.sage_ok_at, tenant.sage_paused, tenant.sage_silent),
    )
    return format_html_join(
        BREAK,
        '{} <span class="{}">{}</span>',
        (
            (name, OVER if paused else NEAR if silent else "", shown.short(at) if at else "never")
            for name, at, paused, silent in rows
        ),
    )


def backlog(tenant: Any, dress: str) -> SafeString:
    """How many are approved and not in Sage, and how long the oldest waits."""
    if not tenant.oldest:
        return with_note(tenant.backlog, "none waits")
    age = (timezone.now() - tenant.oldest).total_seconds()
    return with_note(tenant.backlog, _age(age), dress)


def past_day(tenant: Any) -> SafeString:
    """What went wrong within 24 hours."""
    lines = [
        (f"{tenant.day_refused} refused", NEAR if tenant.day_refused else ""),
        (f"{tenant.day_lost} lost", NEAR if tenant.day_lost else ""),
    ]
    if tenant.day_runs:
        lines.append((f"{count_of(tenant.day_runs, 'run')} failed", NEAR))
    return stacked(*lines)


def quota(tenant: Any) -> SafeString:
    """How much of BILL's hour its developer key has used, whoever shares it."""
    knobs = settings.CONNECTOR
    closed = tenant.quota_closed_until
    is_closed = closed is not None and closed > timezone.now()
    is_near = tenant.quota_percent >= knobs.quota_near_percent
    percent = tenant.quota_percent
    shown = f"{percent:.0f}%" if percent >= 1 or not percent else f"{percent:.1f}%"
    return format_html(
        '<span class="{}">{}</span>',
        OVER if is_closed else NEAR if is_near else "",
        "used up" if is_closed else shown,
    )


def latency(tenant: Any) -> SafeString:
    """How long Sage takes to answer, usually and at the slow end, in the last pass."""
    if tenant.severity == Health.SUSPENDED.severity:
        return format_html("{}", "not asked")
    if tenant.sage_paused or tenant.sage_silent:
        return format_html('<span class="{}">no answer</span>', OVER)
    if tenant.sage_median is None:
        return format_html("{}", "not measured")
    is_near = tenant.sage_median >= settings.CONNECTOR.latency_near_seconds
    slow = f"slow {_took(tenant.sage_slow)}"
    return with_note(_took(tenant.sage_median), slow, NEAR if is_near else "")


def ladder(steps: Sequence[Step], *, tried_at: datetime | None, by: str) -> SafeString:
    """The last try of a connection, step by step."""
    if tried_at is None:
        return format_html("{}", "not tried yet")
    head = f"Tried {moments().short(tried_at)} by {by or 'nobody named'}"
    return format_html("{}<ul>{}</ul>", head, _steps(steps))


def _steps(steps: Iterable[Step]) -> SafeString:
    return format_html_join(
        "",
        "<li>{} {} <small>{}</small></li>",
        (
            (mark(*VERDICTS[step.verdict]), step.name, " ".join((step.answer, step.what_to_do)))
            for step in steps
        ),
    )


def _took(seconds: float) -> str:
    """`6 ms`, `0.9 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 0.1 else seconds_in_words(seconds)


def _age(seconds: float) -> str:
    """`38 min`, `16 h`, `3 days`: how long, no finer than is of use."""
    if seconds < 60:
        return "under 1 min"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400)} days"
