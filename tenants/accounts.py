"""How django-allauth makes accounts here."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Opens sign-up only where the operator wants strangers."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether a person who was not invited may make an account."""
        return bool(settings.SIGN_UP_IS_OPEN)
