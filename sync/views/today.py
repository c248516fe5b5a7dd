"""The first page of the day, and asking for a run."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sync import jobs
from sync.queries.flow import find_flow
from sync.queries.log import event_of
from sync.queries.postings import Standing
from sync.queries.today import Told, today_of
from sync.services import turns
from sync.views.frame import go, show, zone_of
from sync.views.steps import heading_of
from tenants.access import CompanyRequest, company_view


@require_safe
@company_view()
def today(request: CompanyRequest) -> TemplateResponse:
    """Show where every bill stands and what needs a person."""
    now = timezone.now()
    page = today_of(tenant_id=request.tenant.pk, company_id=request.company.pk, now=now)
    rest = [
        (standing, tally)
        for standing in Standing
        if standing is not Standing.WAITING and (tally := page.tallies.get(standing))
    ]
    tallies = {standing.name.lower(): page.tallies.get(standing) for standing in Standing}
    context = {
        "page": page,
        "rest": rest,
        "tally": tallies,
        "flow": find_flow(
            tenant_id=request.tenant.pk,
            company_id=request.company.pk,
            zone=zone_of(request),
            now=now,
        ),
        "lately": [_line(told) for told in page.lately],
    }
    return show(request, "sync/today.html", context, now=now)


def _line(told: Told) -> dict[str, object]:
    heading, glyph, dress = heading_of(event_of(told.line))
    return {
        "row": told.line,
        "count": told.count,
        "heading": heading,
        "glyph": glyph,
        "dress": dress,
    }


@require_http_methods(["POST"])
@company_view()
def run_now(request: CompanyRequest) -> HttpResponseBase:
    """Wake the company: a worker reads BILL and sends what is ready."""
    if request.company.is_paused:
        messages.warning(
            request,
            f"Nothing was started: {request.company} is paused. An owner or an accountant resumes it.",
        )
        return go(request, "runs")
    if not turns.ring(company_id=request.company.pk):
        messages.warning(
            request,
            f"Nothing was started: {request.company} is not set up. It needs both connections and"
            " the policy.",
        )
        return go(request, "setup")
    jobs.ring_doorbell(tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="person")
    messages.success(request, "Asked. A worker starts within seconds, and its run appears here.")
    return go(request, "runs")
