"""The practice world for tests: both stand-ins over real HTTP, and a company connected to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from integrations.models import BillConnection, Sage300Connection
from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from sync.domain.policy import Policy
from sync.domain.policy_document import policy_from_dict, policy_to_dict
from sync.models import CompanyPolicy, Posting
from sync.services import recording, running, turns
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import builders

SAMPLES = Path(__file__).parents[3] / "integrations" / "standins" / "samples"
BAKERY, CATERING = "008CalderBakery00001", "008CalderCatering001"
KEY, TOKEN, SECRET = "01PRACTICEKEY000000000000000", "ML-CONNECTOR", "practice-token-for-bill"


BAKERY_NUMBERS = {
    "009CbkCascadeOven001": "CASCAD",
    "009CbkGrangerYeas001": "GRANGE",
    "009CbkLakeshorePa001": "LAKESH",
    "009CbkMarlowFreig001": "MARLOW",
    "009CbkNovak000000001": "NOVAK",
    "009CbkOrchardVine001": "ORCHAR",
    "009CbkParkwayPrin001": "PARKWA",
    "009CbkPrairieMill001": "PRAMIL",
    "009CbkSilverlineP001": "SILVER",
    "009CbkStantonUnif001": "STANTO",
    "009CbkTriCountyEl001": "TRICTY",
    "009CbkTriCountyWa001": "TRIWAS",
    "009CbkWhitcombLeg001": "WHITCO",
    "009CbkNorthgateSa001": "NORTHG",
    "009CbkSummitRoofi001": "SUMMIT",
}
CATERING_NUMBERS = {
    key.replace("Cbk", "Cct"): number
    for key, number in BAKERY_NUMBERS.items()
    if number not in {"GRANGE", "NOVAK", "WHITCO"}
}


def a_policy(number_map: dict[str, str], **more: Any) -> Policy:
    """A company that links by its map, creates what is new, and began 90 days ago."""
    return policy_from_dict(
        {
            "number_map": number_map,
            "vendor_creation": "create_new",
            "vendor_group": "TRADE",
            "cutover_date": (datetime.now(UTC) - timedelta(days=90)).date().isoformat(),
        }
        | more
    )


def invoices_of_ours(ledger: dict[str, Any]) -> dict[str, tuple[object, ...]]:
    """Every entry with an order number, as Sage holds it: place, identity, amount, lines."""
    return {
        invoice["OrderNumber"]: (
            batch["BatchNumber"],
            invoice["EntryNumber"],
            invoice["VendorNumber"],
            invoice["DocumentNumber"],
            Decimal(invoice["DocumentTotalIncludingTax"]),
            sorted(
                (line["GLAccount"].replace("-", ""), Decimal(line["DistributedAmount"]))
                for line in invoice["InvoiceDetails"]
            ),
        )
        for batch in ledger["batches"]
        for invoice in batch["Invoices"]
        if invoice.get("OrderNumber")
    }


@dataclass(slots=True)
class Desk:
    """A company at work between the two stand-ins; `moved` shifts the clock it is given."""

    company: Company
    bill: Any
    sage: Any
    bill_server: StandInServer
    sage_server: StandInServer
    moved: timedelta = timedelta(0)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def sync(self, **more: Any) -> recording.Report:
        return running.run_company(
            tenant_id=self.company.tenant_id,
            company_id=self.company.pk,
            trigger="test",
            clock=self.clock,
            worker="test",
            **more,
        )

    def postings(self, **filters: Any) -> list[Posting]:
        with tenant_scope(self.company.tenant_id):
            rows = Posting.objects.for_tenant(self.company.tenant_id)
            return list(rows.filter(company=self.company, **filters).order_by("source_id"))

    def ledger(self, code: str = "CALBAK") -> dict[str, Any]:
        return self.sage.ledger()[code]


def connect(
    company: Company, *, organization: str = BAKERY, database: str = "CALBAK", sage_url: str,
    policy: Policy | None = None, **sage_fields: Any,
) -> None:  # fmt: skip
    with tenant_scope(company.tenant_id):
        owner = {"tenant_id": company.tenant_id, "company": company}
        BillConnection.objects.create(
            environment="practice", user_name=TOKEN, password=SECRET,
            organization_id=organization, developer_key=KEY, **owner,
        )  # fmt: skip
        Sage300Connection.objects.create(
            base_url=sage_url, company_database=database, user_name="MLCONN",
            password="practice-sage", **(sage_fields | owner),
        )  # fmt: skip
        CompanyPolicy.objects.create(
            values=policy_to_dict(policy or Policy()), changed_at=builders.NOW, **owner
        )
    turns.keep_turns(tenant_id=company.tenant_id, company_id=company.pk)


def settle_in(settings: Any, bill_server: StandInServer, sage_server: StandInServer) -> None:
    """Let the product call the two stand-ins, and nobody else."""
    settings.PRACTICE = True
    settings.PRACTICE_BILL_URL = bill_server.url
    settings.PRACTICE_SAGE_URL = sage_server.url


@contextmanager
def a_desk(settings: Any, *, policy: Policy | None = None, bill_data: Any = None,
           organization: str = BAKERY, database: str = "CALBAK") -> Iterator[Desk]:  # fmt: skip
    """Serve the practice world and connect a new company to it."""
    bill = BillWorld.from_file(SAMPLES / "bill-practice.json") if bill_data is None else bill_data
    sage = Sage300World.from_file(SAMPLES / "sage300-practice.json")
    with StandInServer(bill) as bill_server, StandInServer(sage) as sage_server:
        settle_in(settings, bill_server, sage_server)
        company = builders.a_company()
        connect(company, organization=organization, database=database,
                sage_url=sage_server.url, policy=policy)  # fmt: skip
        yield Desk(company=company, bill=bill, sage=sage, bill_server=bill_server,
                   sage_server=sage_server)  # fmt: skip
