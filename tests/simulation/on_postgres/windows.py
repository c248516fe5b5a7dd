"""BILL's and Sage's windows with the simulated wire behind them.

They speak as `BillClient` and `Sage300Client` do: plain values for an answer, an error of
`integrations/errors.py` for anything else. What is posted is read out of the very bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from integrations import errors
from integrations.bill.types import Bill, BillLine
from integrations.sage300.types import BatchHeader, Invoice, InvoiceBatch, PostProcess
from sync.domain.commands import (
    Accepted,
    Answer,
    Command,
    Created,
    FindPosted,
    ListBatches,
    Lost,
    NotSent,
    Paused,
    PostBatch,
    ProcessBatch,
    ReadApprovals,
    ReadBatch,
    ReadErrors,
    ReadFailed,
    ReadPosted,
    Refused,
    RemoveEntries,
    RenameBatch,
    SetReady,
)
from sync.domain.facts import Entry
from tests.simulation.invoices import an_invoice
from tests.simulation.office import Bill as ModelsBill
from tests.simulation.office import ModelBill
from tests.simulation.passes import PROBE

#: When BILL's list of changes began; a change's number is its second.
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
DUE = date(2027, 2, 1)

Ask = Callable[[Command, Any], Answer]
ReadChanges = Callable[[int], list[ModelsBill] | None]


@dataclass(frozen=True, slots=True)
class Body:
    """What a POST's bytes say, in the shape in which the wire asks for it."""

    description: str
    entries: tuple[Entry, ...]

    days: tuple[date, ...]

    def entry(self, key: str) -> Entry:
        return next(entry for entry in self.entries if entry.posting_id == key)

    @property
    def invoices(self) -> dict[str, Invoice]:
        """What Sage gets of it."""
        return {
            one.posting_id: an_invoice(
                one.vendor_number, one.document_number, one.order_number, one.total, day
            )
            for one, day in zip(self.entries, self.days, strict=True)
        }


def body_of(data: bytes) -> Body:
    told = json.loads(data, parse_float=Decimal, parse_int=Decimal)
    rows = told["Invoices"]
    days = tuple(date.fromisoformat(row["PostingDate"][:10]) for row in rows)
    return Body(told["Description"], tuple(_entry(row) for row in rows), days)


def _entry(row: dict[str, Any]) -> Entry:
    lines = tuple(
        (line["GLAccount"], plain(line["DistributedAmount"])) for line in row["InvoiceDetails"]
    )
    return Entry(
        posting_id=row["OrderNumber"].lower(),
        bill_id=row["OrderNumber"].lower(),
        bill_hash="",
        vendor_number=row["VendorNumber"],
        document_number=row["DocumentNumber"],
        order_number=row["OrderNumber"],
        total=plain(row["DocumentTotalIncludingTax"]),
        lines=lines,
    )


def plain(amount: Decimal) -> Decimal:
    """The amount in cents, as the model writes it."""
    return amount.quantize(Decimal("0.01"))


