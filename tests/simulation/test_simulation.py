"""The protocol keeps its promises in 1,000 simulated worlds, and the simulator sees planted bugs.

They are less than twenty seconds of one core, in blocks that two test processes share;
`make simulate SEEDS=…` plays more.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

import pytest

from sync.domain.facts import Entry, Facts, Fate, Place
from sync.domain.replacing import replace
from tests.simulation.books import Books
from tests.simulation.office import Bill
from tests.simulation.passes import Pass
from tests.simulation.person import Person
from tests.simulation.planted import PLANTED, NoEpochCheck
from tests.simulation.run import House, Scene, run_as_services, run_seed
from tests.simulation.store import Batch, Posting, Store
from tests.simulation.worker import Worker
from tests.simulation.world import World

SEEDS = int(os.environ.get("SEEDS", "1000"))
AS_SERVICES = 100
A_BILL = Bill("bill01", "V1", "INV-1", Decimal(5), change=1)
AN_ENTRY = Entry(
    posting_id="bill01", bill_id="bill01", bill_hash=A_BILL.hash, vendor_number="V1",
    document_number="INV-1", order_number="BILL01", total=A_BILL.total, lines=(),
)  # fmt: skip
ONCE_BROKEN_AS_SERVICES = (2201, 3288)
BLOCK = 50
#: Seeds that once showed a defect of the protocol or of this model. Some dice have fallen otherwise since;
#: each defect has a test of its own.
ONCE_BROKEN = (208, 398, 12649, 19695, 21341)


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


def test_a_batch_that_its_posting_has_left_is_not_followed() -> None:
    store = Store(World(1))
    lying = Place(fate=Fate.MOVED, batch_number=11, entry_number=1)
    facts = Facts(tag="T", entries=(AN_ENTRY,), watermark=0, places={A_BILL.id: lying})
    store.batches["T"] = Batch("T", facts, is_settled=True)
    row = Posting(A_BILL.id, A_BILL, batch="T", place=lying)

    store.postings[row.id] = row
    while_there = store.followed_numbers()
    store.postings[row.id] = replace(row, batch="U", place=Place(fate=Fate.REMOVED))

    assert (while_there, store.followed_numbers()) == ({11}, set())


@pytest.mark.parametrize(
    ("is_clean", "made_ago", "is_due"),
    [(False, 7000, True), (False, 7500, False), (True, 0, False)],
)
def test_every_new_batch_is_read_for_two_hours_after_a_lost_answer(
    is_clean: bool, made_ago: float, is_due: bool
) -> None:
    store = Store(World(1))
    store.world.seconds = 10_000
    made_at = store.world.seconds - made_ago
    store.postings[A_BILL.id] = Posting(A_BILL.id, A_BILL, is_clean=is_clean, batch_made_at=made_at)

    assert store.is_search_due() is is_due


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
