"""Bills and the log as spreadsheets, streamed row by row.

The lines open the tenant's scope themselves, since they are read after the view has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sync.models import LogEntry, Posting
from sync.queries.log import LogFilter, iter_lines
from sync.queries.postings import WORDS, Filter, iter_rows, standing_named, standing_of
from sync.queries.spreadsheet import figure
from tenants.models import Company
from tenants.scoping import tenant_scope

LOG_HEAD = (
    "Time (UTC)", "What happened", "Sentence", "Who", "Vendor", "Invoice", "GL accounts", "Amount",
    "Status", "Batch", "Entry",
)  # fmt: skip
POSTING_HEAD = (
    "Changed (UTC)", "Vendor", "Invoice", "State", "Sentence", "Bill date", "Posting date",
    "Period", "Currency", "In BILL", "In Sage", "Sage vendor", "Sage document", "Batch", "Entry",
    "BILL id",
)  # fmt: skip


def log_lines(
    company: Company, wanted: LogFilter, *, heading: Callable[[LogEntry], str]
) -> Iterator[Iterable[object]]:
    """The head and every line of the filter; `heading` names what happened."""
    yield LOG_HEAD
    of = {"tenant_id": company.tenant_id, "company_id": company.pk}
    with tenant_scope(company.tenant_id):
        for line in iter_lines(**of, wanted=wanted):
            yield _log_cells(line, heading(line))


def posting_lines(company: Company, wanted: Filter) -> Iterator[Iterable[object]]:
    """The head and every bill of the filter."""
    yield POSTING_HEAD
    of = {"tenant_id": company.tenant_id, "company_id": company.pk}
    with tenant_scope(company.tenant_id):
        for row in iter_rows(**of, wanted=wanted):
            yield _posting_cells(row, company.currency)


def _log_cells(line: LogEntry, heading: str) -> tuple[object, ...]:
    return (
        line.at.isoformat(timespec="milliseconds"),
        heading,
        line.sentence,
        line.actor or "ml-connector",
        line.vendor_name,
        line.invoice_number,
        line.gl_accounts,
        figure(line.amount),
        WORDS[standing] if (standing := standing_named(line.status)) else line.status,
        line.batch_number or "",
        line.entry_number or "",
    )


def _posting_cells(row: Posting, home: str) -> tuple[object, ...]:
    return (
        row.changed_at.isoformat(timespec="seconds"),
        row.vendor_name,
        row.invoice_number,
        WORDS[standing_of(row.state, row.sage_status)],
        row.sentence,
        row.invoice_date or "",
        row.posting_date or "",
        f"{row.fiscal_year}-{row.fiscal_period}" if row.fiscal_period else "",
        row.currency or home,
        figure(getattr(row, "bill_amount", row.amount)),
        figure(row.sage_amount if row.sage_batch_number is not None else None),
        row.vendor_number,
        row.sage_document_number or row.document_number,
        row.sage_batch_number or "",
        row.sage_entry_number or "",
        row.source_id,
    )
