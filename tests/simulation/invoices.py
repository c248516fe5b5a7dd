"""The one shape of invoice that the simulated worlds use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from integrations.sage300.types import Invoice, InvoiceDetail

#: Days of posting, in three fiscal periods; the second of them is today's.
DAYS = (date(2026, 11, 27), date(2026, 12, 1), date(2026, 12, 15), date(2027, 1, 4))
DAY = DAYS[1]

Period = tuple[str, str]


def period_of(day: date) -> Period:
    """The fiscal year and period of a day, where periods are months."""
    return str(day.year), f"{day.month:02}"


def an_invoice(
    vendor: str, number: str, order: str, total: Decimal, day: date = DAY, currency: str = "USD"
) -> Invoice:
    year, period = period_of(day)
    return Invoice(
        vendor_number=vendor,
        document_number=number,
        order_number=order,
        document_date=day,
        posting_date=day,
        due_date=day,
        total=total,
        details=(InvoiceDetail(gl_account="6000", amount=total),),
        fiscal_year=year,
        fiscal_period=period,
        currency=currency,
    )
