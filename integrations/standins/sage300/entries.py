"""One invoice of a batch: defaults from vendor and terms, then every sent property in its order.

The business rules live here because they hold however an entry comes about: by a new batch, a
PATCH, or a person at the screen.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from integrations.standins.sage300 import due_dates, taxes
from integrations.standins.sage300.company import Company
from integrations.standins.sage300.errors import field_invalid
from integrations.standins.sage300.lines import apply_lines, check_lines, optional_rows
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.values import as_date, take

ENTRY = ENTITIES["Invoice"]
_KEPT_BY_SAGE = frozenset(
    {
        "BatchNumber",
        "EntryNumber",
        "UpdateOperation",
        "TransactionType",
        "FiscalYear",
        "FiscalPeriod",
        "UndistributedAmount",
        "DistributedTotalBeforeTaxes",
        "DistributedTotalIncludingTax",
        "TotalDistributedTax",
        "TaxTotal",
        "NumberOfDetails",
        "NumberOfDetailsDecimal",
        "NumberOfScheduledPayments",
        "ErrorBatch",
        "ErrorEntry",
        "EnteredBy",
        "APVersionCreatedIn",
        "SourceApplication",
    }
)
_TRANSACTION_TYPE = {
    "Invoice": "InvoiceSummaryEntered",
    "DebitNote": "DebitNoteSummaryEntered",
    "CreditNote": "CreditNoteSummaryEntered",
    "Interest": "InterestCharge",
}
_FROM_VENDOR = (
    "AddressLine1",
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "City",
    "StateProvince",
    "ZipPostalCode",
    "Country",
    "ContactName",
    "PhoneNumber",
    "FaxNumber",
    "Email",
    "ContactsEmail",
    "ContactsPhone",
    "ContactsFax",
    "AccountSet",
    "CurrencyCode",
    "RateType",
    "DistributionSet",
    "Num1099CPRSCode",
)


def new_entry(company: Company, *, batch: int, payload: Row, session: Session) -> Row:
    """The entry this payload makes, without a number yet; raises SageError where it may not be."""
    switches = session.switches
    row = ENTRY.new(
        BatchNumber=batch,
        DocumentDate=session.date,
        AsOfDate=session.date,
        DueDate=session.date,
        DocumentType="Invoice",
        TransactionType="InvoiceSummaryEntered",
        TaxAmountControl="Calculate",
        TaxBaseControl="Calculate",
        TaxReportingCalculateMethod="Calculate",
        ExchangeRate=1,
        CurrencyCodeOperator="Multiply",
        SourceApplication="AP",
        EnteredBy=session.user[:8],
        APVersionCreatedIn="67A" if switches.release_before_2021 else "71A",
    )
    if switches.default_posting_date == "session":
        row["PostingDate"] = session.date
    _apply(company, row, payload, session)
    _finish(company, row, session)
    return row


def changed_entry(company: Company, row: Row, payload: Row, session: Session) -> Row:
    """A changed copy of an entry; raises SageError where the change may not be."""
    changed = deepcopy(row)
    _apply(company, changed, payload, session)
    _finish(company, changed, session)
    return changed


def check_number(
    company: Company, row: Row, session: Session, *, but: tuple[int, int] | None = None
) -> None:
    """Refuse a document number the vendor has already (captured as 409 `FieldInvalid`)."""
    vendor, document = row["VendorNumber"], row["DocumentNumber"]
    if company.is_used((vendor, document), but=but):
        raise field_invalid(
            f"Document number '{document}' for vendor {vendor} already exists.",
            "Add one or more characters to the document number to make it unique.",
        )
    _check_look_alikes(company, row, session, but=but)


def _apply(company: Company, row: Row, payload: Row, session: Session) -> None:
    for name, value in payload.items():
        prop = ENTRY.properties.get(name)
        if prop is None or prop.kind == "rows" or name in _KEPT_BY_SAGE:
            continue
        row[name] = take(prop, value, session.switches)
        _follow(company, row, name)
    schedules = payload.get("InvoicePaymentSchedules") or [{}]
    if schedules[0].get("DueDate"):
        prop = ENTRY.properties["DueDate"]
        row["DueDate"] = take(prop, schedules[0]["DueDate"], session.switches)
    apply_lines(company, row, payload.get("InvoiceDetails", []), session)
    fields = payload.get("InvoiceOptionalFields")
    if fields is not None:
        row["InvoiceOptionalFields"] = optional_rows(company, "invoice", fields, session)
        row["NumberOfOptionalFields"] = len(row["InvoiceOptionalFields"])


def _follow(company: Company, row: Row, name: str) -> None:
    """What a property brings with it once it is set."""
    match name:
        case "VendorNumber":
            _take_vendor_defaults(company, row)
        case "DocumentType":
            row["TransactionType"] = _TRANSACTION_TYPE[row["DocumentType"]]
        case "Terms":
            due_dates.set_terms(company, row)
        case "DocumentDate":
            row["AsOfDate"] = row["DocumentDate"]
            if row["PostingDate"] is None:
                row["PostingDate"] = row["DocumentDate"]
            due_dates.recalculate(company, row)
        case "TaxGroup":
            taxes.set_tax_group(company, row)
        case "AccountSet" if row["AccountSet"]:
            if company.table("APAccountSets").find(row["AccountSet"]) is None:
                raise field_invalid(f"Account set '{row['AccountSet']}' does not exist.")


def _take_vendor_defaults(company: Company, row: Row) -> None:
    number = row["VendorNumber"]
    vendor = company.table("APVendors").find(number)
    if vendor is None:
        raise field_invalid(f"Vendor '{number}' does not exist.")
    if vendor["Status"] == "Inactive":
        raise field_invalid(f"Vendor '{number}' is inactive.")
    for name in _FROM_VENDOR:
        row[name] = vendor[name]
    row["VendorGroupCode"] = vendor["GroupCode"]
    row["VendorName"] = row["VendorName2"] = vendor["VendorName"]
    row["RemitToLocation"] = vendor["PrimaryRemitToLocation"]
    row["VendorExists"] = 1
    row["VendorAccount"] = vendor["GLAccount"]
    row["Terms"], row["TaxGroup"] = vendor["Terms"], vendor["TaxGroup"]
    for number_of_tax in taxes.FIVE:
        row[f"TaxClass{number_of_tax}"] = vendor[f"TaxClassCode{number_of_tax}"]
        row[f"TaxInclusive{number_of_tax}"] = vendor[f"TaxIncluded{number_of_tax}"]
    taxes.set_tax_group(company, row)
    due_dates.set_terms(company, row)


def _finish(company: Company, row: Row, session: Session) -> None:
    for name, title in (("VendorNumber", "Vendor number"), ("DocumentNumber", "Document number")):
        if not row[name]:
            raise field_invalid(f"{title} cannot be blank.")
    row["PostingDate"] = row["PostingDate"] or row["DocumentDate"] or session.date
    _check_currency(company, row)
    _set_period(company, row, session)
    _check_apply_to(company, row)
    check_lines(company, row, session)
    taxes.total_up(company, row)
    if row["DocumentTotalIncludingTax"] < 0:
        raise field_invalid("Document total cannot be negative.")
    if row["DocumentTotalIncludingTax"] == 0 and session.switches.zero_total == "refuse":
        raise field_invalid("Document total cannot be zero.")
    if row["UndistributedAmount"] and session.switches.undistributed == "refuse":
        raise field_invalid(f"The undistributed amount is {row['UndistributedAmount']}, not zero.")
    due_dates.schedule(row)


def _check_currency(company: Company, row: Row) -> None:
    vendor: Any = company.table("APVendors").find(row["VendorNumber"])
    if vendor is not None and row["CurrencyCode"] != vendor["CurrencyCode"]:
        raise field_invalid(
            f"Currency code '{row['CurrencyCode']}' is not the currency of vendor "
            f"'{row['VendorNumber']}'."
        )


def _set_period(company: Company, row: Row, session: Session) -> None:
    day = as_date(row["PostingDate"])
    period = company.period_of(row["PostingDate"])
    if period is None:
        raise field_invalid(
            f"Cannot determine the fiscal period for date {day:%Y-%m-%d}.",
            "The date is not in the fiscal calendar.",
        )
    row["FiscalYear"], row["FiscalPeriod"] = period
    if period in company.state.locked_periods:
        year, number = period
        level = company.profile["LockedFiscalPeriod"]
        session.complain(level, f"Fiscal period {year}-{number} is locked for A/P.")


def _check_apply_to(company: Company, row: Row) -> None:
    applied = row["ApplytoDocument"]
    if not applied or row["DocumentType"] not in {"CreditNote", "DebitNote"}:
        return
    if company.table("APPostedDocuments").find(row["VendorNumber"], applied) is None:
        raise field_invalid(f"Apply-to document '{applied}' does not exist.")


def _check_look_alikes(
    company: Company, row: Row, session: Session, *, but: tuple[int, int] | None
) -> None:
    vendor: Any = company.table("APVendors").find(row["VendorNumber"])
    checks = {
        "amount": (vendor["DuplicateAmountCode"], "DocumentTotalIncludingTax"),
        "date": (vendor["DuplicateDateCode"], "DocumentDate"),
    }
    if all(level == "None" for level, _ in checks.values()):
        return
    for other in _documents_of(company, row["VendorNumber"], but=but):
        for what, (level, name) in checks.items():
            if other[name] == row[name]:
                text = f"Document '{other['DocumentNumber']}' has the same {what}."
                session.complain(level, text)


def _documents_of(company: Company, vendor: str, *, but: tuple[int, int] | None) -> list[Row]:
    found: list[Row] = []
    for (owner, _), places in company.state.unposted.items():
        if owner == vendor:
            batches = company.state.batches
            found += [batches[b].entries[e] for b, e in places if (b, e) != but]
    for posted in company.table("APPostedDocuments").rows():
        if posted["VendorNumber"] == vendor:
            amount = posted["VendCurrencyInvoiceAmount"]
            names = {"DocumentTotalIncludingTax": amount, "DocumentDate": posted["DocDate"]}
            found.append(posted | names)
    return found
