"""A BILL of canned answers, and the shared session and quota without a database."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from integrations.bill.queries import BillAddress
from integrations.bill.sharing import HeldSession, Login
from integrations.transport import Answer, Call, Observe

Reply = tuple[int, object]


def an_address(**overrides: object) -> BillAddress:
    values: dict[str, object] = {
        "api_url": "https://bill.test/connect",
        "events_url": "https://bill.test/connect-events",
        "environment": "sandbox",
        "user_name": "connector",
        "password": "correct horse",
        "organization_id": "00801",
        "developer_key": "dev-key",
    }
    return BillAddress(**(values | overrides))  # type: ignore[arg-type]


def fault(code: str, message: str = "text") -> list[dict[str, str]]:
    return [{"code": code, "message": message, "severity": "ERROR", "category": "REQUEST"}]


class CannedBill:
    """Answers each call by a function of it; sign-ins get session-1, session-2 …"""

    def __init__(self, answer: Callable[[Call], Reply]) -> None:
        self.calls: list[Call] = []
        self.logins = 0
        self._answer = answer

    def send(self, call: Call, *, observe: Observe | None = None) -> Answer:
        self.calls.append(call)
        status, content = self._login() if call.url.endswith("/login") else self._answer(call)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return Answer(status=status, headers={}, body=body, seconds=0.0, request_id="r-1")

    def _login(self) -> Reply:
        self.logins += 1
        return 200, {
            "sessionId": f"session-{self.logins}",
            "organizationId": "00801",
            "userId": "syu01",
            "trusted": False,
        }

    @property
    def asked(self) -> list[Call]:
        return [call for call in self.calls if not call.url.endswith("/login")]


class OwnSessions:
    """The session kept in memory."""

    def __init__(self) -> None:
        self.held: HeldSession | None = None

    def current(self, login: Login) -> HeldSession:
        return self.held or self.fresh(login)

    def renewed(self, lost: HeldSession, login: Login) -> HeldSession:
        return self.fresh(login)

    def fresh(self, login: Login) -> HeldSession:
        version = self.held.version + 1 if self.held else 1
        self.held = HeldSession(session=login(), version=version)
        return self.held


class OwnQuota:
    """Counts, and knows when it was closed."""

    def __init__(self) -> None:
        self.requests = 0
        self.inside = 0
        self.is_closed = False

    @contextmanager
    def slot(self) -> Iterator[None]:
        self.requests += 1
        self.inside += 1
        yield
        self.inside -= 1

    def permit_login(self) -> None:
        assert self.inside == 0

    def close_for_the_hour(self) -> float:
        self.is_closed = True
        return 1234.0
