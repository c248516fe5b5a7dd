"""Starts the pretended BILL and Sage 300, filled with practice data, for a demo or a journey."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations import standins
from integrations.standins.bill.world import BillWorld
from integrations.standins.memory import Memory
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer

SAMPLES = Path(standins.__path__[0]) / "samples"
PARENT_LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Run the practice BILL and Sage 300 until Ctrl-C, SIGTERM, or the end of whoever started "
        "this. Prints one JSON line: bill_url, sage_url."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bill-port", type=int, default=0, help="0 takes a free port")
        parser.add_argument("--sage-port", type=int, default=0, help="0 takes a free port")
        parser.add_argument(
            "--memory",
            type=Path,
            help="a folder in which both keep what they know, to go on with it when started again",
        )
        parser.add_argument("--bill-data", type=Path, default=SAMPLES / "bill-practice.json")
        parser.add_argument("--sage-data", type=Path, default=SAMPLES / "sage300-practice.json")

    def handle(self, *args: Any, **options: Any) -> None:
        over = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: over.set())
        memories = _memories(options["memory"])
        bill = memories["bill"].recall() if memories else None
        sage = memories["sage"].recall() if memories else None
        bill = bill or BillWorld.from_file(_existing(options["bill_data"]))
        sage = sage or Sage300World.from_file(_existing(options["sage_data"]))
        with ExitStack() as open_servers:
            bill_server = open_servers.enter_context(
                StandInServer(bill, port=options["bill_port"], memory=memories.get("bill"))
            )
            sage_server = open_servers.enter_context(
                StandInServer(sage, port=options["sage_port"], memory=memories.get("sage"))
            )
            urls = {"bill_url": bill_server.url, "sage_url": sage_server.url}
            self.stdout.write(json.dumps(urls))
            self.stdout.flush()
            _watch_input(over)
            parent = os.getppid()
            while not over.wait(PARENT_LOOK_SECONDS) and os.getppid() == parent:
                pass


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise CommandError(f"There is no file {path}.")
    return path


def _memories(folder: Path | None) -> dict[str, Memory]:
    if folder is None:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return {name: Memory(folder / f"{name}.pickle") for name in ("bill", "sage")}


def _watch_input(over: threading.Event) -> None:
    """Set `over` when the other end of a piped standard input is closed."""
    if sys.stdin is None or sys.stdin.closed:
        return
    descriptor = sys.stdin.fileno()
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return  # a terminal or /dev/null says nothing about who started us

    def read_to_end() -> None:
        while os.read(descriptor, 4096):
            pass
        over.set()

    threading.Thread(target=read_to_end, name="standard input", daemon=True).start()
