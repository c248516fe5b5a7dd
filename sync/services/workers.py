"""Who works, and letting others in at once where a worker died.

Leases and turns end by themselves after a while, which is for a machine that is gone. A process that
was killed on this machine is known to be dead sooner: its name says where it ran, and nobody else
needs to wait for what it held. Only a process that could be this machine's own is judged.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.db import connection

_KERNEL = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


def worker_name() -> str:
    """This process, for people: host, process id, and a mark of the machine's present boot."""
    return f"{socket.gethostname()}:{os.getpid()}@{_machine()}"


def is_dead(name: str) -> bool:
    """Whether this worker ran on this machine and runs no more; False for one we cannot judge."""
    _, _, process = name.rpartition(":")
    number, _, machine = process.partition("@")
    if not number.isdecimal() or machine != _machine():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(number)


def free_the_dead() -> list[str]:
    """End the leases and turns of dead workers; return their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT owner FROM sync_sagelease WHERE expires_at > clock_timestamp()"
            " UNION SELECT taken_by FROM sync_duework WHERE taken_until > clock_timestamp()"
            " UNION SELECT compare_by FROM sync_duework WHERE compare_until > clock_timestamp()"
        )
        dead = dead_among(name for (name,) in cursor.fetchall())
    _free(dead)
    return dead


def start_afresh() -> None:
    """End what this process still holds: at the start of a job that is left over from a broken one.

    The database may have gone away in the middle of a job, so that nothing could be given back.
    """
    _free([worker_name()])


def _free(names: list[str]) -> None:
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_sagelease SET expires_at = clock_timestamp()"
            " WHERE owner = ANY(%s) AND expires_at > clock_timestamp()",
            [names],
        )
        # What they were doing may be half done, so their companies are looked at again now.
        cursor.execute(
            "UPDATE sync_duework SET taken_until = NULL, rung_at = clock_timestamp()"
            " WHERE taken_by = ANY(%s) AND taken_until > clock_timestamp()",
            [names],
        )
        cursor.execute(
            "UPDATE sync_duework SET compare_until = NULL"
            " WHERE compare_by = ANY(%s) AND compare_until > clock_timestamp()",
            [names],
        )


def dead_among(names: Iterable[str]) -> list[str]:
    """The names of workers that are known to be dead."""
    return sorted({name for name in names if name and is_dead(name)})


@cache
def _machine() -> str:
    """A mark that no other machine, boot or container shares; containers have process ids of their own."""
    try:
        boot, processes = _KERNEL.read_text(), os.readlink(_PROCESSES)
    except OSError:
        return "unknown-" + os.urandom(4).hex()  # then nobody is ever judged dead by us
    return hashlib.sha256(f"{boot.strip()}/{processes}".encode()).hexdigest()[:8]


def _is_zombie(number: str) -> bool:
    try:
        text = Path(f"/proc/{number}/stat").read_text(errors="replace")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in ("Z", "X")
