"""Who may come in, and what they may do there."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field

from integrations.standins.messages import Request
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.switches import Switches


@dataclass
class User:
    """A Sage user. `rights` per company: modules (AP) or single ones (AP.post)."""

    name: str
    password: str
    rights: dict[str, set[str]] = field(default_factory=dict)

    def may(self, company: str, right: str) -> bool:
        """Whether the user has this right in that company."""
        held = self.rights.get(company, set())
        return right in held or right.partition(".")[0] in held


class Gate:
    """Signs requests in by Basic authentication."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._cookies: dict[str, str] = {}
        self.users: dict[str, User] = {}

    def sign_in(self, request: Request) -> User:
        """The user of this request, or SageError `Unauthorized`."""
        if self._switches.session_cookies:
            for part in request.headers.get("cookie", "").split(";"):
                user = self._cookies.get(part.strip().removeprefix("SageSession="))
                if user in self.users:
                    return self.users[user]
        name, password = _credentials(request.headers.get("authorization", ""))
        found = self.users.get(name.upper())
        if found is None or password != self._stored(found):
            raise SageError("Unauthorized", "The user ID or password is not correct.")
        if found.name == "ADMIN" and not self._switches.admin_allowed:
            raise SageError("Unauthorized", "The user ADMIN may not use the Web API.")
        return found

    def cookie_for(self, user: User) -> str:
        """A new cookie that stands in for the user's credentials."""
        token = secrets.token_hex(12)
        self._cookies[token] = user.name
        return f"SageSession={token}; path=/; HttpOnly"

    def _stored(self, user: User) -> str:
        is_folded = self._switches.password_case == "upper"  # noqa: S105 - the name of a choice
        return user.password.upper() if is_folded else user.password


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise SageError("Unauthorized", "Sign in with Basic authentication.")
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        raise SageError("Unauthorized", "The sign-in cannot be read.") from None
    name, _, password = text.partition(":")
    return name, password
