"""What people do in Sage while the product is at work: the actions of the control door.

A bookkeeper edits, moves, renames, posts and deletes; an administrator changes passwords, rights
and periods; a backup is put back. None of them asks the Web API for leave.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.standins.messages import ActionError
from integrations.standins.sage300 import batches, loading, posting, vendors
from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.security import Gate, User
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.switches import Switches

_LATER = "9999"


def amount_of(value: object) -> Decimal:
    """An amount given as text, whole number or Decimal."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ActionError(f"{value!r} is not an amount.") from None


class People:
    """The actions. Numbers of batches and entries are Sage's; amounts may be texts."""

    companies: dict[str, Company]
    switches: Switches
    gate: Gate
    _kept: dict[str, bytes]

    def session(self, user: str = "CLERK") -> Session:
        """A session of a person who is at work today."""
        raise NotImplementedError

    def company(self, code: str) -> Company:
        """The company, or ActionError."""
        if code not in self.companies:
            raise ActionError(f"There is no company {code!r}.")
        return self.companies[code]

    # Master data.

    def add_vendor(
        self, company: str, number: str, name: str, group: str = "TRADE", **fields: Any
    ) -> None:
        """A vendor keyed in by hand."""
        record = {"VendorNumber": number, "GroupCode": group, "VendorName": name} | fields
        db = self.company(company)
        with db.lock:
            _do(lambda: vendors.create(db, record, self.session()))

    def set_vendor(self, company: str, number: str, **fields: Any) -> None:
        """Change a vendor; Status goes through although transactions are open."""
        db = self.company(company)
        with db.lock:
            row = db.table("APVendors").find(number.upper())
            if row is None:
                raise ActionError(f"There is no vendor {number!r}.")
            status = fields.pop("Status", row["Status"])
            _do(lambda: vendors.change(db, row, fields, self.session()))
            row["Status"] = status

    def add_account(self, company: str, account: str, description: str, **fields: Any) -> None:
        """A new GL account, by its formatted number."""
        db = self.company(company)
        with db.lock:
            loading.put_account(db, {"AccountNumber": account, "Description": description} | fields)

    def set_account(self, company: str, account: str, **fields: Any) -> None:
        """Change a GL account: Status, PostToAccount, ControlAccount, ..."""
        db = self.company(company)
        with db.lock:
            row = db.account(account)
            if row is None or set(fields) - set(row):
                raise ActionError(f"There is no account {account!r}, or no such field.")
            row.update(fields)

    def set_company_option(self, company: str, name: str, value: str) -> None:
        """A switch of the company profile, like LockedFiscalPeriod to None, Warning or Error."""
        db = self.company(company)
        with db.lock:
            if name not in db.profile:
                raise ActionError(f"The company profile has no {name!r}.")
            db.profile[name] = value

    def lock_period(self, company: str, year: str, period: str) -> None:
        """Lock a fiscal period for A/P."""
        self.company(company).state.locked_periods.add((str(year), f"{int(period):02}"))

    def open_period(self, company: str, year: str, period: str) -> None:
        """Unlock a fiscal period for A/P."""
        self.company(company).state.locked_periods.discard((str(year), f"{int(period):02}"))

    def set_calendar(self, company: str, years: list[Any]) -> None:
        """Replace the fiscal calendar: years as numbers, or as records."""
        db = self.company(company)
        with db.lock:
            for row in list(db.table("CSFiscalCalendars").rows()):
                db.table("CSFiscalCalendars").drop(row["FiscalYear"])
            loading.set_years(db, years)

    # Invoices and batches.

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
            row = _do(lambda: batches.add_entry(db, target, invoice, session))
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
            _do(lambda: batches.change_entry(db, target, entry, _decimals(change), self.session()))

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
            _do(lambda: batches.set_status(db, target, status, self.session()))

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

    # Users, and days that come back.

    def set_user_password(self, user: str, password: str) -> None:
        """Change a user's password, as of the next request."""
        self._user(user).password = password

    def set_rights(self, user: str, company: str, rights: list[str]) -> None:
        """A user's rights in a company: modules like AP, or single ones like AP.post."""
        self._user(user).rights[company] = set(rights)

    def _user(self, name: str) -> User:
        if name.upper() not in self.gate.users:
            raise ActionError(f"There is no user {name!r}.")
        return self.gate.users[name.upper()]

    def snapshot(self, company: str | None = None) -> str:
        """Back up a company, or all of them, and return the backup's id."""
        codes = [company] if company else sorted(self.companies)
        states = {}
        for code in codes:
            db = self.company(code)
            with db.lock:
                states[code] = pickle.dumps(db.state)
        backup = f"backup-{len(self._kept) + 1}"
        self._kept[backup] = pickle.dumps(states)
        return backup

    def restore(self, backup: str) -> None:
        """Put a backup back: numbers, batches, documents and vendors as they were."""
        if backup not in self._kept:
            raise ActionError(f"There is no backup {backup!r}.")
        states: Mapping[str, bytes] = pickle.loads(self._kept[backup])  # noqa: S301 - made above
        for code, state in states.items():
            db = self.companies[code]
            with db.lock:
                db.state = pickle.loads(state)  # noqa: S301 - made above


ACTIONS = frozenset(
    name
    for name, value in vars(People).items()
    if callable(value) and not name.startswith("_") and name not in {"session", "company"}
)


def _do(work: Any) -> Any:
    try:
        return work()
    except SageError as error:
        raise ActionError(error.text) from error


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
