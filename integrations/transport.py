"""The only door to the network, and the only module that imports requests.

One `Transport` serves both windows. It sends a call, keeps its own total deadline, caps the answer,
retries reads a little and writes never, and says of every failed write whether a byte may have
left: `Unreachable` and `AddressRefused` mean surely not, `OutcomeUnknown` means it may have
happened. What an answer with a status means is for the window that asked.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import tenacity
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from integrations.dialing import Dialer, Exchange, Resolver, pool_manager
from integrations.errors import IntegrationError, ServerFault, UnexpectedAnswer, Unreachable
from integrations.guard import AddressPolicy
from integrations.mishaps import (
    MEBIBYTE,
    authority_unreadable,
    lost,
    redacted,
    redirected,
    too_large,
)

log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
PASSING_STATUSES = frozenset({502, 503, 504})
PATIENT_STATUSES = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `secrets` are texts that may not appear in a record or an error.

    `system` is how sentences name the other side. `ca_pem` is a certificate authority to trust
    beside the public ones. `deadline_seconds` covers everything, retries of a read included.
    """

    method: str
    url: str
    deadline_seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    is_write: bool = False
    secrets: tuple[str, ...] = ()
    system: str = "The server"
    ca_pem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower case, the body is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    request_id: str

    @property
    def content_type(self) -> str:
        """The media type without its parameters, lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def retry_after_seconds(self) -> float | None:
        """What the server asks us to wait, when it says so in seconds (dates are not used)."""
        text = self.headers.get("retry-after", "").strip()
        return float(text) if text.isdigit() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one exchange on the wire was, without anything secret; `status` 0: no answer."""

    method: str
    path: str
    status: int
    outcome: str
    seconds: float
    sent_bytes: int
    received_bytes: int
    request_id: str
    is_write: bool


Observe = Callable[[Record], None]


class _Passing(Exception):
    """A read was answered by a passing fault: try again, or hand this answer on at the end."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


class _Adapter(HTTPAdapter):
    """requests' adapter over connections that the guard has judged."""

    def __init__(self, dialer: Dialer, context: ssl.SSLContext | None) -> None:
        self._dialer = dialer
        self._context = context
        super().__init__(max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **options: Any
    ) -> None:
        if self._context is not None:
            options["ssl_context"] = self._context
        self.poolmanager = pool_manager(
            self._dialer, num_pools=connections, maxsize=maxsize, block=block, **options
        )


