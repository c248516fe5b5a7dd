"""The programs of a running site: the web server and the queue's worker.

``manage.py run`` and ``manage.py demo`` both start them through this room, so that what a demo
shows is what runs in earnest.
"""

import http.client
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from django.conf import settings

from connector_site import database
from connector_site.processes import pulse
from connector_site.processes.ports import listen, port_of
from connector_site.processes.tree import ProcessTree, Program
from connector_site.processes.watchdog import WEB, WORKER, Rhythm, Watchdog

log = logging.getLogger(__name__)

_PROBE_SECONDS = 5.0
_STARTING_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class SiteRefused(Exception):
    """The site did not come up; the sentence says what is missing."""


class RunningSite:
    """Web server, worker and watchdog of one site, until told to end."""

    def __init__(self, *, host: str, port: int) -> None:
        """Open the port and start the guardian; raises NoPortFree."""
        self._listener = listen(host, port)
        self._host = host
        embedded = settings.DATA_DIR if database.is_embedded() else None
        self.tree = ProcessTree(directory=settings.BASE_DIR, embedded_data=embedded)
        self._watchdog = Watchdog(
            tree=self.tree,
            pulse=pulse.QueuePulse(),
            rhythm=Rhythm(
                ring_seconds=settings.CONNECTOR.watchdog_ring_seconds,
                stalled_after_seconds=settings.CONNECTOR.watchdog_stalled_seconds,
            ),
            web_answers=self.answers,
            mend_database=pulse.mend_database,
        )

    @property
    def url(self) -> str:
        """The address on this machine."""
        return f"http://{_reachable(self._host)}:{port_of(self._listener)}"

    def start(
        self, *, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        """Start the web server and the worker, and return when the first page can be had."""
        given = environment or {}
        self.tree.start(
            Program(
                name=WEB,
                command=_web_command(self._listener.fileno()),
                environment=given,
                descriptors=(self._listener.fileno(),),
                log=log,
            )
        )
        self.tree.start(
            Program(
                name=WORKER,
                command=(sys.executable, "manage.py", "qcluster"),
                environment=given,
                log=log,
            )
        )
        self._wait_for_first_answer()

    def watch(
        self, *, is_over: threading.Event, clock: Callable[[], datetime], parent: int | None
    ) -> None:
        """Keep everything alive until the event is set, or until the parent has ended."""
        while not is_over.wait(_LOOK_SECONDS):
            if parent is not None and os.getppid() != parent:
                return
            self.look(clock())

    def look(self, now: datetime) -> None:
        """Replace what died or does not work; to be called about once a second."""
        self._watchdog.look(now)

    def end(self) -> None:
        """Ask all to finish, then kill what is left, and close the port."""
        self._listener.close()
        self.tree.end(grace_seconds=settings.CONNECTOR.stop_grace_seconds)

    def answers(self) -> bool:
        """Return whether the web server answers at all; what it says does not matter."""
        host, port = _reachable(self._host), port_of(self._listener)
        connection = http.client.HTTPConnection(host, port, timeout=_PROBE_SECONDS)
        try:
            connection.request("HEAD", "/static/connector/base.css")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def _wait_for_first_answer(self) -> None:
        deadline = time.monotonic() + _STARTING_SECONDS
        while not self.answers():
            if not self.tree.child(WEB).is_running:
                raise SiteRefused("The web server ended while it started; its reason stands above.")
            if time.monotonic() > deadline:
                raise SiteRefused(f"The web server gave no answer in {_STARTING_SECONDS:.0f} s.")


def _web_command(descriptor: int) -> tuple[str, ...]:
    return (
        sys.executable,
        "-m",
        "gunicorn",
        "connector_site.wsgi:application",
        f"--bind=fd://{descriptor}",
        "--worker-class=gthread",
        f"--workers={settings.CONNECTOR.web_processes}",
        f"--threads={settings.CONNECTOR.web_threads}",
        f"--timeout={settings.CONNECTOR.web_timeout_seconds}",
        f"--graceful-timeout={settings.CONNECTOR.stop_grace_seconds}",
        "--log-level=warning",
        "--no-control-socket",
    )


def _reachable(host: str) -> str:
    """Return where we reach ourselves: a server on all addresses is asked on the loopback."""
    return "127.0.0.1" if host in ("", "0.0.0.0") else host  # noqa: S104 (compared, not bound)
