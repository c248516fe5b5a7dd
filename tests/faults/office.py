"""A small company at work between two faulty systems, and the accountant who compares the books.

Two vendors and a few approved bills are enough for every fault: what counts is which answer is
lost, and when. Time is moved, never slept; only what another program does takes real time.
"""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, connections

from connector_site.demo import agreement
from integrations.standins.bill.world import BillWorld
from sync.domain.policy import Policy
from sync.domain.posting_state import BEING_SENT, PostingState
from sync.models import Attempt, Batch, Bill, Cursor, Posting, Run
from sync.services import crash_points
from tenants.scoping import tenant_scope
from tests.integration.sync.world import BAKERY, SAMPLES, Desk, a_desk
from tests.kept_world import a_kept_desk

MILL, FREIGHT = "009CbkPrairieMill001", "009CbkMarlowFreig001"
FLOUR, FREIGHT_IN = "0caCbkFlour000000001", "0caCbkFreightDeli001"
NUMBERS = {MILL: "PRAMIL", FREIGHT: "MARLOW"}
POST_BATCH = "POST /APInvoiceBatches$"
COMPANY = "CALBAK"
ROUND_SECONDS = 301


def quick(knobs: Any, **more: Any) -> Any:
    """The product's knobs for a test: nothing is asked three times and no call takes long."""
    values: dict[str, Any] = {
        "read_attempts": 1, "connect_seconds": 2.0, "sage_read_seconds": 5.0,
        "sage_write_seconds": 5.0, "sage_post_seconds": 5.0, "bill_call_seconds": 5.0,
        "bill_wait_seconds": 5.0,
    }  # fmt: skip
    return replace(knobs, **(values | more))


def a_policy(**more: Any) -> Policy:
    values: dict[str, Any] = {
        "number_map": NUMBERS,
        "cutover_date": datetime.now(UTC).date() - timedelta(days=90),
    }
    return Policy(**(values | more))


def small_world(kind: type[BillWorld] = BillWorld) -> BillWorld:
    """The bakery with two vendors and no bill."""
    text = (SAMPLES / "bill-practice.json").read_text("utf-8")
    data = json.loads(text, parse_float=Decimal)
    organization = next(one for one in data["organizations"] if one["id"] == BAKERY)
    organization["bills"] = organization["vendorCredits"] = []
    organization["vendors"] = [one for one in organization["vendors"] if one["id"] in NUMBERS]
    organization["approvalPolicies"] = []
    data["organizations"] = [organization]
    world = kind(seed="faults")
    world.load(data)
    return world


@contextmanager
def an_office(settings: Any, *, bills: int = 3, **policy: Any) -> Iterator[Desk]:
    """A company with this many approved bills, numbered B-1, B-2 … of 100.01, 200.02 …"""
    settings.CONNECTOR = quick(settings.CONNECTOR)
    with a_desk(settings, policy=a_policy(**policy), bill_data=small_world()) as desk:
        for number in range(1, bills + 1):
            a_bill(desk, f"B-{number}", amount=Decimal("100.01") * number)
        yield desk


@contextmanager
def an_office_after(work: Callable[[Desk], object], settings: Any, **policy: Any) -> Iterator[Desk]:
    """An office whose bills have come as far as `work`, a sync or more, brings them."""

    @contextmanager
    def make() -> Iterator[Desk]:
        with an_office(settings, **policy) as desk:
            work(desk)
            yield desk

    settings.CONNECTOR = quick(settings.CONNECTOR)
    name = f"office after {work.__qualname__} {sorted(policy.items())}"
    with a_kept_desk(settings, name, make) as desk:
        yield desk


def a_bill(
    desk: Desk, number: str, *, amount: Decimal | str = "75.00", vendor: str = MILL, **more: Any
) -> str:
    """An approved bill in BILL; its id."""
    line = {
        "amount": Decimal(str(amount)),
        "description": "Flour",
        "classifications": {"chartOfAccountId": FLOUR if vendor == MILL else FREIGHT_IN},
    }
    fields: dict[str, Any] = {
        "vendorId": vendor,
        "invoice": {"invoiceNumber": number, "invoiceDate": "-0d"},
        "dueDate": "+30d",
        "billLineItems": [line],
        "approvalStatus": "APPROVED",
    }
    if "total" in more:
        more["amount"] = more.pop("total")
    return str(desk.bill.add_bill(**(fields | more)))


# --- time and workers -----------------------------------------------------------------------------


def later(desk: Desk, seconds: float = ROUND_SECONDS) -> None:
    """Let time pass for the product."""
    desk.moved += timedelta(seconds=seconds)


def heal(desk: Desk, *, rounds: int = 14) -> None:
    """Sync until nothing is under way and a sync of the unchanged world does nothing, or fail."""
    done: tuple[int, int] | None = None
    for _ in range(rounds):
        free_lease()
        report = desk.sync()
        later(desk)
        if report.has_more or _is_under_way(desk):
            done = None
            continue
        before, done = done, (batch_rows(desk), sage_writes(desk))
        if before == done:
            return
    raise AssertionError(f"not at rest: {done} {[told(p) for p in desk.postings()]}")


