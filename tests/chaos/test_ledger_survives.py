"""Processes are killed while bills travel; afterwards both sides agree to the cent.

The whole demo runs in real processes. On a seeded plan the queue's processes, the database, the web
server and the practice servers are killed during the first sync. Then everything comes to rest, and
Sage's whole ledger is compared with what the product shows.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from connector_site import database
from tests.live_site import ROOT, LiveSite, live_site, living, within

pytestmark = pytest.mark.cluster

KILLS = int(os.environ.get("CHAOS_TRIALS", "4"))
SEED = int(os.environ.get("CHAOS_SEED", "20251103"))
POSTABLE = 26  # approved bills of the scenario that nothing stops
REST_SECONDS = 120 + 30 * KILLS


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[LiveSite]:
    with live_site(tmp_path, command=("demo",), port=18_700) as site:
        assert within(90, lambda: "First sync" in site.said())
        yield site


def test_killed_processes_cost_no_bill_and_double_none(demo: LiveSite):
    chance = random.Random(SEED)
    struck = []
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 2.5))
        # For a moment nobody may be left to strike: the watchdog is starting them all anew.
        assert within(REST_SECONDS, lambda: bool(_victims(demo)), pause=0.5), demo.said()[-3000:]
        victim = chance.choice(_victims(demo))
        struck.append(victim.name())
        victim.kill()

    # The moment of rest is what counts: in the demo, people in Sage go on posting afterwards.
    accounts: dict[str, Any] = {}
    rested = within(REST_SECONDS, lambda: _looks_done(demo) and _is_done(demo, accounts), pause=1)

    assert rested, f"seed {SEED}, struck {struck}: {accounts}\n{demo.said()[-3000:]}"
    assert accounts["differences"] == []
    assert accounts["states"]["IN_SAGE"] >= POSTABLE
    assert accounts["states"].keys().isdisjoint({"READY", "IN_FLIGHT", "UNCERTAIN"})


def _victims(demo: LiveSite) -> list[psutil.Process]:
    postmaster = demo.postmaster()
    words = ("qcluster", "gunicorn", "run_standins")
    found = [process for each in words for process in demo.processes(each)]
    # Half of all strokes fall on the queue, where the work is.
    return living([*found, *demo.processes("qcluster"), *([postmaster] if postmaster else [])])


def _looks_done(demo: LiveSite) -> bool:
    """Whether it is worth a process to compare both sides; asked of the rows alone."""
    try:
        with database.embedded_address(demo.place).connect() as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE state = 'IN_SAGE'),"
                " count(*) FILTER (WHERE state IN ('READY', 'IN_FLIGHT', 'UNCERTAIN'))"
                " FROM sync_posting"
            ).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0] >= POSTABLE and not row[1])


def _is_done(demo: LiveSite, accounts: dict[str, Any]) -> bool:
    accounts.clear()
    accounts.update(_accounts(demo))
    arrived = accounts.get("states", {}).get("IN_SAGE", 0) >= POSTABLE
    return bool(arrived and not accounts["under_way"] and not accounts["differences"])


def _accounts(demo: LiveSite) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.chaos.accounts", "calder-foods", demo.address("Sage 300 at")],
        cwd=ROOT,
        env=dict(demo.environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if answer.returncode != 0:
        return {"error": answer.stderr[-500:]}
    accounts: dict[str, Any] = json.loads(answer.stdout)
    return accounts
