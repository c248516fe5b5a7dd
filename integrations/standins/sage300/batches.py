"""Invoice batches: one POST makes one batch, header first, then entry after entry.

What stays behind when an entry is refused is not documented, so it is a switch: nothing (atomic),
the empty header, or the header with the entries before the refused one.
"""

from __future__ import annotations

from typing import Any

from integrations.standins.sage300.company import Batch, Company
from integrations.standins.sage300.entries import changed_entry, check_number, new_entry
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.values import check_payload, take

HEADER = ENTITIES["InvoiceBatch"]
ENTRY = ENTITIES["Invoice"]
_SETTABLE = ("BatchDate", "Description", "BatchType", "InvoiceType", "ProcessCommandCode")
_BUSINESS_CODES = frozenset({"FieldInvalid", "RecordInvalid", "RecordDuplicate"})
_STATUS_TITLE = {
    "Open": "Open",
    "ReadyToPost": "Ready To Post",
    "PostInProgress": "Post In Progress",
    "Posted": "Posted",
    "Deleted": "Deleted",
}


def shown(batch: Batch) -> Row:
    """The whole tree of a batch."""
    return batch.header | {"Invoices": list(batch.entries.values())}


def new_batch(company: Company, session: Session, **values: Any) -> Batch:
    """An empty Open batch with the next number."""
    header = HEADER.new(
        BatchNumber=company.take_batch_number(),
        BatchDate=session.date,
        DateLastEdited=session.date,
        SourceApplication="AP",
    )
    batch = Batch(header=header | values)
    company.state.batches[batch.number] = batch
    return batch


def create(company: Company, payload: object, session: Session) -> Batch:
    """Insert a batch with its entries; then set it Ready To Post where the body says so."""
    body = check_payload(HEADER, payload, session.switches)
    status = _wanted_status(body, session)
    values = _header_values(body, session)
    batch = new_batch(company, session, **values)
    try:
        for invoice in body.get("Invoices", []):
            company.pause(session.switches.seconds_per_entry)
            add_entry(company, batch, invoice, session)
    except SageError:
        _leave_behind(company, batch, session.switches.batch_failure_mode)
        raise
    if status == "ReadyToPost":
        set_status(company, batch, status, session)
    return batch


def change(company: Company, batch: Batch, payload: object, session: Session) -> None:
    """PATCH a batch: header, entries by `UpdateOperation`, status last."""
    body = check_payload(HEADER, payload, session.switches)
    _refuse_if_locked(batch, session)
    status = _wanted_status(body, session)
    is_edit = bool(set(body) - {"BatchNumber", "BatchStatus", "UpdateOperation"})
    if is_edit and batch.status == "ReadyToPost" and status == "Open":
        set_status(company, batch, status, session)
    if is_edit:
        _refuse_unless_open(batch)
        _change_contents(company, batch, body, session)
    if status and status != batch.status:
        set_status(company, batch, status, session)


def _change_contents(company: Company, batch: Batch, body: Row, session: Session) -> None:
    before = batch.header.copy(), dict(batch.entries)
    batch.header.update(_header_values(body, session), DateLastEdited=session.date)
    header_after = batch.header.copy()
    try:
        for invoice in body.get("Invoices", []):
            company.pause(session.switches.seconds_per_entry)
            _change_entry(company, batch, invoice, session)
    except SageError:
        mode = session.switches.batch_failure_mode
        if mode != "entries_left":
            header = before[0] if mode == "atomic" else header_after
            _put_back(company, batch, header, before[1])
        raise


def _change_entry(company: Company, batch: Batch, invoice: Row, session: Session) -> None:
    number = int(invoice.get("EntryNumber", 0))
    operation = invoice.get("UpdateOperation", "Unspecified")
    if operation == "Insert" or (operation == "Unspecified" and number not in batch.entries):
        add_entry(company, batch, invoice, session)
        return
    if number not in batch.entries:
        raise SageError("RecordNotFound", f"Entry {number} of batch {batch.number} does not exist.")
    if operation == "Delete":
        if len(batch.entries) == 1 and session.switches.last_entry_delete == "refuse":
            raise SageError("General", "The last entry of a batch cannot be deleted.")
        drop_entry(company, batch, number)
        return
    change_entry(company, batch, number, invoice, session)


def add_entry(company: Company, batch: Batch, invoice: Row, session: Session) -> Row:
    """Insert one entry at the end of a batch."""
    try:
        row = new_entry(company, batch=batch.number, payload=invoice, session=session)
        check_number(company, row, session)
    except SageError as error:
        raise _named(error, invoice, session) from error
    company.pause(session.switches.number_check_race)
    if batch.status in {"Posted", "Deleted"}:
        _refuse_unless_open(batch)  # somebody posted or deleted it while this was being written
    number = int(batch.header["LastEntryNumber"]) + 1
    return put_entry(company, batch, row, number)


