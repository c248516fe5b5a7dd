"""A real HTTP server around a pretended system.

The product is tried over sockets, as it will be used: keep-alive, time-outs, lost answers. A world
(BILL or Sage 300) only turns a request into a reply; this room reads and writes the bytes, lets the
faults strike, and opens the control door under `/_standin/`.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from integrations.standins.control import CONTROL_PREFIX, ControlDoor, RequestLog
from integrations.standins.faults import Fault, Faults
from integrations.standins.memory import Memory
from integrations.standins.messages import ActionError, Reply, Request, World
from integrations.standins.mischief import do_work_first, spoil

__all__ = ["ActionError", "Reply", "Request", "StandInServer", "World"]

MAX_REQUEST_BYTES = 64 * 1024 * 1024
IDLE_SECONDS = 120
_ONLY_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class StandInServer:
    """Serves one world on one address until stopped; a context manager."""

    def __init__(
        self,
        world: World,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Faults | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.world = world
        self._memory = memory
        self.faults = faults if faults is not None else Faults()
        self.requests = RequestLog()
        self._door = ControlDoor(world, self.faults, self.requests)
        self._host = host
        self._port = port
        self._httpd: _Server | None = None
        self._thread: threading.Thread | None = None
        self._late: set[threading.Thread] = set()

    @property
    def url(self) -> str:
        """The address, like `http://127.0.0.1:4021`; the port is kept over stop and start."""
        return f"http://{self._host}:{self._port}"

    def start(self) -> Self:
        """Begin to listen; returns once requests are taken."""
        self._httpd = _Server((self._host, self._port), self)
        self._port = int(self._httpd.server_address[1])
        self._thread = threading.Thread(
            target=self._httpd.serve_forever,
            kwargs={"poll_interval": 0.02},
            name=f"stand-in {self.world.name}",
            daemon=True,
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and drop every open connection, as a machine that goes down does."""
        if self._httpd is None or self._thread is None:
            return
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.drop_connections()
        self._httpd.server_close()
        self._httpd = self._thread = None

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until work that was put off by a late commit is done."""
        deadline = time.monotonic() + timeout
        for thread in tuple(self._late):
            thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> Iterator[bytes | float] | Reply | None:
        """A reply; or pieces of bytes with pauses in seconds between; or None: hang up."""
        answer = self._answer(request)
        self._remember(request)
        return answer

    def _remember(self, request: Request) -> None:
        if self._memory is not None and request.method not in _ONLY_READS:
            self._memory.keep(self.world)

    def _answer(self, request: Request) -> Iterator[bytes | float] | Reply | None:
        if request.path.startswith(CONTROL_PREFIX):
            return self._door.handle(request)
        kind = self.world.normalise_path(request.path)
        delays, fault = self.faults.take(request.method, request.path)
        for delay in delays:
            time.sleep(delay.seconds)
        if fault is None:
            reply = self.world.handle(request)
            self.requests.record(request, kind=kind, status=reply.status)
            return reply
        spoilt = self._spoilt(request, fault)
        status = spoilt.status if isinstance(spoilt, Reply) else 0
        self.requests.record(request, kind=kind, status=status)
        return spoilt

    def _spoilt(self, request: Request, fault: Fault) -> Iterator[bytes | float] | Reply | None:
        if fault.kind == "late_commit":
            self._work_later(request, fault.seconds)
            return None
        reply = self.world.handle(request) if do_work_first(fault) else None
        return spoil(fault, reply)

    def _work_later(self, request: Request, seconds: float) -> None:
        def work() -> None:
            time.sleep(seconds)
            self.world.handle(request)
            self._remember(request)
            self._late.discard(thread)

        thread = threading.Thread(target=work, name="late commit", daemon=True)
        self._late.add(thread)
        thread.start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], owner: StandInServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner
        self._open: set[socket.socket] = set()

    def server_bind(self) -> None:
        # Not HTTPServer's own: it asks the name server what this machine is called.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "stand-in", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hung up is part of the play; anything else is a fault of ours and is shown.
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # with keep-alive each POST would wait 40 ms for a delayed ACK
    wbufsize = -1
    timeout = IDLE_SECONDS
    server: _Server

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > 65536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            return
        if not self.parse_request():
            return
        body = self._read_body()
        if body is None:
            self._send(Reply.html(413, "<h1>Request Entity Too Large</h1>"), closing=True)
            return
        self._send_answer(self.server.owner.answer(self._request(body)))

    def handle_expect_100(self) -> bool:
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _request(self, body: bytes) -> Request:
        raw_path, _, raw_query = self.path.partition("?")
        return Request(
            method=self.command,
            path=unquote(raw_path),
            raw_path=raw_path,
            raw_query=raw_query,
            query=parse_qsl(raw_query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            received_at=time.monotonic(),
        )

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        text = self.headers.get("Content-Length", "0")
        length = int(text) if text.isdecimal() else 0
        return self.rfile.read(length) if length <= MAX_REQUEST_BYTES else None

    def _read_chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline(64).split(b";")[0].strip() or b"0", 16):
            if len(body) + size > MAX_REQUEST_BYTES:
                return None
            body += self.rfile.read(size)
            self.rfile.readline(4)
        while self.rfile.readline(65537).strip():
            pass
        return bytes(body)

    def _send_answer(self, answer: Iterator[bytes | float] | Reply | None) -> None:
        if isinstance(answer, Reply):
            self._send(answer)
            return
        self.close_connection = True
        for piece in answer or ():
            if isinstance(piece, bytes):
                self.wfile.write(piece)
            else:
                self.wfile.flush()
                time.sleep(piece)
        with suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, reply: Reply, *, closing: bool = False) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        if closing:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def version_string(self) -> str:
        return "stand-in"

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the list of requests is asked for at the control door."""
