"""The control door: how a demo, a test or a browser journey steers a stand-in from outside.

It lives under `/_standin/`, never under a path of the pretended API, and leaves no trace in the
list of requests.
"""

from __future__ import annotations

import inspect
import json
import threading
import time
from collections import Counter, deque
from typing import Any

from integrations.standins.faults import FaultError, Faults
from integrations.standins.messages import ActionError, Reply, Request, World

CONTROL_PREFIX = "/_standin/"
KEPT_REQUESTS = 20_000


class RequestLog:
    """What was asked, exactly counted by kind; the last 20,000 requests one by one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[tuple[str, str, str, int, float]] = deque(maxlen=KEPT_REQUESTS)
        self._counts: Counter[str] = Counter()

    def record(self, request: Request, *, kind: str, status: int) -> None:
        """Note one answered request; status 0 means that no answer was given."""
        row = (request.method, request.path, request.raw_query, status, time.time())
        with self._lock:
            self._rows.append(row)
            self._counts[f"{request.method} {kind}"] += 1

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._rows.clear()
            self._counts.clear()

    def rows(self) -> list[dict[str, object]]:
        """The kept requests, oldest first; `at` in seconds since 1970."""
        with self._lock:
            rows = list(self._rows)
        names = ("method", "path", "query", "status", "at")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many requests of each kind, as "METHOD /path/without/keys"."""
        with self._lock:
            return dict(sorted(self._counts.items()))


class ControlDoor:
    """Answers the requests under `/_standin/`."""

    def __init__(self, world: World, faults: Faults, log: RequestLog) -> None:
        self._world = world
        self._faults = faults
        self._log = log

    def handle(self, request: Request) -> Reply:
        """Do what is asked, or say in `error` why not."""
        match request.method, request.path.removeprefix(CONTROL_PREFIX).strip("/"):
            case "GET", "health":
                return Reply.json(200, {"ok": True, "name": self._world.name})
            case "GET", "ledger":
                return Reply.json(200, self._world.ledger())
            case "GET", "requests":
                summary = ("summary", "1") in request.query
                return Reply.json(200, self._log.counts() if summary else self._log.rows())
            case "DELETE", "requests":
                self._log.clear()
                return Reply.json(200, {"ok": True})
            case "GET", "switches":
                return Reply.json(200, self._world.read_switches())
            case "GET", "faults":
                return Reply.json(200, {"hits": self._faults.hits})
            case "DELETE", "faults":
                self._faults.clear()
                return Reply.json(200, {"ok": True})
            case "POST", "do" | "faults" | "switches" as what:
                return self._change(what, request)
            case _:
                return Reply.json(404, {"error": f"Nothing answers {request.path} here."})

    def _change(self, what: str, request: Request) -> Reply:
        try:
            orders = request.json()
        except ValueError as error:
            return Reply.json(400, {"error": f"The body is not JSON: {error}."})
        if not isinstance(orders, dict):
            return Reply.json(400, {"error": "The body must be a JSON object."})
        try:
            if what == "faults":
                return Reply.json(200, {"id": self._faults.add(**orders)})
            if what == "switches":
                self._world.set_switches(orders)
                return Reply.json(200, self._world.read_switches())
            return self._act(orders)
        except (ActionError, FaultError, TypeError, LookupError) as error:
            return Reply.json(400, {"error": f"{error}" or type(error).__name__})

    def _act(self, orders: dict[str, Any]) -> Reply:
        name = orders.pop("action", None)
        if name not in self._world.ACTIONS:
            raise ActionError(f"There is no action {name!r}.")
        action = getattr(self._world, name)
        inspect.signature(action).bind(**orders)
        result = action(**orders)
        body = json.dumps({"result": result}, default=str, ensure_ascii=False)
        return Reply(status=200, body=body.encode(), headers={"Content-Type": "application/json"})
