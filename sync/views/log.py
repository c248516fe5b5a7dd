"""The log on a page and as CSV."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sync.domain.words import money
from sync.models import LogEntry
from sync.queries import exports
from sync.queries.log import LogFilter, event_of, find_line, find_lines
from sync.queries.paging import clean
from sync.queries.postings import Filter, standing_named
from sync.queries.spreadsheet import stream_csv
from sync.queries.wire_text import wire_text
from sync.views.frame import show
from sync.views.steps import heading_of
from tenants.access import CompanyRequest, company_view


@require_safe
@company_view()
def log(request: CompanyRequest) -> TemplateResponse:
    """Show what the query string asks for, and one line opened below itself."""
    wanted = _wanted(request)
    page = find_lines(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        wanted=wanted,
        size=settings.CONNECTOR.page_rows,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    opened = _uuid(request.GET.get("open", ""))
    context = {
        "page": page,
        "lines": [_shown(line, opened) for line in page.rows],
        "wanted": wanted,
        "query": _query(wanted),
        "wire": _wire(request, opened),
    }
    return show(request, "sync/log.html", context, now=timezone.now())


@require_safe
@company_view(unscoped=True)
def log_csv(request: CompanyRequest) -> HttpResponseBase:
    """Every line of the filter as CSV, streamed; it opens its own scope."""
    wanted = _wanted(request)
    lines = exports.log_lines(request.company, wanted, heading=_heading)
    return stream_csv(lines, f"log-{request.company.slug}.csv")


@require_safe
@company_view(unscoped=True)
def postings_csv(request: CompanyRequest) -> HttpResponseBase:
    """Every bill of the filter as CSV, streamed; it opens its own scope."""
    wanted = Filter.from_query(request.GET)
    lines = exports.posting_lines(request.company, wanted)
    return stream_csv(lines, f"postings-{request.company.slug}.csv")


def _heading(line: LogEntry) -> str:
    return heading_of(event_of(line))[0]


def _wanted(request: CompanyRequest) -> LogFilter:
    return LogFilter(
        find=clean(request.GET.get("find", ""), 100), run_id=_uuid(request.GET.get("run", ""))
    )


def _query(wanted: LogFilter) -> str:
    pairs = {"find": wanted.find, "run": str(wanted.run_id or "")}
    return urlencode({key: value for key, value in pairs.items() if value})


def _shown(line: LogEntry, opened: uuid.UUID | None) -> dict[str, object]:
    heading, glyph, dress = heading_of(event_of(line))
    return {
        "row": line,
        "heading": heading,
        "glyph": glyph,
        "dress": dress,
        "standing": standing_named(line.status),
        "is_open": line.pk == opened,
        "amount": "" if line.amount is None else money(line.amount),
    }


def _wire(request: CompanyRequest, opened: uuid.UUID | None) -> object:
    if opened is None:
        return None
    line = find_line(tenant_id=request.tenant.pk, company_id=request.company.pk, line_id=opened)
    return wire_text(line.attempt) if line and line.attempt else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
