"""Try the connections of companies, step by step."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.bill.wiring import bill_address, bill_client
from integrations.errors import AddressRefused
from integrations.models import BillConnection, Sage300Connection
from integrations.ping.bill import ping_bill
from integrations.ping.ladder import Step, Verdict, is_well
from integrations.ping.sage import ping_sage
from integrations.practice import address_policy, open_transport
from integrations.sage300.wiring import sage_address, sage_client
from integrations.secrets import SecretUnreadable
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope

WORDS = {
    Verdict.OK: "ok",
    Verdict.WARNING: "to know",
    Verdict.FAILED: "FAILED",
    Verdict.NOT_TRIED: "not tried",
}


class Command(BaseCommand):
    help = (
        "Tries the BILL and Sage 300 connections of every company, or of those named, and prints "
        "each step with its verdict and what to do. Reads only. Ends with 1 when a step failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", default="", help="Only this tenant (its slug).")
        parser.add_argument("--company", default="", help="Only companies with this slug.")

    def handle(self, *args: Any, tenant: str, company: str, **options: Any) -> None:
        checked = failed = 0
        for found in _companies(tenant, company):
            for title, steps in _sides(found):
                self.stdout.write(f"\n{found.name}: {title}")
                tried = [self._show(step) for step in steps]
                checked += 1
                failed += 0 if is_well(tried) else 1
        if not checked:
            raise CommandError("There is no such connection.")
        if failed:
            raise CommandError(f"{failed} of {checked} connections do not work.")
        self.stdout.write(f"\nAll {checked} connections work.")

    def _show(self, step: Step) -> Step:
        seconds = "" if step.verdict is Verdict.NOT_TRIED else f"{step.seconds:5.2f} s"
        self.stdout.write(
            f"  {WORDS[step.verdict]:<10}{step.name:<26}{seconds:<9}{step.answer}".rstrip()
        )
        if step.what_to_do:
            self.stdout.write(f"            {step.what_to_do}")
        return step


def _companies(tenant_slug: str, company_slug: str) -> Iterator[Company]:
    tenants = Tenant.objects.order_by("slug")
    if tenant_slug:
        tenants = tenants.filter(slug=tenant_slug)
    for tenant in tenants:
        with tenant_scope(tenant.pk):
            rows = Company.objects.for_tenant(tenant).order_by("slug")
            found = list(rows.filter(slug=company_slug) if company_slug else rows)
        yield from found


def _sides(company: Company) -> Iterator[tuple[str, Iterator[Step]]]:
    with tenant_scope(company.tenant_id):
        bill = BillConnection.objects.for_tenant(company.tenant_id).filter(company=company).first()
        sage = (
            Sage300Connection.objects.for_tenant(company.tenant_id).filter(company=company).first()
        )
    if bill is not None:
        yield "BILL", _ping_bill(bill)
    if sage is not None:
        yield "Sage 300", _ping_sage(sage)


def _ping_bill(connection: BillConnection) -> Iterator[Step]:
    try:
        address = bill_address(connection)
    except (AddressRefused, SecretUnreadable) as error:
        yield _not_started(error)
        return
    yield from ping_bill(
        bill_client(address, open_transport()),
        address_policy(),
        api_url=address.api_url,
        organization_id=address.organization_id,
    )


def _ping_sage(connection: Sage300Connection) -> Iterator[Step]:
    try:
        address = sage_address(connection)
    except SecretUnreadable as error:
        yield _not_started(error)
        return
    yield from ping_sage(sage_client(address, open_transport()), address_policy())


def _not_started(error: AddressRefused | SecretUnreadable) -> Step:
    sentence = error.sentence if isinstance(error, AddressRefused) else str(error)
    return Step(
        name="Stored credentials", verdict=Verdict.FAILED, answer="unusable", what_to_do=sentence
    )
