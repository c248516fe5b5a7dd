"""A connection is tried like a ladder: step by step, and no higher once a step gives way.

Each step is one question with a short answer; a step that fails says what to do. Steps that are
only nice to have warn and do not stop the climb. Nothing is written into BILL or Sage 300, and a
refused password is tried exactly once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrations.errors import IntegrationError


class Verdict(StrEnum):
    """How a step ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_TRIED = "not_tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, as a person reads it; `what_to_do` is "" when nothing is to be done."""

    name: str
    verdict: Verdict
    seconds: float = 0.0
    answer: str = ""
    what_to_do: str = ""


class Doubt(Exception):
    """A step went well, with something to know: its answer and what to do."""

    def __init__(self, answer: str, what_to_do: str) -> None:
        super().__init__(answer)
        self.answer = answer
        self.what_to_do = what_to_do


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One question: `ask` returns the short answer, raises IntegrationError or Doubt.

    Where `is_needed` is False a refusal is a warning.
    """

    name: str
    ask: Callable[[], str]
    is_needed: bool = True


def climb(rungs: Sequence[Rung], *, clock: Callable[[], float] = time.monotonic) -> Iterator[Step]:
    """Try the rungs in order; after a needed one fails the rest are not tried."""
    is_over = False
    for rung in rungs:
        if is_over:
            yield Step(name=rung.name, verdict=Verdict.NOT_TRIED)
            continue
        step = _try(rung, clock)
        is_over = step.verdict is Verdict.FAILED
        yield step


def rungs_from(rungs: Sequence[Rung], name: str, *, at_latest: str = "") -> Sequence[Rung]:
    """The rungs from this one on, or from an earlier one that the later ones lean on.

    All of them where there is no such rung.
    """
    names = [rung.name for rung in rungs]
    places = [names.index(each) for each in (name, at_latest) if each in names]
    return rungs[min(places) :] if name in names else rungs


def is_well(steps: Sequence[Step]) -> bool:
    """Whether nothing failed; warnings are well."""
    return all(step.verdict in {Verdict.OK, Verdict.WARNING} for step in steps)


def _try(rung: Rung, clock: Callable[[], float]) -> Step:
    started = clock()
    verdict, what_to_do = Verdict.OK, ""
    try:
        answer = rung.ask()
    except Doubt as doubt:
        verdict, answer, what_to_do = Verdict.WARNING, doubt.answer, doubt.what_to_do
    except IntegrationError as error:
        verdict = Verdict.FAILED if rung.is_needed else Verdict.WARNING
        answer, what_to_do = _short(error), error.sentence
    return Step(
        name=rung.name,
        verdict=verdict,
        seconds=clock() - started,
        answer=answer,
        what_to_do=what_to_do,
    )


def _short(error: IntegrationError) -> str:
    if not error.http_status:
        return "no answer"
    return f"HTTP {error.http_status} {error.vendor_code}".strip()