def batch_rows(desk: Desk) -> int:
    with tenant_scope(desk.company.tenant_id):
        return Batch.objects.for_tenant(desk.company.tenant_id).count()


def sage_writes(desk: Desk) -> int:
    counts = desk.sage_server.requests.counts()
    return sum(count for kind, count in counts.items() if not kind.startswith("GET "))


def _is_under_way(desk: Desk) -> bool:
    with tenant_scope(desk.company.tenant_id):
        open_batches = Batch.objects.for_tenant(desk.company.tenant_id).filter(settled_at=None)
        return open_batches.exists() or any(
            PostingState(posting.state) in BEING_SENT | {PostingState.READY}
            for posting in desk.postings()
        )


def free_lease() -> None:
    """The lease of a dead worker runs out; the database's clock cannot be moved."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_sagelease SET expires_at = clock_timestamp() - interval '1 second'"
        )


def told(posting: Posting) -> str:
    return f"{posting.invoice_number} {posting.state} {posting.sentence} {posting.words}".strip()


@dataclass(slots=True, kw_only=True)
class Worker:
    """A process of its own, forked from this one; dies for real."""

    pid: int

    def ended(self, seconds: float = 20) -> int:
        """Its exit code; a worker that does not end is killed and the test fails."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        self.kill()
        raise AssertionError("the worker did not end")

    def pause(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def start_worker(work: Callable[[], object], *, crash_at: str = "") -> Worker:
    """Run `work` in a process of its own; with `crash_at` it dies there without a clean-up."""
    pid = os.fork()
    if pid:
        return Worker(pid=pid)
    code = 99
    try:
        _forget_connections()
        os.environ[crash_points.VARIABLE] = crash_at
        work()
        code = 0
    finally:
        if code:
            os.write(2, traceback.format_exc().encode())
        os._exit(code)


_INHERITED: list[object] = []


def _forget_connections() -> None:
    """The parent's connections are not ours: closing one would close it for the parent too."""
    for one in connections.all(initialized_only=True):
        _INHERITED.append(one.connection)
        one.connection = None
        one.in_atomic_block = False
        one.savepoint_ids = []
        one.atomic_blocks = []
        one.run_on_commit = []


def crash(desk: Desk, at: str) -> None:
    """One sync in a process of its own that dies at this point; fails if it was not reached."""
    code = start_worker(desk.sync, crash_at=at).ended()
    assert code == crash_points.EXIT_CODE, f"{at} was not reached: exit code {code}"


def wait_for(what: Callable[[], object], seconds: float = 10) -> None:
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.005)


# --- the accountant -------------------------------------------------------------------------------


def entries(desk: Desk, *, status: str | None = None) -> list[dict[str, Any]]:
    """Every entry of the connector in Sage, with its batch's number and status."""
    return [
        {**entry, "BatchNumber": batch["BatchNumber"], "BatchStatus": batch["BatchStatus"]}
        for batch in desk.ledger(COMPANY)["batches"]
        for entry in batch["Invoices"]
        if entry["EnteredBy"] == "MLCONN" and batch["BatchStatus"] in {status, *([] if status else
            ["Open", "ReadyToPost", "PostInProgress", "Posted"])}
    ]  # fmt: skip


def posts(desk: Desk) -> int:
    """How many POSTs of a batch reached Sage's door."""
    counts = desk.sage_server.requests.counts()
    return sum(n for kind, n in counts.items() if kind.startswith("POST ") and
               kind.endswith("/APInvoiceBatches"))  # fmt: skip


def agrees(desk: Desk, *, told_strays: int = 0) -> None:
    """The whole ledger against our rows: invariants I1 to I4, I6, I7 and I10 of the threat model.

    `told_strays`: second entries that Sage would not let go; each is named in a posting's sentence.
    """
    postings = desk.postings()
    ledger = desk.ledger(COMPANY)
    _each_is_where_we_say(postings, ledger)
    _none_is_there_twice(postings, ledger, entries(desk), told_strays=told_strays)
    _none_is_lost(desk, postings)
    _written_before_sent(desk)
    _cursor_passed_nothing(desk)
    _runs_are_ended(desk)


