"""Classify every stored secret without showing one."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.sealed import iter_cells
from integrations.secrets import Condition


class Command(BaseCommand):
    help = (
        "Counts stored secrets by condition: clean (sealed under the first key), legacy (under an "
        "earlier key), plaintext, unreadable, empty. Fails unless all are clean or empty."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        counts = Counter(cell.condition for cell in iter_cells())
        summary = ", ".join(f"{counts[kind]} {kind.value}" for kind in Condition)
        if sum(counts[kind] for kind in Condition if kind not in _FINE):
            raise CommandError(f"Not all secrets are clean: {summary}.")
        self.stdout.write(f"All secrets are clean: {summary}.")


_FINE = {Condition.CLEAN, Condition.EMPTY}
