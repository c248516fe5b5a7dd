"""Connections that go only where the guard allowed, and that can be cut off at a deadline.

A library's own connection looks a name up by itself, after any check made before: a name that
answers differently the second time would lead it elsewhere. These connections resolve once, have
every answer judged, and dial one of the judged addresses, while TLS and the Host header keep the
name. Whatever fails up to the end of the TLS handshake is raised as `Unreachable` here, so that
the caller knows without guessing that no byte of the request has left.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from integrations.errors import Unreachable
from integrations.guard import AddressPolicy, Target

Resolver = Callable[[str, int], list[str]]
"""Name and port to every address, most wanted first; raises OSError."""


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the operating system, each address once."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Exchange:
    """One request and its answer on the wire: how far it got, and the rope to cut it off."""

    def __init__(self, *, system: str, deadline: float) -> None:
        self.system = system
        self.deadline = deadline
        self.is_expired = False
        self.is_connected = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def holds(self, sock: socket.socket) -> None:
        """Remember the socket in use, or cut it at once when the time is already up."""
        with self._lock:
            self._socket = sock
            if self.is_expired:
                _shut(sock)

    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self.deadline - time.monotonic())

    def _expire(self) -> None:
        with self._lock:
            self.is_expired = True
            if self._socket is not None:
                _shut(self._socket)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Cut the socket when the deadline passes, also while the server sends a byte a second."""
        _current.exchange = self
        timer = threading.Timer(self.seconds_left(), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                self._socket = None
            _current.exchange = None


class _Current(threading.local):
    exchange: Exchange | None = None


_current = _Current()


def _shut(sock: socket.socket) -> None:
    try:
        # The plain socket's own method: SSLSocket's would also drop the TLS state under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return


class Dialer:
    """Makes connections for one policy; `resolver` is injected by tests."""

    def __init__(
        self, policy: AddressPolicy, *, connect_seconds: float, resolver: Resolver | None = None
    ) -> None:
        self._policy = policy
        self._connect_seconds = connect_seconds
        self._resolver = resolver or system_resolver

    def dial(self, scheme: str, host: str, port: int, options: Any) -> socket.socket:
        """Resolve, judge every answer, connect to the first that takes the call."""
        system = _current.exchange.system if _current.exchange else "The server"
        target = Target(scheme=scheme, host=host.strip("[]").lower().rstrip("."), port=port)
        answers = self.find(target, system=system)
        failure: OSError | None = None
        for answer in answers:
            try:
                sock = socket.create_connection((answer, port), self._seconds())
            except OSError as error:
                failure = error
                continue
            for option in options or ():
                sock.setsockopt(*option)
            if _current.exchange:
                _current.exchange.holds(sock)
            return sock
        raise _no_answer(system, target, failure)

    def find(self, target: Target, *, system: str) -> tuple[str, ...]:
        """Resolve the name and judge every answer; raises AddressRefused and Unreachable."""
        self._policy.check_target(target)
        return self._policy.check_answers(target, self._resolve(system, target))

    def _seconds(self) -> float:
        left = _current.exchange.seconds_left() if _current.exchange else self._connect_seconds
        return max(0.05, min(self._connect_seconds, left))

    def _resolve(self, system: str, target: Target) -> list[str]:
        answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolver(target.host, target.port))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError(str(error)))

        threading.Thread(target=look_up, daemon=True).start()
        try:
            answer = answers.get(timeout=self._seconds())
        except queue.Empty:
            answer = OSError("the name server did not answer in time")
        if isinstance(answer, OSError) or not answer:
            sentence = (
                f"{system} could not be found: no server answers to the name {target.host}. "
                "Check the address under Connections, or the name server of this machine."
            )
            raise Unreachable(f"name not resolved: {answer}", sentence=sentence)
        return answer


def _no_answer(system: str, target: Target, failure: OSError | None) -> Unreachable:
    if isinstance(failure, TimeoutError):
        sentence = (
            f"{system} does not answer at {target.host}, port {target.port}: nobody picked up in "
            "time. The server may be off, or a firewall stands between."
        )
    else:
        sentence = (
            f"{system} does not answer at {target.host}, port {target.port}: the connection was "
            "turned away. The server or its web service may be off, or the port is another one."
        )
    return Unreachable(f"connect failed: {failure}", sentence=sentence)


def tls_failed(system: str, host: str, failure: Exception) -> Unreachable:
    """The error for a server that could not prove who it is."""
    reason = getattr(failure, "verify_message", "") or str(failure)
    sentence = (
        f"{system} at {host} could not prove who it is ({reason[:120]}). Ask who runs the server "
        "for a valid certificate, or store their certificate authority under Connections."
    )
    return Unreachable(f"TLS failed: {failure}", sentence=sentence)


class _Judged:
    """What both kinds of connection add to urllib3's."""

    dialer: Dialer
    scheme: str
    host: str
    port: int
    socket_options: Any
    sock: Any

    def _new_conn(self) -> socket.socket:
        return self.dialer.dial(self.scheme, self.host, self.port, self.socket_options)

    def connect(self) -> None:
        """Dial, and turn every failure before the request into Unreachable."""
        system = _current.exchange.system if _current.exchange else "The server"
        try:
            super().connect()  # type: ignore[misc]
        except (OSError, ssl.CertificateError, HTTPError) as error:
            raise tls_failed(system, self.host, error) from error
        if _current.exchange:
            _current.exchange.is_connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Put a kept-open socket on the rope as well."""
        if _current.exchange and self.sock is not None:
            _current.exchange.is_connected = True
            _current.exchange.holds(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


def pool_manager(dialer: Dialer, **options: Any) -> PoolManager:
    """A urllib3 pool manager whose every connection is made by `dialer`."""

    class PlainConnection(_Judged, HTTPConnection):
        scheme = "http"

    class TLSConnection(_Judged, HTTPSConnection):
        scheme = "https"

    PlainConnection.dialer = TLSConnection.dialer = dialer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    manager = PoolManager(**options)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": TLSPool}
    return manager
