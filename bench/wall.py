"""Wall time of a thousand bills against the latencies nobody can avoid, with slow systems.

150 ms for each BILL call and 8 s for each Sage batch of 25, on a clock ten times as fast (15 ms and
0.8 s), so our own work weighs ten times as much here as it does for a customer. The ideal is the
writer's path alone: for each batch the approval re-read and the POST (look-up and read-back answer
at once). Fetching and deciding run beside it, so of them only what comes before the first batch is
overhead, and so is all storing. Beside it a plain loop makes the same calls one after another with
`requests` and stores nothing.
"""

from __future__ import annotations

import base64
import os
import time
from math import ceil
from typing import Any

import requests

from bench import stage
from bench.figures import Figures, table

BILLS, VENDORS, BATCH = 1000, 100, 25
SCALE = 10
BILL_SECONDS, SAGE_SECONDS = 0.150 / SCALE, 8.0 / SCALE
BAR = 1.15
KEY, TOKEN, SECRET = "01PRACTICEKEY000000000000000", "ML-CONNECTOR", "practice-token-for-bill"


def main() -> None:
    """Measure the product and the plain loop, each with systems of its own."""
    batches = ceil(BILLS / BATCH)
    ideal = batches * (BILL_SECONDS + SAGE_SECONDS)
    figures = Figures()
    crowd = os.getloadavg()[0]
    with stage.a_database():
        ours, own, steps = product()
    loop = plain_loop()
    rows = [
        ["ideal", ideal, 1.0, 0.0],
        ["plain loop, nothing stored", loop, loop / ideal, 1000 * (loop - ideal) / batches],
        ["the product", ours, ours / ideal, 1000 * (ours - ideal) / batches],
    ]
    print(f"{BILLS:,} bills in {batches} batches, clock times {SCALE}")
    table(["", "seconds", "x ideal", "overhead, ms a batch"], rows)
    table(["step of the product", "seconds"], steps)
    print(f"Own processor time of the worker: {1000 * own / batches:.0f} ms a batch.")
    if crowd > (os.cpu_count() or 1) / 2:
        print(
            f"Others use this machine too (load {crowd:.1f}): the ratio is theirs as much as ours."
        )
    figures.check("wall / ideal", ours / ideal, at_most=BAR)
    figures.end()


def slow(pair: stage.Pair) -> None:
    """Make both systems as slow as they are, on the fast clock."""
    pair.bill.set_switches(seconds_per_call=BILL_SECONDS)
    pair.sage.delay("POST APInvoiceBatches$", SAGE_SECONDS)


def product() -> tuple[float, float, list[list[Any]]]:
    """Seconds to the last bill read back in Sage, of our processor time, and by step."""
    from sync.models import Run
    from tenants.scoping import tenant_scope

    with stage.a_pair(sage_vendors=VENDORS) as pair:
        office = stage.an_office(pair, vendors=VENDORS, new=0, batch_size=BATCH)
        office.sync()
        office.fill(vendors=VENDORS, bills=BILLS)
        slow(pair)
        started, own = time.perf_counter(), time.process_time()
        reports = office.sync()
        seconds, own = time.perf_counter() - started, time.process_time() - own
        office.expect_in_sage(BILLS)
        with tenant_scope(office.tenant_id):
            runs = Run.objects.for_tenant(office.tenant_id)
            steps = [
                [step["name"], _seconds(step)]
                for report in reports
                for step in runs.get(pk=report.run_id).steps
            ]
    return seconds, own, steps


def _seconds(step: dict[str, Any]) -> float:
    times = [stage.datetime.fromisoformat(step[name]) for name in ("started_at", "ended_at")]
    return (times[1] - times[0]).total_seconds()


def plain_loop() -> float:
    """Seconds of the loop: fetch everything, then batch by batch the same calls."""
    with stage.a_pair(sage_vendors=VENDORS) as pair:
        organization, books = stage.LARGE
        pair.bill.do("fill_vendors", organization=organization, count=VENDORS)
        pair.bill.do("fill_bills", organization=organization, count=BILLS, vendors=VENDORS)
        slow(pair)
        started = time.perf_counter()
        bill, api = _signed_in(pair.bill.url, organization)
        bills = _all_bills(bill, api)
        sage = _sage_session()
        books_url = f"{pair.sage.url}/Sage300WebApi/v1.0/-/{books}/AP"
        for start in range(0, len(bills), BATCH):
            _send(bill, api, sage, books_url, bills[start : start + BATCH])
        seconds = time.perf_counter() - started
        ledger = pair.sage.ledger()[books]
        sent = [entry for batch in ledger["batches"] for entry in batch["Invoices"]]
        if sum(entry["DocumentNumber"].startswith("INV-") for entry in sent) != BILLS:
            raise SystemExit("The plain loop did not bring every bill into Sage.")
        return seconds


def _signed_in(url: str, organization: str) -> tuple[requests.Session, str]:
    session, api = requests.Session(), f"{url}/connect/v3"
    who = {
        "username": TOKEN, "password": SECRET, "organizationId": organization, "devKey": KEY,
    }  # fmt: skip
    answer = session.post(f"{api}/login", json=who)
    answer.raise_for_status()
    session.headers.update({"devKey": KEY, "sessionId": answer.json()["sessionId"]})
    return session, api


def _all_bills(session: requests.Session, api: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = ""
    while True:
        query = {"max": "100", "sort": "updatedTime:asc"} | ({"page": page} if page else {})
        answer = session.get(f"{api}/bills", params=query).json()
        found += answer["results"]
        page = answer.get("nextPage") or ""
        if not page:
            return found


def _sage_session() -> requests.Session:
    session = requests.Session()
    credentials = base64.b64encode(b"MLCONN:PRACTICE-SAGE").decode()
    session.headers.update(
        {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    )
    return session


def _send(
    bill: requests.Session,
    api: str,
    sage: requests.Session,
    books_url: str,
    bills: list[dict[str, Any]],
) -> None:
    ids = ",".join(each["id"] for each in bills)
    bill.get(f"{api}/bills", params={"max": "100", "filters": f'id:in:"{ids}"'}).raise_for_status()
    invoices = [_invoice(each) for each in bills]
    for start in range(0, len(invoices), 15):
        pairs = " or ".join(
            f"(VendorNumber eq '{one['VendorNumber']}' and DocumentNumber eq '{one['DocumentNumber']}')"
            for one in invoices[start : start + 15]
        )
        looked = sage.get(f"{books_url}/APPostedDocuments", params={"$filter": pairs})
        looked.raise_for_status()
    made = sage.post(f"{books_url}/APInvoiceBatches", json={"Invoices": invoices})
    made.raise_for_status()
    number = made.json()["BatchNumber"]
    sage.get(f"{books_url}/APInvoiceBatches({number})").raise_for_status()


def _invoice(bill: dict[str, Any]) -> dict[str, Any]:
    return {
        "VendorNumber": f"V{int(bill['vendorId'][-5:]):05}",
        "DocumentNumber": bill["invoice"]["invoiceNumber"],
        "DocumentDate": bill["invoice"]["invoiceDate"],
        "OrderNumber": bill["id"].upper(),
        "TaxAmountControl": "Enter",
        "DocumentTotalIncludingTax": bill["amount"],
        "InvoiceDetails": [
            {"GLAccount": "5010-100", "DistributedAmount": line["amount"]}
            for line in bill["billLineItems"]
        ],
    }


if __name__ == "__main__":
    main()
