"""Says whether the queue works: the liveness probe for containers and monitors."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from connector_site.processes.pulse import QueuePulse
from connector_site.processes.watchdog import DatabaseAway


class Command(BaseCommand):
    help = (
        "Say when the queue last gave a sign of life. Exit code 0: recently; 1: too long ago,"
        " never, or the database does not answer."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--max-age",
            type=float,
            default=settings.CONNECTOR.alive_seconds,
            help="Seconds since the last sign of life that still count as alive.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            beat = QueuePulse().last_beat()
        except DatabaseAway as away:
            self.stderr.write(f"The database does not answer: {away}")
            sys.exit(1)
        if beat is None:
            self.stderr.write("The queue has never given a sign of life. Is `manage.py run` up?")
            sys.exit(1)
        age = (timezone.now() - beat).total_seconds()
        sentence = f"The queue gave its last sign of life {age:.0f} s ago."
        if age > options["max_age"]:
            self.stderr.write(
                f"{sentence} That is too long: {options['max_age']:.0f} s are allowed."
            )
            sys.exit(1)
        self.stdout.write(sentence)
