"""One company's database: its tables, batches, counters and periods.

All of it hangs on one `State`, so that a company can be put back to an earlier day in one step.
"""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.resources import RESOURCES
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.values import as_date

Key = tuple[Any, ...]
Document = tuple[str, str]  # vendor number, document number
_SEPARATORS = re.compile(r"[^A-Z0-9]")


def canonical(account: str) -> str:
    """An account number without its separators, as the general ledger keys it."""
    return _SEPARATORS.sub("", account.upper())


class Table:
    """Rows by key, listed in key order."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._rows: dict[Key, Row] = {}
        self._ordered: list[Row] | None = None

    def key_of(self, row: Row) -> Key:
        """The key this row has."""
        return tuple(row[name] for name in self._keys)

    def find(self, *key: Any) -> Row | None:
        """The row with this key, or None."""
        return self._rows.get(key)

    def put(self, row: Row) -> None:
        """Insert or replace a row."""
        self._rows[self.key_of(row)] = row
        self._ordered = None

    def drop(self, *key: Any) -> None:
        """Remove a row."""
        self._rows.pop(key, None)
        self._ordered = None

    def rows(self) -> list[Row]:
        """All rows, by key."""
        if self._ordered is None:
            self._ordered = [self._rows[key] for key in sorted(self._rows)]
        return self._ordered


@dataclass
class Batch:
    """An invoice batch: its header row and its entries by number."""

    header: Row
    entries: dict[int, Row] = field(default_factory=dict)
    locked_by: str = ""
    bad: dict[int, str] = field(default_factory=dict)  # entries that will not post, and why

    @property
    def number(self) -> int:
        """The batch number."""
        return int(self.header["BatchNumber"])

    @property
    def status(self) -> str:
        """The status in Sage's word."""
        return str(self.header["BatchStatus"])

    def count_again(self) -> None:
        """Bring the header's count and total in line with the entries."""
        self.header["NumberOfEntries"] = len(self.entries)
        self.header["BatchTotal"] = sum(
            entry["DocumentTotalIncludingTax"] for entry in self.entries.values()
        )


@dataclass
class State:
    """Everything that goes back when a database is restored."""

    tables: dict[str, Table]
    batches: dict[int, Batch] = field(default_factory=dict)
    next_batch: int = 1
    next_sequence: int = 1
    locked_periods: set[tuple[str, str]] = field(default_factory=set)
    due_days: dict[str, int] = field(default_factory=dict)
    discounts: dict[str, tuple[int, Any]] = field(default_factory=dict)
    optional_fields: dict[str, list[str]] = field(default_factory=dict)
    unposted: defaultdict[Document, set[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(set)
    )


class Company:
    """A company database, and the lock under which it is read and written."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.lock = threading.Lock()
        tables = {
            name: Table(resource.keys) for name, resource in RESOURCES.items() if resource.stored
        }
        self.state = State(tables=tables)

    def pause(self, seconds: float) -> None:
        """Work slowly: let others at the database for so long. The lock must be held."""
        if seconds <= 0:
            return
        self.lock.release()
        try:
            time.sleep(seconds)
        finally:
            self.lock.acquire()

    def table(self, resource: str) -> Table:
        """The rows behind a resource."""
        return self.state.tables[resource]

    @property
    def profile(self) -> Row:
        """The company profile."""
        row = self.table("CSCompanyProfile").find(self.code)
        return row if row is not None else ENTITIES["CompanyProfile"].new(DatabaseID=self.code)

    def get_batch(self, number: int) -> Batch:
        """The batch, or SageError `RecordNotFound`."""
        batch = self.state.batches.get(number)
        if batch is None:
            raise SageError("RecordNotFound", f"Batch {number} does not exist.")
        return batch

    def take_batch_number(self) -> int:
        """The next number of the counter."""
        number, self.state.next_batch = self.state.next_batch, self.state.next_batch + 1
        return number

    def give_back_batch_number(self, number: int) -> None:
        """Undo `take_batch_number`, where nobody has drawn a later one."""
        if self.state.next_batch == number + 1:
            self.state.next_batch = number

    def account(self, number: str) -> Row | None:
        """The GL account, whichever way its number is written."""
        return self.table("GLAccounts").find(canonical(number))

    def period_of(self, day_text: str) -> tuple[str, str] | None:
        """Fiscal year and period ("06") of a date, or None outside the calendar."""
        day = as_date(day_text)
        for year in self.table("CSFiscalCalendars").rows():
            periods = int(str(year["NumberOfFiscalPeriods"]).removeprefix("Num"))
            for period in range(1, periods + 1):
                first = year[f"FiscalPeriod{period}StartDate"]
                last = year[f"FiscalPeriod{period}EndDate"]
                if first and last and as_date(first) <= day <= as_date(last):
                    return year["FiscalYear"], f"{period:02}"
        return None

    # Which document numbers stand in batches that are not posted yet.

    def note_entry(self, batch: Batch, entry: Row) -> None:
        """An entry lies in this batch from now on; a batch a restore has undone counts for none."""
        if self.state.batches.get(batch.number) is not batch:
            return
        document = (entry["VendorNumber"], entry["DocumentNumber"])
        self.state.unposted[document].add((batch.number, entry["EntryNumber"]))

    def forget_entry(self, batch: Batch, entry: Row) -> None:
        """An entry no longer lies in this batch."""
        document = (entry["VendorNumber"], entry["DocumentNumber"])
        places = self.state.unposted[document]
        places.discard((batch.number, entry["EntryNumber"]))
        if not places:
            del self.state.unposted[document]

    def is_used(self, document: Document, *, but: tuple[int, int] | None = None) -> bool:
        """Whether the vendor already has this document, unposted (elsewhere) or posted."""
        places = self.state.unposted.get(document, set())
        if places - {but} if but else places:
            return True
        return self.table("APPostedDocuments").find(*document) is not None
