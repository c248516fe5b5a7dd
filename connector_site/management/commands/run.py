"""Runs the product in earnest: web server, worker and watchdog in one tree of processes."""

import os
import signal
import threading
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connector_site.processes.ports import NoPortFree
from connector_site.processes.site import RunningSite, SiteRefused
from sync import jobs
from tenants.models import Membership


class Command(BaseCommand):
    help = (
        "Run web server, worker and watchdog until Ctrl-C or SIGTERM; the database is brought up"
        " to date first. Exit code 0: stopped as asked; 1: it did not come up; 2: refused settings."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="The port, or the next free one after it."
        )
        parser.add_argument(
            "--host", default="127.0.0.1", help="The address to listen on; 0.0.0.0 for all."
        )
        parser.add_argument(
            "--with-parent", action="store_true", help="Also stop when the calling process ends."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        parent = os.getppid() if options["with_parent"] else None
        is_over = stop_signals()
        prepare_database(self)
        try:
            site = RunningSite(host=options["host"], port=options["port"])
        except NoPortFree as refusal:
            raise CommandError(str(refusal)) from refusal
        try:
            site.start()
            self.stdout.write(f"ml-connector runs at {site.url} (Ctrl-C stops it).")
            if not Membership.objects.exists():
                self.stdout.write(
                    "Nobody has an account yet: sign up there, or give a file to"
                    " `manage.py provision` (`manage.py provision --example` prints one)."
                )
            site.watch(is_over=is_over, clock=timezone.now, parent=parent)
        except SiteRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        finally:
            site.end()
        self.stdout.write("Stopped.")


def stop_signals() -> threading.Event:
    """Return an event that Ctrl-C, SIGTERM and SIGHUP set.

    The second one ends this process at once; the guardian then clears up.
    """
    is_over = threading.Event()

    def stop(number: int, frame: object) -> None:
        is_over.set()
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, stop)
    return is_over


def prepare_database(command: BaseCommand) -> None:
    """Bring the tables up to date, check rows and keys, and install the one schedule."""
    call_command("migrate", verbosity=0, interactive=False)
    command.check(databases=["default"])
    jobs.install_schedule()
    problems = jobs.schedule_problems()
    if problems:
        raise CommandError(" ".join(problems))
