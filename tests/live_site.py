"""A real site in processes of its own: `manage.py run` on a database nobody else uses.

For tests that kill: each site has its own data directory, so its embedded PostgreSQL may be killed
too, and afterwards nothing of it may be left, neither processes nor files.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
import psycopg

from connector_site import database, embedded_postgres
from tests.database import lay_out

ROOT = Path(__file__).parents[1]

# Seconds become tenths, so that a test sees in moments what takes minutes in earnest.
QUICK = {
    "CONNECTOR_WATCHDOG_RING_SECONDS": "1",
    "CONNECTOR_WATCHDOG_STALLED_SECONDS": "6",
    "CONNECTOR_STOP_GRACE_SECONDS": "10",
    "CONNECTOR_SETTLE_SECONDS": "5",
    "CONNECTOR_WEB_PROCESSES": "1",
    "CONNECTOR_QUEUE_POLL_SECONDS": "0.1",
    "LOG_LEVEL": "warning",
}


@dataclass(slots=True, kw_only=True)
class LiveSite:
    """One started site; `url` is where it said it runs."""

    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    output: Path
    place: embedded_postgres.Place

    @property
    def url(self) -> str:
        return self.address("runs at")

    def address(self, words: str) -> str:
        """The address it said after these words, or nothing yet."""
        found = re.search(rf"{words} (http://[0-9.]+:[0-9]+)", self.said())
        return found[1] if found else ""

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def is_alive(self, *, max_age: float = 3) -> bool:
        """Whether the queue gave a sign of life; asked so often that a process each is too dear."""
        try:
            with database.embedded_address(self.place).connect() as connection:
                row = connection.execute(
                    "SELECT clock_timestamp() - max(beaten_at) FROM sync_heartbeat"
                ).fetchone()
        except psycopg.Error:
            return False
        return bool(row and row[0] is not None and row[0].total_seconds() <= max_age)

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/static/connector/base.css", timeout=5):
                return True
        except HTTPError:
            return True
        except (URLError, OSError, ValueError):
            return False

    def manage(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=dict(self.environment),
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Every process below the parent, guardian included, whose command has these words."""
        try:
            everyone = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return [each for each in everyone if words in _command(each)]

    def postmaster(self) -> psutil.Process | None:
        """The embedded database's first process."""
        with suppress(OSError, ValueError, psutil.NoSuchProcess):
            pid = int((self.place.data / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(pid)
            return process if process.status() != psutil.STATUS_ZOMBIE else None
        return None

    def end(self) -> int:
        """Ask it to stop, as Ctrl-C does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def live_site(
    directory: Path, *, command: tuple[str, ...] = ("run",), port: int = 18_500, **settings: str
) -> Iterator[LiveSite]:
    """Start a site and wait until it says where; kill and clear up whatever is left afterwards."""
    given = directory / "data"
    data = given / "demo" if command[0] == "demo" else given
    place = embedded_postgres.place_for(data, is_root=os.geteuid() == 0)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CONNECTOR_", "DATABASE_URL", "PYTEST_"))
    }
    environment |= QUICK | {"CONNECTOR_DATA_DIR": str(given)} | settings
    if command[0] == "run":
        lay_out(place)
    output = directory / "output"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command, "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    environment |= {"CONNECTOR_DATA_DIR": str(data)}
    site = LiveSite(process=process, environment=environment, output=output, place=place)
    try:
        if not within(90, lambda: bool(site.url) or process.poll() is not None) or not site.url:
            raise AssertionError(f"The site did not come up. It said:\n{site.said()}")
        yield site
    finally:
        _clear_up(site)


def within(seconds: float, condition: Callable[[], bool], *, pause: float = 0.1) -> bool:
    """Wait for a condition of other processes; tell whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those of the processes that are still there; zombies are not."""
    return [
        each
        for each in processes
        if each.is_running() and _status(each) not in ("", psutil.STATUS_ZOMBIE)
    ]


def _clear_up(site: LiveSite) -> None:
    everyone = site.processes()
    if site.process.poll() is None:
        site.process.kill()
        site.process.wait()
    for each in living(everyone):
        with suppress(psutil.NoSuchProcess):
            each.kill()
    embedded_postgres.stop(site.place)
    shutil.rmtree(site.place.root, ignore_errors=True)


def _command(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def _status(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return process.status()
    return ""
