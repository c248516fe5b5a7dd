"""Keeps the queue's one schedule: the tick."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync import jobs


class Command(BaseCommand):
    help = "Keep exactly one schedule row, the tick; harmless to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        jobs.install_schedule()
        problems = jobs.schedule_problems()
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write("The tick is scheduled, once a minute.")
