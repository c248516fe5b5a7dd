"""Keeps the site's programs alive, and notices when one lives but does not work.

A queue cluster of django-q can look healthy and run nothing: one worker killed at the wrong moment
leaves a lock behind. So the watchdog puts a heartbeat job into the queue itself, never by the
scheduler, and when no beat comes back for a while and no call to Sage is inside its own deadline,
it kills the whole cluster and starts a new one. Likewise a web server that does not answer is
replaced, and an embedded database that stopped is started. Nothing here may end the watch: what
goes wrong is said, and tried again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from connector_site.processes.tree import ProcessTree

log = logging.getLogger(__name__)

WORKER = "worker"
WEB = "web"

_SHORT_LIFE = timedelta(seconds=10)
_LONGEST_PAUSE_SECONDS = 30
_SILENT_PROBES = 3
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class DatabaseAway(Exception):
    """The database does not answer; the sentence says what was heard."""


class Pulse(Protocol):
    """How the watchdog sees whether the queue works. Each call may raise DatabaseAway."""

    def ring(self) -> None:
        """Put a heartbeat job into the queue."""

    def last_beat(self) -> datetime | None:
        """Return when a heartbeat job last ran."""

    def attempt_is_under_way(self, now: datetime) -> bool:
        """Return whether some call is still inside its own deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often the watchdog rings, and how long it waits for a beat."""

    ring_seconds: float
    stalled_after_seconds: float


@dataclass(slots=True)
class _Life:
    """When a program was started, and how often in a row it died young."""

    started_at: datetime
    early_deaths: int = 0
    next_start_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Watchdog:
    """Looks after one process tree; ``look`` is called about once a second."""

    tree: ProcessTree
    pulse: Pulse
    rhythm: Rhythm
    web_answers: Callable[[], bool]
    mend_database: Callable[[], None]
    _lives: dict[str, _Life] = field(default_factory=dict)
    _rung_at: datetime = _LONG_AGO
    _patient_since: datetime = _LONG_AGO
    _silent_probes: int = 0

    def look(self, now: datetime) -> None:
        """Replace what died; once every ring interval also what does not work."""
        self.tree.keep_guardian()
        for child in self.tree.children:
            life = self._lives.setdefault(child.program.name, _Life(now))
            if not child.is_running:
                self._replace_dead(child.program.name, life, now)
        since_ring = (now - self._rung_at).total_seconds()
        if since_ring < self.rhythm.ring_seconds:
            return
        if since_ring > 2 * self.rhythm.ring_seconds:
            self._patient_since = now  # We slept ourselves, so nobody was asked to beat.
        self._rung_at = now
        self._look_at_queue(now)
        self._look_at_web(now)

    def _replace_dead(self, name: str, life: _Life, now: datetime) -> None:
        if life.next_start_at is None:
            code = self.tree.child(name).process.returncode
            died_young = now - life.started_at < _SHORT_LIFE
            life.early_deaths = life.early_deaths + 1 if died_young else 0
            pause = min(2**life.early_deaths - 1, _LONGEST_PAUSE_SECONDS)
            life.next_start_at = now + timedelta(seconds=pause)
            log.error("watchdog.ended", extra={"program": name, "code": code, "pause": pause})
        if now >= life.next_start_at:
            self._replace(name, now)

    def _look_at_queue(self, now: datetime) -> None:
        try:
            self.pulse.ring()
            stalled = self._is_stalled(now)
        except DatabaseAway as away:
            log.error("watchdog.database", extra={"heard": str(away)})
            self._patient_since = now
            self._mend()
            return
        if stalled:
            seconds = self.rhythm.stalled_after_seconds
            log.error("watchdog.stalled", extra={"program": WORKER, "seconds": seconds})
            self._replace(WORKER, now)

    def _is_stalled(self, now: datetime) -> bool:
        if WORKER not in self._lives:
            return False
        last_sign = max(
            self._lives[WORKER].started_at,
            self._patient_since,
            self.pulse.last_beat() or _LONG_AGO,
        )
        patience = timedelta(seconds=self.rhythm.stalled_after_seconds)
        return now - last_sign > patience and not self.pulse.attempt_is_under_way(now)

    def _mend(self) -> None:
        try:
            self.mend_database()
        except DatabaseAway as away:
            log.error("watchdog.database_stays_away", extra={"heard": str(away)})

    def _look_at_web(self, now: datetime) -> None:
        if WEB not in self._lives:
            return
        self._silent_probes = 0 if self.web_answers() else self._silent_probes + 1
        if self._silent_probes >= _SILENT_PROBES:
            log.error("watchdog.silent", extra={"program": WEB, "probes": self._silent_probes})
            self._replace(WEB, now)

    def _replace(self, name: str, now: datetime) -> None:
        life = self._lives[name]
        self.tree.replace(name)
        life.started_at, life.next_start_at = now, None
        if name == WEB:
            self._silent_probes = 0
