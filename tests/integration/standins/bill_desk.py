"""A plain client for trying the pretended BILL over real HTTP, and a receiver for its notifications.

It shares nothing with the product's own client.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlencode, urlsplit

from integrations.standins.bill.world import BillWorld
from integrations.standins.server import StandInServer

KEY, OTHER_KEY = "practice-key", "second-key"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FLOUR, TOLLS, CARTON = "0caFlour000000000001", "0caTolls000000000001", "0iiCarton00000000001"
MILL, LAFLEUR = "009Mill0000000000001", "009Lafleur0000000001"
FIRST, LAST = "006First000000000001", "006Last0000000000001"
BAKERY, CAFE = "008Bakery00000000001", "008Cafe0000000000001"
ADDRESS = {"line1": "1 Elevator Rd", "city": "Ames", "zipOrPostalCode": "50010", "country": "US"}
USERS = [
    {"id": FIRST, "username": "first@calder.example", "password": "right"},
    {"id": LAST, "username": "last@calder.example", "password": "right"},
]


def sample() -> dict[str, Any]:
    bakery = {
        "id": BAKERY,
        "name": "Bakery",
        "users": USERS,
        "syncTokens": [{"name": "connector", "token": "token-value"}],
        "approvalPolicies": [
            {
                "id": "app00000000000000001",
                "name": "Large",
                "rules": [{"key": "BILL_AMOUNT", "op": "gte", "value": 1000}],
                "approvers": [
                    {"userId": FIRST, "approverOrder": 0},
                    {"userId": LAST, "approverOrder": 1},
                ],
            }
        ],
        "chartOfAccounts": [
            {"id": FLOUR, "name": "Flour", "account": {"type": "EXPENSE", "number": "5010-100"}},
            {"id": TOLLS, "name": "Tolls", "account": {"type": "EXPENSE"}},
        ],
        "items": [{"id": CARTON, "name": "Carton", "expenseChartOfAccountId": FLOUR}],
        "vendors": [
            {"id": MILL, "name": "Prairie Mill", "accountNumber": "40055", "address": ADDRESS},
            {"id": LAFLEUR, "name": "Lafleur", "billCurrency": "CAD", "address": ADDRESS},
        ],
        "vendorCredits": [{"vendorId": MILL, "amount": 12.5, "creditDate": "-3d"}],
    }
    cafe = {"id": CAFE, "name": "Cafe", "users": USERS}
    return {
        "developerKeys": [{"key": KEY}, {"key": OTHER_KEY}, {"key": "asleep", "active": False}],
        "organizations": [bakery, cafe],
    }


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content, parse_float=Decimal)

    @property
    def code(self) -> str:
        return str(self.json()[0]["code"])

    @property
    def messages(self) -> list[str]:
        return [entry["message"] for entry in self.json()]


class Desk:
    def __init__(self, world: BillWorld, server: StandInServer) -> None:
        self.world, self.server = world, server
        self.session = ""

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        base: str = "/connect/v3",
        headers: dict[str, str] | None = None,
        **query: object,
    ) -> Answer:
        address = urlsplit(self.server.url)
        sent = {"devKey": KEY, "sessionId": self.session, **(headers or {})}
        sent = {name: value for name, value in sent.items() if value}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        target = base + path + (f"?{urlencode(query)}" if query else "")
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=15)
        try:
            connection.request(method, target, None if body is None else content, sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def get(self, path: str, **query: object) -> Answer:
        return self.call("GET", path, **query)

    def post(self, path: str, body: object = None) -> Answer:
        return self.call("POST", path, {} if body is None else body)

    def events(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        return self.call(method, path, body, base="/connect-events/v3", **options)

    def sign_in(
        self,
        username: str = "first@calder.example",
        password: str = "right",
        *,
        organization: str = BAKERY,
        key: str = KEY,
    ) -> Answer:
        body = {"username": username, "password": password, "organizationId": organization}
        answer = self.call("POST", "/login", {**body, "devKey": key})
        if answer.status == 200:
            self.session = answer.json()["sessionId"]
        return answer

    def walk(self, path: str, **query: object) -> list[list[str]]:
        pages = []
        answer = self.get(path, **query).json()
        while True:
            pages.append([row["id"] for row in answer["results"]])
            if not answer.get("nextPage"):
                return pages
            answer = self.get(path, page=answer["nextPage"], max=query.get("max", 20)).json()


class MovableTime:
    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@contextmanager
def open_desk(*, signed_in: bool = True, **switches: object) -> Iterator[Desk]:
    world = BillWorld(seed="tests", clock=MovableTime())
    world.load(sample())
    world.set_switches({"retry_scale": 0.01, **switches})
    with StandInServer(world) as server:
        desk = Desk(world, server)
        if signed_in:
            assert desk.sign_in().status == 200
        yield desk


def a_bill(**fields: object) -> dict[str, Any]:
    return {
        "vendorId": MILL,
        "invoice": {"invoiceNumber": "PM-1", "invoiceDate": "2026-11-20"},
        "dueDate": "2026-12-20",
        "billLineItems": [{"amount": 12.5, "classifications": {"chartOfAccountId": FLOUR}}],
        **fields,
    }


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Takes notifications; `statuses` are the next answers, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    letters: list[Received] = field(default_factory=list)


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.letters.append(Received(headers, body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/bill"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
