"""Runs: what is going on now, step by step, and how the last ones ended."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import Http404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sync.queries.runs import RunShown, find_run, find_runs, shown
from sync.views.frame import moments_of, show
from tenants.access import CompanyRequest, company_view

TRIGGERS = {
    "schedule": "by schedule",
    "webhook": "BILL sent a webhook",
    "person": "asked by a person",
    "api": "asked through the API",
    "mended": "something was mended",
    "command": "asked on the command line",
}
#: outcome → (word, glyph, dress)
OUTCOMES = {
    "": ("Running", "s-flight", "is-do"),
    "ok": ("Done", "i-ok", "soft"),
    "paused": ("Paused", "i-pause", "lost"),
    "failed": ("Stopped by an error", "i-slow", "lost"),
    "broke": ("Broke off", "i-bad", "differs"),
}


@require_safe
@company_view()
def runs(request: CompanyRequest) -> TemplateResponse:
    """List the runs, the one under way first and open."""
    page = find_runs(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        size=settings.CONNECTOR.page_rows,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    found = [_context(shown(row)) for row in page.rows]
    running = next((row for row in page.rows if row.ended_at is None), None)
    current = _context(shown(running)) if running else None
    return show(
        request,
        "sync/runs.html",
        {"page": page, "runs": found, "current": current},
        now=timezone.now(),
    )


@require_safe
@company_view()
def run(request: CompanyRequest, run_id: uuid.UUID) -> TemplateResponse:
    """Show one run with its steps."""
    return show(request, "sync/run.html", _context(_find(request, run_id)), now=timezone.now())


@require_safe
@company_view()
def run_progress(request: CompanyRequest, run_id: uuid.UUID) -> TemplateResponse:
    """Only the steps, for an open page that follows; it stops asking once the run is over."""
    context = {
        **_context(_find(request, run_id)),
        "moments": moments_of(request, timezone.now()),
    }
    return TemplateResponse(request, "sync/_run.html", context)


def _find(request: CompanyRequest, run_id: uuid.UUID) -> RunShown:
    found = find_run(tenant_id=request.tenant.pk, company_id=request.company.pk, run_id=run_id)
    if found is None:
        raise Http404
    return found


def _context(found: RunShown) -> dict[str, object]:
    word, glyph, dress = OUTCOMES.get(found.row.outcome, (found.row.outcome, "i-dot", "soft"))
    return {
        "run": found,
        "trigger": TRIGGERS.get(found.row.trigger, found.row.trigger),
        "outcome": word,
        "glyph": glyph,
        "dress": dress,
    }
