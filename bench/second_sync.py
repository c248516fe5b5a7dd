"""What a second sync of an unchanged company costs: at most one call a stream, and no write.

At most 1 BILL call for each stream (bills, vendors), ⌈W/50⌉ for W bills that wait for approval, at
most 2 reads of Sage and no write. Classifications count when they are due; they are not here. The
company has brought a day's bills into Sage, which a person has not posted yet, so they are followed.
"""

from __future__ import annotations

from collections import Counter
from math import ceil

from bench import stage
from bench.calls import kind_of
from bench.figures import Figures, table

BILLS, WAITING, VENDORS = 1000, 120, 100
DAY_SECONDS = 86_400.0


def main() -> None:
    """Sync twice and count the second time."""
    figures = Figures()
    with stage.a_database(), stage.a_pair(sage_vendors=VENDORS) as pair:
        office = stage.an_office(pair, vendors=VENDORS, new=0)
        office.fill(vendors=VENDORS, bills=BILLS, spread_seconds=DAY_SECONDS)
        office.fill_bills(WAITING, vendors=VENDORS, status="ASSIGNED", spread_seconds=DAY_SECONDS)
        office.sync()
        office.expect_in_sage(BILLS)
        seen = []
        for _ in range(3):
            pair.bill.count_anew()
            pair.sage.count_anew()
            office.sync()
            seen.append((Counter(_named(pair.bill)), Counter(_named(pair.sage))))
        show(figures, seen)
    figures.end()


def _named(stand_in: stage.StandIn) -> list[str]:
    names = {"approval re-read": "bills that wait for approval", "headers of batches": "batches"}
    rows = stand_in.requests()
    return [f"{row['method']} {names.get(kind_of(row), kind_of(row))}" for row in rows]


def show(figures: Figures, seen: list[tuple[Counter[str], Counter[str]]]) -> None:
    """Print the calls of each unchanged sync and hold the worst against the bars."""
    kinds = sorted({kind for bill, sage in seen for kind in bill | sage})
    print(f"{BILLS:,} bills in {ceil(BILLS / 25)} Open batches, {WAITING} waiting for approval")
    heads = ["calls", *(f"sync {place}" for place in range(2, 2 + len(seen)))]
    table(heads, [[kind, *(bill[kind] + sage[kind] for bill, sage in seen)] for kind in kinds])
    waiting = "GET bills that wait for approval"
    streams = max(max(bill[kind] for kind in kinds if kind != waiting) for bill, _ in seen)
    writes = {kind for kind in kinds if not kind.startswith("GET ")}
    figures.check("BILL calls for one stream", streams, at_most=1)
    figures.check(
        "BILL calls for waiting bills",
        max(bill[waiting] for bill, _ in seen),
        at_most=ceil(WAITING / 50),
    )
    figures.check("Sage reads", max(sage.total() for _, sage in seen), at_most=2)
    figures.check("Sage writes", sum(sage[kind] for _, sage in seen for kind in writes), at_most=0)


if __name__ == "__main__":
    main()
