"""The last to leave: kills what is left when the process that watches was killed.

``kill -9`` cannot be caught, so a second process waits for it. It reads from a pipe which sessions
of processes there are; when the pipe ends without a farewell, the writer is dead, and the guardian
kills every process of those sessions and stops the embedded database if nobody else uses it. It
imports neither Django nor anything that could fail with it.

Run as ``python -m connector_site.processes.guardian [DATA_DIRECTORY]``. Lines on standard input:
``watch SESSION``, ``forget SESSION``, ``farewell``.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from connector_site import embedded_postgres

_PATIENCE_SECONDS = 10.0


def main(arguments: list[str]) -> None:
    """Wait for the end of the pipe, then clear up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sessions = read_orders(sys.stdin)
    if sessions is None:
        return
    for session in sessions:
        kill_session(session)
    if len(arguments) > 1:
        _stop_database(Path(arguments[1]))


def read_orders(lines: Iterable[str]) -> set[int] | None:
    """Return the sessions left over when the lines end; None after a farewell."""
    sessions: set[int] = set()
    for line in lines:
        match line.split():
            case ["watch", session]:
                sessions.add(int(session))
            case ["forget", session]:
                sessions.discard(int(session))
            case ["farewell"]:
                return None
    return sessions


def kill_session(session: int) -> None:
    """Kill every process of a session and return once none is left."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (members := session_members(session)) and time.monotonic() < deadline:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(session, signal.SIGKILL)
        for member in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(member, signal.SIGKILL)
        time.sleep(0.02)


def session_members(session: int) -> list[int]:
    """Return the living processes of a session; zombies are dead."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _is_alive_in(entry, session)
    ]


def _is_alive_in(entry: Path, session: int) -> bool:
    try:
        text = (entry / "stat").read_text(errors="replace")
    except OSError:
        return False  # It ended while we looked.
    # The name stands in parentheses and may hold anything; then: state, parent, group, session.
    state, _, _, its_session, *_ = text.rpartition(")")[2].split()
    return int(its_session) == session and state not in ("Z", "X")


def _stop_database(data_directory: Path) -> None:
    place = embedded_postgres.place_for(data_directory, is_root=os.geteuid() == 0)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    # The kernel lets go of a killed process's lock only when it has torn the process down.
    while not embedded_postgres.stop_if_unused(place) and time.monotonic() < deadline:
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv)
