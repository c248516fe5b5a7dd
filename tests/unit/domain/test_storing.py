"""What need not be stored before the protocol goes on: only a look that begins anew anyway."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sync.domain.commands import (
    Command,
    Done,
    FindPosted,
    ListBatches,
    PostBatch,
    ReadApprovals,
    ReadBatch,
    Wait,
)
from sync.domain.facts import Facts, Fate, Place, Stage
from sync.domain.storing import may_wait

FACTS = Facts(tag="MLC1-TAG", entries=(), watermark=0)
LOOKED = replace(FACTS, look=replace(FACTS.look, are_headers_read=True, asked_posted=("p",)))
READS = [
    ListBatches(after=1), ReadBatch(number=1), FindPosted(pairs=()), ReadApprovals(bill_ids=()),
]  # fmt: skip


@pytest.mark.parametrize("command", READS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("stage", [Stage.LOOK, Stage.SETTLE])
def test_a_look_goes_on_without_being_stored(command: Command, stage: Stage) -> None:
    assert may_wait(replace(FACTS, stage=stage), replace(LOOKED, stage=stage), command)


@pytest.mark.parametrize(
    "command",
    [
        PostBatch(posting_ids=("p",), tag="t"),
        Wait(until=datetime(2026, 1, 1, tzinfo=UTC), why="Sage is away."),
        Done(),
    ],
    ids=lambda command: type(command).__name__,
)
def test_writes_waits_and_ends_are_stored_first(command: Command) -> None:
    assert not may_wait(FACTS, LOOKED, command)


@pytest.mark.parametrize(
    "after",
    [
        replace(LOOKED, stage=Stage.SETTLE),
        replace(LOOKED, groups=(("p",),)),
        replace(LOOKED, why="Sage is away."),
        LOOKED.with_place("p", Place(fate=Fate.WITHDRAWN)),
    ],
    ids=["stage", "groups", "sentence", "fate"],
)
def test_what_a_page_would_show_is_stored_first(after: Facts) -> None:
    assert not may_wait(FACTS, after, ReadBatch(number=1))


@pytest.mark.parametrize("stage", [Stage.READ_BACK, Stage.CLEAN, Stage.RELEASE])
def test_what_follows_a_write_is_stored_step_by_step(stage: Stage) -> None:
    facts = replace(FACTS, stage=stage)
    assert not may_wait(facts, facts, ReadBatch(number=1))
