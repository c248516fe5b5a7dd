"""The log as people search it: every operation in a sentence, newest first."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import Q

from sync.models import LogEntry
from sync.queries.paging import Slice, slice_of
from tenants.scoping import TenantQuerySet

LARGEST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """What the log is narrowed to; `find` looks in all that a line names."""

    find: str = ""
    run_id: uuid.UUID | None = None


def find_lines(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    wanted: LogFilter,
    size: int,
    after: str = "",
    before: str = "",
) -> Slice[LogEntry]:
    """One page of lines; one query."""
    rows = _narrowed(tenant_id, company_id, wanted)
    return slice_of(rows, field="at", size=size, after=after, before=before, is_id_descending=True)


def find_line(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, line_id: uuid.UUID
) -> LogEntry | None:
    """One line with its attempt and answer, None where there is none."""
    return (
        LogEntry.objects.for_tenant(tenant_id)
        .filter(company_id=company_id, pk=line_id)
        .select_related("attempt__answer")
        .first()
    )


def iter_lines(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: LogFilter
) -> Iterator[LogEntry]:
    """Every line, newest first, read in chunks; for an export."""
    rows = _narrowed(tenant_id, company_id, wanted)
    yield from rows.order_by("-at", "-pk").iterator(chunk_size=1000)


def _narrowed(
    tenant_id: uuid.UUID, company_id: uuid.UUID, wanted: LogFilter
) -> TenantQuerySet[LogEntry]:
    rows: TenantQuerySet[LogEntry] = LogEntry.objects.for_tenant(tenant_id).filter(
        company_id=company_id
    )
    if wanted.find:
        rows = rows.filter(found_by(wanted.find))
    if wanted.run_id is not None:
        rows = rows.filter(run_id=wanted.run_id)
    return rows


def found_by(text: str) -> Q:
    """Lines that name this text, batch or amount anywhere."""
    question = (
        Q(invoice_number__icontains=text)
        | Q(vendor_name__icontains=text)
        | Q(gl_accounts__icontains=text)
        | Q(sentence__icontains=text)
        | Q(event__icontains=text)
        | Q(actor__icontains=text)
    )
    if text.isdecimal() and len(text) < 13:
        question |= Q(batch_number=int(text))
    try:
        amount = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return question
    if amount.is_finite() and abs(amount) < LARGEST:
        question |= Q(amount=amount)
    return question


def event_of(line: LogEntry) -> str:
    """The line's event; a posting still under way whose answer was lost has one of its own."""
    is_lost = line.event == "posting.pending" and line.status == "UNCERTAIN"
    return "posting.uncertain" if is_lost else line.event
