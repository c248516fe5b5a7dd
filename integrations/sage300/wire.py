"""Batches and vendors to and from Sage's JSON, in Sage's order.

Sage puts values into its view in the order they stand in the body, and an early field (vendor,
group, terms, tax) pulls defaults that overwrite what came before it: so drivers come first and what
must hold comes last (Web API developer reference, "Order of properties"). Names are those of the
captured batch and Sage's own samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.sage300.types import (
    BatchHeader,
    Invoice,
    InvoiceBatch,
    InvoiceDetail,
    SageVendor,
    TaxControl,
)
from integrations.sage300.values import (
    Row,
    WireError,
    amount,
    children,
    day,
    dumps,
    folded,
    record,
    text,
    unformatted,
    whole,
)

ZERO = Decimal(0)
TAX_AMOUNTS = tuple(f"TaxAmount{n}" for n in range(1, 6))
HEADER_PROPERTIES = (
    "BatchNumber",
    "BatchDate",
    "Description",
    "BatchStatus",
    "NumberOfEntries",
    "BatchTotal",
    "PostingSequenceNumber",
    "NumberOfErrors",
    "DateLastEdited",
)

# The order of a vendor's properties in a body: the group first, as it overwrites all below; the
# kind of distribution before the account it makes room for.
VENDOR_ORDER = (
    "VendorNumber",
    "GroupCode",
    "VendorName",
    "ShortName",
    "Status",
    "OnHold",
    "AccountSet",
    "CurrencyCode",
    "Terms",
    "TaxGroup",
    "DistributionType",
    "GLAccount",
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "City",
    "StateProvince",
    "ZipPostalCode",
    "Country",
    "PhoneNumber",
    "Email",
    "ContactName",
)


def batch_body(*, description: str, batch_date: date, invoices: Sequence[Invoice]) -> bytes:
    """The exact bytes of a batch POST."""
    return dumps(
        {
            "BatchDate": batch_date,
            "Description": description,
            "Invoices": [_invoice_out(invoice) for invoice in invoices],
        }
    )


def _invoice_out(invoice: Invoice) -> dict[str, Any]:
    body: dict[str, Any] = {
        "VendorNumber": invoice.vendor_number,
        "DocumentType": invoice.document_type,
        "DocumentNumber": invoice.document_number,
        "DocumentDate": invoice.document_date,
        "PostingDate": invoice.posting_date,
        "OrderNumber": invoice.order_number,
        "PONumber": invoice.po_number,
        "InvoiceDescription": invoice.description,
        "DueDate": invoice.due_date,
    }
    body = {name: value for name, value in body.items() if value not in (None, "")}
    if invoice.tax_control is not None:
        body["TaxAmountControl"] = invoice.tax_control.value
    if invoice.tax_control is TaxControl.ENTER:
        body |= dict.fromkeys(TAX_AMOUNTS, ZERO)
    body["DocumentTotalIncludingTax"] = invoice.total
    body["InvoiceDetails"] = [_detail_out(detail) for detail in invoice.details]
    return body


def _detail_out(detail: InvoiceDetail) -> dict[str, Any]:
    body: dict[str, Any] = {"GLAccount": detail.gl_account}
    if detail.description:
        body["DistributionDescription"] = detail.description
    body["DistributedAmount"] = detail.amount
    if detail.comment:
        body["Comment"] = detail.comment
    return body


def status_body(number: int, status: str) -> bytes:
    """The body that sets a batch's status and touches nothing else."""
    return dumps({"BatchNumber": number, "BatchStatus": status})


def description_body(number: int, description: str) -> bytes:
    """The body that renames a batch."""
    return dumps({"BatchNumber": number, "Description": description})


def removal_body(number: int, entry_numbers: Sequence[int]) -> bytes:
    """The body that deletes exactly these entries of a batch."""
    entries = [
        {"BatchNumber": number, "EntryNumber": entry, "UpdateOperation": "Delete"}
        for entry in entry_numbers
    ]
    return dumps({"BatchNumber": number, "Invoices": entries})


def parse_batch(body: bytes) -> InvoiceBatch:
    """A batch with its entries, from an answer; raises WireError."""
    return batch_of(record(body))


def batch_of(row: Row) -> InvoiceBatch:
    """A batch with its entries; raises WireError."""
    return InvoiceBatch(
        header=parse_header(row),
        invoices=tuple(_invoice_in(invoice) for invoice in children(row, "Invoices")),
    )


def parse_header(row: Row) -> BatchHeader:
    """A batch as a list shows it; a status unknown to us is kept."""
    number = whole(row.get("BatchNumber"))
    if number <= 0:
        raise WireError("a batch without its number")
    return BatchHeader(
        number=number,
        description=text(row, "Description"),
        status=text(row, "BatchStatus"),
        entry_count=whole(row.get("NumberOfEntries")),
        total=amount(row.get("BatchTotal")) or ZERO,
        posting_sequence=whole(row.get("PostingSequenceNumber")),
        error_count=whole(row.get("NumberOfErrors")),
        last_edited=text(row, "DateLastEdited"),
    )


