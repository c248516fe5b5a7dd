"""Sage 300's window: what this product reads from a company's books and writes into them.

A write is one attempt. Its answer lost, cut or strange is `OutcomeUnknown`; a clean refusal is
`Rejected` or `Busy`, and may still have left a batch or some of its entries behind (Sage inserts
them one by one), so whoever writes a batch looks afterwards in every case but a complete answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from integrations.errors import UnexpectedAnswer
from integrations.sage300 import lists, wire
from integrations.sage300.door import (
    LONGEST_URL,
    PAGE_ROWS,
    Deadlines,
    SageAddress,
    SageDoor,
    key,
    quoted,
)
from integrations.sage300.errors import RightMissing, unreadable
from integrations.sage300.types import (
    BatchHeader,
    BatchStatus,
    CompanyProfile,
    FiscalPeriod,
    GLAccount,
    InvoiceBatch,
    PostedDocument,
    PostingError,
    PostProcess,
    SageVendor,
    VendorGroup,
)
from integrations.sage300.values import Row, WireError, dumps, folded, whole
from integrations.transport import Answer, Observe, Transport

PAIRS_IN_A_FILTER = 15
VENDORS_IN_A_FILTER = 30

_BATCHES = "AP/APInvoiceBatches"
_VENDORS = "AP/APVendors"
_POSTED = "AP/APPostedDocuments"
_POSTING = "AP/APPostInvoices"

Item = TypeVar("Item")


class Sage300Client:
    """One company database, signed in as one user."""

    def __init__(
        self,
        address: SageAddress,
        transport: Transport,
        *,
        deadlines: Deadlines | None = None,
        observe: Observe | None = None,
    ) -> None:
        self.address = address
        self._door = SageDoor(
            address, transport, deadlines=deadlines or Deadlines(), observe=observe
        )

    # Batches, read -----------------------------------------------------------------------------

    def list_batches(self, after: int, *, described: str = "") -> Iterator[BatchHeader]:
        """Headers of the batches numbered above `after`, in order, each once.

        `described` keeps those whose description begins so.
        """
        condition = f"BatchNumber gt {after}"
        if described:
            condition += f" and startswith(Description,{quoted(described)})"
        query = {"$filter": condition, "$select": ",".join(wire.HEADER_PROPERTIES)}
        rows = self._door.rows(_BATCHES, query, what="list the invoice batches")
        headers = {header.number: header for header in self._each(rows, wire.parse_header)}
        return iter(sorted(headers.values(), key=lambda header: header.number))

    def highest_batch_number(self) -> int:
        """The number of the newest batch, 0 where there is none.

        Sage sorts nothing on request, so numbers are probed in growing and then halved steps:
        about 20 calls for 50,000 batches.
        """
        low, step = 0, PAGE_ROWS
        while (found := self._any_batch_above(low + step)) is not None:
            low, step = found, step * 2
        high = low + step
        while high - low > PAGE_ROWS:
            middle = (low + high) // 2
            found = self._any_batch_above(middle)
            low, high = (low, middle) if found is None else (found, high)
        numbers = [header.number for header in self.list_batches(low)]
        return numbers[-1] if numbers else low

    def _any_batch_above(self, number: int) -> int | None:
        query = {
            "$filter": f"BatchNumber gt {number}",
            "$select": "BatchNumber",
            "$top": "1",
        }
        page = self._door.page(_BATCHES, query, what="list the invoice batches")
        found = max((whole(row.get("BatchNumber")) for row in page.rows), default=0)
        return found if found > number else None

    def find_batch(self, number: int) -> InvoiceBatch | None:
        """A batch with its entries, or None."""
        row = self._door.find(f"{_BATCHES}({number})", what=f"read batch {number}")
        return None if row is None else self._one(row, wire.batch_of)

    # Batches, written --------------------------------------------------------------------------

    def create_batch(self, body: bytes) -> InvoiceBatch:
        """Create a batch from the exact bytes of `wire.batch_body`.

        Returns only on a complete answer with the new batch in it.
        """
        what = "create an invoice batch"
        reply = self._door.write("POST", _BATCHES, body, what=what)
        batch = self._door.parsed(reply, wire.parse_batch)
        if len(batch.invoices) < batch.header.entry_count or not batch.invoices:
            raise unreadable(reply, "the new batch came back without its entries")
        return batch

    def set_ready(self, number: int) -> None:
        """Set an Open batch Ready To Post (Sage 300 2021 and later)."""
        self._set_status(number, BatchStatus.READY_TO_POST)

    def set_open(self, number: int) -> None:
        """Set a batch that is Ready To Post back to Open."""
        self._set_status(number, BatchStatus.OPEN)

    def _set_status(self, number: int, status: BatchStatus) -> None:
        word = "Ready To Post" if status is BatchStatus.READY_TO_POST else "Open"
        body = wire.status_body(number, status.value)
        self._change(number, body, what=f"set batch {number} {word}")

    def remove_entries(self, number: int, entry_numbers: Sequence[int]) -> None:
        """Delete exactly these entries of an Open batch."""
        body = wire.removal_body(number, entry_numbers)
        self._change(number, body, what=f"remove entries from batch {number}")

    def rename_batch(self, number: int, description: str) -> None:
        """Change the description of an Open batch."""
        body = wire.description_body(number, description)
        self._change(number, body, what=f"rename batch {number}")

    def _change(self, number: int, body: bytes, *, what: str) -> None:
        self._door.write("PATCH", f"{_BATCHES}({number})", body, what=what)

    # Posting -----------------------------------------------------------------------------------

    def post_process(self) -> PostProcess | None:
        """What this server calls the parts of posting, or None where that cannot be told."""
        row = self._door.template(_POSTING, what="ask how to post batches")
        return lists.parse_post_process(row)

    def post_batch(self, number: int, process: PostProcess) -> None:
        """Start Sage's posting for this one batch; what became of it is read afterwards."""
        body = dumps(
            {
                process.all_field: process.not_all_value,
                process.from_field: number,
                process.to_field: number,
            }
        )
        self._door.write(
            "POST",
            f"{_POSTING}('$process')",
            body,
            what=f"post batch {number}",
            seconds=self._door.deadlines.post_seconds,
        )

    def find_posted(self, pairs: Sequence[tuple[str, str]]) -> tuple[PostedDocument, ...]:
        """Which of these (vendor number, document number) pairs are posted documents."""
        wanted = {(vendor.upper(), document.upper()) for vendor, document in pairs}
        found: dict[tuple[str, str], PostedDocument] = {}
        conditions = [
            f"(VendorNumber eq {quoted(vendor)} and DocumentNumber eq {quoted(document)})"
            for vendor, document in sorted(wanted)
        ]
        for condition in self._any_of(_POSTED, conditions, most=PAIRS_IN_A_FILTER):
            rows = self._door.rows(
                _POSTED, {"$filter": condition}, what="look for posted documents"
            )
            for document in self._each(rows, lists.parse_posted):
                pair = (document.vendor_number, document.document_number)
                if pair in wanted:
                    found[pair] = document
        return tuple(found.values())

    def _any_of(
        self, path: str, conditions: Sequence[str], *, most: int, select: str = ""
    ) -> Iterator[str]:
        """Filters for any of `conditions`: up to `most` in each, and no URL becomes too long."""
        batch: list[str] = []
        rest = {"$select": select} if select else {}
        for one in conditions:
            url = self._door.url(path, {"$filter": " or ".join([*batch, one]), **rest})
            if batch and (len(batch) == most or len(url) > LONGEST_URL):
                yield " or ".join(batch)
                batch = []
            batch.append(one)
        if batch:
            yield " or ".join(batch)

    def posted_in_batch(self, number: int) -> tuple[PostedDocument, ...]:
        """The posted documents that came out of this batch."""
        query = {"$filter": f"BatchNumber eq {number}"}
        rows = self._door.rows(_POSTED, query, what=f"read what was posted from batch {number}")
        documents = (document for document in self._each(rows, lists.parse_posted))
        mine = (document for document in documents if document.batch_number == number)
        return tuple({(d.vendor_number, d.document_number): d for d in mine}.values())

    def posting_errors(self, batch_number: int) -> tuple[PostingError, ...]:
        """Why entries of this batch were not posted, and where Sage moved them."""
        query = {"$filter": f"BatchNumber eq {batch_number}"}
        what = f"read the posting messages of batch {batch_number}"
        rows = self._door.rows("AP/APPostingErrorMessages", query, what=what)
        errors = self._each(rows, lists.parse_posting_error)
        return tuple(error for error in errors if error.batch_number == batch_number)

    # Vendors -----------------------------------------------------------------------------------

    def find_vendor(self, number: str) -> SageVendor | None:
        """A vendor by its number, or None."""
        what = f"read vendor {number}"
        if re.fullmatch(r"[A-Za-z0-9_-]+", number):
            row = self._door.find(f"{_VENDORS}{key(number)}", what=what)
            return None if row is None else self._one(row, wire.parse_vendor)
        query = {"$filter": f"VendorNumber eq {quoted(number)}"}
        rows = self._door.page(_VENDORS, query, what=what).rows
        vendors = self._each(rows, wire.parse_vendor)
        return next((vendor for vendor in vendors if vendor.number == number.upper()), None)

    def find_vendors(self, numbers: Sequence[str]) -> Iterator[SageVendor]:
        """Those of these vendors that are there, each once, several in a call."""
        wanted = sorted({number.upper() for number in numbers})
        conditions = [f"VendorNumber eq {quoted(number)}" for number in wanted]
        fields = ",".join(wire.VENDOR_ORDER)
        for condition in self._any_of(
            _VENDORS, conditions, most=VENDORS_IN_A_FILTER, select=fields
        ):
            query = {"$filter": condition, "$select": fields}
            rows = self._door.rows(_VENDORS, query, what="read the linked vendors")
            vendors = _once(self._each(rows, wire.parse_vendor), lambda vendor: vendor.number)
            yield from (vendor for vendor in vendors if vendor.number in wanted)

    def iter_vendors(self) -> Iterator[SageVendor]:
        """All vendors, each once."""
        query = {"$select": ",".join(wire.VENDOR_ORDER)}
        rows = self._door.rows(_VENDORS, query, what="list the vendors")
        yield from _once(self._each(rows, wire.parse_vendor), lambda vendor: vendor.number)

    def create_vendor(self, vendor: SageVendor) -> SageVendor:
        """Create a vendor; a number in use is `Rejected` with the code RecordDuplicate."""
        what = f"create vendor {vendor.number}"
        reply = self._door.write("POST", _VENDORS, wire.vendor_body(vendor), what=what)
        return self._door.parsed(reply, wire.new_vendor)

    def update_vendor(self, number: str, changes: dict[str, str]) -> None:
        """Change these properties (Sage's names) of a vendor; GroupCode is never among them."""
        body = wire.vendor_changes_body(changes)
        path = f"{_VENDORS}{key(number)}"
        self._door.write("PATCH", path, body, what=f"change vendor {number}")

    # Lists -------------------------------------------------------------------------------------

    def iter_accounts(self) -> Iterator[GLAccount]:
        """All general ledger accounts, each once."""
        query = {"$select": ",".join(lists.ACCOUNT_PROPERTIES)}
        rows = self._door.rows("GL/GLAccounts", query, what="list the G/L accounts")
        yield from _once(self._each(rows, lists.parse_account), lambda account: account.number)

    def iter_vendor_groups(self) -> Iterator[VendorGroup]:
        """All vendor groups."""
        rows = self._door.rows("AP/APVendorGroups", what="list the vendor groups")
        yield from _once(self._each(rows, lists.parse_group), lambda group: group.code)

    def iter_terms(self) -> Iterator[tuple[str, str]]:
        """Codes and descriptions of the payment terms."""
        rows = self._door.rows("AP/APTerms", what="list the payment terms")
        for row in rows:
            yield folded(row, "TermsCode"), str(row.get("Description") or "").strip()

    def iter_tax_groups(self) -> Iterator[tuple[str, str]]:
        """Codes and descriptions of the tax groups for purchases."""
        rows = self._door.rows("TX/TXTaxGroups", what="list the tax groups")
        for row in rows:
            if str(row.get("TransactionType") or "Purchases") == "Purchases":
                yield folded(row, "TaxGroupKey"), str(row.get("Description") or "").strip()

    def iter_fiscal_periods(self) -> Iterator[FiscalPeriod]:
        """The periods of every fiscal year, oldest first."""
        rows = self._door.rows("CS/CSFiscalCalendars", what="read the fiscal calendar")
        periods = [period for row in rows for period in lists.periods_of(row)]
        yield from sorted(periods, key=lambda period: (period.first_date, period.period))

    def company_profile(self) -> CompanyProfile:
        """Name, currency and switches of the company; blank where the user may not read them."""
        try:
            rows = self._door.page("CS/CSCompanyProfile", {}, what="read the company profile").rows
        except RightMissing:
            return CompanyProfile()
        return self._one(rows[0], lists.parse_profile) if rows else CompanyProfile()

    # Doors for the check of a connection -------------------------------------------------------

    def landing(self) -> Answer:
        """The Web API's own page, asked without credentials."""
        return self._door.landing()

    def first_rows(self, path: str, *, what: str, select: str) -> int:
        """How many rows the first page of a list holds, at most one: a check of rights."""
        return len(self._door.page(path, {"$top": "1", "$select": select}, what=what).rows)

    def new_batch_template(self) -> Row:
        """A blank batch with its defaults; creates nothing."""
        return self._door.template(_BATCHES, what="prepare an invoice batch")

    def _each(self, rows: Iterable[Row], parse: Callable[[Row], Item]) -> Iterator[Item]:
        for row in rows:
            yield self._one(row, parse)

    def _one(self, row: Row, parse: Callable[[Row], Item]) -> Item:
        try:
            return parse(row)
        except WireError as error:
            raise UnexpectedAnswer(
                f"a row not understood: {error}",
                sentence="Sage 300 sent a record this connector does not understand. This needs a "
                "correction of the connector; the details are in the log.",
            ) from error


def _once(items: Iterable[Item], name: Callable[[Item], str]) -> Iterator[Item]:
    """Each item once: a list read page by page may shift under the reader."""
    seen: set[str] = set()
    for item in items:
        if name(item) not in seen:
            seen.add(name(item))
            yield item
