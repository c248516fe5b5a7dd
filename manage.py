#!/usr/bin/env python3
"""The command line of the connector. ``manage.py help`` lists the commands."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from connector_site import database, embedded_postgres
from connector_site.demo import environment
from connector_site.env import SettingRefused

# Commands that need no rows, so that they work where no database can be reached.
_WITHOUT_DATABASE = frozenset(
    {
        "alive",  # it must not start what it is asked about
        "check",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "run_standins",
        "send_test_mail",
        "settings",
        "spectacular",
        "version",
        "--help",
        "-h",
        "--version",
    }
)
_ASKS_FOR_HELP = frozenset({"--help", "-h"})


def main(arguments: list[str]) -> int:
    """Run one command; a refusal at start-up is one sentence, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")

    try:
        if arguments[1:2] == ["demo"]:
            environment.prepare(os.environ, base=Path(__file__).parent)
        if _needs_rows(arguments):
            database.ensure_running()
        execute_from_command_line(arguments)
    except (
        SettingRefused,
        database.DatabaseRefused,
        embedded_postgres.ServerRefused,
        environment.TooManyDemos,
    ) as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 2
    return 0


def _needs_rows(arguments: list[str]) -> bool:
    command = arguments[1] if len(arguments) > 1 else "help"
    if command == "check" and "--database" in arguments:
        return True
    return command not in _WITHOUT_DATABASE and not _ASKS_FOR_HELP.intersection(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
