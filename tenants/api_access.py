"""How an API request gets to its tenant's rows: the machines' counterpart of ``tenants.access``.

``TenantScoped`` opens the scope of the token's tenant for the whole view, rendering included; a
view that calls BILL or Sage sets ``scoped = False`` and opens a scope for each phase.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar

from django.db import transaction
from django.http import HttpResponseBase
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants.models import ApiToken, Company, Role, Tenant
from tenants.scoping import tenant_scope
from tenants.tokens import WRITE_ROLES


class TenantScoped(APIView):
    """A view inside its token's tenant. Inherit it first, before a generic view of DRF."""

    scoped: ClassVar[bool] = True
    write_roles: ClassVar[frozenset[Role]] = WRITE_ROLES

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
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
