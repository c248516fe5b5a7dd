"""How an open page learns that it is out of date: it asks for the company's pulse every few seconds."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from sync.queries.pulse import pulse_of
from sync.views.frame import show
from tenants.access import CompanyRequest, company_view

CHANGED = "company-changed"


@require_safe
@company_view()
def heard(request: CompanyRequest) -> HttpResponseBase:
    """Say nothing (204) to a page that is up to date.

    To any other: the new counts of the frame, and the word that its own part is to be read again.
    """
    pulse = pulse_of(tenant_id=request.tenant.pk, company_id=request.company.pk)
    if request.GET.get("seen") == pulse.beat:
        return HttpResponse(status=204)
    answer = show(request, "sync/_pulse.html", {}, now=timezone.now())
    return trigger_client_event(answer, CHANGED)
