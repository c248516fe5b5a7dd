"""Everything in a company that a test compares, in plain JSON."""

from __future__ import annotations

from decimal import Decimal

from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.schema import Row
from integrations.standins.sage300.values import rounded

_VENDOR = ("VendorName", "GroupCode", "Status", "OnHold", "Terms", "TaxGroup", "CurrencyCode")


def ledger_of(company: Company) -> Row:
    """Vendors, batches with entries and lines, posted documents and posting errors."""
    return {
        "vendors": [_vendor(row) for row in company.table("APVendors").rows()],
        "batches": [_batch(batch) for _, batch in sorted(company.state.batches.items())],
        "posted": [_posted(row) for row in company.table("APPostedDocuments").rows()],
        "errors": [_message(row) for row in company.table("APPostingErrorMessages").rows()],
    }


def _amount(value: Decimal | int) -> str:
    return str(rounded(Decimal(value)))


def _day(text: str | None) -> str | None:
    return text[:10] if text else None


def _vendor(row: Row) -> Row:
    names = (*_VENDOR, "AccountSet", "ShortName", "GLAccount", "DistributionType")
    return {"VendorNumber": row["VendorNumber"]} | {name: row[name] for name in names}


def _batch(batch: Batch) -> Row:
    header = batch.header
    return {
        "BatchNumber": batch.number,
        "BatchStatus": batch.status,
        "Description": header["Description"],
        "NumberOfEntries": header["NumberOfEntries"],
        "BatchTotal": _amount(header["BatchTotal"]),
        "PostingSequenceNumber": header["PostingSequenceNumber"],
        "NumberOfErrors": header["NumberOfErrors"],
        "Invoices": [_entry(entry) for _, entry in sorted(batch.entries.items())],
    }


def _entry(entry: Row) -> Row:
    texts = ("VendorNumber", "DocumentNumber", "OrderNumber", "PONumber", "InvoiceDescription")
    more = ("DocumentType", "CurrencyCode", "Terms", "FiscalYear", "FiscalPeriod", "EnteredBy")
    return (
        {"EntryNumber": entry["EntryNumber"]}
        | {name: entry[name] for name in (*texts, *more)}
        | {name: _day(entry[name]) for name in ("DocumentDate", "PostingDate", "DueDate")}
        | {
            name: _amount(entry[name])
            for name in ("DocumentTotalIncludingTax", "TaxTotal", "UndistributedAmount")
        }
        | {
            "ErrorBatch": entry["ErrorBatch"],
            "ErrorEntry": entry["ErrorEntry"],
            "InvoiceDetails": [
                {
                    "LineNumber": line["LineNumber"],
                    "GLAccount": line["GLAccount"],
                    "DistributedAmount": _amount(line["DistributedAmount"]),
                    "DistributionDescription": line["DistributionDescription"],
                    "Comment": line["Comment"],
                }
                for line in entry["InvoiceDetails"]
            ],
        }
    )


def _posted(row: Row) -> Row:
    names = ("VendorNumber", "DocumentNumber", "OrderNumber", "PONumber", "DocDescription")
    more = ("DocumentType", "BatchNumber", "EntryNumber", "PostingSequenceNo", "CurrencyCode")
    return (
        {name: row[name] for name in (*names, *more)}
        | {name: _day(row[name]) for name in ("DocDate", "PostingDate", "DueDate")}
        | {"Amount": _amount(row["VendCurrencyInvoiceAmount"])}
    )


def _message(row: Row) -> Row:
    names = ("PostingSequenceNo", "BatchNumber", "EntryNumber", "ErrorDescription")
    return {name: row[name] for name in (*names, "ErrorBatchNumber", "ErrorEntryNumber")}
