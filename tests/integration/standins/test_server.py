"""The server around every stand-in: bytes, faults and the control door, over real HTTP."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from integrations.standins.faults import FaultError, Faults
from integrations.standins.server import ActionError, Reply, Request, StandInServer


class CountingWorld:
    """A world that counts what it was made to do."""

    name: ClassVar[str] = "counting"
    ACTIONS: ClassVar[frozenset[str]] = frozenset({"add"})

    def __init__(self) -> None:
        self.done: list[str] = []
        self.pace = 1

    def handle(self, request: Request) -> Reply:
        self.done.append(f"{request.method} {request.path}")
        return Reply.json(201, {"path": request.path, "query": request.query, "filler": "x" * 100})

    def normalise_path(self, path: str) -> str:
        return path.partition("(")[0]

    def ledger(self) -> object:
        return {"done": self.done}

    def read_switches(self) -> dict[str, object]:
        return {"pace": self.pace}

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        if set(changes) - {"pace"}:
            raise ActionError("There is no such switch.")
        self.pace = changes["pace"]

    def add(self, *, left: int, right: int) -> int:
        return left + right


@pytest.fixture
def served() -> Iterator[StandInServer]:
    with StandInServer(CountingWorld()) as server:
        yield server


def ask(
    server: StandInServer, method: str, path: str, body: object = None, timeout: float = 5
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        reply = connection.getresponse()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def test_path_and_query_reach_the_world_decoded(served: StandInServer) -> None:
    _, _, body = ask(served, "GET", "/a%20b?%24filter=x%20eq%20'1'&empty=")

    said = json.loads(body)
    assert said["path"] == "/a b"
    assert said["query"] == [["$filter", "x eq '1'"], ["empty", ""]]


def test_one_connection_carries_many_requests(served: StandInServer) -> None:
    connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=5)

    for _ in range(3):
        connection.request("POST", "/x", b"{}")
        assert connection.getresponse().read()

    connection.close()
    assert served.requests.counts() == {"POST /x": 3}


def test_chunked_bodies_are_read(served: StandInServer) -> None:
    connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=5)

    connection.request("POST", "/_standin/do", iter([b'{"action":"add",', b'"left":1,"right":2}']))

    assert json.loads(connection.getresponse().read()) == {"result": 3}
    connection.close()


@pytest.mark.parametrize(
    ("fault", "status", "worked"),
    [
        ({"kind": "status", "status": 429, "retry_after": "7"}, 429, False),
        ({"kind": "status_after", "status": 502}, 502, True),
        ({"kind": "html"}, 200, False),
        ({"kind": "html_after"}, 200, True),
        ({"kind": "empty"}, 200, False),
        ({"kind": "empty_after"}, 200, True),
        ({"kind": "wrong_type"}, 201, True),
        ({"kind": "huge", "size_mib": 2}, 200, False),
        ({"kind": "gzip_bomb", "size_mib": 2}, 200, False),
        ({"kind": "delay", "seconds": 0.01}, 201, True),
        ({"kind": "delay_answer", "seconds": 0.01}, 201, True),
    ],
)
def test_a_fault_decides_the_answer_and_whether_work_is_done(
    served: StandInServer, fault: dict[str, Any], status: int, worked: bool
) -> None:
    served.faults.add(**fault, match="POST /things")

    said, headers, body = ask(served, "POST", "/things")

    assert said == status
    assert bool(served.world.ledger()["done"]) is worked  # type: ignore[index]
    match fault["kind"]:
        case "status":
            assert headers["retry-after"] == "7"
        case "html" | "html_after":
            assert headers["content-type"].startswith("text/html")
        case "empty" | "empty_after":
            assert body == b""
        case "wrong_type":
            assert headers["content-type"] == "text/plain"
            assert json.loads(body)["path"] == "/things"
        case "huge":
            assert len(body) > 2 * 1024 * 1024
        case "gzip_bomb":
            assert len(body) < 10_000
            assert len(gzip.decompress(body)) > 2 * 1024 * 1024


@pytest.mark.parametrize(("kind", "worked"), [("lose_answer", True), ("refuse", False)])
def test_a_hung_up_request_gets_no_answer(served: StandInServer, kind: str, worked: bool) -> None:
    served.faults.add(kind)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(served, "POST", "/things")

    assert bool(served.world.ledger()["done"]) is worked  # type: ignore[index]


def test_late_commit_works_after_the_client_has_gone(served: StandInServer) -> None:
    served.faults.add("late_commit", "POST /", seconds=0.1)

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(served, "POST", "/things")
    before = list(served.world.ledger()["done"])  # type: ignore[index]
    served.settle()

    assert before == []
    assert served.world.ledger() == {"done": ["POST /things"]}


def test_truncated_answer_ends_early(served: StandInServer) -> None:
    served.faults.add("truncate")

    with pytest.raises(http.client.IncompleteRead):
        ask(served, "GET", "/things")


def test_dripping_answer_outlasts_a_deadline(served: StandInServer) -> None:
    served.faults.add("drip", seconds=0.05)
    began = time.monotonic()

    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), 5) as line:
        line.sendall(b"GET /things HTTP/1.1\r\nHost: x\r\n\r\n")
        while time.monotonic() - began < 0.3:
            assert line.recv(200)

    assert served.world.ledger() == {"done": ["GET /things"]}


def test_faults_skip_stop_and_choose_by_path() -> None:
    faults = Faults()
    faults.add("refuse", r"POST /a\(\d+\)$", after=1, times=2)

    struck = [faults.take("POST", "/a(1)")[1] is not None for _ in range(5)]

    assert struck == [False, True, True, False, False]
    assert faults.take("GET", "/a(1)") == ([], None)
    assert faults.hits == [("refuse", "POST", "/a(1)")] * 2


@pytest.mark.parametrize(
    "order", [{"kind": "no such"}, {"kind": "delay", "match": "GET ["}, {"kind": "delay", "x": 1}]
)
def test_an_impossible_fault_is_refused(served: StandInServer, order: dict[str, Any]) -> None:
    with pytest.raises(FaultError):
        served.faults.add(**order)
    assert ask(served, "POST", "/_standin/faults", order)[0] == 400


def test_control_door_steers_and_leaves_no_trace(served: StandInServer) -> None:
    ask(served, "POST", "/thing(1)")

    assert json.loads(ask(served, "GET", "/_standin/health")[2]) == {"ok": True, "name": "counting"}
    assert json.loads(ask(served, "GET", "/_standin/ledger")[2]) == {"done": ["POST /thing(1)"]}
    assert ask(served, "POST", "/_standin/switches", {"pace": 3})[0] == 200
    assert json.loads(ask(served, "GET", "/_standin/switches")[2]) == {"pace": 3}
    assert ask(served, "POST", "/_standin/switches", {"nonsense": 3})[0] == 400
    assert ask(served, "POST", "/_standin/do", {"action": "add", "left": 1})[0] == 400
    assert ask(served, "POST", "/_standin/do", {"action": "handle"})[0] == 400
    assert ask(served, "GET", "/_standin/nowhere")[0] == 404
    counts = json.loads(ask(served, "GET", "/_standin/requests?summary=1")[2])
    assert counts == {"POST /thing": 1}
    assert json.loads(ask(served, "GET", "/_standin/requests")[2])[0]["status"] == 201
    ask(served, "DELETE", "/_standin/requests")
    assert json.loads(ask(served, "GET", "/_standin/requests")[2]) == []


def test_stopping_drops_connections_and_the_port_is_kept() -> None:
    server = StandInServer(CountingWorld()).start()
    address = server.url
    idle = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
    idle.request("GET", "/x")
    idle.getresponse().read()

    server.stop()
    with pytest.raises(OSError, match="refused"):
        ask(server, "GET", "/x")
    idle.close()
    server.start()

    assert server.url == address
    assert ask(server, "GET", "/x")[0] == 201
    server.stop()


def test_requests_are_served_side_by_side(served: StandInServer) -> None:
    served.faults.add("delay", "GET /slow", seconds=0.5)
    slow = threading.Thread(target=ask, args=(served, "GET", "/slow"))
    slow.start()
    time.sleep(0.05)
    began = time.monotonic()

    ask(served, "GET", "/quick")

    assert time.monotonic() - began < 0.4
    slow.join()
