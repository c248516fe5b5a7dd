"""The watchdog over real processes, with a queue whose pulse the test decides."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector_site.processes.tree import ProcessTree
from connector_site.processes.watchdog import WEB, WORKER, DatabaseAway, Rhythm, Watchdog
from tests.integration.site.programs import a_program
from tests.live_site import within

ROOT = Path(__file__).parents[3]
START = datetime(2025, 11, 3, 9, 0, tzinfo=UTC)


@dataclass
class Queue:
    """A queue that beats, or does not."""

    beats: bool = True
    call_is_open: bool = False
    is_away: bool = False
    rung: int = 0
    now: datetime = START
    beat: datetime | None = None

    def ring(self) -> None:
        if self.is_away:
            raise DatabaseAway("connection refused")
        self.rung += 1
        if self.beats:
            self.beat = self.now

    def last_beat(self) -> datetime | None:
        return self.beat

    def attempt_is_under_way(self, now: datetime) -> bool:
        return self.call_is_open


@dataclass
class Site:
    tree: ProcessTree
    queue: Queue = field(default_factory=Queue)
    web_is_silent: bool = False
    mended: int = 0
    now: datetime = START

    def __post_init__(self) -> None:
        self.tree.start(a_program(WEB))
        self.tree.start(a_program(WORKER))
        self.watchdog = Watchdog(
            tree=self.tree,
            pulse=self.queue,
            rhythm=Rhythm(ring_seconds=15, stalled_after_seconds=75),
            web_answers=lambda: not self.web_is_silent,
            mend_database=self.mend,
        )

    def mend(self) -> None:
        self.mended += 1

    def session(self, name: str) -> int:
        return self.tree.child(name).session

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += timedelta(seconds=1)
            self.queue.now = self.now
            self.watchdog.look(self.now)


@pytest.fixture
def site() -> Iterator[Site]:
    tree = ProcessTree(directory=ROOT, embedded_data=None)
    yield Site(tree)
    tree.end(grace_seconds=0)


def test_it_rings_each_interval_and_leaves_a_beating_queue_alone(site: Site):
    worker = site.session(WORKER)

    site.pass_time(300)

    assert site.queue.rung == 20
    assert site.session(WORKER) == worker


def test_a_queue_without_a_beat_is_replaced_whole(site: Site):
    worker = site.session(WORKER)
    site.queue.beats = False

    site.pass_time(75)
    assert site.session(WORKER) == worker

    site.pass_time(30)
    assert site.session(WORKER) != worker


def test_the_next_worker_gets_the_same_patience(site: Site):
    site.queue.beats = False
    site.pass_time(105)
    second = site.session(WORKER)

    site.pass_time(60)

    assert site.session(WORKER) == second


def test_a_call_inside_its_deadline_is_waited_for(site: Site):
    worker = site.session(WORKER)
    site.queue.beats = False
    site.queue.call_is_open = True

    site.pass_time(200)
    assert site.session(WORKER) == worker

    site.queue.call_is_open = False
    site.pass_time(15)
    assert site.session(WORKER) != worker


def test_a_dead_program_is_replaced_at_once(site: Site):
    site.pass_time(60)
    web = site.tree.child(WEB)

    web.process.kill()
    assert within(5, lambda: not web.is_running)
    site.pass_time(1)

    assert site.session(WEB) != web.session
    assert site.tree.child(WEB).is_running


def test_one_that_dies_young_is_given_ever_longer_pauses(site: Site):
    starts = []
    for _ in range(20):
        site.pass_time(1)
        child = site.tree.child(WEB)
        if child.session not in starts:
            starts.append(child.session)
        child.process.kill()
        assert within(5, lambda child=child: not child.is_running)

    assert 3 <= len(starts) <= 5


def test_a_silent_web_server_is_replaced_after_three_looks(site: Site):
    site.pass_time(1)
    web = site.session(WEB)
    site.web_is_silent = True

    site.pass_time(31)
    assert site.session(WEB) == web

    site.pass_time(15)
    assert site.session(WEB) != web


def test_a_database_that_is_away_is_mended_and_the_queue_is_given_time(site: Site):
    worker = site.session(WORKER)
    site.queue.is_away = True

    site.pass_time(120)
    assert site.mended == 8

    site.queue.is_away, site.queue.beats = False, False
    site.pass_time(60)
    assert site.session(WORKER) == worker


def test_a_watchdog_that_slept_blames_nobody(site: Site):
    site.pass_time(30)
    worker = site.session(WORKER)
    site.queue.beats = False

    site.now += timedelta(hours=8)
    site.pass_time(60)

    assert site.session(WORKER) == worker
