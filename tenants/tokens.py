"""Who a machine is and what it may do.

A request carries ``Authorization: Bearer mlc_…``. The token names the tenant, so an API address
names only the company. Views inherit ``tenants.api_access.TenantScoped``.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.models import ApiToken, Role

if TYPE_CHECKING:
    # At run time rest_framework.views reads the settings that name this module.
    from rest_framework.views import APIView

_SCHEMES = frozenset({"bearer", "token"})
_NOTE_USE_EVERY = timedelta(minutes=1)
WRITE_ROLES = frozenset({Role.OWNER, Role.ACCOUNTANT})
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

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether this token may go on; the message says why not."""
        token = request.auth
        if not isinstance(token, ApiToken):
            return False
        if token.tenant.is_suspended:
            self.message = (
                f"{token.tenant} is suspended. An operator of this service can resume it."
            )
            return False
        write_roles = getattr(view, "write_roles", WRITE_ROLES)
        if request.method in SAFE_METHODS or token.role in write_roles:
            return True
        self.message = (
            f"This token has the role {token.role}, which may read and not change."
            f" Use a token with one of: {', '.join(sorted(write_roles))}."
        )
        return False
