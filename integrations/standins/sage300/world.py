"""The pretended Sage 300 Web API: companies, users and the way a request takes through it.

Faithful to the developer reference and the captured answers where they speak; where they do not,
`switches.py` holds both possibilities.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from integrations.standins.messages import Reply, Request
from integrations.standins.sage300.administrators import Administrators
from integrations.standins.sage300.api import Api, respond
from integrations.standins.sage300.clerks import Clerks
from integrations.standins.sage300.errors import SageError, as_reply
from integrations.standins.sage300.ledger import ledger_of
from integrations.standins.sage300.loading import load_company
from integrations.standins.sage300.metadata import metadata
from integrations.standins.sage300.people import actions_of
from integrations.standins.sage300.resources import MODULES
from integrations.standins.sage300.security import Gate, User
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.switches import Switches

_ROOT = re.compile(r"^/sage300webapi(/.*)?$", re.IGNORECASE)
_API = re.compile(r"^/v1\.0/-/(.*)$", re.IGNORECASE)
_KEY = re.compile(r"\(.*\)")
_REFUSED_IN_PATHS = frozenset('<>*%&:\\?"')
_LANDING = (
    "<!DOCTYPE html><html><head><title>Sage 300 Web API</title></head>"
    "<body><h1>Sage 300 Web API</h1><a href='swagger'>Swagger</a></body></html>"
)


def _page(title: str) -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h2>{title}</h2></body></html>"


def _exact(value: Any) -> Any:
    """The data with its fractions as Decimals, whoever read the file."""
    match value:
        case dict():
            return {name: _exact(child) for name, child in value.items()}
        case list():
            return [_exact(child) for child in value]
        case float():
            return Decimal(str(value))
        case _:
            return value


def _today() -> date:
    return datetime.now(tz=UTC).date()


class Sage300World(Clerks, Administrators):
    """Several companies behind one address. `today` is the session date."""

    name: ClassVar[str] = "sage300"
    ACTIONS: ClassVar[frozenset[str]] = actions_of(Clerks) | actions_of(Administrators)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, today: Callable[[], date] = _today
    ) -> None:
        self.switches = Switches()
        self.gate = Gate(self.switches)
        self.companies = {}
        self._kept = {}
        self._today = today
        if data is not None:
            self.load(data)

    @classmethod
    def from_file(cls, path: Path | str, *, today: Callable[[], date] = _today) -> Sage300World:
        """A world with the content of a sample file."""
        text = Path(path).read_text("utf-8")
        return cls(json.loads(text, parse_float=Decimal), today=today)

    def load(self, data: Mapping[str, Any]) -> None:
        """Take in users, switches and companies; companies of the same name are replaced."""
        data = _exact(data)
        self.set_switches(data.get("switches", {}))
        for name, record in data.get("users", {}).items():
            rights = {company: set(held) for company, held in record.get("rights", {}).items()}
            self.gate.users[name.upper()] = User(name.upper(), record["password"], rights)
        for code, content in data.get("companies", {}).items():
            self.companies[code] = load_company(code, content, self.session())

    def session(self, user: str = "CLERK") -> Session:
        """A session of a person who is at work today."""
        return Session(user=user, switches=self.switches, today=self._today())

    def read_switches(self) -> dict[str, object]:
        """The switches and their present positions."""
        return self.switches.as_dict()

    def set_switches(self, changes: Mapping[str, Any]) -> None:
        """Change switches, all or none."""
        self.switches.change(changes)

    def ledger(self) -> dict[str, Any]:
        """Every company's vendors, batches, posted documents and posting errors."""
        found = {}
        for code, company in sorted(self.companies.items()):
            with company.lock:
                found[code] = ledger_of(company)
        return found

    def normalise_path(self, path: str) -> str:
        """The path with keys taken out: `/.../APVendors()`; actions keep their names."""
        return _KEY.sub(lambda match: match.group() if "$" in match.group() else "()", path)

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        inside = _ROOT.match(request.path)
        if inside is None:
            return Reply.html(404, _page("404 - File or directory not found."))
        refused = self._refused_by_web_server(request)
        if refused is not None:
            return refused
        rest = (inside.group(1) or "").rstrip("/")
        if not rest:
            return Reply.html(200, _LANDING)
        try:
            return self._answer(request, rest)
        except SageError as error:
            reply = as_reply(error, language=self.switches.language)
            if error.code == "Unauthorized":
                reply.headers["WWW-Authenticate"] = 'Basic realm="Sage 300 Web API"'
            return reply

    def _refused_by_web_server(self, request: Request) -> Reply | None:
        longest, largest = self.switches.max_query_length, self.switches.max_body_bytes
        if longest and len(request.raw_query) > longest:
            return Reply.html(404, _page("404.15 - Query String Too Long"))
        if largest and len(request.body) > largest:
            return Reply.html(413, _page("413 - Request Entity Too Large"))
        if not self.switches.strict_paths:
            return None
        if "+" in request.raw_path:
            return Reply.html(404, _page("404.11 - Double Escaping"))
        if _REFUSED_IN_PATHS & set(request.path):
            return Reply.html(400, _page("A potentially dangerous Request.Path value was detected"))
        return None

    def _answer(self, request: Request, rest: str) -> Reply:
        address = _API.match(rest)
        if address is None:
            raise SageError("ResourceNotFound", f"The address {request.path} does not exist.")
        if not request.headers.get("content-type", "").lower().startswith("application/json"):
            raise SageError("InternalServerError", "An error has occurred.")
        user = self.gate.sign_in(request)
        reply = self._route(request, address.group(1), user)
        if self.switches.session_cookies:
            reply.headers["Set-Cookie"] = self.gate.cookie_for(user)
        return reply

    def _route(self, request: Request, address: str, user: User) -> Reply:
        code, _, below = address.partition("/")
        if code == "Companies" and not below and self.switches.companies_list:
            known = [{"Company": name} for name in sorted(self.companies)]
            return Reply.json(200, {"value": known})
        company = self.companies.get(code)
        if company is None:
            raise SageError("SessionError", f"The company {code} could not be opened.")
        module, _, resource = below.partition("/")
        if module not in MODULES:
            raise SageError("DBLinkError", f"The module {module} is not activated in {code}.")
        if not resource or ("/" in resource and self.switches.strict_paths):
            raise SageError("ResourceNotFound", f"The address {request.path} does not exist.")
        if not user.rights.get(code):
            raise SageError("Forbidden", f"The user {user.name} has no rights in {code}.")
        if resource == "$metadata":
            if not any(held.startswith(module) for held in user.rights.get(code, ())):
                raise SageError("Forbidden", f"The user {user.name} has no rights in {module}.")
            return Reply(
                status=200, body=metadata(module), headers={"Content-Type": "application/xml"}
            )
        with company.lock:
            api = Api(company=company, session=self.session(user.name), user=user, request=request)
            return respond(api, module, resource)
