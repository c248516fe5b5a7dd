"""How each fault spoils an answer on its way out."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Iterator
from http import HTTPStatus

from integrations.standins.faults import Fault
from integrations.standins.messages import Reply

SIGN_IN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>"
    "<form method='post'><input name='user'><input name='password' type='password'></form>"
    "</body></html>"
)
_MIB = 1024 * 1024
_WORK_FIRST = frozenset(
    {
        "delay_answer",
        "lose_answer",
        "status_after",
        "html_after",
        "truncate",
        "drip",
        "empty_after",
        "wrong_type",
    }
)


def do_work_first(fault: Fault) -> bool:
    """Whether the world does the work although its answer will be spoilt."""
    return fault.kind in _WORK_FIRST


def spoil(fault: Fault, reply: Reply | None) -> Iterator[bytes | float] | Reply | None:
    """What goes out instead of `reply` (None where the world was not asked)."""
    match fault.kind:
        case "delay_answer" if reply is not None:
            time.sleep(fault.seconds)
            return reply
        case "wrong_type" if reply is not None:
            reply.headers["Content-Type"] = "text/plain"
            return reply
        case "truncate" if reply is not None:
            return iter([_head(reply), reply.body[: len(reply.body) // 2]])
        case "drip" if reply is not None:
            return _drip(reply, fault.seconds)
        case "status" | "status_after":
            return _status(fault)
        case "html" | "html_after":
            return Reply.html(200, SIGN_IN_PAGE)
        case "empty" | "empty_after":
            return Reply.empty(200)
        case "huge":
            return _huge(fault.size_mib)
        case "gzip_bomb":
            return _gzip_bomb(fault.size_mib)
        case _:
            return None


def _status(fault: Fault) -> Reply:
    phrase = HTTPStatus(fault.status).phrase
    text = fault.body or f"<html><body><h1>{fault.status} {phrase}</h1></body></html>"
    reply = Reply.html(fault.status, text)
    if text.lstrip().startswith(("{", "[")):
        reply.headers["Content-Type"] = "application/json"
    if fault.retry_after:
        reply.headers["Retry-After"] = fault.retry_after
    return reply


def _head(reply: Reply, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    lines.append(f"Content-Length: {len(reply.body) if length is None else length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _drip(reply: Reply, seconds: float) -> Iterator[bytes | float]:
    yield _head(reply)
    for position in range(len(reply.body)):
        yield reply.body[position : position + 1]
        yield seconds


def _huge(size_mib: int) -> Iterator[bytes | float]:
    opening, closing = b'{"value":["', b'"]}'
    reply = Reply(status=200, headers={"Content-Type": "application/json"})
    yield _head(reply, len(opening) + size_mib * _MIB + len(closing))
    yield opening
    for _ in range(size_mib):
        yield b"x" * _MIB
    yield closing


def _gzip_bomb(size_mib: int) -> Reply:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as stream:
        stream.write(b'{"value":["')
        for _ in range(size_mib):
            stream.write(b"x" * _MIB)
        stream.write(b'"]}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return Reply(status=200, body=packed.getvalue(), headers=headers)
