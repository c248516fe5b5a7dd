"""What bookkeepers do in Sage with invoices and batches while the product is at work."""

from __future__ import annotations

from typing import Any

from integrations.standins.messages import ActionError
from integrations.standins.sage300 import batches, posting
from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.people import People, amount_of, do
from integrations.standins.sage300.schema import ENTITIES, Row

_LATER = "9999"


class Clerks(People):
    """Their actions. Numbers of batches and entries are Sage's; amounts may be texts."""

    def clerk_enters_invoice(
        self,
        company: str,
        vendor: str,
        document: str,
        amount: object,
        account: str,
        batch: int | None = None,
        **fields: Any,
    ) -> dict[str, int]:
        """An invoice keyed in by hand, in a new Open batch of the clerk's or in `batch`."""
        db, session, total = self.company(company), self.session(), amount_of(amount)
        invoice = {
            "VendorNumber": vendor,
            "DocumentNumber": document,
            "TaxAmountControl": "Enter",
            "DocumentTotalIncludingTax": total,
            "InvoiceDetails": [{"GLAccount": account, "DistributedAmount": total}],
        } | fields
        with db.lock:
            if batch is None:
                target = batches.new_batch(db, session, Description="Keyed in")
            else:
                target = _batch(db, batch)
            row = do(lambda: batches.add_entry(db, target, invoice, session))
            return {"batch": target.number, "entry": row["EntryNumber"]}

    def edit_entry(self, company: str, batch: int, entry: int, **fields: Any) -> None:
        """Change an entry, whatever the batch's status is. `amount` changes total and line one."""
        db = self.company(company)
        with db.lock:
            target, row = _entry(db, batch, entry)
            change: Row = dict(fields)
            if "amount" in change:
                total = amount_of(change.pop("amount"))
                first = row["InvoiceDetails"][0]
                others = row["DocumentTotalIncludingTax"] - first["DistributedAmount"]
                change["DocumentTotalIncludingTax"] = total
                change["InvoiceDetails"] = [
                    {"LineNumber": first["LineNumber"], "DistributedAmount": total - others}
                ]
            do(lambda: batches.change_entry(db, target, entry, _decimals(change), self.session()))

    def delete_entry(self, company: str, batch: int, entry: int) -> None:
        """Take an entry out of its batch."""
        db = self.company(company)
        with db.lock:
            target, _ = _entry(db, batch, entry)
            batches.drop_entry(db, target, entry)

    def move_entry(
        self, company: str, batch: int, entry: int, to_batch: int | None = None
    ) -> dict[str, int]:
        """Put an entry into another batch, or into a new one."""
        db = self.company(company)
        with db.lock:
            source, _ = _entry(db, batch, entry)
            if to_batch is None:
                target = batches.new_batch(db, self.session(), Description="Moved by hand")
            else:
                target = _batch(db, to_batch)
            row = batches.drop_entry(db, source, entry)
            number = int(target.header["LastEntryNumber"]) + 1
            batches.put_entry(db, target, row, number)
            return {"batch": target.number, "entry": number}

    def rename_batch(self, company: str, batch: int, description: str) -> None:
        """Give a batch another description."""
        db = self.company(company)
        with db.lock:
            _batch(db, batch).header["Description"] = description[:60]

    def delete_batch(self, company: str, batch: int) -> None:
        """Delete a batch: its header stays, Deleted and empty."""
        db = self.company(company)
        with db.lock:
            target = _batch(db, batch)
            for number in list(target.entries):
                batches.drop_entry(db, target, number)
            target.header["BatchStatus"] = "Deleted"

    def lock_batch(self, company: str, batch: int, user: str = "CLERK") -> None:
        """Open a batch at the screen, so that nobody else can change it."""
        _batch(self.company(company), batch).locked_by = user

    def unlock_batch(self, company: str, batch: int) -> None:
        """Leave the screen."""
        _batch(self.company(company), batch).locked_by = ""

    def mark_printed(self, company: str, batch: int) -> None:
        """Print the batch listing."""
        _batch(self.company(company), batch).header["BatchPrintedFlag"] = "Yes"

    def mark_entry_bad(
        self, company: str, batch: int, entry: int, reason: str = "The entry cannot be posted."
    ) -> None:
        """Let posting refuse this entry, with these words."""
        target, _ = _entry(self.company(company), batch, entry)
        target.bad[entry] = reason

    def set_ready(self, company: str, batch: int) -> None:
        """Set a batch Ready To Post."""
        self._set_status(company, batch, "ReadyToPost")

    def set_open(self, company: str, batch: int) -> None:
        """Set a batch back to Open."""
        self._set_status(company, batch, "Open")

    def _set_status(self, company: str, batch: int, status: str) -> None:
        db = self.company(company)
        with db.lock:
            target = _batch(db, batch)
            do(lambda: batches.set_status(db, target, status, self.session()))

    def post_batch(self, company: str, batch: int) -> None:
        """Post a batch at the screen, from Open or Ready To Post."""
        db = self.company(company)
        with db.lock:
            target = _batch(db, batch)
            if target.status not in {"Open", "ReadyToPost"}:
                raise ActionError(f"Batch {batch} is {target.status}.")
            posting.post(db, target, self.session())

    def clear_history(self, company: str, before: str = _LATER) -> None:
        """Clear posted documents and batches of days before `before`; batch numbers go on."""
        db = self.company(company)
        with db.lock:
            for row in list(db.table("APPostedDocuments").rows()):
                if row["PostingDate"] < before:
                    db.table("APPostedDocuments").drop(row["VendorNumber"], row["DocumentNumber"])
            for number, batch in list(db.state.batches.items()):
                if batch.status == "Posted" and batch.header["BatchDate"] < before:
                    del db.state.batches[number]


def _batch(db: Company, number: int) -> Batch:
    if number not in db.state.batches:
        raise ActionError(f"There is no batch {number}.")
    return db.state.batches[number]


def _entry(db: Company, batch: int, entry: int) -> tuple[Batch, Row]:
    target = _batch(db, batch)
    if entry not in target.entries:
        raise ActionError(f"There is no entry {entry} in batch {batch}.")
    return target, target.entries[entry]


def _decimals(change: Row) -> Row:
    properties = ENTITIES["Invoice"].properties
    for name, value in change.items():
        prop = properties.get(name)
        if prop is None:
            raise ActionError(f"An entry has no {name!r}.")
        if prop.kind == "number" and isinstance(value, str | float):
            change[name] = amount_of(value)
    return change
