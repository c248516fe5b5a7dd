"""A small BILL over real HTTP, and clients of it that share what all processes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.bill.client import BillClient
from integrations.bill.queries import BillAddress, base_urls
from integrations.bill.quota import SharedQuota
from integrations.bill.session import SharedSessions
from integrations.bill.sharing import BillLimits
from integrations.guard import AddressPolicy, origin_of
from integrations.standins.bill.world import BillWorld
from integrations.standins.server import StandInServer
from integrations.transport import Transport

FIRST_CHANGE = datetime(2026, 11, 1, tzinfo=UTC)
ORGANIZATION = "00801AAAAAAAAAAAAAAA"
VENDOR = "00901AAAAAAAAAAAAAAA"
ACCOUNT = "0ca01AAAAAAAAAAAAAAA"


def an_address(url: str, **overrides: Any) -> BillAddress:
    api_url, events_url = base_urls("practice", practice_origin=url)
    values: dict[str, Any] = {
        "api_url": api_url,
        "events_url": events_url,
        "environment": "practice",
        "user_name": "connector",
        "password": "token-value",
        "organization_id": ORGANIZATION,
        "developer_key": "key-1",
    }
    return BillAddress(**(values | overrides))


def a_client(url: str, limits: BillLimits | None = None, **overrides: Any) -> BillClient:
    address = an_address(url, **overrides)
    transport = Transport(AddressPolicy(practice_origins=frozenset({origin_of(url)})))
    return BillClient(
        address,
        transport,
        SharedSessions(address, limits),
        SharedQuota(address, limits),
        limits=limits,
    )


def a_bill(number: int, **overrides: Any) -> dict[str, Any]:
    return {
        "id": f"00n{number:017d}",
        "vendorId": VENDOR,
        "invoice": {"invoiceNumber": f"INV-{number}", "invoiceDate": "2026-11-20"},
        "dueDate": "2026-12-20",
        "approvalStatus": "APPROVED",
        "createdTime": "2026-10-01T00:00:00.000Z",
        "updatedTime": (FIRST_CHANGE + timedelta(seconds=number // 10)).isoformat(),
        "billLineItems": [
            {"amount": Decimal("10.10"), "classifications": {"chartOfAccountId": ACCOUNT}}
        ],
        **overrides,
    }


@dataclass
class Served:
    world: BillWorld
    server: StandInServer

    @property
    def url(self) -> str:
        return self.server.url

    def count(self, ending: str) -> int:
        """How many requests were answered whose method and path end so."""
        return sum(
            number for what, number in self.server.requests.counts().items() if ending in what
        )


@contextmanager
def a_bill_server(bills: list[dict[str, Any]] | None = None) -> Iterator[Served]:
    world = BillWorld()
    world.load(
        {
            "developerKeys": [{"key": "key-1"}],
            "organizations": [
                {
                    "id": ORGANIZATION,
                    "name": "Calder Bakery",
                    "users": [{"username": "ada@calder.test", "password": "pass-word"}],
                    "syncTokens": [{"name": "connector", "token": "token-value"}],
                    "chartOfAccounts": [
                        {"id": ACCOUNT, "name": "Flour", "account": {"number": "6210-100"}}
                    ],
                    "vendors": [{"id": VENDOR, "name": "Novák Mills", "billCurrency": "USD"}],
                    "bills": bills if bills is not None else [a_bill(1)],
                }
            ],
        }
    )
    with StandInServer(world) as server:
        yield Served(world, server)
