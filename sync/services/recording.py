"""Writes the steps of a run, or of a comparison, while it goes on, so that a page can follow them.

Two threads may tell of their steps at once: the one that reads and decides, and the writer's.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from sync.models import Reconciliation, Run
from sync.services.work import Clock, Work
from tenants.commits import commit_without_waiting
from tenants.scoping import tenant_scope


@dataclass(slots=True, kw_only=True)
class Report:
    """How a pass ended; `again_in_seconds` asks to be called sooner than the cadence."""

    run_id: uuid.UUID
    outcome: str = "ok"
    sentences: list[str] = field(default_factory=list)
    has_more: bool = False
    again_in_seconds: float | None = None
    cadence_seconds: float = 300

    @property
    def sentence(self) -> str:
        """Everything worth saying, once each."""
        return " ".join(dict.fromkeys(filter(None, self.sentences)))[:1000]


class Step:
    """One step of a run; told of by one thread."""

    def __init__(self, recorder: Recorder, row: dict[str, Any]) -> None:
        self._recorder, self._row = recorder, row

    @property
    def has_ended(self) -> bool:
        """Whether it is closed."""
        return self._row["ended_at"] is not None

    def progress(self, done: int, total: int) -> None:
        """Tell how far it is."""
        self._recorder.write(self._row, {"done": done, "total": total})

    def end(self, sentence: str) -> None:
        """Close it with what came of it."""
        self._recorder.close(self._row, sentence)


class Recorder:
    """The steps of one run. `begin` opens the pass's own next step, which `progress` and `end` tell of;
    `begin_aside` opens one beside it.
    """

    def __init__(self, *, tenant_id: uuid.UUID, run: Run | Reconciliation, clock: Clock) -> None:
        self._tenant_id, self._run, self._clock = tenant_id, run, clock
        self._writing = threading.Lock()
        self._open: Step | None = None

    def begin(self, name: str, total: int = 0) -> Step:
        """Open the next step; `total` 0 means unknown."""
        self._open = self.begin_aside(name, total)
        return self._open

    def begin_aside(self, name: str, total: int = 0) -> Step:
        """Open a step of another thread, while the pass's own one stays as it is."""
        row = {
            "name": name, "done": 0, "total": total, "started_at": self._clock().isoformat(),
            "ended_at": None, "sentence": "",
        }  # fmt: skip
        self.write(row, {})
        return Step(self, row)

    def take_up(self, step: Step) -> None:
        """Make a step that was opened aside the pass's own."""
        self._open = step

    def progress(self, done: int, total: int) -> None:
        """Tell how far the open step is."""
        if self._open is not None:
            self._open.progress(done, total)

    def end(self, sentence: str) -> None:
        """Close the open step with what came of it."""
        if self._open is not None:
            self._open.end(sentence)

    def fail(self, sentence: str) -> None:
        """Close the open step, if one is, with what went wrong."""
        if self._open is not None and not self._open.has_ended:
            self._open.end(sentence)

    def finish(self, report: Report, *, work: Work | None) -> None:
        """Close the run."""
        values: dict[str, Any] = {
            "ended_at": self._clock(),
            "outcome": report.outcome,
            "sentence": report.sentence or self._outcome(),
        }
        if work is not None:
            values |= {"bill_calls": work.calls.bill, "sage_calls": work.calls.sage}
        with self._writing, tenant_scope(self._tenant_id):
            self._save(**values)

    def write(self, row: dict[str, Any], values: dict[str, Any]) -> None:
        """Change one step's row, new or known, and save them all."""
        with self._writing:
            row |= values
            if not any(row is known for known in self._run.steps):
                self._run.steps.append(row)
            with tenant_scope(self._tenant_id):
                commit_without_waiting()
                self._save()

    def close(self, row: dict[str, Any], sentence: str) -> None:
        """End one step's row."""
        self.write(row, {"ended_at": self._clock().isoformat(), "sentence": sentence})

    def _outcome(self) -> str:
        """What a run with nothing to complain of came to: the two steps that ended last."""
        told = [step for step in self._run.steps if step["sentence"]]
        last = sorted(told, key=lambda step: step["ended_at"] or "")[-2:]
        return " ".join(step["sentence"] for step in last)[:1000]

    def _save(self, **values: Any) -> None:
        rows = type(self._run).objects.for_tenant(self._tenant_id)
        rows.filter(pk=self._run.pk).update(steps=self._run.steps, heard_at=self._clock(), **values)
