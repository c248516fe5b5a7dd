"""The steps below HTTP: does the name resolve, does a server take the call, is its certificate good.

When a connection fails, IT asks at which of these it does. Each step dials anew, only to addresses
the guard allows.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from integrations.dialing import Dialer, Exchange, tls_failed
from integrations.guard import Target
from integrations.ping.ladder import Doubt, Rung
from integrations.transport import trust

NAME = "The name resolves"
CALL = "The server takes the call"
CERTIFICATE = "The certificate is good"
RUNS_OUT_SOON = timedelta(days=21)
SHOWN = 3


class Reach:
    """The way to one server, step by step; `seconds` bounds each step, `now` is UTC."""

    def __init__(
        self,
        dialer: Dialer,
        target: Target,
        *,
        system: str,
        ca_pem: str,
        seconds: float = 10.0,
        now: datetime | None = None,
    ) -> None:
        self._dialer, self._target, self._system = dialer, target, system
        self._ca_pem, self._seconds = ca_pem, seconds
        self._now = now or datetime.now(tz=UTC)

    def rungs(self) -> list[Rung]:
        """The steps; the certificate's only where the address has one."""
        rungs = [Rung(name=NAME, ask=self._name), Rung(name=CALL, ask=self._call)]
        if self._target.scheme == "https":
            rungs.append(Rung(name=CERTIFICATE, ask=self._certificate))
        return rungs

    def _name(self) -> str:
        found = self._dialer.find(self._target, system=self._system)
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        return ", ".join(found[:SHOWN]) + more

    def _call(self) -> str:
        with self._watched():
            self._dial().close()
        return f"port {self._target.port}"

    def _certificate(self) -> str:
        context = trust(self._ca_pem) or ssl.create_default_context()
        host = self._target.host
        with self._watched():
            sock = self._dial()
            try:
                with context.wrap_socket(sock, server_hostname=host) as secure:
                    certificate = secure.getpeercert() or {}
            except (OSError, ssl.CertificateError) as error:
                raise tls_failed(self._system, host, error) from error
            finally:
                sock.close()
        ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return _good_until(host, datetime.fromtimestamp(ends, tz=UTC), self._now)

    def _dial(self) -> socket.socket:
        target = self._target
        return self._dialer.dial(target.scheme, target.host, target.port, None)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        deadline = time.monotonic() + self._seconds
        with Exchange(system=self._system, deadline=deadline).watched():
            yield


def _good_until(host: str, end: datetime, now: datetime) -> str:
    day = f"{end:%B} {end.day}, {end.year}"
    if end - now < RUNS_OUT_SOON:
        raise Doubt(
            f"until {day}",
            f"The certificate of {host} runs out on {day}, and then nothing is sent any more. Ask "
            "who looks after the server to renew it.",
        )
    return f"issued to {host}, until {day}"