class Transport:
    """Sends calls under one address policy; safe to share between threads.

    `resolver`, `wait` (seconds → None) and `request_ids` are injected by tests.
    `read_seconds` bounds one silence of the server, within the deadline of the call.
    `patience_seconds` is the longest Retry-After that a read waits out by itself.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        connect_seconds: float = 10.0,
        read_seconds: float = 600.0,
        max_bytes: int = 32 * MEBIBYTE,
        read_attempts: int = 3,
        patience_seconds: float = 5.0,
        request_ids: Callable[[], str] = lambda: uuid.uuid4().hex,
        resolver: Resolver | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._policy = policy
        self._dialer = Dialer(policy, connect_seconds=connect_seconds, resolver=resolver)
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._max_bytes = max_bytes
        self._read_attempts = read_attempts
        self._patience_seconds = patience_seconds
        self._request_ids = request_ids
        self._wait = wait
        self._readers = threading.local()

    def send(self, call: Call, *, observe: Observe | None = None) -> Answer:
        """Send and return the answer, whatever its status.

        Raises AddressRefused (guard, or a redirect), Unreachable (nothing was sent), for a read
        ServerFault (answer lost or cut) and UnexpectedAnswer (too large), for a write
        OutcomeUnknown. Reads are tried a few times while the deadline allows; writes once.
        """
        self._policy.check_url(call.url)
        deadline = time.monotonic() + call.deadline_seconds
        if call.is_write:
            with self._session(call.ca_pem) as session:
                return self._once(call, session, deadline, observe)
        return self._read(call, deadline, observe)

    def _read(self, call: Call, deadline: float, observe: Observe | None) -> Answer:
        def once() -> Answer:
            answer = self._once(call, self._reader(call.ca_pem), deadline, observe)
            if self._is_passing(answer):
                raise _Passing(answer)
            return answer

        backoff = tenacity.wait_random_exponential(multiplier=0.2, max=2.0)

        def pause(state: tenacity.RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.answer.retry_after_seconds if isinstance(failure, _Passing) else None
            return asked if asked is not None else backoff(state)

        def is_over(state: tenacity.RetryCallState) -> bool:
            left = deadline - time.monotonic()
            return state.attempt_number >= self._read_attempts or state.upcoming_sleep >= left

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Unreachable, ServerFault, _Passing)),
            wait=pause,
            stop=is_over,
            sleep=self._wait,
            reraise=True,
        )
        try:
            return retrying(once)
        except _Passing as passing:
            return passing.answer

    def _is_passing(self, answer: Answer) -> bool:
        asked = answer.retry_after_seconds
        if asked is not None and answer.status in PATIENT_STATUSES:
            return asked <= self._patience_seconds
        return answer.status in PASSING_STATUSES

    def _once(
        self, call: Call, session: requests.Session, deadline: float, observe: Observe | None
    ) -> Answer:
        request_id = self._request_ids()
        started = time.monotonic()
        exchange = Exchange(system=call.system, deadline=deadline)
        answer: Answer | None = None
        outcome = "answered"
        try:
            with exchange.watched():
                answer = self._exchange(call, session, exchange, request_id)
            if 300 <= answer.status < 400:
                location = answer.headers.get("location", "")
                raise redirected(location, system=call.system, status=answer.status)
        except IntegrationError as error:
            outcome = type(error).__name__
            error.request_id = request_id
            raise
        finally:
            record = Record(
                method=call.method,
                path=redacted(urlsplit(call.url).path, call.secrets),
                status=answer.status if answer else 0,
                outcome=outcome if answer or outcome != "answered" else "interrupted",
                seconds=time.monotonic() - started,
                sent_bytes=len(call.body or b""),
                received_bytes=len(answer.body) if answer else 0,
                request_id=request_id,
                is_write=call.is_write,
            )
            _tell(record, call.system, observe)
        return answer

    def _exchange(
        self, call: Call, session: requests.Session, exchange: Exchange, request_id: str
    ) -> Answer:
        started = time.monotonic()
        headers = {**call.headers, "X-Request-Id": request_id}
        request = requests.Request(call.method, call.url, headers=headers, data=call.body)
        left = exchange.seconds_left()
        timeout = (
            max(0.05, min(self._connect_seconds, left)),
            max(0.05, min(self._read_seconds, left)),
        )
        try:
            reply = session.send(
                session.prepare_request(request),
                stream=True,
                timeout=timeout,
                allow_redirects=False,
                verify=True,
                proxies={},
            )
            with reply:
                body = self._body(call, reply)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            what = redacted(f"{type(error).__name__}: {error}", call.secrets)[:300]
            if not exchange.is_connected and isinstance(error, ValueError):
                raise UnexpectedAnswer(f"request not sendable: {what}") from error
            is_late = exchange.is_expired or isinstance(error, requests.Timeout | TimeoutError)
            raise lost(what, system=call.system, is_write=call.is_write, is_late=is_late) from error
        if exchange.is_expired:
            # Cut within its headers, an answer looks whole to the library, with an empty body.
            raise lost("cut off", system=call.system, is_write=call.is_write, is_late=True)
        return Answer(
            status=reply.status_code,
            headers={name.lower(): value for name, value in reply.headers.items()},
            body=body,
            seconds=time.monotonic() - started,
            request_id=request_id,
        )

    def _body(self, call: Call, reply: requests.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        for chunk in reply.raw.stream(CHUNK_BYTES, decode_content=True):
            size += len(chunk)
            if size > self._max_bytes:
                raise too_large(
                    self._max_bytes,
                    system=call.system,
                    is_write=call.is_write,
                    status=reply.status_code,
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _session(self, ca_pem: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        # Sage's cookies would stand in for the password on the next call; a changed password must
        # be noticed, and one user's session never serve another.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(self._dialer, trust(ca_pem))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        return session

    def _reader(self, ca_pem: str) -> requests.Session:
        """The kept-open session of this thread for reads."""
        sessions: dict[str, requests.Session] | None = getattr(self._readers, "sessions", None)
        if sessions is None:
            sessions = self._readers.sessions = {}
        key = hashlib.sha256(ca_pem.encode()).hexdigest()
        if key not in sessions:
            sessions[key] = self._session(ca_pem)
        return sessions[key]


def trust(ca_pem: str) -> ssl.SSLContext | None:
    """Whom to believe beside the public authorities, None where nobody; raises AddressRefused."""
    if not ca_pem:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise authority_unreadable(error) from error
    return context


def _tell(record: Record, system: str, observe: Observe | None) -> None:
    log.info(
        "http.exchange",
        extra={
            "system": system,
            "method": record.method,
            "path": record.path,
            "status": record.status,
            "outcome": record.outcome,
            "seconds": round(record.seconds, 3),
            "request_id": record.request_id,
        },
    )
    if observe is not None:
        observe(record)
