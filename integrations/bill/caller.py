"""Makes one call to BILL: a slot of the shared quota, the shared session, one request, one answer.

Here and nowhere else a lost session becomes a new sign-in and the same call again, "too many at
once" becomes a short wait, and a used-up hour closes the key for every process.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from integrations.bill.errors import (
    CONCURRENCY_LIMIT,
    HOURLY_LIMIT,
    MEANINGS,
    SessionLost,
    error_for,
    is_refusal,
    not_bill,
)
from integrations.bill.parse import parse_session
from integrations.bill.queries import BillAddress
from integrations.bill.sharing import BillLimits, HeldSession, Quota, Sessions
from integrations.bill.types import BillSession
from integrations.bill.values import UnreadableJson, read_json
from integrations.errors import (
    AuthRefused,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    UnexpectedAnswer,
)
from integrations.transport import Answer, Call, Observe

SYSTEM = "BILL"
NO_HEADERS: Mapping[str, str] = {}


class Sender(Protocol):
    """The part of the transport that is used here."""

    def send(self, call: Call, *, observe: Observe | None = None) -> Answer:
        """Send one call and return its answer, whatever the status."""
        ...


class BillCaller:
    """Calls BILL as one user of one organization.

    `observe` hears of every request on the wire, sign-ins included.
    """

    def __init__(
        self,
        address: BillAddress,
        transport: Sender,
        sessions: Sessions,
        quota: Quota,
        *,
        limits: BillLimits | None = None,
        observe: Observe | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._transport = transport
        self._sessions = sessions
        self._quota = quota
        self._limits = limits or BillLimits()
        self._observe = observe
        self._wait = wait
        self._held: HeldSession | None = None

    def sign_in(self) -> BillSession:
        """Sign in now, whatever is stored, and keep the session for all processes."""
        self._held = self._sessions.fresh(self._login)
        return self._held.session

    def _ask(
        self,
        method: str,
        url: str,
        *,
        content: object = None,
        is_write: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> object:
        """Return the JSON of the answer (None: empty); what it raises says that it was BILL."""
        try:
            return self._answer(method, url, content, is_write=is_write, headers=headers)
        except IntegrationError as error:
            error.system = SYSTEM
            raise

    def _answer(
        self, method: str, url: str, content: object, *, is_write: bool, headers: Mapping[str, str]
    ) -> object:
        """Sign in again once if the session is lost.

        A call refused for its session was not carried out, so a write too may be repeated.
        """
        held = self._held or self._sessions.current(self._login)
        self._held = held
        for is_last in (False, True):
            try:
                return self._exchange(
                    method,
                    url,
                    content=content,
                    is_write=is_write,
                    headers={**self._keys(held.session), **headers},
                    session_id=held.session.session_id,
                )
            except SessionLost as lost:
                if is_last:
                    self._held = None
                    raise _refused_twice(lost) from lost
                held = self._sessions.renewed(held, self._login)
                self._held = held
        raise AssertionError("unreachable")

    def _open(self, method: str, url: str) -> object:
        """Ask without a sign-in, a key or a place: only what BILL answers to everybody."""
        call = Call(
            method=method, url=url, deadline_seconds=self._limits.call_seconds, system=SYSTEM
        )
        return read_answer(self._transport.send(call, observe=self._observe), is_write=False)

    def _keys(self, session: BillSession) -> dict[str, str]:
        return {"sessionId": session.session_id, "devKey": self._address.developer_key}

    def _login(self) -> BillSession:
        """Sign in by one request. The developer key must be in the body here, and only here."""
        address = self._address
        self._quota.permit_login()
        try:
            answer = self._exchange(
                "POST",
                f"{address.api_url}/v3/login",
                content={
                    "username": address.user_name,
                    "password": address.password,
                    "organizationId": address.organization_id,
                    "devKey": address.developer_key,
                },
                is_write=True,
            )
        except OutcomeUnknown as error:
            kind = UnexpectedAnswer if error.http_status == 200 else ServerFault
            raise _as(kind, error, error.sentence if error.http_status else _LOGIN_LOST) from error
        except (Rejected, NotFound) as error:
            said = f" BILL says: {error.vendor_message}" if error.vendor_message else ""
            raise _as(AuthRefused, error, _LOGIN_REFUSED + said) from error
        except SessionLost as error:
            raise _as(AuthRefused, error, MEANINGS["BDC_1113"].sentence) from error
        return _checked(parse_session(answer), address.organization_id)

    def _exchange(
        self,
        method: str,
        url: str,
        *,
        content: object = None,
        is_write: bool = False,
        headers: Mapping[str, str] = NO_HEADERS,
        session_id: str = "",
    ) -> object:
        call = Call(
            method=method,
            url=url,
            deadline_seconds=self._limits.call_seconds,
            headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
            body=None if content is None else json.dumps(content).encode(),
            is_write=is_write,
            secrets=(self._address.password, self._address.developer_key, session_id),
            system=SYSTEM,
        )
        tries = 0
        while True:
            with self._quota.slot():
                answer = self._transport.send(call, observe=self._observe)
            try:
                return read_answer(answer, is_write=is_write)
            except RateLimited as error:
                tries += 1
                if error.vendor_code == HOURLY_LIMIT and not _is_by_the_minute(error):
                    error.retry_after_seconds = self._quota.close_for_the_hour()
                    raise
                if error.vendor_code != CONCURRENCY_LIMIT or tries >= self._limits.busy_tries:
                    raise
            # Other tools may use the same key; a refused call was not carried out.
            self._wait(self._limits.busy_pause_seconds * tries)


def read_answer(answer: Answer, *, is_write: bool) -> object:
    """Return the JSON of a good answer (None: an empty one); raises what a refusal means."""
    is_good = 200 <= answer.status < 300
    if is_good and not answer.body.strip():
        return None
    try:
        value = read_json(answer.body)
    except UnreadableJson:
        value = None
    if is_refusal(answer.status, value):
        raise error_for(
            status=answer.status,
            body=answer.body,
            request_id=answer.request_id,
            is_write=is_write,
        )
    if not isinstance(value, dict | list):
        raise not_bill(status=answer.status, request_id=answer.request_id, is_write=is_write)
    return value


_LOGIN_LOST = (
    "BILL did not answer the sign-in. The connector tries again by itself; nobody needs to act."
)
_LOGIN_REFUSED = (
    "BILL did not accept the sign-in. An owner checks user name, password, organization id, "
    "developer key and environment under Connections."
)


def _checked(session: BillSession, organization_id: str) -> BillSession:
    """Refuse a session of another organization: its bills must never reach this company's books."""
    if not session.session_id:
        raise ServerFault("sign-in answered without a session", sentence=_LOGIN_LOST)
    if session.organization_id and session.organization_id != organization_id:
        raise AuthRefused(
            "signed in to another organization",
            sentence=f"BILL signed us in to the organization {session.organization_id} and not to "
            f"{organization_id}. An owner corrects the organization id under Connections.",
        )
    return session


def _is_by_the_minute(error: RateLimited) -> bool:
    """BILL names one code for the hour and, for sign-ins, the minute; only its text tells."""
    return "per minute" in error.vendor_message.lower()


def _refused_twice(lost: SessionLost) -> AuthRefused:
    return _as(AuthRefused, lost, MEANINGS["BDC_1109"].sentence)


Raised = TypeVar("Raised", bound=IntegrationError)


def _as(kind: type[Raised], error: IntegrationError, sentence: str) -> Raised:
    """The same facts under another class and sentence."""
    return kind(
        str(error),
        sentence=sentence,
        request_id=error.request_id,
        http_status=error.http_status,
        vendor_code=error.vendor_code,
        vendor_message=error.vendor_message,
    )
