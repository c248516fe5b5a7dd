"""What every bench stands on: a database of its own, stand-ins in other processes, a company.

Nothing outlives a bench: the database is dropped, and the stand-ins end with the pipe that holds
them, also when the bench is killed.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")

import django

ROOT = Path(__file__).parents[1]
LARGE, SMALL = ("008CalderBakery00001", "CALBAK"), ("008CalderCatering001", "CALCAT")
LONGEST_ORDER_SECONDS = 600


def ready_process() -> None:
    """Make Django usable in a child process; the database's address came with the environment."""
    django.setup()
    logging.disable(logging.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """One pretended system in its process, steered through its control door."""

    url: str

    def do(self, action: str, **values: Any) -> Any:
        """Have an action done; returns its result."""
        return self._ask("POST", "do", {"action": action, **values})["result"]

    def set_switches(self, **switches: Any) -> None:
        """Change switches."""
        self._ask("POST", "switches", switches)

    def delay(self, match: str, seconds: float) -> None:
        """Let every such request take this much longer."""
        order = {"kind": "delay", "match": match, "seconds": seconds, "times": 0}
        self._ask("POST", "faults", order)

    def forget_delays(self) -> None:
        """Be quick again."""
        self._ask("DELETE", "faults")

    def counts(self) -> dict[str, int]:
        """How many requests of each kind since the counting began."""
        counts: dict[str, int] = self._ask("GET", "requests?summary=1")
        return counts

    def requests(self) -> list[dict[str, Any]]:
        """The requests one by one, oldest first."""
        rows: list[dict[str, Any]] = self._ask("GET", "requests")
        return rows

    def count_anew(self) -> None:
        """Begin counting."""
        self._ask("DELETE", "requests")

    def ledger(self) -> Any:
        """All that it holds."""
        return self._ask("GET", "ledger")

    def _ask(self, method: str, what: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_standin/{what}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=LONGEST_ORDER_SECONDS) as answer:
            return json.load(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A BILL and a Sage 300, freshly made."""

    bill: StandIn
    sage: StandIn


@contextmanager
def a_database() -> Iterator[str]:
    """A migrated database for this run alone; yields its address for child processes."""
    from connector_site import database

    address = database.parse_url(database.ensure_running())
    django.setup()
    logging.disable(logging.WARNING)
    from django.db import connection, connections

    connection.settings_dict["TEST"]["NAME"] = f"test_connector_{os.getpid()}"
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    url = replace(address, name=name).url
    os.environ["DATABASE_URL"] = url
    try:
        yield url
    finally:
        connections.close_all()
        connection.creation.destroy_test_db(address.name, verbosity=0)
        os.environ["DATABASE_URL"] = address.url


@contextmanager
def a_pair(*, sage_vendors: int) -> Iterator[Pair]:
    """Start both stand-ins; Sage knows this many of the vendors. The product is pointed at them."""
    from django.conf import settings

    with ExitStack() as stack:
        bill = StandIn(url=stack.enter_context(_served("bill")))
        sage = StandIn(url=stack.enter_context(_served("sage", str(sage_vendors))))
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL, settings.PRACTICE_SAGE_URL = bill.url, sage.url
        os.environ["CONNECTOR_PRACTICE"] = "on"
        os.environ["CONNECTOR_PRACTICE_BILL_URL"] = bill.url
        os.environ["CONNECTOR_PRACTICE_SAGE_URL"] = sage.url
        yield Pair(bill=bill, sage=sage)


def tied(*program: str) -> list[str]:
    """The words that start a Python program which the kernel ends when this bench dies."""
    tether = [sys.executable, "-m", "connector_site.processes.tether", str(os.getpid())]
    return [*tether, sys.executable, *program]


@contextmanager
def _served(*words: str) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.serve", *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"The stand-in {words[0]} did not start.")
        try:
            yield json.loads(line)["url"]
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@dataclass(slots=True, kw_only=True)
class Office:
    """One company of a tenant of its own, at work between a pair of stand-ins."""

    tenant_id: Any
    company_id: Any
    organization: str
    books: str
    pair: Pair

    def fill(self, *, vendors: int, bills: int, **more: Any) -> list[str]:
        """Make vendors and bills in BILL; returns the ids of the bills."""
        self.pair.bill.do("fill_vendors", organization=self.organization, count=vendors)
        return self.fill_bills(bills, vendors=vendors, **more)

    def fill_bills(self, count: int, *, vendors: int, **more: Any) -> list[str]:
        """Make more bills for the first vendors."""
        made: list[str] = self.pair.bill.do(
            "fill_bills", organization=self.organization, count=count, vendors=vendors, **more
        )
        return made

    def sync(self, *, is_poll_due: bool = True) -> list[Any]:
        """Make one pass, and the further ones it asks for, as the queue would; their reports."""
        reports = []
        while True:
            report = self.one_pass(is_poll_due=is_poll_due)
            reports.append(report)
            if report.outcome != "ok":
                raise SystemExit(f"A pass ended {report.outcome}: {report.sentence}")
            if not report.has_more:
                return reports
            # A read that took long goes on at once; otherwise the cadence is not over.
            is_poll_due = report.cadence_seconds == 0

    def one_pass(self, *, is_poll_due: bool) -> Any:
        """Make one pass; its report."""
        from sync.services import running

        return running.run_company(
            tenant_id=self.tenant_id,
            company_id=self.company_id,
            trigger="bench",
            clock=now,
            worker=f"bench:{os.getpid()}",
            is_poll_due=is_poll_due,
        )

    def states(self) -> dict[str, int]:
        """How many postings stand in each state."""
        from django.db.models import Count

        from sync.models import Posting
        from tenants.scoping import tenant_scope

        with tenant_scope(self.tenant_id):
            rows = Posting.objects.for_tenant(self.tenant_id).filter(company_id=self.company_id)
            return dict(rows.values_list("state").annotate(n=Count("pk")))

    def expect_in_sage(self, count: int) -> None:
        """Refuse to show figures of a run that did not bring every bill into Sage."""
        found = self.states().get("IN_SAGE", 0)
        if found != count:
            raise SystemExit(f"{found} of {count} bills are in Sage: {self.states()}.")


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def an_office(
    pair: Pair, *, vendors: int, new: int, place: tuple[str, str] = LARGE, **policy: Any
) -> Office:
    """A company whose first `vendors` less `new` vendors are mapped; the last ones are created."""
    from sync.domain.policy_document import policy_from_dict
    from tests import builders
    from tests.integration.sync.world import connect

    organization, books = place
    numbers = {f"009{organization[3:9]}{n:011}": f"V{n:05}" for n in range(vendors - new)}
    document = {
        "number_map": numbers,
        "vendor_creation": "create_new",
        "vendor_group": "TRADE",
        "cutover_date": (now() - timedelta(days=90)).date().isoformat(),
        "batch_size": 25,
    }
    label = f"{os.getpid()}-{time.monotonic_ns()}"
    tenant = builders.a_tenant(slug=f"bench-{label}")
    company = builders.a_company(tenant, slug=f"bench-{label}")
    connect(
        company,
        organization=organization,
        database=books,
        sage_url=pair.sage.url,
        policy=policy_from_dict(document | policy),
    )
    return Office(
        tenant_id=company.tenant_id,
        company_id=company.pk,
        organization=organization,
        books=books,
        pair=pair,
    )


def forget_sign_ins() -> None:
    """Drop the stored BILL sessions, so that the next call has to sign in."""
    from integrations.models import BillSessionRow

    BillSessionRow.objects.all().delete()
