"""When an invoice is due, by its terms, and the payment schedule that follows from it."""

from __future__ import annotations

import calendar
from datetime import date
from decimal import Decimal

from integrations.standins.sage300.company import Company
from integrations.standins.sage300.errors import field_invalid
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.values import as_date, date_text, plus_days, rounded

_SCHEDULE = ENTITIES["InvoicePaymentSchedule"]


def set_terms(company: Company, row: Row) -> None:
    """Take over the terms named in the row; raises where they do not exist or are inactive."""
    code = row["Terms"]
    terms = company.table("APTerms").find(code) if code else None
    if code and terms is None:
        raise field_invalid(f"Terms code '{code}' does not exist.")
    if terms is not None and terms["Status"] != "Active":
        raise field_invalid(f"Terms code '{code}' is inactive.")
    row["TermsDescription"] = terms["Description"] if terms else ""
    recalculate(company, row)


def recalculate(company: Company, row: Row) -> None:
    """Due and discount date from document date and terms, over whatever stood there."""
    document_date = row["DocumentDate"]
    if not document_date:
        return
    terms = company.table("APTerms").find(row["Terms"])
    if terms is None:
        row["DueDate"] = document_date
        return
    days = company.state.due_days.get(row["Terms"], 0)
    row["DueDate"] = _due(terms["MethodOfCalcForDueDate"], document_date, days)
    discount_days, percentage = company.state.discounts.get(row["Terms"], (0, Decimal(0)))
    row["DiscountPercentage"] = percentage
    row["DiscountDate"] = plus_days(document_date, discount_days) if percentage else None


def _due(method: str, document_date: str, days: int) -> str:
    day = as_date(document_date)
    if method in {"EndofNextMonth", "DayofNextMonth"}:
        year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
        last = calendar.monthrange(year, month)[1]
        wanted = last if method == "EndofNextMonth" else min(max(days, 1), last)
        return date_text(date(year, month, wanted))
    return plus_days(document_date, days)


def schedule(row: Row) -> None:
    """One payment over the whole amount."""
    total, percentage = row["DocumentTotalIncludingTax"], row["DiscountPercentage"]
    discount = rounded(Decimal(total) * Decimal(percentage) / 100) if percentage else Decimal(0)
    row["DiscountAmountAvailable"] = discount
    row["AmountDue"] = row["SourceAmountDue"] = row["FunctionalAmountDue"] = total
    row["NumberOfScheduledPayments"] = 1
    row["InvoicePaymentSchedules"] = [
        _SCHEDULE.new(
            BatchNumber=row["BatchNumber"],
            EntryNumber=row["EntryNumber"],
            PaymentNumber=1,
            DueDate=row["DueDate"],
            AmountDue=total,
            DiscountDate=row["DiscountDate"],
            DiscountAmount=discount,
            FunctionalAmountDue=total,
            FunctionalDiscountAmount=discount,
        )
    ]
