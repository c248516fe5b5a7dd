"""The programs that make up a running site, as one tree that starts and ends together.

Each program runs in a session of its own, so that it can be killed with everything it forked, and
so that Ctrl-C in a terminal reaches only us: we ask each program to finish, wait, and then kill.
The guardian is told of every session first and last.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from connector_site.processes.guardian import kill_session

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start: its name for people, the command, and what it inherits.

    ``log`` is a file to which its output is added; without one it shares ours.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    log: Path | None = None
    piped: bool = False


@dataclass(slots=True, kw_only=True)
class Child:
    """One started program; its process id is also its session."""

    program: Program
    process: subprocess.Popen[bytes]

    @property
    def session(self) -> int:
        """The session that holds the program and all it forked."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program itself is alive; what it forked may outlive it."""
        return self.process.poll() is None


class ProcessTree:
    """Starts, replaces and ends programs; a guardian ends them when we cannot."""

    def __init__(self, *, directory: Path, embedded_data: Path | None) -> None:
        """Start the guardian; ``embedded_data`` names the database it stops, if it is ours."""
        self._directory = directory
        self._embedded_data = embedded_data
        self._children: dict[str, Child] = {}
        self._guardian = self._start_guardian()

    @property
    def children(self) -> tuple[Child, ...]:
        """The programs in the order they were started."""
        return tuple(self._children.values())

    def child(self, name: str) -> Child:
        """Return a started program by its name."""
        return self._children[name]

    def start(self, program: Program) -> Child:
        """Start a program in a session of its own; it dies with us."""
        tether = (sys.executable, "-m", "connector_site.processes.tether", str(os.getpid()))
        with _opened(program.log) as log:
            process = subprocess.Popen(  # noqa: S603 (our own words only)
                [*tether, *program.command],
                cwd=self._directory,
                env={**os.environ, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if program.piped else log,
                stderr=log,
                pass_fds=program.descriptors,
                start_new_session=True,
            )
        child = Child(program=program, process=process)
        self._tell_guardian(f"watch {child.session}")
        self._children[program.name] = child
        return child

    def replace(self, name: str) -> Child:
        """Kill a program with all it forked, and start it anew."""
        child = self._children[name]
        self.kill(child)
        return self.start(child.program)

    def kill(self, child: Child) -> None:
        """Kill a program with all it forked, at once."""
        kill_session(child.session)
        child.process.wait()
        if child.process.stdout is not None:
            child.process.stdout.close()
        self._tell_guardian(f"forget {child.session}")
        self._children.pop(child.program.name, None)

    def keep_guardian(self) -> None:
        """Start another guardian when the one we had was killed."""
        if self._guardian.poll() is None:
            return
        self._pipe.close()
        self._guardian = self._start_guardian()
        for child in self.children:
            self._tell_guardian(f"watch {child.session}")

    def end(self, *, grace_seconds: float) -> None:
        """Ask every program to finish, wait, then kill what is left; the guardian may go.

        Harmless when called again.
        """
        if self._pipe.closed:
            return
        for child in self.children:
            # Only the program itself: its own children are ended by it, in its order.
            with suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        while time.monotonic() < deadline and any(child.is_running for child in self.children):
            time.sleep(_POLL_SECONDS)
        for child in reversed(self.children):
            self.kill(child)
        self._tell_guardian("farewell")
        self._pipe.close()
        self._guardian.wait()

    def _start_guardian(self) -> subprocess.Popen[bytes]:
        arguments = [str(self._embedded_data)] if self._embedded_data else []
        return subprocess.Popen(  # noqa: S603 (our own words only)
            [sys.executable, "-m", "connector_site.processes.guardian", *arguments],
            cwd=self._directory,
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._guardian.stdin is not None  # noqa: S101 (it was started with a pipe)
        return self._guardian.stdin

    def _tell_guardian(self, order: str) -> None:
        # A dead guardian is replaced by `keep_guardian`, which tells the next one everything.
        with suppress(BrokenPipeError):
            self._pipe.write(f"{order}\n".encode())


def _opened(log: Path | None) -> AbstractContextManager[IO[bytes] | None]:
    return nullcontext() if log is None else log.open("ab")
