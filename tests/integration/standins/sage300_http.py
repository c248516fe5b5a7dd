"""A caller of the pretended Sage 300 that shares nothing with the product's own client."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import integrations.standins
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer

SAMPLE = Path(integrations.standins.__file__).parent / "samples" / "sage300-practice.json"
TODAY = date(2026, 3, 16)


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])

    @property
    def text(self) -> str:
        return str(self.json["error"]["message"]["value"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.json["value"])


class Sage:
    """Speaks to one company as one user."""

    def __init__(self, server: StandInServer, world: Sage300World) -> None:
        self.server = server
        self.world = world
        self.company = "CALBAK"
        self.user, self.password = "MLCONN", "PRACTICE-SAGE"
        self.content_type: str | None = "application/json"

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        sent = {"Authorization": f"Basic {token}"}
        if self.content_type:
            sent["Content-Type"] = self.content_type
        connection = http.client.HTTPConnection(self.server.url.removeprefix("http://"), timeout=20)
        try:
            text = None if body is None else json.dumps(body, default=float)
            connection.request(method, path, text, sent | (headers or {}))
            reply = connection.getresponse()
            found = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, found, reply.read())
        finally:
            connection.close()

    def call(self, method: str, resource: str, body: object = None, **options: Any) -> Answer:
        query = "&".join(f"${name}={quote(str(value), safe='')}" for name, value in options.items())
        path = f"/Sage300WebApi/v1.0/-/{self.company}/{resource}"
        return self.ask(
            method, quote(path, safe="/$%()'=,-") + (f"?{query}" if query else ""), body
        )

    def get(self, resource: str, **options: Any) -> Answer:
        return self.call("GET", resource, **options)

    def post_batch(self, *invoices: dict[str, Any], **header: Any) -> Answer:
        body = {"Description": "BILL test"} | header | {"Invoices": list(invoices)}
        return self.call("POST", "AP/APInvoiceBatches", body)

    def process(self, first: int, last: int | None = None) -> Answer:
        body = {
            "ProcessAllBatches": "Donotpostallbatches",
            "FromBatch": first,
            "ToBatch": first if last is None else last,
        }
        return self.call("POST", "AP/APPostInvoices('$process')", body)

    def batch(self, number: int) -> dict[str, Any]:
        return dict(self.get(f"AP/APInvoiceBatches({number})").json)


def invoice(document: str, amount: float = 100.0, vendor: str = "PRAMIL", **more: Any) -> Any:
    return {
        "VendorNumber": vendor,
        "DocumentNumber": document,
        "DocumentDate": "2026-03-02",
        "TaxAmountControl": "Enter",
        "DocumentTotalIncludingTax": amount,
        "InvoiceDetails": [{"GLAccount": "5010-100", "DistributedAmount": amount}],
    } | more


@contextmanager
def sage_at_work() -> Iterator[Sage]:
    world = Sage300World.from_file(SAMPLE, today=lambda: TODAY)
    with StandInServer(world) as server:
        yield Sage(server, world)
