"""Plays the demo: the stand-ins, the customer, the first sync, and bills approved meanwhile.

Everything goes through doors that any installation has: the stand-ins run as a program of their own,
the customer comes from ``manage.py provision``, a sync is asked for as a page asks for it.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections

from connector_site.demo.scenario import LiveApproval, Scenario
from connector_site.demo.shown import Row, ShownCompany, is_at_rest, rows_of
from connector_site.demo.table import Timing
from connector_site.demo.talk import Line, NoAnswer
from connector_site.processes.ports import listen, port_of
from connector_site.processes.site import RunningSite
from connector_site.processes.tree import ProcessTree, Program
from sync import jobs
from sync.services import turns

Answer = TypeVar("Answer")

STAND_INS = "stand-ins"
_LOOK_SECONDS = 0.25
_PATIENCE_SECONDS = 60.0
_FIRST_PORT = 4300
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class DemoRefused(Exception):
    """The demo cannot go on; the sentence says why."""


class ToldToStop(Exception):
    """Ctrl-C came while we waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIns:
    """The pretended BILL and Sage 300, and the doors by which a person works in them."""

    bill: Line
    sage: Line

    @property
    def environment(self) -> dict[str, str]:
        """What the product must be told to reach them."""
        return {
            "CONNECTOR_PRACTICE": "on",
            "CONNECTOR_PRACTICE_BILL_URL": self.bill.url,
            "CONNECTOR_PRACTICE_SAGE_URL": self.sage.url,
        }


def start_stand_ins(tree: ProcessTree, *, log: Path) -> StandIns:
    """Start both servers and return where they are.

    They keep what they know on disk and are given fixed ports, so that the watchdog can replace
    them like any other program, and they go on where they were.
    """
    memory = settings.DATA_DIR / "stand-ins"
    shutil.rmtree(memory, ignore_errors=True)
    bill_port, sage_port = _free_ports()
    child = tree.start(
        Program(
            name=STAND_INS,
            command=(
                *(sys.executable, "manage.py", "run_standins", "--memory", str(memory)),
                *("--bill-port", str(bill_port), "--sage-port", str(sage_port)),
            ),
            log=log,
            piped=True,
        )
    )
    assert child.process.stdout is not None  # noqa: S101 (it is piped)
    said = child.process.stdout.readline()
    if not said.startswith(b"{"):
        raise DemoRefused("The practice servers did not start; the log says why.")
    urls = json.loads(said)
    return StandIns(bill=Line(url=urls["bill_url"]), sage=Line(url=urls["sage_url"]))


def _free_ports() -> tuple[int, int]:
    with listen("127.0.0.1", _FIRST_PORT) as bill, listen("127.0.0.1", _FIRST_PORT + 1) as sage:
        return port_of(bill), port_of(sage)


def provision(scenario: Scenario, *, environment: Mapping[str, str]) -> dict[str, Any]:
    """Hand the customer to ``manage.py provision`` and return what it printed."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "provision", "-"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        input=json.dumps(scenario.customer),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if answer.returncode != 0:
        raise DemoRefused(f"provision refused the demo's customer:\n{answer.stderr.strip()}")
    outcome: dict[str, Any] = json.loads(answer.stdout)
    return outcome


@dataclass(slots=True, kw_only=True)
class Play:
    """The running demo; every wait in it keeps the site's watchdog awake."""

    site: RunningSite
    stand_ins: StandIns
    scenario: Scenario
    companies: list[ShownCompany]
    is_over: threading.Event
    clock: Callable[[], datetime]
    asked_at: datetime = _LONG_AGO

    def rows(self) -> dict[str, list[Row]]:
        """Every posting as the product shows it, by the company's name in addresses."""
        return self._ask(lambda: {each.slug: rows_of(each) for each in self.companies})

    def ledger(self) -> dict[str, Any]:
        """The whole ledger of Sage, by company database."""
        return self._ask(lambda: dict(self.stand_ins.sage.get("/_standin/ledger")))

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer to a question, with patience for whoever is being restarted."""
        answers: list[Answer] = []

        def is_answered() -> bool:
            answers.append(question())
            return True

        if not self.wait(is_answered, seconds=_PATIENCE_SECONDS):
            if self.is_over.is_set():
                raise ToldToStop
            raise DemoRefused("The database or a practice server did not come back.")
        return answers[-1]

    def sync(self) -> None:
        """Ask for a sync of every company now, as a person does on the page."""
        self.asked_at = self.clock()
        for company in self.companies:
            turns.poll_now(company_id=company.company_id)
            jobs.ring_doorbell(
                tenant_id=company.tenant_id, company_id=company.company_id, trigger="person"
            )

    def wait_for_rest(self, *, seconds: float) -> bool:
        """Wait until no company has anything under way; tell whether that came in time."""

        def all_rest() -> bool:
            now = self.clock()
            return all(is_at_rest(each, since=self.asked_at, now=now) for each in self.companies)

        return self.wait(all_rest, seconds=seconds)

    def wait(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for a condition; ends early, unfulfilled, when the demo is told to stop.

        A database or a practice server that is away, killed by hand perhaps, makes it wait on.
        """
        deadline = time.monotonic() + seconds
        while not _holds(condition):
            if time.monotonic() > deadline or self.is_over.wait(_LOOK_SECONDS):
                return False
            self.site.look(self.clock())
        return True

    def approve(self, approval: LiveApproval) -> None:
        """Let the people in BILL approve a bill, with or without a notification of it."""
        bill = self.stand_ins.bill
        bill.post("/_standin/switches", approval_sends_event=approval.told_by == "webhook")
        bill.post("/_standin/do", action="approve_bill", bill_id=approval.bill_id)
        bill.post("/_standin/switches", approval_sends_event=False)

    def approve_and_time(self, *, seconds: float) -> list[Timing]:
        """Approve the scenario's bills at once and time each until it is read back from Sage."""
        started = time.monotonic()
        seen = {approval: _Seen() for approval in self.scenario.approvals}
        for approval in self.scenario.approvals:
            self.approve(approval)

        def all_seen() -> bool:
            rows = {
                (slug, row.bill_id): row for slug, found in self.rows().items() for row in found
            }
            for approval, times in seen.items():
                row = rows.get((approval.company, approval.bill_id))
                times.note(row, seconds=time.monotonic() - started)
            return all(times.is_done(self._posts(each.company)) for each, times in seen.items())

        self.wait(all_seen, seconds=seconds)
        return [
            Timing(
                title=times.title or approval.bill_id,
                company=approval.company,
                told_by=approval.told_by,
                open_seconds=times.open_seconds,
                posted_seconds=times.posted_seconds,
            )
            for approval, times in seen.items()
        ]

    def _posts(self, slug: str) -> bool:
        """Return whether a company has its batches posted."""
        for company in self.scenario.customer["companies"]:
            if company["slug"] == slug:
                return bool(company["policy"]["release"] == "post")
        return False


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except (DatabaseError, InterfaceError, NoAnswer):
        connections.close_all()
        return False


@dataclass(slots=True)
class _Seen:
    title: str = ""
    open_seconds: float | None = None
    posted_seconds: float | None = None

    def note(self, row: Row | None, *, seconds: float) -> None:
        if row is None:
            return
        self.title = row.posting.title
        if row.is_in_sage and self.open_seconds is None:
            self.open_seconds = seconds
        if row.is_posted and self.posted_seconds is None:
            self.posted_seconds = seconds

    def is_done(self, is_to_be_posted: bool) -> bool:
        return (self.posted_seconds if is_to_be_posted else self.open_seconds) is not None
