"""Adding a company to a tenant."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from tenants import audit
from tenants.access import TenantRequest, tenant_view
from tenants.enrolment import add_company
from tenants.forms import NewCompanyForm
from tenants.models import Role

OWNERS = frozenset({Role.OWNER})


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(roles=OWNERS, write_roles=OWNERS)
def new_company(request: TenantRequest) -> HttpResponseBase:
    """Ask for name, zone and currency; the systems are connected on the next page."""
    own = request.user.time_zone
    initial = {} if own == "UTC" else {"time_zone": own}
    form = NewCompanyForm(request.POST or None, initial=initial)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        return TemplateResponse(request, "tenants/new_company.html", {"form": form}, status=status)
    company = add_company(
        tenant=request.tenant,
        **form.cleaned_data,
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    return redirect(f"{company.get_absolute_url()}setup/")
