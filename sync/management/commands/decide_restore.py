"""Sage was put back to an earlier day: list what it lost, and take a person's decisions."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from integrations.errors import IntegrationError
from sync.services import restoring
from sync.services.clients import NotReady, open_work
from sync.services.restoring import CannotDecide, Choice
from sync.services.work import Work
from sync.services.workers import worker_name
from tenants.audit import Actor
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope


class Command(BaseCommand):
    help = (
        "After Sage 300 was restored from a backup: without further options, list the batches it "
        "lost. Decide for each with --batch and --choice, then --go-on. Where only the newest "
        "history was cleared, --history-cleared."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's short name")
        parser.add_argument("company", help="the company's short name")
        parser.add_argument("--batch", type=int, help="the batch that is decided")
        parser.add_argument("--choice", choices=[choice.value for choice in Choice])
        parser.add_argument("--go-on", action="store_true", help="carry all decisions out")
        parser.add_argument("--history-cleared", action="store_true")
        parser.add_argument("--by", default="The operator", help="who decides")
        parser.add_argument("--note", default="", help="why")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            work = open_work(
                tenant_id=(company := _company(options["tenant"], options["company"])).tenant_id,
                company_id=company.pk,
                clock=timezone.now,
                worker=worker_name(),
            )
            self._act(work, options)
        except (CannotDecide, NotReady) as refusal:
            raise CommandError(str(refusal)) from refusal
        except IntegrationError as error:
            raise CommandError(error.sentence) from error

    def _act(self, work: Work, options: dict[str, Any]) -> None:
        actor, now, note = Actor(name=options["by"]), timezone.now(), options["note"]
        if options["batch"] is not None:
            if not options["choice"]:
                raise CommandError("Say with --choice what happens to the batch's bills.")
            told = restoring.decide(
                work, number=options["batch"], choice=Choice(options["choice"]),
                actor=actor, note=note, now=now,
            )  # fmt: skip
        elif options["go_on"]:
            told = restoring.go_on(work, actor=actor, note=note, now=now)
        elif options["history_cleared"]:
            told = restoring.history_cleared(work, actor=actor, now=now)
        else:
            told = restoring.why_held(work) or "Sage does not look restored; nothing is held."
        self.stdout.write(told)
        if not options["go_on"] and not options["history_cleared"]:
            for lost in restoring.lost_batches(work):
                self.stdout.write(f"  {lost.sentence}")


def _company(tenant_slug: str, company_slug: str) -> Company:
    tenant = Tenant.objects.filter(slug=tenant_slug).first()
    if tenant is not None:
        with tenant_scope(tenant.pk):
            rows = Company.objects.for_tenant(tenant).select_related("tenant")
            company = rows.filter(slug=company_slug).first()
        if company is not None:
            return company
    raise CommandError("There is no such tenant or company.", returncode=2)
