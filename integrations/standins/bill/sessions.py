"""Signing in and staying in.

A person's session ends after 35 idle minutes, a sync token's after 48 idle hours; any call starts
the time anew, and a session works only with the developer key that made it
(developer.bill.com/reference/login and /docs/token-based-sign-in, 2026).
"""

from __future__ import annotations

from dataclasses import dataclass

from integrations.standins.bill.answers import Json, Refusal, bad_fields, refuse
from integrations.standins.bill.clock import Clock
from integrations.standins.bill.ids import IdMaker
from integrations.standins.bill.organization import Organization, Person
from integrations.standins.bill.switches import Switches

LOGIN_FIELDS = ("devKey", "organizationId", "password", "username")


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One sign-in; `used_ms` is when it was last used."""

    id: str
    key: str
    organization: Organization
    person: Person
    used_ms: int


class Doorkeeper:
    """Knows the developer keys and who is in."""

    def __init__(self, clock: Clock, switches: Switches, ids: IdMaker) -> None:
        self.keys: dict[str, bool] = {}  # key -> active
        self.organizations: dict[str, Organization] = {}
        self._sessions: dict[str, Session] = {}
        self._clock = clock
        self._switches = switches
        self._ids = ids

    def read_login(self, body: Json) -> dict[str, str]:
        """The four fields of a login; raises BILL's 400 where one is missing.

        They count only in the body: a developer key in a header leaves `devKey` null.
        """
        missing = [name for name in LOGIN_FIELDS if not isinstance(body.get(name), str)]
        if missing:
            raise bad_fields([f"{name}: must not be null" for name in missing])
        return {name: body[name] for name in LOGIN_FIELDS}

    def sign_in(self, fields: dict[str, str]) -> Session:
        """Open a session, or raise BILL's refusal."""
        self._refuse_key(fields["devKey"], self._switches.credential_status)
        organization = self.organizations.get(fields["organizationId"])
        if organization is None:
            raise self._not_let_in("BDC_1123", "Invalid organization id.")
        refuse_locked(organization)
        person = self._check_password(organization, fields["username"], fields["password"])
        session = Session(
            id=self._ids.token("session", 40),
            key=fields["devKey"],
            organization=organization,
            person=person,
            used_ms=self._clock.now_ms(),
        )
        self._sessions[session.id] = session
        return session

    def enter(self, key: str, session_id: str) -> Session:
        """The live session of a call, used now; raises BILL's refusal."""
        self._refuse_key(key, 401)
        session = self._sessions.get(session_id)
        if session is None or session.key != key or self._is_over(session):
            raise self._lost()
        session.used_ms = self._clock.now_ms()
        return session

    def sign_out(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)

    def expire_all(self) -> int:
        """End every session; says how many there were."""
        ended = len(self._sessions)
        self._sessions.clear()
        return ended

    def _refuse_key(self, key: str, status: int) -> None:
        active = self.keys.get(key)
        if active is None:
            raise refuse(status, "BDC_1102", "Developer key is invalid.")
        if not active:
            raise refuse(status, "BDC_1103", "Developer key is inactive.")

    def _check_password(self, organization: Organization, name: str, password: str) -> Person:
        person = next((each for each in organization.people if each.username == name), None)
        wrong = self._not_let_in("BDC_1101", "User name and/or password do not match our records.")
        if person is None:
            raise wrong
        limit = self._switches.failed_logins_before_lock
        if limit and person.wrong_passwords >= limit:
            raise self._not_let_in("BDC_1110", "Login is locked.")
        if person.password != password:
            person.wrong_passwords += 1
            raise wrong
        person.wrong_passwords = 0
        return person

    def _not_let_in(self, code: str, message: str) -> Refusal:
        return refuse(self._switches.credential_status, code, message)

    def _is_over(self, session: Session) -> bool:
        switches = self._switches
        is_token = session.person.is_token
        seconds = switches.token_session_seconds if is_token else switches.session_seconds
        over = self._clock.now_ms() - session.used_ms >= seconds * 1000
        if over:
            self.sign_out(session)
        return over

    def _lost(self) -> Refusal:
        if self._switches.lost_session_as_untrusted:
            return refuse(403, "BDC_1361", "Session is expired or untrusted.")
        return refuse(401, "BDC_1109", "Session is invalid.  Please log in.")


def refuse_locked(organization: Organization) -> None:
    """Raise BDC_1107 while the organization is locked out."""
    if organization.is_locked:
        raise refuse(423, "BDC_1107", "Organization is locked out.")
