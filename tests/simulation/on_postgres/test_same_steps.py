"""The services on PostgreSQL take the very steps that the simulated worker takes in memory.

40 seeds, each played twice: what the simulator proves of its worker it proves of the services.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.simulation.marks import RESTORE_WATCH_SECONDS
from tests.simulation.on_postgres.books import PostgresBooks
from tests.simulation.on_postgres.database_clock import simulated_clock
from tests.simulation.on_postgres.fibers import Fibers
from tests.simulation.on_postgres.service_pass import ServicePass
from tests.simulation.on_postgres.steps import Step, Steps, WatchedBooks, WatchedPass
from tests.simulation.run import Scene
from tests.simulation.store import REFUSED_PERIOD_SECONDS
from tests.simulation.world import Nature

SEEDS = 40
BLOCK = 5


def sparse(drawn: Nature) -> Nature:
    """The same world with few bills and seldom passes: a pass that finds nothing tells nothing."""
    return replace(
        drawn,
        bills=min(drawn.bills, 4),
        cadence_seconds=1800.0,
        quiet_seconds=1800.0,
        workers=2,
        currencies=1,
        has_own_days=True,
    )


def play_in_memory(seed: int) -> tuple[list[Step], list[object]]:
    """Play one seed as the simulator does; its steps, and how it ended."""
    kept: list[Steps] = []

    def worker(name: str, world: Any, store: Any, *given: Any) -> WatchedPass:
        if not kept:
            kept.append(Steps(seed, store))
        return WatchedPass(name, world, store, *given, steps=kept[0])

    scene = Scene(seed, worker, WatchedBooks, sparse)
    return ending(scene, kept)


def ending(scene: Scene, kept: list[Steps]) -> tuple[list[Step], list[object]]:
    outcome = scene.run()
    assert not outcome.violation, outcome.violation
    return kept[0].taken, [outcome, *kept[0].rows()]


def play_on_postgres(seed: int, expected: list[Step], settings: Any) -> list[object]:
    kept: list[Steps] = []
    fibers = Fibers()

    def worker(name: str, world: Any, store: Any, *given: Any) -> ServicePass:
        if not kept:
            kept.append(Steps(seed, store, expected))
        return ServicePass(name, world, store, *given, steps=kept[0], fibers=fibers)

    with simulated_clock():
        scene = Scene(seed, worker, PostgresBooks, sparse)
        settings.CONNECTOR = replace(
            settings.CONNECTOR, settle_seconds=scene.world.nature.settle_seconds,
            poll_overlap_seconds=0.0, restore_watch_seconds=RESTORE_WATCH_SECONDS,
            refused_period_seconds=REFUSED_PERIOD_SECONDS,
        )  # fmt: skip
        try:
            taken, end = ending(scene, kept)
        finally:
            fibers.bury()
    assert len(taken) == len(expected), (
        f"seed {seed} went on for {len(expected) - len(taken)} steps"
    )
    return end


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", range(1, SEEDS + 1, BLOCK))
def test_the_services_take_the_same_steps(first: int, settings: Any) -> None:
    for seed in range(first, first + BLOCK):
        expected, end = play_in_memory(seed)

        assert play_on_postgres(seed, expected, settings) == end


@pytest.mark.django_db(transaction=True)
def test_a_divergence_names_the_seed_the_step_and_both_sides(settings: Any) -> None:
    expected, _ = play_in_memory(3)
    expected[10] = replace(expected[10], what="something else")

    with pytest.raises(AssertionError, match=r"seed 3, step 10, after ") as refused:
        play_on_postgres(3, expected, settings)

    told = str(refused.value)
    assert "--- in memory" in told
    assert "+++ on PostgreSQL" in told
    assert "something else" in told
