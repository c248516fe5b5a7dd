"""Short ways to write entries, batches and stories of the posting protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.sage300.types import (
    BatchHeader,
    BatchStatus,
    Invoice,
    InvoiceBatch,
    InvoiceDetail,
    PostedDocument,
)
from sync.domain.commands import (
    Answer,
    Approvals,
    BatchRead,
    Command,
    Headers,
    PostedFound,
    ReadApprovals,
    Refused,
    Standing,
)
from sync.domain.facts import Entry, Facts
from sync.domain.policy import Release
from sync.domain.protocol import Rules, begin, next_step

NOW = datetime(2026, 12, 1, 14, 42, tzinfo=UTC)
DAY = date(2026, 12, 1)
TAG = "MLC1-ABCDEFGHIJKLMNOP"
RULES = Rules(settle_seconds=180, retry_seconds=5)


def an_entry(index: int = 1, **overrides: Any) -> Entry:
    amount = overrides.pop("total", Decimal(100 + index))
    fields: dict[str, Any] = {
        "posting_id": f"p{index}",
        "bill_id": f"bill{index}",
        "bill_hash": f"hash{index}",
        "vendor_number": "V1",
        "document_number": f"INV-{index}",
        "order_number": f"BILL{index}",
        "total": amount,
        "lines": (("6000", amount),),
    }
    return Entry(**(fields | overrides))


def entries(count: int) -> tuple[Entry, ...]:
    return tuple(an_entry(index) for index in range(1, count + 1))


def an_invoice(entry: Entry, number: int, **overrides: Any) -> Invoice:
    fields: dict[str, Any] = {
        "vendor_number": entry.vendor_number,
        "document_number": entry.document_number,
        "order_number": entry.order_number,
        "document_date": DAY,
        "posting_date": DAY,
        "due_date": DAY,
        "total": entry.total,
        "details": tuple(InvoiceDetail(gl_account=a, amount=m) for a, m in entry.lines),
        "entry_number": number,
        "undistributed_amount": Decimal(0),
    }
    return Invoice(**(fields | overrides))


def a_foreign_invoice(number: int, document: str = "OWN-1", vendor: str = "V9") -> Invoice:
    entry = an_entry(99, vendor_number=vendor, document_number=document, order_number="")
    return an_invoice(entry, number)


def a_header(number: int, **overrides: Any) -> BatchHeader:
    fields: dict[str, Any] = {
        "number": number,
        "description": f"{TAG}.1",
        "status": BatchStatus.OPEN,
        "entry_count": 1,
        "total": Decimal(100),
    }
    return BatchHeader(**(fields | overrides))


def a_batch(
    number: int, held: Iterable[Entry | Invoice], *, status: str = BatchStatus.OPEN,
    description: str = f"{TAG}.1",
) -> InvoiceBatch:  # fmt: skip
    invoices = tuple(
        an_invoice(item, index) if isinstance(item, Entry) else replace(item, entry_number=index)
        for index, item in enumerate(held, start=1)
    )
    header = a_header(
        number,
        status=status,
        description=description,
        entry_count=len(invoices),
        total=sum((invoice.total for invoice in invoices), Decimal(0)),
    )
    return InvoiceBatch(header=header, invoices=invoices)


def read(batch: InvoiceBatch) -> BatchRead:
    return BatchRead(number=batch.header.number, batch=batch)


def headers(*batches: InvoiceBatch | BatchHeader) -> Headers:
    return Headers(headers=tuple(b.header if isinstance(b, InvoiceBatch) else b for b in batches))


def a_document(entry: Entry, batch: int, number: int, **overrides: Any) -> PostedDocument:
    fields: dict[str, Any] = {
        "vendor_number": entry.vendor_number,
        "document_number": entry.document_number,
        "order_number": entry.order_number,
        "batch_number": batch,
        "entry_number": number,
        "posting_sequence": 7,
        "amount": entry.total,
    }
    return PostedDocument(**(fields | overrides))


NONE_POSTED = PostedFound(documents=())


def refused(document: str = "", *, taken: bool = False, transient: bool = False) -> Refused:
    return Refused(
        sentence="Sage refuses it.", words="The account is inactive.", document_number=document,
        is_number_taken=taken, is_transient=transient,
    )  # fmt: skip


class Story:
    """Plays a batch: tell it an answer, ask what it wants next."""

    def __init__(
        self, count: int = 2, *, release: Release = Release.OPEN, is_look_fresh: bool = True,
        facts: Facts | None = None, watermark: int = 57, **overrides: Any,
    ) -> None:  # fmt: skip
        self.now = NOW
        self.commands: list[Command] = []
        if facts is None:
            facts = Facts(
                tag=TAG, entries=entries(count), watermark=watermark, release=release, **overrides
            )
            facts = begin(facts, is_look_fresh=is_look_fresh)
        self.facts = facts
        self.command = self._step(None)

    def _step(self, answer: Answer | None) -> Command:
        step = next_step(self.facts, answer, self.now, RULES)
        self.facts = step.facts
        self.commands.append(step.command)
        self.command = step.command
        return step.command

    def tell(self, *answers: Answer) -> Command:
        for answer in answers:
            self._step(answer)
        return self.command

    def later(self, seconds: float) -> Story:
        self.now += timedelta(seconds=seconds)
        return self

    def approve(self, **standings: Standing) -> Command:
        """Answer ReadApprovals: all approved but those named."""
        assert isinstance(self.command, ReadApprovals), self.command
        known = {key: standings.get(key, Standing.APPROVED) for key in self.command.bill_ids}
        return self.tell(Approvals(standings=known))

    def to_post(self) -> Story:
        """On to the first POST, with nothing found on the way."""
        while not isinstance(self.command, ReadApprovals):
            self.tell(headers(a_header(57)) if "List" in self.kind else NONE_POSTED)
        self.approve()
        return self

    @property
    def kind(self) -> str:
        return type(self.command).__name__

    @property
    def kinds(self) -> list[str]:
        return [type(command).__name__ for command in self.commands]

    def fate(self, index: int) -> str:
        return self.facts.place(f"p{index}").fate.value

    def fates(self) -> list[str]:
        return [self.facts.place(entry.posting_id).fate.value for entry in self.facts.entries]
