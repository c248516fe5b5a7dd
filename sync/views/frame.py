"""What every page of a company shares: its frame, its clock and the door back to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from sync.domain.moments import Moments
from sync.queries.shell import shell_of
from tenants.access import WRITERS, CompanyRequest


def zone_of(request: CompanyRequest) -> ZoneInfo:
    """The zone of the company's books, which decides dates."""
    return ZoneInfo(request.company.time_zone)


def moments_of(request: CompanyRequest, now: datetime) -> Moments:
    """Times as this person reads them: in their zone if they chose one, else the company's."""
    own = request.user.time_zone
    return Moments(zone=ZoneInfo(own) if own != "UTC" else zone_of(request), now=now)


def show(
    request: CompanyRequest,
    template: str,
    context: dict[str, Any],
    *,
    now: datetime,
    status: int = 200,
) -> TemplateResponse:
    """A page with the company's frame around it."""
    shell = shell_of(tenant_id=request.tenant.pk, company_id=request.company.pk)
    return TemplateResponse(
        request,
        template,
        {
            **context,
            "shell": shell,
            "moments": moments_of(request, now),
            "may_act": request.membership.role in WRITERS,
            "currency": request.company.currency,
            "pulse_seconds": settings.CONNECTOR.pulse_seconds,
        },
        status=status,
    )


def go(request: CompanyRequest, name: str, **parts: Any) -> HttpResponseBase:
    """Send the browser to a page of this company."""
    slugs = {"tenant_slug": request.tenant.slug, "company_slug": request.company.slug}
    return redirect(reverse(f"sync:{name}", kwargs={**slugs, **parts}))
