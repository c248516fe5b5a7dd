"""How django-allauth makes accounts here, and with which words it refuses."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Opens sign-up only where the operator wants strangers."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This account is switched off. An operator of this service can switch"
        " it on again.",
        "email_password_mismatch": "E-mail and password do not belong together.",
        "email_taken": "There is an account with this e-mail already. Sign in instead.",
        "too_many_login_attempts": "Too many tries. This address rests for some minutes; then try"
        " again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return whether a person who was not invited may make an account."""
        return bool(settings.SIGN_UP_IS_OPEN)


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth carries no types
    """Says in our words what is wrong with a code."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That is not the code of this half minute. Type the one your app shows"
        " now.",
        "unverified_email": "Confirm your e-mail address first; the link to do so was mailed.",
    }