class SageWindow:
    """In the place of `Sage300Client`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def list_batches(self, after: int) -> Iterator[BatchHeader]:
        return iter(self._read(ListBatches(after=after)).headers)

    def highest_batch_number(self) -> int:
        return max((header.number for header in self.list_batches(0)), default=0)

    def first_rows(self, path: str, *, what: str, select: str) -> int:
        return len(list(self.list_batches(PROBE)))

    def find_batch(self, number: int) -> InvoiceBatch | None:
        found: InvoiceBatch | None = self._read(ReadBatch(number=number)).batch
        return found

    def find_posted(self, pairs: Sequence[tuple[str, str]]) -> Any:
        return self._read(FindPosted(pairs=tuple(pairs))).documents

    def posted_in_batch(self, number: int) -> Any:
        return self._read(ReadPosted(number=number)).documents

    def posting_errors(self, number: int) -> Any:
        return self._read(ReadErrors(number=number)).errors

    def create_batch(self, body: bytes) -> InvoiceBatch:
        told = body_of(body)
        ids = tuple(entry.posting_id for entry in told.entries)
        answer = self._write(PostBatch(posting_ids=ids, tag=told.description), told)
        assert isinstance(answer, Created)
        header = BatchHeader(
            number=answer.number, description="", status="", entry_count=0, total=Decimal(0)
        )
        return InvoiceBatch(header=header)

    def set_ready(self, number: int) -> None:
        self._write(SetReady(number=number))

    def post_batch(self, number: int, process: PostProcess) -> None:
        self._write(ProcessBatch(number=number))

    def remove_entries(self, number: int, entry_numbers: Sequence[int]) -> None:
        self._write(RemoveEntries(number=number, entry_numbers=tuple(entry_numbers)))

    def rename_batch(self, number: int, description: str) -> None:
        self._write(RenameBatch(number=number, description=description))

    def _read(self, command: Command) -> Any:
        answer = self._ask(command, None)
        if isinstance(answer, ReadFailed):
            raise _failed(answer)
        return answer

    def _write(self, command: Command, body: Body | None = None) -> Answer:
        answer = self._ask(command, body)
        match answer:
            case Created() | Accepted():
                return answer
            case Lost(why=why):
                raise errors.OutcomeUnknown("lost", sentence=why)
            case NotSent(why=why):
                raise errors.Unreachable("not sent", sentence=why)
            case Paused(why=why):
                raise errors.AuthRefused("refused", sentence=why)
            case Refused(is_transient=True, retry_after_seconds=seconds) if seconds:
                raise errors.RateLimited(
                    "busy", sentence=answer.sentence, vendor_message=answer.words,
                    retry_after_seconds=seconds,
                )  # fmt: skip
            case Refused(is_transient=True):
                raise errors.Busy("busy", sentence=answer.sentence, vendor_message=answer.words)
            case Refused():
                raise errors.Rejected(
                    "refused", sentence=answer.sentence, vendor_message=answer.words
                )
        raise AssertionError(answer)


class BillWindow:
    """In the place of `BillClient`."""

    def __init__(self, ask: Ask, read_changes: ReadChanges, bill: ModelBill) -> None:
        self._ask, self._read_changes, self._bill = ask, read_changes, bill

    def iter_bills(self, *, updated_since: datetime | None = None) -> Iterator[list[Bill]]:
        since = updated_since or EPOCH
        bills = self._read_changes(round((since - EPOCH) / timedelta(seconds=1)))
        if bills is None:
            raise errors.ServerFault("no answer", sentence="BILL did not answer.")
        if bills:
            yield [bill_of(bill) for bill in bills]

    def read_bills(self, ids: Sequence[str]) -> tuple[Bill, ...]:
        wanted = tuple(ids)
        # The wire tells standings by what was mapped; here the services find that out themselves.
        asked = SimpleNamespace(
            entries=[SimpleNamespace(bill_id=key, bill_hash="") for key in wanted]
        )
        answer = self._ask(ReadApprovals(bill_ids=wanted), asked)
        if isinstance(answer, ReadFailed):
            raise _failed(answer)
        return tuple(bill_of(self._bill.bills[key]) for key in wanted)


def _failed(answer: ReadFailed) -> errors.IntegrationError:
    if answer.retry_after_seconds:
        return errors.RateLimited(
            "too many", sentence=answer.why, retry_after_seconds=answer.retry_after_seconds
        )
    return errors.ServerFault("no answer", sentence=answer.why)


def bill_of(bill: ModelsBill) -> Bill:
    """A bill of the model as BILL's window tells it; it is posted on the day of its invoice."""
    index = int(bill.id.removeprefix("bill"))
    return Bill(
        id=bill.id,
        vendor_id=bill.vendor,
        vendor_name=f"Vendor {bill.vendor}",
        invoice_number=bill.number,
        invoice_date=bill.day,
        due_date=DUE,
        amount=bill.total,
        approval_status="APPROVED" if bill.is_approved else "ASSIGNED",
        archived=bill.is_archived,
        lines=(BillLine(id="line", amount=bill.total, description="Flour"),),
        created_at=EPOCH + timedelta(seconds=index),
        updated_at=EPOCH + timedelta(seconds=bill.change),
        content_hash=bill.hash,
    )
