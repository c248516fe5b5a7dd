"""The protocol keeps its promises in 1,000 simulated worlds, and the simulator sees planted bugs.

They are less than twenty seconds of one core, in blocks that two test processes share;
`make simulate SEEDS=…` plays more.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.passes import Pass
from tests.simulation.planted import PLANTED, NoEpochCheck
from tests.simulation.run import run_seed

SEEDS = int(os.environ.get("SEEDS", "1000"))
BLOCK = 50
#: Seeds that once showed a defect of the protocol or of this model. Some dice have fallen otherwise since;
#: each defect has a test of its own.
ONCE_BROKEN = (1746, 2201, 3288, 3462, 6274, 7488, 7836, 9516, 11587, 14066, 18656)


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_no_bill_is_doubled_lost_stuck_or_wrongly_shown(first: int) -> None:
    outcomes = [run_seed(seed) for seed in range(first, min(first + BLOCK, SEEDS + 1))]

    broken = {o.seed: o.violation or o.findings.faults for o in outcomes if not o.is_good}

    assert broken == {}


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_a_seed_that_once_broke_the_protocol_holds(seed: int) -> None:
    outcome = run_seed(seed)

    assert outcome.is_good


def test_the_same_seed_plays_the_same_story() -> None:
    first, second = run_seed(3), run_seed(3)

    assert first == second


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught_within_500_seeds(bug: type[Pass]) -> None:
    first = 201 if bug is NoEpochCheck else 1  # the rarest; the seeds before 201 do not show it

    caught = next((seed for seed in range(first, 501) if not run_seed(seed, bug).is_good), None)

    assert caught is not None
