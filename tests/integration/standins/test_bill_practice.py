"""The practice data, and the command that serves them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integrations import standins
from integrations.standins.bill.world import BillWorld

SAMPLE = Path(standins.__path__[0]) / "samples" / "bill-practice.json"
ROOT = Path(__file__).parents[3]
NOW = datetime(2027, 3, 17, 9, tzinfo=UTC)


def organization(name: str) -> dict[str, Any]:
    ledger = BillWorld.from_file(SAMPLE, now=NOW).ledger()
    return next(each for each in ledger.values() if each["name"] == name)


@pytest.mark.parametrize("name", ["Calder Bakery", "Calder Catering"])
def test_practice_data_hold_every_case(name: str) -> None:
    held = organization(name)
    bills = held["bills"]
    lines = {
        bill["id"]: [Decimal(line["amount"]) for line in bill["billLineItems"]] for bill in bills
    }
    totals = {bill["id"]: Decimal(bill["amount"]) for bill in bills}
    statuses = Counter(bill["approvalStatus"] for bill in bills)
    accounts = {each["id"]: each for each in held["classifications"]["chart-of-accounts"]}
    used = [
        accounts[line["classifications"]["chartOfAccountId"]]
        for bill in bills
        for line in bill["billLineItems"]
        if "chartOfAccountId" in line.get("classifications", {})
    ]
    currencies = {vendor["id"]: vendor["billCurrency"] for vendor in held["vendors"]}
    numbers = Counter((bill["vendorId"], bill["invoice"]["invoiceNumber"]) for bill in bills)

    assert (statuses["UNASSIGNED"], statuses["DENIED"]) == (4, 1)
    assert statuses["ASSIGNED"] + statuses["APPROVING"] == 3
    assert any(not lines[bill["id"]] for bill in bills)
    assert any(lines[each] and sum(lines[each]) != totals[each] for each in totals)
    assert any(total == 0 for total in totals.values())
    assert any(total < 0 for total in totals.values())
    assert any(len(bill["invoice"]["invoiceNumber"]) > 22 for bill in bills)
    assert any("number" not in account["account"] for account in used)
    assert any(account["archived"] for account in used)
    assert any(currencies[bill["vendorId"]] == "CAD" for bill in bills)
    assert any(vendor["archived"] for vendor in held["vendors"])
    assert max(numbers.values()) == 2
    assert any("classifications" in bill for bill in bills)
    assert any(
        list(line.get("classifications", {})) == ["itemId"]
        for bill in bills
        for line in bill["billLineItems"]
    )


def test_practice_dates_follow_the_day_of_loading() -> None:
    bills = organization("Calder Bakery")["bills"]
    dates = [
        bill["invoice"]["invoiceDate"]
        for bill in bills
        if bill["invoice"]["invoiceNumber"] not in {"PM-39117", "SU-51002"}
    ]

    assert (min(dates), max(dates)) == ("2027-03-03", "2027-03-16")


def test_practice_ids_name_one_record_each() -> None:
    ids = [
        each["id"]
        for held in BillWorld.from_file(SAMPLE, now=NOW).ledger().values()
        for kind in ("vendors", "bills", "vendorCredits")
        for each in held[kind]
    ]

    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {20}


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_standins", *options],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_command_serves_both_systems_until_it_is_told_to_stop() -> None:
    with running() as process:
        assert process.stdout
        urls = json.loads(process.stdout.readline())
        for url, name in ((urls["bill_url"], "bill"), (urls["sage_url"], "sage300")):
            with urllib.request.urlopen(f"{url}/_standin/health", timeout=5) as answer:
                assert json.load(answer) == {"ok": True, "name": name}
        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0


def test_command_ends_with_the_standard_input_of_whoever_started_it() -> None:
    with running() as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        process.stdin.close()
        process.stdin = None

        assert process.wait(10) == 0


def test_command_names_a_missing_file() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "run_standins", "--bill-data", "nowhere.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 1
    assert "There is no file nowhere.json." in done.stderr
