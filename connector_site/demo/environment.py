"""Where a demo keeps its things: apart from everything else, and from every other demo.

``manage.py`` calls ``prepare`` before the settings are read. The demo gets a data directory of its
own, and with ``DATABASE_URL`` set a database beside the named one, so that making it anew at each
start can never touch anything that is in use. A second demo at the same time steps aside. Its mails
go to nobody: each is kept as a file that a mail program opens.
"""

import fcntl
import os
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path

from connector_site import database

_MOST_DEMOS = 20
_NOT_FOR_DEMOS = (
    "ALLOWED_HOSTS",
    "CONNECTOR_PRACTICE_BILL_URL",
    "CONNECTOR_PRACTICE_SAGE_URL",
    "EMAIL_URL",
    "PUBLIC_URL",
    "SAGE_EGRESS_POLICY",
)


class TooManyDemos(Exception):
    """Every place for a demo is taken; the sentence says where."""


def prepare(environment: MutableMapping[str, str], *, base: Path) -> None:
    """Point this process, and those it starts, at a place for a demo that nobody else uses."""
    home = Path(environment.get("CONNECTOR_DATA_DIR") or base / ".data")
    number = _take_place(home)
    suffix = "" if number == 1 else f"_{number}"
    environment["CONNECTOR_DATA_DIR"] = str(home / f"demo{suffix}")
    environment["CONNECTOR_PRACTICE"] = "on"
    environment.setdefault("LOG_LEVEL", "warning")
    for name in _NOT_FOR_DEMOS:
        environment.pop(name, None)
    mails = Path(environment["CONNECTOR_DATA_DIR"]).resolve() / "mails"
    environment["EMAIL_URL"] = mails.as_uri()
    if environment.get("DATABASE_URL"):
        given = database.parse_url(environment["DATABASE_URL"])
        environment["DATABASE_URL"] = replace(given, name=f"{given.name}_demo{suffix}").url


def _take_place(home: Path) -> int:
    """Return the first number whose lock is free, and hold it until this process ends."""
    home.mkdir(parents=True, exist_ok=True)
    for number in range(1, _MOST_DEMOS + 1):
        descriptor = os.open(home / f"demo_{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return number
    raise TooManyDemos(f"{_MOST_DEMOS} demos run already from {home}. Stop one of them.")
