"""A wire that can be cut: passes bytes on to Sage, and on order only the first few of one request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from integrations.models import Sage300Connection
from tenants.scoping import tenant_scope
from tests.integration.sync.world import Desk


@dataclass(slots=True, kw_only=True)
class Cut:
    """Cut the next request that begins so, after this many bytes; then do `on_cut`."""

    begins: bytes
    after_bytes: int
    on_cut: Callable[[], object] = lambda: None


@dataclass(slots=True)
class Wire:
    """The proxy; `cut` holds the order until a request meets it."""

    upstream: tuple[str, int]
    listener: socket.socket
    cut: Cut | None = None
    was_cut: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        far = socket.create_connection(self.upstream)
        threading.Thread(target=self._pump, args=(far, near), daemon=True).start()
        with suppress(OSError):
            while chunk := near.recv(65536):
                if self.cut is not None and chunk.startswith(self.cut.begins):
                    self._cut(self.cut, chunk, near, far)
                    return
                far.sendall(chunk)
        _hang_up(far)

    def _cut(self, cut: Cut, chunk: bytes, near: socket.socket, far: socket.socket) -> None:
        self.cut = None
        far.sendall(chunk[: cut.after_bytes])
        cut.on_cut()
        _hang_up(far)
        _hang_up(near)
        self.was_cut.set()

    def _pump(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while chunk := far.recv(65536):
                near.sendall(chunk)
        _hang_up(near)


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def a_wire(settings: Any, desk: Desk) -> Iterator[Wire]:
    """Lead the company's calls to Sage over a wire; before its first sync."""
    there = urlsplit(desk.sage_server.url)
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire((str(there.hostname), int(there.port or 0)), listener)
    threading.Thread(target=wire.serve, daemon=True).start()
    settings.PRACTICE_SAGE_URL = wire.url
    with tenant_scope(desk.company.tenant_id):
        Sage300Connection.objects.for_tenant(desk.company.tenant_id).update(base_url=wire.url)
    try:
        yield wire
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
