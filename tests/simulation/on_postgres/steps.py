"""One run's steps, in words that a run in memory and one on PostgreSQL share.

A step is one command on its way to a window, with every posting's row as it is at that moment; or
the end of a pass, with all that its batches and marks hold. Tags and keys differ between two runs
and are named in the order in which they turn up.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import unified_diff
from typing import Any, Protocol

from sync.domain import facts_json
from sync.domain.commands import Command, PostBatch
from tests.simulation.books import Books
from tests.simulation.interpreter import Asking
from tests.simulation.passes import Pass, Passing
from tests.simulation.store import Batch
from tests.simulation.world import START, Violation, World

_TAG = re.compile(r"MLC1-[A-Z2-7]{16}")


@dataclass(frozen=True, slots=True)
class Step:
    """What a worker did, when, and how our rows stood then."""

    seconds: float
    worker: str
    what: str
    rows: tuple[str, ...]

    def lines(self) -> list[str]:
        return [f"{self.seconds:.3f} {self.worker}: {self.what}", *self.rows]


class Ledger(Protocol):
    """Rows in words, wherever they are kept."""

    def rows_told(self) -> list[tuple[object, ...]]: ...
    def batches_told(self) -> dict[str, tuple[int, bool, str]]: ...
    def marks_told(self) -> tuple[object, ...]: ...


class Steps:
    """The steps of one run; with `expected`, each must be the one of the other run."""

    def __init__(self, seed: int, ledger: Ledger, expected: list[Step] | None = None) -> None:
        self.seed, self.ledger, self.expected = seed, ledger, expected
        self.taken: list[Step] = []
        self._names: dict[str, str] = {}

    def asked(self, seconds: float, worker: str, command: Command, body: Any) -> None:
        what = repr(command)
        if isinstance(command, PostBatch):
            sent = [body.entry(key) for key in command.posting_ids]
            what += repr([(e.vendor_number, e.document_number, e.total, e.lines) for e in sent])
        self._take(seconds, worker, what, [])

    def ended(self, seconds: float, worker: str) -> None:
        """A pass is over: what changed in its batches, and the marks."""
        changed = []
        for tag, (version, is_settled, facts) in self.ledger.batches_told().items():
            changed.append(f"{tag} version {version} {'settled' if is_settled else ''} {facts}")
        changed.append(repr(self.ledger.marks_told()))
        self._take(seconds, worker, "pass ended", changed)

    def rows(self) -> list[str]:
        """Every posting as it stands now."""
        return [self.named(repr(row)) for row in self.ledger.rows_told()]

    def named(self, text: str) -> str:
        return _TAG.sub(self._name, text)

    def _take(self, seconds: float, worker: str, what: str, more: list[str]) -> None:
        what = self.named(what)
        step = Step(seconds, worker, what, (*self.rows(), *(self.named(text) for text in more)))
        if self.expected is not None:
            index = len(self.taken)
            other = self.expected[index] if index < len(self.expected) else None
            if other != step:
                raise Violation(self._told(index, other, step))
        self.taken.append(step)

    def _name(self, found: re.Match[str]) -> str:
        return self._names.setdefault(found.group(), f"MLC1-{len(self._names) + 1}")

    def _told(self, index: int, other: Step | None, step: Step) -> str:
        before = self.taken[-1].lines()[0] if self.taken else "the beginning"
        there = other.lines() if other else ["the other run has ended"]
        lines = unified_diff(there, step.lines(), "in memory", "on PostgreSQL", n=0, lineterm="")
        return "\n".join([f"seed {self.seed}, step {index}, after {before}", *lines])


def facts_told(told: dict[str, Any]) -> str:
    return json.dumps(told, sort_keys=True)


class WatchedBooks(Books):
    """Rows in memory that can be told in words."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._seen: dict[str, Batch] = {}

    def rows_told(self) -> list[tuple[object, ...]]:
        return [
            (
                row.id, str(row.state), row.sentence[:1000], row.batch, row.is_dirty, row.is_frozen,
                row.is_clean, row.is_skipped_by_person,
                row.entry.vendor_number if row.is_held and row.entry else "",
                row.entry.document_number if row.is_held and row.entry else "",
                row.shown.batch_number, row.shown.entry_number, str(row.shown.status),
                row.shown.is_posted,
            )
            for row in self.rows()
        ]  # fmt: skip

    def batches_told(self) -> dict[str, tuple[int, bool, str]]:
        """The batches that were stored since this was last asked."""
        changed = {t: b for t, b in self.batches.items() if self._seen.get(t) is not b}
        self._seen = dict(self.batches)
        return {
            tag: (batch.version, batch.is_settled, facts_told(facts_json.to_json(batch.facts)))
            for tag, batch in changed.items()
        }

    def marks_told(self) -> tuple[object, ...]:
        marks = self.marks
        if marks is None:
            return ()
        seen = {n: START + timedelta(seconds=at) for n, at in sorted(marks.first_seen.items())}
        until = marks.thorough_until
        return (
            marks.highest, marks.low, seen, dict(sorted(marks.prints.items())), marks.told,
            dict(sorted(marks.strangers.items())),
            dict(sorted(marks.seen.items())), marks.trusts_sequences,
            START + timedelta(seconds=until) if until >= 0 else None, self.pace.size,
        )  # fmt: skip


class WatchedPass(Pass):
    """A pass in memory whose steps are written down."""

    def __init__(self, *given: Any, steps: Steps) -> None:
        super().__init__(*given)
        self.steps = steps

    def ask(self, command: Command, facts: Any) -> Asking:
        self.steps.asked(self.world.seconds, self.name, command, facts)
        return (yield from super().ask(command, facts))

    def one_pass(self) -> Passing:
        again = yield from super().one_pass()
        self.steps.ended(self.world.seconds, self.name)
        return again
