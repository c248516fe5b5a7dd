"""What every template may know about the request."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant, company and membership that the page's door has found, and site facts."""
    return {
        "tenant": getattr(request, "tenant", None),
        "company": getattr(request, "company", None),
        "membership": getattr(request, "membership", None),
        "mail_is_set_up": settings.MAIL_IS_SET_UP,
        "sign_up_is_open": settings.SIGN_UP_IS_OPEN,
    }
