"""Small real programs for a process tree to hold: they sleep, fork, or refuse to stop."""

import sys
import time
from collections.abc import Callable

from connector_site.processes.tree import Program

_SLEEPS = "import time; time.sleep(600)"
_FORKS = "import os, time; os.fork(); os.fork(); time.sleep(600)"
_STAYS = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


def a_program(name: str, *, code: str = _SLEEPS) -> Program:
    return Program(name=name, command=(sys.executable, "-c", code))


def a_forking_program(name: str) -> Program:
    return a_program(name, code=_FORKS)


def a_stubborn_program(name: str) -> Program:
    return a_program(name, code=_STAYS)


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Wait for a condition of other processes; says whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
