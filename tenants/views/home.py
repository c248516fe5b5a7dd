"""Where a person lands: the front door for visitors, the way on for those who are signed in."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from tenants.access import TenantRequest, tenant_view
from tenants.enrolment import found_firm
from tenants.forms import NewTenantForm
from tenants.models import Membership, Role, Tenant, User


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Show visitors what this is, and send members to their tenant."""
    if not isinstance(request.user, User):
        return TemplateResponse(request, "tenants/front.html")
    tenants = list(Tenant.objects.of(request.user).order_by("name"))
    if len(tenants) == 1 and "all" not in request.GET:
        return redirect("tenant", tenant_slug=tenants[0].slug)
    if not tenants and request.user.is_staff:
        return redirect("admin:index")
    return TemplateResponse(request, "tenants/choose.html", {"tenants": tenants})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def start(request: HttpRequest) -> HttpResponseBase:
    """Make a tenant for a person who has none, with them as its owner."""
    user = request.user
    if not isinstance(user, User) or Membership.objects.filter(user=user).exists():
        raise PermissionDenied
    form = NewTenantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        tenant = found_firm(
            name=form.cleaned_data["name"], owner=user, request=request, now=timezone.now()
        )
        return redirect("tenant", tenant_slug=tenant.slug)
    return TemplateResponse(request, "tenants/start.html", {"form": form})


@require_safe
@tenant_view()
def tenant(request: TenantRequest) -> HttpResponseBase:
    """Show the tenant's companies; a tenant with one company goes straight to it."""
    if len(request.companies) == 1 and "all" not in request.GET:
        return redirect(request.companies[0].get_absolute_url())
    return TemplateResponse(
        request,
        "tenants/tenant.html",
        {
            "companies": request.companies,
            "people": request.tenant.memberships.count(),
            "may_add": request.membership.role == Role.OWNER,
        },
    )


@require_safe
def health(request: HttpRequest) -> HttpResponseBase:
    """Say that the web server answers; touches no database."""
    return JsonResponse({"ok": True})
