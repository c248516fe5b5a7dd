"""Seal every stored secret under the first of CREDENTIAL_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.sealed import iter_cells, rotate, rotate_canary
from integrations.secrets import Condition


class Command(BaseCommand):
    help = (
        "Seals every stored secret again under the first of CREDENTIAL_KEYS. May run beside the "
        "working product and be broken off at any time. Retire the earlier key only after "
        "audit_credentials finds all clean, and keep it for as long as backups made before."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        sealed_again = unreadable = 0
        for cell in iter_cells():
            match cell.condition:
                case Condition.LEGACY:
                    sealed_again += 1 if dry_run else rotate(cell)
                case Condition.UNREADABLE | Condition.PLAINTEXT:
                    unreadable += 1
                    self.stderr.write(f"{cell.table}.{cell.column} of {cell.row_id}: left alone")
        if not dry_run:
            rotate_canary()
        verb = "would be" if dry_run else "were"
        self.stdout.write(f"{sealed_again} secrets {verb} sealed again.")
        if unreadable:
            word = "secret" if unreadable == 1 else "secrets"
            raise CommandError(
                f"{unreadable} {word} cannot be opened with these keys and stayed as they are. "
                "Add the key they were stored under, or have them entered again."
            )
