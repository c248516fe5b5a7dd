"""The letter box against a bare view: notifications a second, on one server, in turns.

The box reads its address and keys, checks the signature, and stores the event and its doorbell
behind row-level security; the bare DRF view does one ORM insert. Both on the same gunicorn, one
round each in turn, the middle of five. The ratio to a bare Django view is printed beside it.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from bench.figures import Figures, table
from bench.stage import ROOT, a_database

ROUNDS, REQUESTS, CONNECTIONS = 5, 2_000, 8
KEY = "a-key-of-forty-four-characters-as-bill-makes"
TARGET = 0.7


def main() -> None:
    """Measure and print."""
    with a_database():
        address = _box()
        with _server() as port:
            paths = {
                "letter box": f"/webhooks/bill/{address}/",
                "bare DRF": "/bare-drf/",
                "bare Django": "/bare-django/",
            }
            rates: dict[str, list[float]] = {name: [] for name in paths}
            for path in paths.values():
                _round(port, path, 200)
            for _ in range(ROUNDS):
                for name, path in paths.items():
                    rates[name].append(_round(port, path, REQUESTS))
    middle = {name: statistics.median(values) for name, values in rates.items()}
    table(
        ("view", "a second", "to bare DRF", "to bare Django"),
        [
            (name, rate, rate / middle["bare DRF"], rate / middle["bare Django"])
            for name, rate in middle.items()
        ],
    )
    figures = Figures()
    figures.check(
        "bare DRF over the letter box",
        middle["bare DRF"] / middle["letter box"],
        at_most=1 / TARGET,
    )
    figures.end()


def _box() -> uuid.UUID:
    """A company with a letter box and a key, and the bare views' table; returns the address."""
    from django.db import connection

    from bench.webhook_site import BareEvent
    from integrations.models import WebhookAddress, WebhookKey, WebhookSubscription
    from sync.services import turns
    from tenants.scoping import tenant_scope
    from tests.builders import NOW, a_company

    with connection.schema_editor() as editor:
        editor.create_model(BareEvent)
    company = a_company()
    owner = {"tenant_id": company.tenant_id}
    address = WebhookAddress.objects.create(company_id=company.pk, created_at=NOW, **owner)
    with tenant_scope(company.tenant_id):
        row = WebhookSubscription.objects.create(
            company=company, address_id=address.pk, bill_id="x", status="registered", **owner
        )
        WebhookKey.objects.create(subscription=row, key=KEY, created_at=NOW, **owner)
    turns.keep_turns(company_id=company.pk, **owner)
    return address.pk


@contextmanager
def _server() -> Iterator[int]:
    """One gunicorn worker with threads, as `manage.py run` starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.webhook_settings"}
    command = [
        *(sys.executable, "-m", "gunicorn", "connector_site.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--log-level", "warning"),
        *("--workers", "1", "--threads", str(CONNECTIONS), "--keep-alive", "30"),
    ]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            _wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            HTTPConnection("127.0.0.1", port, timeout=5).connect()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")


def _round(port: int, path: str, count: int) -> float:
    """Send so many notifications over a few kept connections; answers a second."""
    share = count // CONNECTIONS
    orders = [[_request(path) for _ in range(share)] for _ in range(CONNECTIONS)]
    failures: list[bytes] = []
    threads = [threading.Thread(target=_send, args=(port, each, failures)) for each in orders]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    if failures:
        raise SystemExit(f"{path} answered {failures[0]!r}.")
    return share * CONNECTIONS / seconds


def _send(port: int, requests: list[bytes], failures: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            line.sendall(request)
            answer = line.recv(65_536)
            while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
                more = line.recv(65_536)
                if not more:
                    break
                answer += more
            if not answer.startswith(b"HTTP/1.1 200"):
                failures.append(answer[:200])
                return


def _request(path: str) -> bytes:
    """A notification of about 600 bytes under an id of its own, signed, as bytes to send."""
    from integrations.bill.signatures import sign

    content = {
        "metadata": {
            "eventId": str(uuid.uuid4()),
            "subscriptionId": str(uuid.uuid4()),
            "organizationId": "008CalderBakery00001",
            "eventType": "bill.updated",
            "version": "1",
        },
        "bill": {
            "id": "00nCbkBill0000000001",
            "vendorId": "009CbkNovak000000001",
            "amount": 742.9,
            "createdTime": "2026-11-20T10:00:00.000+00:00",
            "updatedTime": "2026-11-21T10:00:00.000+00:00",
            "description": "Pallets to the plant, and back again in the evening",
            "dueDate": "2026-12-20",
            "invoice": {"invoiceNumber": "10442", "invoiceDate": "2026-11-20T00:00:00.000Z"},
            "vendorName": "Novak",
        },
    }
    body = json.dumps(content, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"x-bill-sha-signature: {sign(body, KEY.encode())}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    main()
