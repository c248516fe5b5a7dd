"""Makes one pass over companies here and now, in this process, and tells what came of it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sync.models import Run
from sync.services import recording, running, turns
from sync.services.workers import worker_name
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope

FAILED = 1


class Command(BaseCommand):
    help = (
        "Run one pass over every company, or over those named, in this process, and print the "
        "steps. Exit codes: 0 every pass went through, 1 one did not (the sentence says why), "
        "2 there is no such tenant or company."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="only this tenant, by its short name")
        parser.add_argument("--company", default="", help="only this company, by its short name")
        parser.add_argument(
            "--once", action="store_true", help="one pass, even if more is ready to be sent"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        companies = _companies(options["tenant"], options["company"])
        if not companies:
            raise CommandError("There is no such tenant or company.", returncode=2)
        went = [self._sync(company, is_once=options["once"]) for company in companies]
        if not all(went):
            sys.exit(FAILED)

    def _sync(self, company: Company, *, is_once: bool) -> bool:
        """Pass after pass until nothing is left that can go; tell whether all went through."""
        while True:
            report = _run(company)
            self.stdout.write(f"{company.tenant.slug}/{company.slug}")
            if report is None:
                self.stdout.write("  A worker is on this company now; its run is shown under Runs.")
                return False
            self._tell(company, report)
            if is_once or not report.has_more:
                return report.outcome == "ok"

    def _tell(self, company: Company, report: recording.Report) -> None:
        with tenant_scope(company.tenant_id):
            run = Run.objects.for_tenant(company.tenant_id).get(pk=report.run_id)
        for step in run.steps:
            self.stdout.write(f"  {step['name']}: {step['sentence'] or 'not ended'}")
        self.stdout.write(f"  {report.outcome}. {report.sentence}".rstrip())


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


def _run(company: Company) -> recording.Report | None:
    """One pass under the company's turn, so that no worker is on it as well; None if one is."""
    tenant_id, company_id = company.tenant_id, company.pk
    turns.keep_turns(tenant_id=tenant_id, company_id=company_id)
    turns.poll_now(company_id=company_id)
    me = worker_name()
    turn = turns.take_turn(
        company_id=company_id, seconds=settings.CONNECTOR.turn_lease_seconds, owner=me
    )
    if turn is None:
        return None
    cadence = float(settings.CONNECTOR.retry_seconds)
    again: float | None = None
    try:
        report = running.run_company(
            tenant_id=tenant_id,
            company_id=company_id,
            trigger="command",
            clock=timezone.now,
            worker=me,
        )
        cadence = report.cadence_seconds
        again = 0.0 if report.has_more else report.again_in_seconds
    finally:
        turns.end_turn(
            company_id=company_id,
            cadence_seconds=cadence,
            was_poll=True,
            again_in_seconds=again,
            due_at=turn.due_at,
        )
    return report
