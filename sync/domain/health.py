"""How a tenant fares, for the operator: one word, what shows it, and the cause in a sentence.

Worst first: what stops a customer's bills stands above what only slows them, and what is stopped on
purpose comes last. The word is chosen by the database (`queries/health.py`), over all tenants at once;
how bad each is and how it reads is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sync.domain.moments import Moments
from sync.domain.words import count_of, shown


class Health(StrEnum):
    """What is the matter with a tenant, worst first."""

    PAUSED = "paused"
    BEHIND = "behind"
    REFUSED = "refused"
    SILENT = "silent"
    UNSETTLED = "unsettled"
    RESTING = "resting"
    QUOTA = "quota"
    FINE = "fine"
    NEW = "new"
    SUSPENDED = "suspended"

    @property
    def severity(self) -> int:
        """How bad it is; 0 is the least."""
        every = list(Health)
        return len(every) - 1 - every.index(self)

    @classmethod
    def of_severity(cls, severity: int) -> Health:
        """The one that is this bad."""
        return list(cls)[len(list(cls)) - 1 - severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one is shown: `dress` is bad, slow, ok or off; `glyph` a symbol's name."""

    word: str
    dress: str
    glyph: str


LOOKS: Mapping[Health, Look] = {
    Health.PAUSED: Look(word="Paused", dress="bad", glyph="s-attention"),
    Health.BEHIND: Look(word="Behind", dress="bad", glyph="s-attention"),
    Health.REFUSED: Look(word="Refused", dress="bad", glyph="s-attention"),
    Health.SILENT: Look(word="No answer", dress="slow", glyph="i-slow"),
    Health.UNSETTLED: Look(word="Unsettled", dress="slow", glyph="i-slow"),
    Health.RESTING: Look(word="Resting", dress="slow", glyph="i-pause"),
    Health.QUOTA: Look(word="Quota", dress="slow", glyph="i-slow"),
    Health.FINE: Look(word="Fine", dress="ok", glyph="i-ok-c"),
    Health.NEW: Look(word="Not set up", dress="off", glyph="i-off"),
    Health.SUSPENDED: Look(word="Suspended", dress="off", glyph="s-skipped"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a tenant's rows say; times are UTC, `quota_percent` of BILL's hour.

    `paused_reason` and `resting_reason` are of one company where there are several.
    """

    health: Health
    companies: int = 0
    paused_reason: str = ""
    resting: int = 0
    resting_reason: str = ""
    behind_since: datetime | None = None
    attention: int = 0
    lost: int = 0
    lost_since: datetime | None = None
    bill_silent: bool = False
    sage_silent: bool = False
    quota_percent: float = 0
    quota_closed_until: datetime | None = None
    suspended_at: datetime | None = None
    suspended_by: str = ""
    suspended_reason: str = ""


def cause_of(facts: Facts, moments: Moments, *, longest: int = 70) -> str:
    """Why it is as the word says, "" where the word says all; reasons are cut to `longest`."""
    match facts.health:
        case Health.PAUSED:
            return shown(facts.paused_reason, longest)
        case Health.BEHIND:
            since = moments.short(facts.behind_since) if facts.behind_since else "long"
            return f"due since {since}, no worker has come"
        case Health.REFUSED:
            return f"{count_of(facts.attention, 'bill needs', 'bills need')} a person"
        case Health.SILENT:
            silent = [("BILL", facts.bill_silent), ("Sage", facts.sage_silent)]
            return f"{' and '.join(name for name, is_so in silent if is_so)} did not answer well"
        case Health.UNSETTLED:
            since = f" since {moments.short(facts.lost_since)}" if facts.lost_since else ""
            return f"{count_of(facts.lost, 'bill')} being looked up{since}"
        case Health.RESTING:
            return _resting(facts, longest)
        case Health.QUOTA:
            return _quota(facts, moments)
        case Health.SUSPENDED:
            return _suspended(facts, moments, longest)
        case Health.NEW:
            return "nothing is connected yet" if facts.companies else "no company yet"
        case Health.FINE:
            return ""


def _resting(facts: Facts, longest: int) -> str:
    which = f"{facts.resting} of {facts.companies} paused: " if facts.companies > 1 else ""
    return shown(f"{which}{facts.resting_reason}", longest)


def _quota(facts: Facts, moments: Moments) -> str:
    if facts.quota_closed_until is not None and facts.quota_closed_until > moments.now:
        return f"BILL's hour is used up until {moments.clock(facts.quota_closed_until)}"
    return f"{facts.quota_percent:.0f}% of BILL's hour used"


def _suspended(facts: Facts, moments: Moments, longest: int) -> str:
    when = moments.civil(moments.local(facts.suspended_at).date()) if facts.suspended_at else ""
    by = f"by {facts.suspended_by}" if facts.suspended_by else ""
    parts = (when, shown(facts.suspended_reason, longest), by)
    return ", ".join(part for part in parts if part)
