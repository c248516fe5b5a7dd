"""How long a small company waits for its first bill beside a neighbour's ten thousand.

A real cluster with two workers serves both, on systems as slow as in `bench.wall` (15 ms for a BILL
call, 0.8 s for a Sage batch). Seconds from the ring of the doorbell to the bill read back in Sage:
first alone, then while the neighbour's bills are read, decided and sent. Medians are compared.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench import stage
from bench.figures import Figures, table
from bench.wall import slow

NEIGHBOUR_BILLS, VENDORS = 10_000, 100
TRIALS = 5
BAR = 2.0
LONGEST_WAIT_SECONDS = 300.0
STEP_SECONDS = 0.02


def main() -> None:
    """Measure alone, then beside the neighbour."""
    figures = Figures()
    with stage.a_database(), stage.a_pair(sage_vendors=VENDORS) as pair:
        small = stage.an_office(pair, vendors=VENDORS, new=0, place=stage.SMALL)
        large = stage.an_office(pair, vendors=VENDORS, new=0, place=stage.LARGE)
        for office in (small, large):
            office.fill(vendors=VENDORS, bills=0)
            office.sync()
        slow(pair)
        with a_cluster():
            trial(small)  # the workers import and connect
            alone = [trial(small) for _ in range(TRIALS)]
            large.fill_bills(NEIGHBOUR_BILLS, vendors=VENDORS, spread_seconds=864_000.0)
            ring(large)
            time.sleep(1.0)
            reading = [trial(small) for _ in range(TRIALS)]
            wait_until_it_sends(large)
            sending = [trial(small) for _ in range(TRIALS)]
            sent = large.states()
        show(figures, alone, reading, sending, sent)
    figures.end()


def show(
    figures: Figures,
    alone: list[float],
    reading: list[float],
    sending: list[float],
    neighbour: dict[str, int],
) -> None:
    """Print the times and the ratios; the neighbour must still have been at work."""
    names = ("alone", "while the neighbour reads", "while the neighbour sends")
    rows = [
        [name, statistics.median(times), min(times), max(times)]
        for name, times in zip(names, (alone, reading, sending), strict=True)
    ]
    table(["first bill of the small company, seconds", "median", "least", "most"], rows)
    print(f"The neighbour's bills at the end: {neighbour}")
    if neighbour.get("IN_SAGE", 0) >= NEIGHBOUR_BILLS:
        raise SystemExit("The neighbour was done before the measurement was.")
    for row in rows[1:]:
        figures.check(f"{row[0]} / alone", row[1] / rows[0][1], at_most=BAR)


def wait_until_it_sends(office: stage.Office) -> None:
    """Wait until the first of its bills is in Sage."""
    started = time.perf_counter()
    while not office.states().get("IN_SAGE"):
        if time.perf_counter() - started > LONGEST_WAIT_SECONDS:
            raise SystemExit(f"The neighbour never came to send: {office.states()}.")
        time.sleep(0.2)


def trial(office: stage.Office) -> float:
    """Seconds from the ring to one new bill in Sage."""
    before = office.states().get("IN_SAGE", 0)
    office.fill_bills(1, vendors=VENDORS, spread_seconds=0.0)
    started = time.perf_counter()
    ring(office)
    while time.perf_counter() - started < LONGEST_WAIT_SECONDS:
        if office.states().get("IN_SAGE", 0) > before:
            return time.perf_counter() - started
        time.sleep(STEP_SECONDS)
    raise SystemExit(f"The bill did not arrive: {office.states()}.")


def ring(office: stage.Office) -> None:
    """Make the company's poll due and ring its doorbell, as the tick does."""
    from sync import jobs
    from sync.services import turns

    turns.poll_now(company_id=office.company_id)
    jobs.ring_doorbell(tenant_id=office.tenant_id, company_id=office.company_id, trigger="schedule")


@contextmanager
def a_cluster() -> Iterator[None]:
    """Two workers of the real queue, in a process group of their own."""
    from sync import jobs

    jobs.install_schedule()
    environment = os.environ | {"CONNECTOR_QUEUE_WORKERS": "2", "LOG_LEVEL": "error"}
    cluster = subprocess.Popen(
        stage.tied("manage.py", "qcluster"),
        cwd=stage.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()


if __name__ == "__main__":
    main()