def put_entry(company: Company, batch: Batch, row: Row, number: int) -> Row:
    """Lay a finished entry into a batch under this number."""
    keys = {"BatchNumber": batch.number, "EntryNumber": number}
    row.update(keys)
    for line in (*row["InvoiceDetails"], *row["InvoicePaymentSchedules"]):
        line.update(keys)
    batch.entries[number] = row
    batch.header["LastEntryNumber"] = max(int(batch.header["LastEntryNumber"]), number)
    batch.header["NumberOfEntries"] += 1
    batch.header["BatchTotal"] += row["DocumentTotalIncludingTax"]
    company.note_entry(batch, row)
    return row


def change_entry(
    company: Company, batch: Batch, number: int, invoice: Row, session: Session
) -> None:
    """Change one entry in place."""
    old = batch.entries[number]
    try:
        row = changed_entry(company, old, invoice, session)
        check_number(company, row, session, but=(batch.number, number))
    except SageError as error:
        raise _named(error, old | invoice, session) from error
    company.forget_entry(batch, old)
    batch.entries[number] = row
    company.note_entry(batch, row)
    batch.count_again()


def drop_entry(company: Company, batch: Batch, number: int) -> Row:
    """Take one entry out of a batch."""
    row = batch.entries.pop(number)
    batch.bad.pop(number, None)
    company.forget_entry(batch, row)
    batch.count_again()
    return row


def set_status(company: Company, batch: Batch, status: str, session: Session) -> None:
    """Walk the status machine Open <-> ReadyToPost; everything else is Sage's own."""
    _refuse_if_locked(batch, session)
    if (batch.status, status) not in {("Open", "ReadyToPost"), ("ReadyToPost", "Open")}:
        raise SageError(
            "General",
            f"Batch {batch.number} is {_STATUS_TITLE[batch.status]}. "
            f"Its status cannot be changed to {_STATUS_TITLE[status]}.",
        )
    if status == "ReadyToPost" and not batch.entries:
        raise SageError("General", f"Batch {batch.number} has no entries.")
    batch.header["BatchStatus"] = status
    batch.header["DateLastEdited"] = session.date


def _wanted_status(body: Row, session: Session) -> str:
    if "BatchStatus" not in body:
        return ""
    status = str(take(HEADER.properties["BatchStatus"], body["BatchStatus"], session.switches))
    if status == "ReadyToPost" and session.switches.release_before_2021:
        raise SageError("InvalidPayload", "BatchStatus cannot be set to ReadyToPost.")
    return status


def _header_values(body: Row, session: Session) -> Row:
    return {
        name: take(HEADER.properties[name], body[name], session.switches)
        for name in _SETTABLE
        if name in body
    }


def _refuse_if_locked(batch: Batch, session: Session) -> None:
    if batch.locked_by and batch.locked_by != session.user:
        raise SageError(
            "General", f"Batch {batch.number} is in use by {batch.locked_by}. Try again later."
        )


def _refuse_unless_open(batch: Batch) -> None:
    if batch.status != "Open":
        title = _STATUS_TITLE[batch.status]
        raise SageError("General", f"Batch {batch.number} is {title} and cannot be edited.")


def _named(error: SageError, invoice: Row, session: Session) -> SageError:
    if error.code not in _BUSINESS_CODES:
        return error
    if not session.switches.refusal_names_entry:
        return SageError(error.code, "The record could not be saved.\nCorrect it and try again.")
    vendor = str(invoice.get("VendorNumber", "")).upper()
    document = str(invoice.get("DocumentNumber", "")).upper()
    where = f"Vendor number: {vendor}. Document number: {document}."
    return session.with_warnings(SageError(error.code, f"{error.text}\n{where}"))


def _leave_behind(company: Company, batch: Batch, mode: str) -> None:
    if mode == "entries_left":
        return
    for number in list(batch.entries):
        drop_entry(company, batch, number)
    batch.header["LastEntryNumber"] = 0
    if mode == "atomic":
        company.state.batches.pop(batch.number, None)
        company.give_back_batch_number(batch.number)


def _put_back(company: Company, batch: Batch, header: Row, entries: dict[int, Row]) -> None:
    for row in batch.entries.values():
        company.forget_entry(batch, row)
    batch.header, batch.entries = header, entries
    for row in batch.entries.values():
        company.note_entry(batch, row)
    batch.count_again()
