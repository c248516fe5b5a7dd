"""`manage.py run` as a whole: it comes up, stops when asked, and leaves nothing when killed."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector_site.processes.ports import listen, port_of
from tests.live_site import LiveSite, live_site, living, within

pytestmark = pytest.mark.cluster


@pytest.fixture
def taken_port() -> Iterator[int]:
    with listen("127.0.0.1", 18_500) as taken:
        yield port_of(taken)


@pytest.fixture
def site(tmp_path: Path, taken_port: int) -> Iterator[LiveSite]:
    with live_site(tmp_path, port=taken_port) as site:
        yield site


def test_it_steps_over_a_taken_port_beats_and_stops_when_asked(site: LiveSite, taken_port: int):
    assert site.url != f"http://127.0.0.1:{taken_port}"
    assert site.answers()
    assert within(20, site.is_alive)
    beating = site.manage("alive", "--max-age", "10")
    assert beating.returncode == 0, beating.stderr
    everyone = site.processes()
    postmaster = site.postmaster()

    assert site.end() == 0

    assert living(everyone) == []
    assert postmaster is not None
    assert living([postmaster]) == []
    assert site.said().rstrip().endswith("Stopped.")
    stopped = site.manage("alive")
    assert stopped.returncode == 1
    assert "The database does not answer" in stopped.stderr


def test_nothing_of_it_lives_on_after_kill_9_of_the_parent(site: LiveSite):
    assert within(20, site.is_alive)
    everyone = site.processes()
    postmaster = site.postmaster()
    assert postmaster is not None

    site.process.send_signal(signal.SIGKILL)
    site.process.wait()

    assert within(15, lambda: not living([*everyone, postmaster]))
