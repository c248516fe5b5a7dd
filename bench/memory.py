"""Peak memory of one worker that brings a hundred thousand bills into Sage, against a thousand.

The worker is a process of its own and makes pass after pass, as the queue has it do, without being
recycled; the stand-ins are other processes and answer at once. Peak is the kernel's high-water mark
of the resident set (VmHWM). `--bills` makes it smaller, `--minutes` bounds it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from bench import stage
from bench.figures import Figures, table

FEW, MANY, VENDORS = 1_000, 100_000, 100
LONGEST_MINUTES = 20.0
RATIO, MEGABYTES = 1.2, 250.0
TEN_DAYS = 864_000.0
PROGRESS_SECONDS = 15.0


def main() -> None:
    """Measure both sizes, each by a fresh worker between fresh stand-ins."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bills", type=int, default=MANY)
    parser.add_argument("--minutes", type=float, default=LONGEST_MINUTES)
    asked = parser.parse_args()
    ends = time.monotonic() + 60 * asked.minutes
    figures = Figures()
    rows = []
    with stage.a_database():
        for bills in (FEW, asked.bills):
            started = time.monotonic()
            peak = measured(bills, ends=ends)
            rows.append([bills, peak, time.monotonic() - started])
    table(["bills", "peak, MB", "seconds"], rows)
    figures.check("peak memory / that of 1,000 bills", rows[1][1] / rows[0][1], at_most=RATIO)
    figures.check("peak memory", rows[1][1], at_most=MEGABYTES, unit=" MB")
    figures.end()


def measured(bills: int, *, ends: float) -> float:
    """Peak megabytes of a worker that brings so many bills into Sage."""
    with stage.a_pair(sage_vendors=VENDORS) as pair:
        office = stage.an_office(pair, vendors=VENDORS, new=0)
        office.fill(vendors=VENDORS, bills=bills, spread_seconds=TEN_DAYS)
        print(f"{bills:,} bills are in BILL", flush=True)
        order = {
            "tenant_id": str(office.tenant_id), "company_id": str(office.company_id),
        }  # fmt: skip
        with subprocess.Popen(
            stage.tied("-m", "bench.memory", json.dumps(order)),
            cwd=stage.ROOT,
            env=os.environ | {"CONNECTOR_QUEUE_RECYCLE_JOBS": "1000000", "BENCH_WORKER": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as worker:
            watch = threading.Timer(max(0.0, ends - time.monotonic()), worker.kill)
            watch.start()
            try:
                peak = _followed(worker, bills)
            finally:
                watch.cancel()
        office.expect_in_sage(bills)
        return peak


def _followed(worker: subprocess.Popen[str], bills: int) -> float:
    peak, started = 0.0, time.monotonic()
    assert worker.stdout is not None
    for line in worker.stdout:
        told = json.loads(line)
        peak = told["peak"]
        print(
            f"  {time.monotonic() - started:6.0f} s  {told['in_sage']:>7,} of {bills:,} in Sage"
            f"  {peak:6.1f} MB  {told['note']}",
            flush=True,
        )
    if worker.wait() != 0:
        raise SystemExit("The worker was ended: its time was up, or it broke.")
    return peak


# --- the worker -----------------------------------------------------------------------------------


def work(order: dict[str, str]) -> None:
    """Make passes until nothing is left, telling how far they are."""
    stage.ready_process()
    import sync.jobs  # noqa: F401 - a worker has the queue's code in memory too

    office = stage.Office(
        tenant_id=uuid.UUID(order["tenant_id"]),
        company_id=uuid.UUID(order["company_id"]),
        organization="",
        books="",
        pair=stage.Pair(bill=stage.StandIn(url=""), sage=stage.StandIn(url="")),
    )
    over = threading.Event()
    threading.Thread(target=_tell_now_and_then, args=[office, over], daemon=True).start()
    reports = office.sync()
    over.set()
    _tell(office, f"{len(reports)} passes")


def _tell_now_and_then(office: stage.Office, over: threading.Event) -> None:
    while not over.wait(PROGRESS_SECONDS):
        _tell(office, "")


def _tell(office: stage.Office, note: str) -> None:
    told = {"in_sage": office.states().get("IN_SAGE", 0), "peak": peak_megabytes(), "note": note}
    print(json.dumps(told), flush=True)


def peak_megabytes() -> float:
    """The high-water mark of this process's resident set."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("This system does not tell a process's peak memory.")


if __name__ == "__main__":
    if os.environ.get("BENCH_WORKER"):
        work(json.loads(sys.argv[1]))
    else:
        main()
