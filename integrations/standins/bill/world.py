"""The pretended BILL as a whole: takes a request, finds who asks and what for, and answers.

It speaks BILL's v3 API under `/connect/v3` and its API for notifications under
`/connect-events/v3`, and knows nothing of the product.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Self

from integrations.standins.bill import approvals, bills, classifications, subscriptions, vendors
from integrations.standins.bill.answers import (
    Json,
    Refusal,
    bad_fields,
    minified,
    ok,
    refusal_reply,
    refuse,
    unknown_path,
)
from integrations.standins.bill.calls import EVENTS, MAIN, Call, Route, as_object, read_json, route
from integrations.standins.bill.clock import Clock, read_real_time, time_text
from integrations.standins.bill.ledger import read_ledger
from integrations.standins.bill.loading import load
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import Organization
from integrations.standins.bill.people import ACTIONS, People
from integrations.standins.bill.sessions import Session, refuse_locked
from integrations.standins.messages import Reply, Request

_HEALTH, _LOGIN = "/v3/health", "/v3/login"
_HEALTHY = {"appId": "connect", "appEnv": "practice", "appVersion": "3.0", "bdcRegion": "us-west-2"}


def read_session(call: Call) -> Reply:
    """`GET /v3/login/session`: who the session belongs to."""
    content = {
        "organizationId": call.organization.id,
        "userId": call.session.person.id,
        "mfaStatus": "DISABLED",
        "mfaBypass": False,
    }
    return ok(minified(content))


def sign_out(call: Call) -> Reply:
    """`POST /v3/logout`: ends the session; an empty answer."""
    call.office.doorkeeper.sign_out(call.session)
    return Reply.empty(200)


ROUTES: tuple[Route, ...] = (
    route("GET", "/v3/login/session", read_session),
    route("POST", "/v3/logout", sign_out),
    *vendors.ROUTES,
    *bills.ROUTES,
    *approvals.ROUTES,
    *classifications.ROUTES,
    *subscriptions.ROUTES,
)


class BillWorld(People):
    """BILL with its organizations. `clock` tells the time; ids follow from the seed."""

    name: ClassVar[str] = "bill"
    ACTIONS: ClassVar[frozenset[str]] = ACTIONS | {"load"}

    def __init__(
        self, *, seed: str = "practice", clock: Callable[[], datetime] = read_real_time
    ) -> None:
        self.office = Office(seed, Clock(clock))
        self._lock = threading.RLock()

    @classmethod
    def from_file(cls, path: Path, *, now: datetime | None = None) -> Self:
        """A world filled from a file of sample data."""
        data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        world = cls(seed=data.get("seed", "practice"))
        world.load(data, now=now)
        return world

    @property
    def switches(self) -> Any:
        """The switches, to be set one by one: `world.switches.money_as_text = True`."""
        return self.office.switches

    @property
    def organizations(self) -> dict[str, Organization]:
        """The organizations by id."""
        return self.office.doorkeeper.organizations

    def load(self, data: Mapping[str, Any], now: datetime | None = None) -> None:
        """Add keys, organizations and their records; relative dates count from `now`."""
        with self._lock:
            load(self.office, data, now or self.office.clock.now())

    def ledger(self) -> Json:
        """All records, subscriptions without keys, and how many events of each type there were."""
        with self._lock:
            return read_ledger(list(self.organizations.values()))

    def read_switches(self) -> dict[str, object]:
        """The switches and their present values."""
        return self.office.switches.as_dict()

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        """Change switches; raises ActionError for a name or value that is not known."""
        self.office.switches.change(changes)

    def normalise_path(self, path: str) -> str:
        """The path with ids taken out."""
        base, rest = _split(path)
        for each in ROUTES:
            if each.base == base and each.pattern.fullmatch(rest):
                return base + each.template
        return path if base and rest in {_HEALTH, _LOGIN} else "(unknown)"

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refusal_reply(refusal, time_text(self.office.clock.now_ms()))

    def _answer(self, request: Request) -> Reply:
        base, path = _split(request.path)
        if not base:
            return Reply.json(404, {"message": "no Route matched with those values"})
        if (request.method, base, path) == ("GET", MAIN, _HEALTH):
            return ok(minified(_HEALTHY))
        if (request.method, base, path) == ("POST", MAIN, _LOGIN):
            return self._sign_in(request)
        for each in ROUTES:
            if (each.method, each.base) == (request.method, base):
                found = each.pattern.fullmatch(path)
                if found is not None:
                    return self._serve(request, each, found.groupdict())
        raise unknown_path()

    def _sign_in(self, request: Request) -> Reply:
        keeper, quotas = self.office.doorkeeper, self.office.quotas
        fields = keeper.read_login(as_object(read_json(request.body)))
        key = fields["devKey"]
        quotas.count_request(key)
        quotas.count_login(key)
        with quotas.running(key, fields["organizationId"]):
            self._take_time()
            with self._lock:
                session = keeper.sign_in(fields)
        content = {
            "organizationId": session.organization.id,
            "sessionId": session.id,
            "trusted": False,
            "userId": session.person.id,
        }
        return ok(minified(content))

    def _serve(self, request: Request, found: Route, path_values: dict[str, str]) -> Reply:
        quotas = self.office.quotas
        quotas.count_request(request.headers.get("devkey", ""))
        with self._lock:
            session = self._enter(request, found)
        with quotas.running(session.key, session.organization.id):
            self._take_time()
            self._refuse_forbidden(session, found)
            call = Call(
                office=self.office,
                session=session,
                path_values=path_values,
                query=dict(request.query),
                headers=dict(request.headers),
                content=request.body,
            )
            if found.goes_out:
                return found.handler(call)
            with self._lock:
                return found.handler(call)

    def _enter(self, request: Request, found: Route) -> Session:
        headers = request.headers
        if found.base == EVENTS:
            missing = [name for name in ("devKey", "sessionId") if not headers.get(name.lower())]
            if missing:
                raise bad_fields([f"{name}: header is missing" for name in missing])
        return self.office.doorkeeper.enter(headers.get("devkey", ""), headers.get("sessionid", ""))

    def _refuse_forbidden(self, session: Session, found: Route) -> None:
        refuse_locked(session.organization)
        if found.operation in self.office.switches.forbidden_operations:
            status = self.office.switches.permission_status
            raise refuse(status, "BDC_1145", "You do not have permission to do this.")

    def _take_time(self) -> None:
        if self.office.switches.seconds_per_call:
            time.sleep(self.office.switches.seconds_per_call)


def _split(path: str) -> tuple[str, str]:
    for base in (EVENTS, MAIN):
        if path.startswith(base + "/"):
            return base, path[len(base) :]
    return "", path
