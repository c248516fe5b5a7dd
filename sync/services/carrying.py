"""Carries one command of the protocol out at a window, and says in the protocol's words how it ended.

The only place where a vendor's error becomes an answer: what may have happened is `Lost`, what
surely did not is `NotSent`, a clean refusal is `Refused` (and is looked after all the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from integrations.bill.types import Approval, Bill
from integrations.errors import (
    AddressRefused,
    AuthRefused,
    Busy,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
    Unreachable,
)
from integrations.sage300 import wire
from integrations.sage300.errors import (
    RightMissing,
    is_number_taken,
    is_period_closed,
    refused_document,
)
from integrations.sage300.types import Invoice, PostProcess
from sync.domain.commands import (
    Accepted,
    Answer,
    Approvals,
    BatchRead,
    Created,
    ErrorsFound,
    FindPosted,
    Headers,
    ListBatches,
    Lost,
    NotSent,
    Paused,
    PostBatch,
    PostedFound,
    ProcessBatch,
    Read,
    ReadApprovals,
    ReadBatch,
    ReadErrors,
    ReadFailed,
    ReadPosted,
    Refused,
    RemoveEntries,
    RenameBatch,
    SetReady,
    Standing,
    Write,
)
from sync.domain.facts import Facts
from sync.domain.policy import UnassignedBills
from sync.services import connections, intake
from sync.services.work import Work


def read(work: Work, facts: Facts, command: Read) -> Answer:
    """Carry a read out; every failure but a refused sign-in may be asked again."""
    try:
        return _read(work, facts, command)
    except (AuthRefused, AddressRefused) as error:
        window = connections.BILL if isinstance(command, ReadApprovals) else connections.SAGE
        connections.pause(work, window, error)
        return Paused(why=error.sentence)
    except RateLimited as error:
        return ReadFailed(why=error.sentence, retry_after_seconds=error.retry_after_seconds)
    except IntegrationError as error:
        return ReadFailed(why=error.sentence)


def _read(work: Work, facts: Facts, command: Read) -> Answer:
    match command:
        case ListBatches(after=after):
            return Headers(headers=tuple(work.sage.list_batches(after)))
        case ReadBatch(number=number):
            return BatchRead(number=number, batch=work.sage.find_batch(number))
        case FindPosted(pairs=pairs):
            return PostedFound(documents=work.sage.find_posted(pairs))
        case ReadPosted(number=number):
            return PostedFound(documents=work.sage.posted_in_batch(number))
        case ReadErrors(number=number):
            return ErrorsFound(errors=work.sage.posting_errors(number))
        case ReadApprovals(bill_ids=ids):
            return _approvals(work, facts, ids)
        case _:
            assert_never(command)


def _approvals(work: Work, facts: Facts, ids: tuple[str, ...]) -> Approvals:
    """Read the bills again; what changed goes into the day book on the way."""
    bills = work.bill.read_bills(ids)
    intake.take_in(work, bills, intake.Taken())
    hashes = {entry.bill_id: entry.bill_hash for entry in facts.entries}
    return Approvals(
        standings={bill.id: standing_of(work, bill, hashes.get(bill.id, "")) for bill in bills}
    )


def standing_of(work: Work, bill: Bill, mapped_hash: str) -> Standing:
    """How a bill just read stands to what was mapped."""
    allowed = {Approval.APPROVED}
    if work.policy.unassigned_bills is UnassignedBills.POST:
        allowed.add(Approval.UNASSIGNED)
    if bill.archived:
        return Standing.ARCHIVED
    if bill.approval_status not in allowed:
        return Standing.NOT_APPROVED
    return Standing.APPROVED if bill.content_hash == mapped_hash else Standing.CHANGED


def write(
    work: Work,
    command: Write,
    *,
    body: bytes,
    process: PostProcess | None,
    documents: tuple[str, ...] = (),
) -> tuple[Answer, Mapping[str, object]]:
    """Carry a write out, once; with the answer, the columns of its Answer row.

    `documents` are the document numbers sent, to find the one that a refusal names.
    """
    try:
        return _write(work, command, body, process), {"outcome": "ok"}
    except IntegrationError as error:
        answer, outcome = _ended(work, command, error, documents)
        return answer, {
            "outcome": outcome,
            "http_status": error.http_status,
            "vendor_code": error.vendor_code[:60],
            "text": (error.vendor_message or str(error))[:600],
            "request_id": error.request_id[:40],
        }


def _write(work: Work, command: Write, body: bytes, process: PostProcess | None) -> Answer:
    match command:
        case PostBatch():
            return Created(number=work.sage.create_batch(body).header.number)
        case SetReady(number=number):
            work.sage.set_ready(number)
        case ProcessBatch(number=number):
            if process is None:
                raise Rejected(
                    "posting is not offered",
                    sentence="This Sage server does not say how it wants to be asked to post.",
                )
            work.sage.post_batch(number, process)
        case RemoveEntries(number=number, entry_numbers=numbers):
            work.sage.remove_entries(number, numbers)
        case RenameBatch(number=number, description=description):
            work.sage.rename_batch(number, description)
        case _:
            assert_never(command)
    return Accepted()


def _ended(
    work: Work, command: Write, error: IntegrationError, documents: tuple[str, ...]
) -> tuple[Answer, str]:
    match error:
        case RightMissing() if not isinstance(command, PostBatch):
            # The invoices are in; without the further right a person releases the batch in Sage.
            return Refused(sentence=error.sentence, words=error.vendor_message), "rejected"
        case AuthRefused() | AddressRefused():
            connections.pause(work, connections.SAGE, error)
            return Paused(why=error.sentence), "rejected"
        case Unreachable():
            return NotSent(why=error.sentence), "not_sent"
        case RateLimited(retry_after_seconds=seconds):
            return _transient(error, seconds), "rejected"
        case Busy():
            return _transient(error, 0), "rejected"
        case Rejected() | NotFound():
            words = error.vendor_message
            refused = Refused(
                sentence=error.sentence,
                words=words,
                document_number=refused_document(words, documents) or "",
                is_number_taken=is_number_taken(words),
                is_period_closed=is_period_closed(words),
            )
            return refused, "rejected"
        case OutcomeUnknown() | UnexpectedAnswer() | ServerFault():
            return Lost(why=error.sentence), "unknown"
    return Lost(why=error.sentence), "unknown"


def _transient(error: IntegrationError, seconds: float) -> Refused:
    return Refused(
        sentence=error.sentence,
        words=error.vendor_message,
        is_transient=True,
        retry_after_seconds=seconds,
    )


def batch_bytes(description: str, invoices: tuple[Invoice, ...], *, work: Work) -> bytes:
    """The exact bytes of a batch, dated today in the company's time zone."""
    today = work.clock().astimezone(work.zone).date()
    return wire.batch_body(description=description, batch_date=today, invoices=invoices)
