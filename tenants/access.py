"""The one way a request gets its tenant and its company.

Pages live at ``/<tenant>/<company>/…``. A view behind one of these doors is a plain function; by
the time it runs the person is signed in and a member, the role may do this, and the tenant's scope
is open::

    @company_view()
    def postings(request: CompanyRequest) -> TemplateResponse: ...

    @company_view(write_roles={Role.OWNER})
    def connections(request: CompanyRequest) -> HttpResponseBase: ...

A stranger gets 404, never learning what exists. A member whose role may not do this gets 403 in
words. Return a TemplateResponse: it is rendered inside the scope, outside it would see nothing. An
exception leaves through the scope, so that everything written is taken back.

A view that calls BILL or Sage is marked ``unscoped=True``: it opens ``tenant_scope`` for each phase
around rows, never around the call, and answers with ``render_scoped``.
"""

from collections.abc import Callable, Collection
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django_htmx.http import HttpResponseClientRedirect

from tenants.models import Company, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope

ANY_ROLE = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.ACCOUNTANT})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})

View = Callable[..., HttpResponseBase]


class TenantRequest(HttpRequest):
    """A request that came through a door: somebody of this tenant."""

    user: User
    tenant: Tenant
    membership: Membership
    companies: list[Company]


class CompanyRequest(TenantRequest):
    """A request for one company of the tenant."""

    company: Company


def tenant_view(
    *,
    roles: Collection[Role] = ANY_ROLE,
    write_roles: Collection[Role] = WRITERS,
    unscoped: bool = False,
) -> Callable[[View], View]:
    """Open a page of the tenant named by ``tenant_slug`` in the address."""
    return _door(roles=roles, write_roles=write_roles, unscoped=unscoped, needs_company=False)


def company_view(
    *,
    roles: Collection[Role] = ANY_ROLE,
    write_roles: Collection[Role] = WRITERS,
    unscoped: bool = False,
) -> Callable[[View], View]:
    """Open a page of the company named by ``tenant_slug`` and ``company_slug``.

    `roles` may see it; of these, `write_roles` may use methods that change something.
    """
    return _door(roles=roles, write_roles=write_roles, unscoped=unscoped, needs_company=True)


def render_scoped(
    request: TenantRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page inside the tenant's scope; for views that are unscoped."""
    with tenant_scope(request.tenant.pk):
        return TemplateResponse(request, template, context, status=status).render()


def _door(
    *,
    roles: Collection[Role],
    write_roles: Collection[Role],
    unscoped: bool,
    needs_company: bool,
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def enter(
            request: HttpRequest, *args: Any, tenant_slug: str, **kwargs: Any
        ) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_sign_in(request)
            inside = _as_member(request, request.user, tenant_slug)
            company_slug = kwargs.pop("company_slug") if needs_company else ""
            if inside.tenant.is_suspended:
                is_owner = inside.membership.role == Role.OWNER
                return _refuse(inside, "tenants/suspended.html", {"is_owner": is_owner})
            with tenant_scope(inside.tenant.pk):
                _find_companies(inside, company_slug)
                allowed = _allowed(request.method, roles, write_roles)
                if inside.membership.role not in allowed:
                    return _refuse(inside, "tenants/role.html", {"allowed": sorted(allowed)})
                if not unscoped:
                    return _rendered(view(inside, *args, **kwargs))
            return view(inside, *args, **kwargs)

        return enter

    return decorate


def _allowed(
    method: str | None, roles: Collection[Role], write_roles: Collection[Role]
) -> frozenset[Role]:
    return frozenset(roles) if method in _READS else frozenset(roles) & frozenset(write_roles)


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    answer = redirect_to_login(request.get_full_path())
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(answer.url)
    return answer


def _as_member(request: HttpRequest, user: User, tenant_slug: str) -> CompanyRequest:
    """Return the request with tenant and membership set; Http404 for a stranger."""
    membership = (
        Membership.objects.select_related("tenant")
        .filter(tenant__slug=tenant_slug, user=user)
        .first()
    )
    if membership is None:
        raise Http404
    inside = cast(CompanyRequest, request)
    inside.tenant, inside.membership = membership.tenant, membership
    return inside


def _find_companies(request: CompanyRequest, company_slug: str) -> None:
    """Set the tenant's companies and, where the address names one, the company; or Http404."""
    request.companies = list(Company.objects.for_tenant(request.tenant).order_by("name", "id"))
    if not company_slug:
        return
    for company in request.companies:
        if company.slug == company_slug:
            request.company = company
            return
    raise Http404


def _refuse(request: TenantRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    owners = (
        User.objects.filter(
            memberships__tenant=request.tenant, memberships__role=Role.OWNER, is_active=True
        )
        .order_by("name")
        .distinct()
    )
    return TemplateResponse(
        request, template, {**context, "owners": list(owners)}, status=403
    ).render()


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        return response.render()
    return response
