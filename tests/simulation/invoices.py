"""The one shape of invoice that the simulated worlds use."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache

from integrations.sage300.types import Invoice, InvoiceDetail
from sync.domain.facts import Entry

DAY = date(2026, 12, 1)


@lru_cache(maxsize=4096)
def an_invoice(vendor: str, number: str, order: str, total: Decimal) -> Invoice:
    return Invoice(
        vendor_number=vendor,
        document_number=number,
        order_number=order,
        document_date=DAY,
        posting_date=DAY,
        due_date=DAY,
        total=total,
        details=(InvoiceDetail(gl_account="6000", amount=total),),
    )


def invoice_of(entry: Entry) -> Invoice:
    return an_invoice(entry.vendor_number, entry.document_number, entry.order_number, entry.total)