def _invoice_in(row: Row) -> Invoice:
    document_date = day(row.get("DocumentDate"))
    if document_date is None:
        raise WireError("an invoice without its date")
    return Invoice(
        vendor_number=folded(row, "VendorNumber"),
        document_number=folded(row, "DocumentNumber"),
        order_number=folded(row, "OrderNumber"),
        document_date=document_date,
        posting_date=day(row.get("PostingDate")),
        due_date=day(row.get("DueDate")),
        total=amount(row.get("DocumentTotalIncludingTax")) or ZERO,
        details=tuple(_detail_in(detail) for detail in children(row, "InvoiceDetails")),
        document_type=text(row, "DocumentType"),
        description=text(row, "InvoiceDescription"),
        po_number=text(row, "PONumber"),
        tax_control=_tax_control(text(row, "TaxAmountControl")),
        entry_number=whole(row.get("EntryNumber")),
        undistributed_amount=amount(row.get("UndistributedAmount")),
        fiscal_year=text(row, "FiscalYear"),
        fiscal_period=text(row, "FiscalPeriod"),
        currency=folded(row, "CurrencyCode"),
    )


def _tax_control(word: str) -> TaxControl | None:
    return TaxControl(word) if word in set(TaxControl) else None


def _detail_in(row: Row) -> InvoiceDetail:
    return InvoiceDetail(
        gl_account=unformatted(text(row, "GLAccount")),
        amount=amount(row.get("DistributedAmount")) or ZERO,
        description=text(row, "DistributionDescription"),
        comment=text(row, "Comment"),
        line_number=whole(row.get("LineNumber")),
    )


def vendor_body(vendor: SageVendor) -> bytes:
    """The body that creates a vendor; what is blank is left to the group's defaults."""
    lines = dict(zip(VENDOR_ORDER[12:16], vendor.address_lines, strict=False))
    values = {
        "VendorNumber": vendor.number,
        "GroupCode": vendor.group_code,
        "VendorName": vendor.name,
        "ShortName": vendor.short_name,
        "OnHold": "OnHold" if vendor.is_on_hold else "",
        "AccountSet": vendor.account_set,
        "CurrencyCode": vendor.currency,
        "Terms": vendor.terms,
        "TaxGroup": vendor.tax_group,
        "DistributionType": vendor.distribution_type or ("GLAccount" if vendor.gl_account else ""),
        "GLAccount": vendor.gl_account,
        **lines,
        "City": vendor.city,
        "StateProvince": vendor.state_province,
        "ZipPostalCode": vendor.postal_code,
        "Country": vendor.country,
        "PhoneNumber": vendor.phone,
        "Email": vendor.email,
        "ContactName": vendor.contact_name,
    }
    return dumps({name: values[name] for name in VENDOR_ORDER if values.get(name)})


def vendor_changes_body(changes: dict[str, str]) -> bytes:
    """The body that changes these properties of a vendor.

    Raises WireError for GroupCode (Sage would overwrite terms, account set and tax with the group's)
    and for VendorNumber, which never changes.
    """
    forbidden = {"GroupCode", "VendorNumber"} & changes.keys()
    if forbidden:
        raise WireError(f"{', '.join(sorted(forbidden))} may not be in a vendor's update")
    known = [name for name in VENDOR_ORDER if name in changes]
    others = [name for name in changes if name not in VENDOR_ORDER]
    return dumps({name: changes[name] for name in [*known, *others]})


def new_vendor(body: bytes) -> SageVendor:
    """The vendor a create answered with; raises WireError."""
    return parse_vendor(record(body))


def parse_vendor(row: Row) -> SageVendor:
    """A vendor in the fields this product reads or owns."""
    number = folded(row, "VendorNumber")
    if not number:
        raise WireError("a vendor without its number")
    lines = [text(row, name) for name in VENDOR_ORDER[12:16]]
    while lines and not lines[-1]:
        lines.pop()
    return SageVendor(
        number=number,
        name=text(row, "VendorName"),
        group_code=folded(row, "GroupCode"),
        short_name=text(row, "ShortName"),
        is_active=text(row, "Status") != "Inactive",
        is_on_hold=text(row, "OnHold") in {"OnHold", "Yes"},
        currency=folded(row, "CurrencyCode"),
        terms=folded(row, "Terms"),
        tax_group=folded(row, "TaxGroup"),
        account_set=folded(row, "AccountSet"),
        gl_account=unformatted(text(row, "GLAccount")),
        distribution_type=text(row, "DistributionType"),
        address_lines=tuple(lines),
        city=text(row, "City"),
        state_province=text(row, "StateProvince"),
        postal_code=text(row, "ZipPostalCode"),
        country=text(row, "Country"),
        phone=text(row, "PhoneNumber"),
        email=text(row, "Email"),
        contact_name=text(row, "ContactName"),
    )
