"""Our own database was put back: look at Sage before anything is sent."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sync.services.clients import NotReady, open_work
from sync.services.restoring import CannotDecide, look_again
from sync.services.workers import worker_name
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope


class Command(BaseCommand):
    help = (
        "Run this after our own database was restored from a backup, before the workers start: "
        "until everything above the old marks was read in Sage and adopted, nothing is sent."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="only this tenant, by its short name")
        parser.add_argument("--company", default="", help="only this company, by its short name")
        parser.add_argument(
            "--from-batch", type=int, default=None, help="look from this Sage batch number on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = _companies(options["tenant"], options["company"])
        if not found:
            raise CommandError("There is no such tenant or company.", returncode=2)
        failed = False
        for company in found:
            self.stdout.write(f"{company.tenant.slug}/{company.slug}")
            try:
                work = open_work(
                    tenant_id=company.tenant_id,
                    company_id=company.pk,
                    clock=timezone.now,
                    worker=worker_name(),
                )
                told = look_again(work, from_batch=options["from_batch"], now=timezone.now())
            except (CannotDecide, NotReady) as refusal:
                told, failed = str(refusal), failed or isinstance(refusal, CannotDecide)
            self.stdout.write(f"  {told}")
        if failed:
            raise CommandError("Not every company could be prepared; the sentences say why.")


def _companies(tenant_slug: str, company_slug: str) -> list[Company]:
    tenants = Tenant.objects.active().order_by("slug")
    if tenant_slug:
        tenants = tenants.filter(slug=tenant_slug)
    found: list[Company] = []
    for tenant in tenants:
        with tenant_scope(tenant.pk):
            rows = Company.objects.for_tenant(tenant).select_related("tenant").order_by("slug")
            found += rows.filter(slug=company_slug) if company_slug else rows
    return found
