"""Addresses for the tests of the doors: views as other apps write them."""

from django.http import HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from connector_site.urls import urlpatterns as site_urls
from tenants.access import CompanyRequest, company_view, render_scoped
from tenants.api_access import TenantScoped
from tenants.models import Company, Role
from tenants.scoping import current_tenant_id, tenant_scope


@company_view()
def named(request: CompanyRequest) -> HttpResponseBase:
    rows = Company.objects.for_tenant(request.tenant)
    return TemplateResponse(request, "tenants/tenant.html", {"companies": rows, "members": []})


@company_view(write_roles={Role.OWNER})
def rename(request: CompanyRequest) -> HttpResponseBase:
    request.company.name = request.POST["name"]
    request.company.save()
    if "fail" in request.POST:
        raise LookupError("after the write")
    return HttpResponse(request.company.name)


@company_view(unscoped=True)
def calls_out(request: CompanyRequest) -> HttpResponseBase:
    outside = current_tenant_id()
    with tenant_scope(request.tenant.pk):
        name = Company.objects.for_tenant(request.tenant).get(pk=request.company.pk).name
    answer = render_scoped(
        request, "tenants/tenant.html", {"companies": [], "members": []}, status=202
    )
    answer["X-Seen"] = f"{outside} {name}"
    return answer


class NameApi(TenantScoped):
    def get(self, request: Request, company_slug: str) -> Response:
        return Response({"name": self.get_company().name})

    def post(self, request: Request, company_slug: str) -> Response:
        company = self.get_company()
        company.name = request.data["name"]
        company.save()
        if "fail" in request.data:
            raise ValidationError({"name": ["Not this one."]})
        return Response({"name": company.name})


urlpatterns = [
    path("api/v1/<slug:company_slug>/name/", NameApi.as_view()),
    path("<slug:tenant_slug>/<slug:company_slug>/named/", named),
    path("<slug:tenant_slug>/<slug:company_slug>/rename/", rename),
    path("<slug:tenant_slug>/<slug:company_slug>/calls-out/", calls_out),
    *site_urls,
]
