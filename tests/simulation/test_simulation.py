"""The protocol keeps its promises in 1,000 simulated worlds, and the simulator sees planted bugs.

They are less than twenty seconds of one core, in blocks that two test processes share;
`make simulate SEEDS=…` plays more.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.simulation.books import Books
from tests.simulation.passes import Pass
from tests.simulation.person import Person
from tests.simulation.planted import PLANTED, NoEpochCheck
from tests.simulation.run import House, Scene, run_as_services, run_seed
from tests.simulation.worker import Worker

SEEDS = int(os.environ.get("SEEDS", "1000"))
AS_SERVICES = 100
ONCE_BROKEN_AS_SERVICES = (2201, 3288)
BLOCK = 50
#: Seeds that once showed a defect of the protocol, as the dice fall since November 26, 2026.
ONCE_BROKEN = (208, 398, 19695)


@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_no_bill_is_doubled_lost_stuck_or_wrongly_shown(first: int) -> None:
    outcomes = [run_seed(seed) for seed in range(first, min(first + BLOCK, SEEDS + 1))]

    broken = {o.seed: o.violation or o.findings.faults for o in outcomes if not o.is_good}

    assert broken == {}


@pytest.mark.parametrize("first", range(1, AS_SERVICES + 1, BLOCK))
def test_passes_as_the_services_make_them_keep_the_promises(first: int) -> None:
    outcomes = [run_as_services(seed) for seed in range(first, first + BLOCK)]

    broken = {o.seed: o.violation or o.findings.faults for o in outcomes if not o.is_good}

    assert broken == {}


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_a_seed_that_once_broke_the_protocol_holds(seed: int) -> None:
    outcome = run_seed(seed)

    assert outcome.is_good


@pytest.mark.parametrize("seed", ONCE_BROKEN_AS_SERVICES)
def test_a_seed_that_once_broke_the_services_passes_holds(seed: int) -> None:
    outcome = run_as_services(seed)

    assert outcome.is_good


def test_the_same_seed_plays_the_same_story() -> None:
    first, second = run_seed(3), run_seed(3)

    assert first == second


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught_within_500_seeds(bug: type[Worker]) -> None:
    caught = next((seed for seed in range(1, 501) if not run_seed(seed, bug).is_good), None)

    assert caught is not None


@pytest.mark.parametrize("bug", PLANTED, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_caught_in_the_services_way_of_working_too(bug: type[Worker]) -> None:
    worker: Any = type(bug.__name__, (bug, Pass), {})
    house = House(worker, Books, Person)
    first = 201 if bug is NoEpochCheck else 1  # the rarest; the seeds before 201 do not show it

    caught = next(
        (seed for seed in range(first, 501) if not Scene(seed, house).run().is_good), None
    )

    assert caught is not None
