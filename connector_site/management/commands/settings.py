"""Lists everything that can be set: name, default, current value, meaning."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Prints the settings; secrets only as set or not set."""

    help = "List every setting with its default, its current value and what it means."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON list.")

    def handle(self, *args: Any, **options: Any) -> None:
        variables = sorted(settings.ENVIRONMENT.variables.values(), key=lambda each: each.name)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(variable) for variable in variables], indent=2))
            return
        for variable in variables:
            default = variable.default or "(nothing)"
            self.stdout.write(self.style.MIGRATE_HEADING(variable.name))
            self.stdout.write(f"  {variable.meaning}")
            self.stdout.write(f"  default {default}; now {variable.current or '(nothing)'}")
