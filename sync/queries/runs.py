"""Runs as people follow them: each pass over a company, its steps and how it ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sync.models import Run
from sync.queries.paging import Slice, slice_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step; `state` is done, now or next; `seconds` is None while it has not ended."""

    name: str
    state: str
    done: int
    total: int
    seconds: float | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """One run as a page shows it; `done` of `total` are those of its open step."""

    row: Run
    steps: tuple[StepShown, ...]

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.row.ended_at is not None

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it runs."""
        ended = self.row.ended_at
        return (ended - self.row.started_at).total_seconds() if ended else None

    @property
    def current(self) -> StepShown | None:
        """The open step."""
        return next((step for step in self.steps if step.state == "now"), None)


def find_runs(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    size: int,
    after: str = "",
    before: str = "",
) -> Slice[Run]:
    """One page of runs, newest first; one query."""
    rows = Run.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return slice_of(rows, field="started_at", size=size, after=after, before=before)


def find_run(*, tenant_id: uuid.UUID, company_id: uuid.UUID, run_id: uuid.UUID) -> RunShown | None:
    """One run, None where there is none."""
    row = Run.objects.for_tenant(tenant_id).filter(company_id=company_id, pk=run_id).first()
    return shown(row) if row else None


def shown(row: Run) -> RunShown:
    """A run with its steps read."""
    return RunShown(row=row, steps=steps_of(row.steps, row.ended_at))


def steps_of(
    steps: Iterable[dict[str, object]], ended_at: datetime | None
) -> tuple[StepShown, ...]:
    """Stored steps of a run, or of a comparison, that ended then or has not."""
    return tuple(_step(step, is_over=ended_at is not None) for step in steps)


def _step(step: dict[str, object], *, is_over: bool) -> StepShown:
    started, ended = _moment(step.get("started_at")), _moment(step.get("ended_at"))
    seconds = (ended - started).total_seconds() if started and ended else None
    if ended:
        state = "done"
    elif is_over:
        state = "broken"
    else:
        state = "now" if started else "next"
    return StepShown(
        name=str(step.get("name", "")),
        state=state,
        done=_count(step.get("done")),
        total=_count(step.get("total")),
        seconds=seconds,
        sentence=str(step.get("sentence") or ""),
    )


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
