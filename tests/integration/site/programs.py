"""Small real programs for a process tree to hold: they sleep, fork, or refuse to stop."""

import sys

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
