"""Sets a customer up from a file: for machines, for demos, and until somebody prefers the pages."""

from __future__ import annotations

import json
import os
import sys
import uuid
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations.errors import IntegrationError
from integrations.secrets import SecretUnreadable
from sync.services import subscriptions
from sync.services.clients import NotReady
from sync.services.provisioning.document import document_example, document_schema
from sync.services.provisioning.outcome import CompanyMade, Outcome, Refused, Webhook
from sync.services.provisioning.provision import provision
from sync.services.provisioning.shape import Reading

REFUSED, UNREADABLE = 1, 2


class Command(BaseCommand):
    help = (
        "Create or update a customer, its people, companies, connections, policy and rules from a "
        "JSON file, and print what came of it as JSON. Exit codes: 0 done, 1 the file's content is "
        "refused and nothing was changed, 2 the file cannot be read or the command was used wrongly."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("file", nargs="?", help="the file; - reads standard input")
        what.add_argument("--example", action="store_true", help="print a file with every key")
        what.add_argument("--schema", action="store_true", help="print the file's JSON Schema")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["example"]:
            self._print(document_example())
            return
        if options["schema"]:
            self._print(document_schema())
            return
        value, folder = _read(options["file"])
        reading = Reading(environ=os.environ, folder=folder)
        try:
            outcome = provision(value, reading=reading, now=timezone.now())
        except Refused as refused:
            self._refuse(refused)
        for company in outcome.companies:
            company.webhook = _register(outcome, company)
        self._print(outcome.as_json())

    def _refuse(self, refused: Refused) -> NoReturn:
        problems = [
            {"pointer": pointer, "sentence": sentence} for pointer, sentence in refused.faults
        ]
        self._print({"problems": problems})
        lines = [f"{pointer or '/'}: {sentence}" for pointer, sentence in refused.faults]
        raise CommandError(
            "\n".join(["Nothing was changed. The file cannot be followed:", *lines]),
            returncode=REFUSED,
        )

    def _print(self, content: object) -> None:
        self.stdout.write(json.dumps(content, indent=2, ensure_ascii=False))


def _read(name: str) -> tuple[object, Path]:
    """The file's JSON, and the folder that relative paths in it start from."""
    said = "Standard input" if name == "-" else f"The file {name}"
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(
            f"{said} cannot be read: {error.strerror}.", returncode=UNREADABLE
        ) from error
    folder = Path.cwd() if name == "-" else Path(name).resolve().parent
    try:
        value = json.loads(
            raw.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{said} is not JSON: {error}.", returncode=UNREADABLE) from error
    return value, folder


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; a key that stands twice would silently lose one of its values."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key “{twice}” stands twice in one object")
    return content


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _register(outcome: Outcome, company: CompanyMade) -> Webhook:
    """Try to have BILL tell us of changes; whatever comes of it is said and stops nothing."""
    try:
        row = subscriptions.register_if_wanted(
            tenant_id=uuid.UUID(outcome.tenant.id),
            company_id=uuid.UUID(company.id),
            now=timezone.now(),
        )
    except NotReady as refusal:
        return Webhook(status="not_connected", sentence=str(refusal))
    except SecretUnreadable as error:
        return Webhook(status="not_connected", sentence=str(error))
    except IntegrationError as error:
        return Webhook(status="failed", sentence=f"Polling for now: {error.sentence}")
    sentence = row.reason or "BILL tells us of changes to bills and vendors."
    return Webhook(status=row.status, sentence=sentence)
