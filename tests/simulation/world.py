"""One seed's world: a clock, a heap of things to come, the dice, and what went wrong on purpose."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush

from integrations.sage300.types import InvoiceBatch
from sync.domain.commands import BatchRead, Headers
from sync.domain.policy import Release
from sync.domain.protocol import Rules

START = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOSTILE_SECONDS = 2.5 * 3600.0
HEALING_SECONDS = 9 * 3600.0

Process = Generator[float, None, None]


class Violation(AssertionError):
    """An invariant that did not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What kind of Sage, of company and of luck this seed has."""

    refusal_mode: str
    names_refused: bool
    release: Release
    is_old_release: bool
    wants_listing: bool
    error_batch_tagged: bool
    tells_error_batch: bool
    keeps_moved_listed: bool
    removal_allowed: bool
    empties_allowed: bool
    batch_size: int
    bills: int
    fault_rate: float
    crash_seconds: float
    person_seconds: float
    settle_seconds: float
    cadence_seconds: float
    workers: int
    currencies: int
    away_seconds: float
    closing_seconds: float
    #: How often the workers look once everybody has gone home.
    quiet_seconds: float = 400.0
    #: Whether no two bills are posted on one day (up to six bills).
    has_own_days: bool = False


def draw_nature(rng: random.Random) -> Nature:
    """A random one; everything that is not known about a real Sage is varied."""
    return Nature(
        refusal_mode=rng.choice(("atomic", "header", "entries")),
        names_refused=rng.random() < 0.5,
        release=rng.choice((Release.OPEN, Release.READY, Release.POST, Release.POST)),
        is_old_release=rng.random() < 0.05,
        wants_listing=rng.random() < 0.07,
        error_batch_tagged=rng.random() < 0.5,
        tells_error_batch=rng.random() < 0.8,
        keeps_moved_listed=rng.random() < 0.5,
        removal_allowed=rng.random() < 0.9,
        empties_allowed=rng.random() < 0.8,
        batch_size=rng.randint(1, 9),
        bills=rng.randint(6, 20),
        fault_rate=rng.choice((0.0, 0.1, 0.35, 0.5)),
        crash_seconds=rng.choice((300.0, 1500.0, 1e9)),
        person_seconds=rng.choice((90.0, 400.0, 1e9)),
        settle_seconds=rng.choice((10.0, 60.0, 180.0)),
        cadence_seconds=rng.choice((60.0, 200.0)),
        workers=rng.choice((2, 2, 3)),
        currencies=rng.choice((1, 1, 2)),
        away_seconds=rng.choice((1500.0, 6000.0, 1e9)),
        closing_seconds=rng.choice((2500.0, 1e9, 1e9)),
    )


Adapt = Callable[[Nature], Nature]


class World:
    """The clock and the heap; everything that happens in a seed happens in one thread, in order."""

    def __init__(self, seed: int, adapt: Adapt = lambda drawn: drawn) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.nature = adapt(draw_nature(self.rng))
        self.seconds = 0.0
        self.is_hostile = True
        self.faults: Counter[str] = Counter()
        self._notes: list[tuple[float, tuple[object, ...]]] = []
        self.rules = Rules(settle_seconds=self.nature.settle_seconds)
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Do this at that second."""
        self._count += 1
        heappush(self._heap, (seconds, self._count, action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.seconds + seconds, action)

    def spawn(self, process: Process) -> None:
        """Run a process; it yields how many seconds it sleeps."""

        def step() -> None:
            try:
                pause = next(process)
            except StopIteration:
                return
            self.after(pause, step)

        self.after(0, step)

    def run(self, until: float) -> None:
        """Let everything happen that happens before that second."""
        while self._heap and self._heap[0][0] <= until:
            self.seconds, _, action = heappop(self._heap)
            action()
        self.seconds = until

    def strikes(self, kind: str, rate: float) -> bool:
        """Whether this fault happens now; counted by kind."""
        if not self.is_hostile or self.rng.random() >= rate:
            return False
        self.happened(kind)
        return True

    def happened(self, kind: str) -> None:
        """Count what went wrong on purpose, and tell of it in the story."""
        self.faults[kind] += 1
        self.note(kind)

    def note(self, *parts: object) -> None:
        """Remember for the story; put into words only when somebody reads it."""
        self._notes.append((self.seconds, parts))

    def story(self) -> list[str]:
        """What was noted, a line each."""
        return [f"{at:9.1f} {' '.join(map(_in_short, parts))}" for at, parts in self._notes]


def _in_short(part: object) -> str:
    """One word of a story; what Sage shows is told by its numbers."""
    match part:
        case Headers(headers=headers):
            return f"{len(headers)} headers"
        case BatchRead(batch=InvoiceBatch(header=header, invoices=invoices)):
            held = ", ".join(
                f"{i.entry_number}: {i.order_number or '-'} {i.document_number} {i.total}"
                for i in invoices
            )
            return f"batch {header.number} {header.description} {header.status} ({held})"
    return str(part)
