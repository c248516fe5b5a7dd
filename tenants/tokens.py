"""How a machine gets to its tenant: the API's counterpart of ``tenants.access``.

A request carries ``Authorization: Bearer mlc_…``. The token names the tenant, so an API address
names only the company. ``TenantScoped`` opens the tenant's scope for the whole view, rendering
included; a view that calls BILL or Sage sets ``scoped = False`` and opens a scope for each phase.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.models import ApiToken, Company, Role, Tenant
from tenants.scoping import tenant_scope

_SCHEMES = frozenset({"bearer", "token"})
_NOTE_USE_EVERY = timedelta(minutes=1)
_REFUSED = "This token is not known, or it was revoked."


class Machine:
    """Who acts when a token is used; stands where a person would in ``request.user``."""

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    pk = None

    def __init__(self, token: ApiToken) -> None:
        self.token = token

    def __str__(self) -> str:
        return f"API token {self.token.label}"


class ApiTokenAuthentication(BaseAuthentication):
    """Signs a request in by its API token."""

    def authenticate(self, request: Request) -> tuple[Machine, ApiToken] | None:
        """Return the machine and its token, or None when the request carries none."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in _SCHEMES:
            return None
        token = (
            ApiToken.objects.select_related("tenant")
            .filter(token_hash=ApiToken.hash_of(text.strip()), revoked_at=None)
            .first()
        )
        if token is None:
            raise AuthenticationFailed(_REFUSED)
        _note_use(token)
        return Machine(token), token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 answer."""
        return 'Bearer realm="api"'


def _note_use(token: ApiToken) -> None:
    now = timezone.now()  # noqa: TID251 (a door)
    if token.last_used_at is None or now - token.last_used_at > _NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


class HasTenant(BasePermission):
    """Lets a token in whose tenant is active and whose role may do this."""

    message = "Send an API token: Authorization: Bearer mlc_…"

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether this token may go on; the message says why not."""
        token = request.auth
        if not isinstance(token, ApiToken):
            return False
        if token.tenant.is_suspended:
            self.message = (
                f"{token.tenant} is suspended. An operator of this service can resume it."
            )
            return False
        write_roles = getattr(view, "write_roles", TenantScoped.write_roles)
        if request.method in SAFE_METHODS or token.role in write_roles:
            return True
        self.message = (
            f"This token has the role {token.role}, which may read and not change."
            f" Use a token with one of: {', '.join(sorted(write_roles))}."
        )
        return False


class TenantScoped(APIView):
    """A view inside its token's tenant. Inherit it first, before a generic view of DRF."""

    scoped: ClassVar[bool] = True
    write_roles: ClassVar[frozenset[str]] = frozenset({Role.OWNER, Role.ACCOUNTANT})

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """Answer inside the scope; an exception answer takes back what was written."""
        with ExitStack() as self._stack:
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response) and not response.is_rendered:
                response.render()
            if getattr(response, "exception", False) and self.is_scope_open:
                transaction.set_rollback(True)
            return response

    is_scope_open = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, open the scope, then go on as DRF does."""
        self.perform_authentication(request)
        if self.scoped and isinstance(request.auth, ApiToken):
            self._stack.enter_context(tenant_scope(request.auth.tenant_id))
            self.is_scope_open = True
        super().initial(request, *args, **kwargs)

    @property
    def tenant(self) -> Tenant:
        """The token's tenant."""
        token = self.request.auth
        assert isinstance(token, ApiToken)  # noqa: S101 (HasTenant let no other in)
        return token.tenant

    def get_company(self, kwargs: Mapping[str, Any] | None = None) -> Company:
        """Return the company that the address names (``company_slug``); NotFound for any other.

        Needs an open scope.
        """
        slug = (kwargs or self.kwargs)["company_slug"]
        company = Company.objects.for_tenant(self.tenant).filter(slug=slug).first()
        if company is None:
            raise NotFound("There is no company of this name here.")
        return company