def _each_is_where_we_say(postings: list[Posting], ledger: dict[str, Any]) -> None:
    batches = {batch["BatchNumber"]: batch for batch in ledger["batches"]}
    documents = {(d["VendorNumber"], d["DocumentNumber"]): d for d in ledger["posted"]}
    for posting in postings:
        if posting.state != PostingState.IN_SAGE:
            continue
        title = told(posting)
        batch = batches[posting.sage_batch_number]
        found = [e for e in batch["Invoices"] if e["EntryNumber"] == posting.sage_entry_number]
        assert found, f"{title}: shown in {posting.sage_batch_number}, Sage has none there"
        entry = found[0]
        assert entry["OrderNumber"] == posting.order_number, title
        assert entry["VendorNumber"] == posting.vendor_number, title
        assert entry["DocumentNumber"] == posting.sage_document_number, title
        assert Decimal(entry["DocumentTotalIncludingTax"]) == posting.amount, title
        assert posting.sage_amount == posting.amount, title
        assert Decimal(entry["UndistributedAmount"]) == 0, title
        lines = [
            (agreement.plain_account(line["GLAccount"]), Decimal(line["DistributedAmount"]))
            for line in entry["InvoiceDetails"]
        ]
        assert sum(amount for _, amount in lines) == posting.amount, title
        shown = posting.sage_status.replace(" ", "").lower()
        assert shown == batch["BatchStatus"].lower(), f"{title}: Sage says {batch['BatchStatus']}"
        document = documents.get((posting.vendor_number, posting.sage_document_number))
        assert (document is not None) == (posting.sage_status == "Posted"), title
        if document is not None:
            assert Decimal(document["Amount"]) == posting.amount, title


def _none_is_there_twice(
    postings: list[Posting],
    ledger: dict[str, Any],
    ours: list[dict[str, Any]],
    *,
    told_strays: int,
) -> None:
    booked = Counter(d["OrderNumber"] for d in ledger["posted"] if d["OrderNumber"])
    assert all(count == 1 for count in booked.values()), f"posted twice: {booked}"
    there = Counter(entry["OrderNumber"] for entry in ours)
    extra = sum(count - 1 for count in there.values())
    assert extra == told_strays, f"{extra} second copies in Sage: {there}"
    known = {posting.order_number for posting in postings if posting.order_number}
    assert set(there) <= known, f"entries of nobody: {set(there) - known}"
    total = sum((p.amount or Decimal(0)) for p in postings if p.state == PostingState.IN_SAGE)
    counted = {p.order_number for p in postings if p.state == PostingState.IN_SAGE}
    first = {e["OrderNumber"]: e for e in ours if e["OrderNumber"] in counted}
    in_sage = sum(Decimal(entry["DocumentTotalIncludingTax"]) for entry in first.values())
    assert in_sage == total, f"we show {total}, Sage holds {in_sage}"
    for order in set(there) - counted:
        posting = next(p for p in postings if p.order_number == order)
        assert posting.sentence, f"{order} lies in Sage and its posting says nothing"
    if told_strays:
        words = " ".join(posting.sentence for posting in postings)
        copies = [e for e in ours if there[e["OrderNumber"]] > 1]
        named = [
            e for e in copies if f"Batch {e['BatchNumber']}, entry {e['EntryNumber']}" in words
        ]
        assert len(named) >= told_strays, f"a second copy is not told: {words}"


def _none_is_lost(desk: Desk, postings: list[Posting]) -> None:
    by_bill = {posting.source_id: posting for posting in postings}
    ledger = desk.bill.ledger()[BAKERY]
    for bill in ledger["bills"]:
        if bill["approvalStatus"] != "APPROVED" or bill["archived"]:
            continue
        posting = by_bill.get(bill["id"])
        assert posting is not None, f"bill {bill['invoice']} is nowhere"
        is_named = posting.state == PostingState.IN_SAGE or bool(posting.sentence)
        assert is_named, f"{told(posting)}: a state without a sentence"


def _written_before_sent(desk: Desk) -> None:
    with tenant_scope(desk.company.tenant_id):
        written = Attempt.objects.for_tenant(desk.company.tenant_id).filter(operation="PostBatch")
        assert posts(desk) <= written.count(), "a batch left without an attempt's row before it"


def _cursor_passed_nothing(desk: Desk) -> None:
    with tenant_scope(desk.company.tenant_id):
        tenant = desk.company.tenant_id
        cursor = Cursor.objects.for_tenant(tenant).filter(stream="bills").first()
        newest = (
            Bill.objects.for_tenant(tenant)
            .order_by("-updated_in_bill_at")
            .values_list("updated_in_bill_at", flat=True)
            .first()
        )
    if cursor is not None and cursor.value:
        assert newest is not None, "the cursor moved and no bill is kept"
        assert cursor.value <= newest.isoformat(), "the cursor is past the newest bill kept"


def _runs_are_ended(desk: Desk) -> None:
    with tenant_scope(desk.company.tenant_id):
        last = Run.objects.for_tenant(desk.company.tenant_id).order_by("-started_at").first()
    assert last is not None, "nothing ran"
    assert last.ended_at is not None, "the last run never ended"


def all_in_sage(desk: Desk, count: int, *, status: str = "Open") -> None:
    """Every bill is in Sage once, in this status, and the books agree."""
    agrees(desk)
    states = Counter((posting.state, posting.sage_status) for posting in desk.postings())
    assert states == {("IN_SAGE", status): count}, [told(p) for p in desk.postings()]
    assert len(entries(desk)) == count
