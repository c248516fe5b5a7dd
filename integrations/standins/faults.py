"""The things that go wrong between two machines, on order.

A stand-in that only ever answers well proves nothing: what must be shown is what the product does
when an answer is lost, late, cut off, or not what it claims to be. Faults are scheduled by kind and
by the requests they strike, and are taken up by the server around the world it serves, so that no
world has to know them.
"""

from __future__ import annotations

import random
import re
import threading
from dataclasses import dataclass, fields
from typing import Any

KINDS = frozenset(
    {
        "delay",  # wait, then go on as usual
        "delay_answer",  # do the work, wait, then answer
        "lose_answer",  # do the work, close the socket without a word
        "refuse",  # close the socket without doing the work
        "late_commit",  # close the socket at once, do the work `seconds` later
        "status",  # answer `status` without doing the work
        "status_after",  # do the work, then answer `status` instead
        "html",  # a sign-in page with status 200, work not done
        "html_after",  # the same page, work done
        "truncate",  # do the work, send half of the answer, close
        "drip",  # do the work, send one byte of the answer every `seconds`
        "huge",  # an endless answer of `size_mib`, work not done
        "gzip_bomb",  # a small answer that unpacks to `size_mib`, work not done
        "empty",  # 200 without a body, work not done
        "empty_after",  # 200 without a body, work done
        "wrong_type",  # the right JSON, called text/plain
    }
)


class FaultError(ValueError):
    """A fault that cannot be scheduled: unknown kind, field or pattern."""


@dataclass(kw_only=True)
class Fault:
    """One order: what happens, to which requests, how often.

    `match` is "METHOD regex"; the method may be `*`, the regex is searched in the decoded path.
    `times` 0 means for ever. The first `after` matching requests are let through.
    """

    kind: str
    match: str = "* /"
    times: int = 1
    after: int = 0
    probability: float = 1.0
    seconds: float = 0.0
    status: int = 503
    body: str = ""
    retry_after: str = ""
    size_mib: int = 64

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FaultError(f"There is no fault of the kind {self.kind!r}.")
        self.seconds = float(self.seconds)  # the control door reads numbers as Decimals
        self._method, _, pattern = self.match.strip().partition(" ")
        try:
            self._pattern = re.compile(pattern.strip() or "/")
        except re.error as error:
            raise FaultError(f"{pattern!r} is not a pattern: {error}.") from error
        self._to_skip = self.after
        self._left = self.times

    def strikes(self, method: str, path: str, dice: random.Random) -> bool:
        """Whether this request is hit; counts it if so."""
        if self.times and not self._left:
            return False
        if self._method not in {"*", method} or not self._pattern.search(path):
            return False
        if self._to_skip:
            self._to_skip -= 1
            return False
        if dice.random() >= self.probability:
            return False
        self._left -= 1 if self.times else 0
        return True


class Faults:
    """The scheduled faults of one server, safe to use from several threads."""

    def __init__(self, *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._dice = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing
        self._faults: dict[int, Fault] = {}
        self._next_id = 1
        self._hits: list[tuple[str, str, str]] = []

    def add(self, kind: str, match: str = "* /", **options: Any) -> int:
        """Schedule a fault and return its id. Options are the fields of `Fault`."""
        unknown = sorted(set(options) - {field.name for field in fields(Fault)})
        if unknown:
            raise FaultError(f"A fault has no {', '.join(unknown)}.")
        fault = Fault(kind=kind, match=match, **options)
        with self._lock:
            fault_id, self._next_id = self._next_id, self._next_id + 1
            self._faults[fault_id] = fault
        return fault_id

    def remove(self, fault_id: int) -> None:
        """Forget one fault; nothing happens if it is gone already."""
        with self._lock:
            self._faults.pop(fault_id, None)

    def clear(self) -> None:
        """Forget every fault and every hit."""
        with self._lock:
            self._faults.clear()
            self._hits.clear()

    @property
    def hits(self) -> list[tuple[str, str, str]]:
        """What has struck so far: (kind, method, path), oldest first."""
        with self._lock:
            return list(self._hits)

    def take(self, method: str, path: str) -> tuple[list[Fault], Fault | None]:
        """The delays before the work, and the one fault that decides the answer (or None)."""
        delays: list[Fault] = []
        with self._lock:
            for fault in self._faults.values():
                if not fault.strikes(method, path, self._dice):
                    continue
                self._hits.append((fault.kind, method, path))
                if fault.kind != "delay":
                    return delays, fault
                delays.append(fault)
        return delays, None
