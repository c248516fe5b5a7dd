"""A stand-in that is killed and started again goes on with what it knew."""

import json
import signal
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[3]
COMPANY = "/Sage300WebApi/v1.0/-/CALBAK"


def start(memory: Path, **ports: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    options = [word for name, port in ports.items() for word in (f"--{name}-port", port)]
    command = [sys.executable, "manage.py", "run_standins", "--memory", str(memory), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def ask(url: str, *, body: dict[str, Any] | None = None) -> Any:
    headers = {
        "Content-Type": "application/json",
        "Authorization": "Basic " + b64encode(b"MLCONN:PRACTICE-SAGE").decode(),
    }
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers=headers), timeout=10) as answer:
        return json.loads(answer.read())


def test_what_was_answered_outlives_a_kill(tmp_path: Path):
    first, urls = start(tmp_path)
    vendor = {"VendorNumber": "KEPT01", "VendorName": "Kept", "GroupCode": "TRADE"}
    ask(f"{urls['sage_url']}{COMPANY}/AP/APVendors", body=vendor)
    approval = {"action": "approve_bill", "bill_id": "00nCbk00000000000016"}
    ask(f"{urls['bill_url']}/_standin/do", body=approval)
    end(first)

    second, again = start(
        tmp_path,
        bill=urls["bill_url"].rpartition(":")[2],
        sage=urls["sage_url"].rpartition(":")[2],
    )
    vendors = ask(f"{again['sage_url']}/_standin/ledger")["CALBAK"]["vendors"]
    bills = ask(f"{again['bill_url']}/_standin/ledger")["008CalderBakery00001"]["bills"]
    end(second)

    assert again == urls
    assert "KEPT01" in {row["VendorNumber"] for row in vendors}
    statuses = {row["id"]: row["approvalStatus"] for row in bills}
    assert statuses["00nCbk00000000000016"] == "APPROVED"
