"""Plain values for the domain's tables, each a good one until a test changes something."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.bill.types import Bill, BillLine, BillVendor, Coding, ListItem, ListKind
from integrations.sage300.types import FiscalPeriod, GLAccount, SageVendor
from sync.domain.gl_accounts import SageAccounts
from sync.domain.line_accounts import Catalogue


def a_line(amount: str | None = "100.00", *, id: str = "bli1", **coding: Any) -> BillLine:
    description = coding.pop("description", "Flour")
    return BillLine(
        id=id,
        amount=None if amount is None else Decimal(amount),
        description=description,
        coding=Coding(**(coding or {"account_id": "0caFlour"})),
    )


def a_bill(**overrides: Any) -> Bill:
    values: dict[str, Any] = {
        "id": "00nBill1",
        "vendor_id": "009Mill",
        "vendor_name": "Prairie Mill & Grain",
        "invoice_number": "PM-48211",
        "invoice_date": date(2026, 11, 23),
        "due_date": date(2026, 12, 23),
        "amount": Decimal("100.00"),
        "approval_status": "APPROVED",
        "lines": (a_line(),),
        "created_at": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    }
    if "amount" in overrides and isinstance(overrides["amount"], str):
        overrides["amount"] = Decimal(overrides["amount"])
    return Bill(**{**values, **overrides})


def a_bill_of(*lines: BillLine, **overrides: Any) -> Bill:
    total = sum((line.amount for line in lines if line.amount is not None), Decimal(0))
    return a_bill(**{"lines": lines, "amount": total, **overrides})


def a_bill_vendor(**overrides: Any) -> BillVendor:
    values: dict[str, Any] = {"id": "009Mill", "name": "Prairie Mill & Grain", "currency": "USD"}
    return BillVendor(**{**values, **overrides})


def a_sage_vendor(**overrides: Any) -> SageVendor:
    values: dict[str, Any] = {
        "number": "PRAMIL",
        "name": "Prairie Mill & Grain",
        "group_code": "TRADE",
        "currency": "USD",
        "terms": "N30",
    }
    return SageVendor(**{**values, **overrides})


def an_account(formatted: str, description: str = "", **overrides: Any) -> GLAccount:
    number = overrides.pop("number", formatted.replace("-", ""))
    return GLAccount(
        number=number, formatted=formatted, description=description or formatted, **overrides
    )


def a_period(year: int, month: int, *, is_open: bool = True) -> FiscalPeriod:
    after = date(year + month // 12, month % 12 + 1, 1)
    return FiscalPeriod(
        year=str(year),
        period=f"{month:02}",
        first_date=date(year, month, 1),
        last_date=date.fromordinal(after.toordinal() - 1),
        is_open=is_open,
    )


def bill_account(id: str, name: str, number: str = "", **overrides: Any) -> ListItem:
    return ListItem(kind=ListKind.ACCOUNT, id=id, name=name, number=number, **overrides)


ACCOUNTS = (
    an_account("5010-100", "Flour"),
    an_account("5060-100", "Freight in"),
    an_account("6120-100", "Utilities, plant"),
    an_account("6120-200", "Utilities, office"),
    an_account("6320-300", "Fuel", is_active=False),
    an_account("6330-300", "Tolls"),
    an_account("6900-100", "Suspense", post_to="Prohibited"),
    an_account("6800-100", "Overheads", is_rollup=True),
    an_account("2010-100", "Accounts payable", is_control=True),
)

LISTS = (
    bill_account("0caFlour", "Flour", "5010-100"),
    bill_account("0caTolls", "Tolls", "6330300"),
    bill_account("0caFuel", "Fuel", "6320-300"),
    bill_account("0caSuspense", "Suspense", "6900-100"),
    bill_account("0caPayable", "Payables", "2010-100"),
    bill_account("0caShows", "Trade Shows"),
    bill_account("0caTruck", "Old Catering Truck", "6999-100", archived=True),
    bill_account("0caUtil", "Utilities"),
    ListItem(kind=ListKind.DEPARTMENT, id="0dePlant", name="Plant"),
    ListItem(kind=ListKind.DEPARTMENT, id="0deOffice", name="Office"),
    ListItem(kind=ListKind.LOCATION, id="locEast", name="East"),
    ListItem(kind=ListKind.CLASS, id="clsBread", name="Bread"),
    ListItem(kind=ListKind.ITEM, id="0iiSack", name="Flour sack", expense_account_id="0caFlour"),
    ListItem(kind=ListKind.ITEM, id="0iiBare", name="Sundries"),
)


def a_catalogue(*more: GLAccount) -> Catalogue:
    return Catalogue(
        lists={item.id: item for item in LISTS}, accounts=SageAccounts.of((*ACCOUNTS, *more))
    )
