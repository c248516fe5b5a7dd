"""Posting: good entries become posted documents, bad ones move to a new error batch."""

from __future__ import annotations

from decimal import Decimal

from integrations.standins.sage300.batches import drop_entry, new_batch, put_entry
from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.lines import check_account
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.session import Session

_DOCUMENT = ENTITIES["PostedDocument"]
_MESSAGE = ENTITIES["PostingErrorMessage"]
_NAMES = {
    "rule": ("ProcessAllBatches", "FromBatch", "ToBatch"),
    "sister": ("PostAllBatches", "PostBatchFrom", "PostBatchTo"),
}
_ALL, _RANGE = "Postallbatches", "Donotpostallbatches"


def template(session: Session) -> Row:
    """The fields of the posting process as it would run if nothing were changed."""
    which, first, last = _NAMES[session.switches.names]
    return {
        which: _RANGE,
        first: 0,
        last: 0,
        "ActionSelector": "",
        "UpdateOperation": "Unspecified",
    }


def process(company: Company, payload: object, session: Session) -> None:
    """Post what the body names; without a choice all batches that are Ready To Post."""
    which, first, last = _NAMES[session.switches.names]
    if not isinstance(payload, dict):
        raise SageError("InvalidPayload", "The body must be a JSON object.")
    for name in payload:
        if name not in {which, first, last, "ActionSelector", "UpdateOperation"}:
            raise SageError("InvalidPayload", f"APPostInvoices has no property {name}.")
    choice = payload.get(which, _ALL)
    bounds = payload.get(first, 0), payload.get(last, 0)
    if choice not in {_ALL, _RANGE, "0", "1"} or not all(_is_number(bound) for bound in bounds):
        raise SageError("InvalidPayload", "The range of batches cannot be read.")
    is_all = choice in {_ALL, "1"}
    for number in sorted(company.state.batches):
        batch = company.state.batches[number]
        if batch.status != "ReadyToPost" or batch.locked_by:
            continue
        if is_all or bounds[0] <= number <= bounds[1]:
            if session.switches.force_listing and batch.header["BatchPrintedFlag"] == "No":
                continue
            post(company, batch, session)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def post(company: Company, batch: Batch, session: Session) -> None:
    """Post one batch, whatever its entries are worth."""
    batch.header["BatchStatus"] = "PostInProgress"
    company.pause(session.switches.posting_seconds)
    sequence, company.state.next_sequence = (
        company.state.next_sequence,
        company.state.next_sequence + 1,
    )
    faults = {number: _fault(company, batch, number, session) for number in sorted(batch.entries)}
    bad = {number: text for number, text in faults.items() if text}
    for number, text in faults.items():
        if not text:
            # Two equal numbers in one batch: the second finds the first already posted.
            late = _fault(company, batch, number, session)
            if late:
                bad[number] = late
            else:
                _book(company, batch, number, sequence, session)
    if bad:
        _move(company, batch, dict(sorted(bad.items())), sequence, session)
    batch.header.update(
        BatchStatus="Posted",
        PostingSequenceNumber=sequence,
        NumberOfErrors=len(bad),
        DateLastEdited=session.date,
    )


def _fault(company: Company, batch: Batch, number: int, session: Session) -> str:
    """Why this entry will not post, or nothing."""
    entry = batch.entries[number]
    vendor, document = entry["VendorNumber"], entry["DocumentNumber"]
    if number in batch.bad:
        return batch.bad[number]
    if entry["UndistributedAmount"]:
        return f"The undistributed amount of document {document} is not zero."
    if not entry["InvoiceDetails"]:
        return f"Document {document} has no details."
    if company.table("APVendors").find(vendor) is None:
        return f"Vendor {vendor} does not exist."
    if company.table("APPostedDocuments").find(vendor, document) is not None:
        return f"Document {document} for vendor {vendor} already exists."
    period = (entry["FiscalYear"], entry["FiscalPeriod"])
    if period in company.state.locked_periods and company.profile["LockedFiscalPeriod"] == "Error":
        return f"Fiscal period {period[0]}-{period[1]} is locked for A/P."
    try:
        for line in entry["InvoiceDetails"]:
            check_account(company, line["GLAccount"], session)
    except SageError as error:
        return error.text
    return ""


def _book(company: Company, batch: Batch, number: int, sequence: int, session: Session) -> None:
    entry = batch.entries[number]
    amount = entry["DocumentTotalIncludingTax"]
    company.forget_entry(batch, entry)
    company.table("APPostedDocuments").put(
        _DOCUMENT.new(
            **{name: entry[name] for name in entry.keys() & _CARRIED_OVER},
            BatchDate=batch.header["BatchDate"],
            GroupCode=entry["VendorGroupCode"],
            DocDescription=entry["InvoiceDescription"],
            DocDate=entry["DocumentDate"],
            InvoiceasofDate=entry["AsOfDate"],
            FuncCurrencyInvoiceAmount=amount,
            FuncCurrencyAmountDue=amount,
            VendCurrencyInvoiceAmount=amount,
            VendCurrencyAmountDue=amount,
            LastActivityDate=session.date,
            PostingSequenceNo=sequence,
            BatchType="IN",
        )
    )


_CARRIED_OVER = (_DOCUMENT.properties.keys() & ENTITIES["Invoice"].properties.keys()) - {
    "UpdateOperation"
}


def _move(
    company: Company, batch: Batch, bad: dict[int, str], sequence: int, session: Session
) -> None:
    error_batch = new_batch(
        company,
        session,
        Description=f"Posting errors from batch {batch.number}",
        BatchDate=batch.header["BatchDate"],
    )
    for number, text in bad.items():
        entry = drop_entry(company, batch, number)
        new_number = int(error_batch.header["LastEntryNumber"]) + 1
        put_entry(company, error_batch, entry, new_number)
        entry["ErrorBatch"], entry["ErrorEntry"] = batch.number, number
        company.table("APPostingErrorMessages").put(
            _MESSAGE.new(
                BatchType="IN",
                PostingSequenceNo=sequence,
                BatchNumber=batch.number,
                EntryNumber=number,
                ErrorNumber=1000,
                SequenceNumber=1,
                MessageNumber="AP1000",
                ErrorDescription=text[:250],
                ErrorBatchType="IN",
                ErrorBatchNumber=error_batch.number,
                ErrorEntryNumber=new_number,
            )
        )
