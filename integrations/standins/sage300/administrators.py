"""What administrators do in Sage: master data, periods, users, backups."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from integrations.standins.messages import ActionError
from integrations.standins.sage300 import loading, vendors
from integrations.standins.sage300.people import People, do
from integrations.standins.sage300.security import Gate, User


class Administrators(People):
    """Their actions."""

    gate: Gate
    _kept: dict[str, bytes]
    _today: Callable[[], date]

    # Master data.

    def add_vendor(
        self, company: str, number: str, name: str, group: str = "TRADE", **fields: Any
    ) -> None:
        """A vendor keyed in by hand."""
        record = {"VendorNumber": number, "GroupCode": group, "VendorName": name} | fields
        db = self.company(company)
        with db.lock:
            do(lambda: vendors.create(db, record, self.session()))

    def set_vendor(self, company: str, number: str, **fields: Any) -> None:
        """Change a vendor; Status goes through although transactions are open."""
        db = self.company(company)
        with db.lock:
            row = db.table("APVendors").find(number.upper())
            if row is None:
                raise ActionError(f"There is no vendor {number!r}.")
            status = fields.pop("Status", row["Status"])
            do(lambda: vendors.change(db, row, fields, self.session()))
            row["Status"] = status

    def delete_vendor(self, company: str, number: str) -> None:
        """Delete a vendor, or renumber it with the Number Changer: its old number is gone."""
        db = self.company(company)
        with db.lock:
            if db.table("APVendors").find(number.upper()) is None:
                raise ActionError(f"There is no vendor {number!r}.")
            db.table("APVendors").drop(number.upper())

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

    def set_today(self, day: str) -> None:
        """Let the session date of everybody be this day, like 2026-03-31."""
        fixed = date.fromisoformat(day)
        self._today = lambda: fixed

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
