"""One call to the pretended API: what a handler is given, and the table of paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from integrations.standins.bill.answers import Json, bad_field, ok, refuse
from integrations.standins.bill.fields import ListRules
from integrations.standins.bill.organization import Organization
from integrations.standins.bill.sessions import Session
from integrations.standins.bill.table import Row, Table, render
from integrations.standins.messages import Reply

if TYPE_CHECKING:
    from integrations.standins.bill.office import Office

MAIN, EVENTS = "/connect", "/connect-events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call by somebody who is signed in."""

    office: Office
    session: Session
    path_values: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def organization(self) -> Organization:
        """The organization of the session."""
        return self.session.organization

    def body(self) -> Json:
        """The JSON object sent; raises BILL's 400 for anything else."""
        return as_object(read_json(self.content))

    def record_id(self) -> str:
        """The one id in the path."""
        return next(iter(self.path_values.values()))

    def answer(
        self, row: Row, status: int = 200, *, without: frozenset[str] = frozenset()
    ) -> Reply:
        """The row as a JSON answer."""
        money_as_text = self.office.switches.money_as_text
        return ok(render(row, without=without, money_as_text=money_as_text), status)

    def answer_list(
        self, table: Table, name: str, rules: ListRules, *, without: frozenset[str] = frozenset()
    ) -> Reply:
        """One page of a list, `{nextPage, prevPage, results}`."""
        switches = self.office.switches
        owner = f"{self.organization.id}/{name}"
        page = self.office.pager.page(table, owner=owner, rules=rules, parameters=self.query)
        if switches.thin_list_rows:
            without = without | rules.thin_without
        rows = (
            render(row, without=without, money_as_text=switches.money_as_text) for row in page.rows
        )
        envelope: Json = {}
        if page.next_page is not None or switches.last_page != "omitted":
            envelope["nextPage"] = page.next_page or last_page_mark(switches.last_page)
        if page.previous_page is not None:
            envelope["prevPage"] = page.previous_page
        head = json.dumps(envelope, separators=(",", ":")).encode()[:-1]
        comma = b"," if envelope else b""
        return ok(b"".join((head, comma, b'"results":[', b",".join(rows), b"]}")))


def last_page_mark(kind: str) -> str | None:
    """What stands in nextPage on the last page where it is not left out."""
    return "" if kind == "empty" else None


def read_json(content: bytes) -> Any:
    """JSON with amounts as Decimal; raises BILL's 400."""
    try:
        return json.loads(content, parse_float=Decimal)
    except ValueError:
        raise refuse(400, "BDC_1143", "Request body cannot be read as JSON.") from None


def as_object(value: Any) -> Json:
    """The value if it is a JSON object; raises BILL's 400."""
    if not isinstance(value, dict):
        raise bad_field("body: must be an object")
    return value


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `goes_out` marks those that call the receiver while the client waits."""

    method: str
    base: str
    template: str
    handler: Handler
    goes_out: bool = False
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.template)
        object.__setattr__(self, "pattern", re.compile(pattern))

    @property
    def operation(self) -> str:
        """Its name for the permission switch, `GET /v3/bills/{billId}`."""
        return f"{self.method} {self.template}"


def route(method: str, template: str, handler: Handler) -> Route:
    """An operation of the main API."""
    return Route(method=method, base=MAIN, template=template, handler=handler)


def event_route(method: str, template: str, handler: Handler, *, goes_out: bool = False) -> Route:
    """An operation of the API for notifications."""
    return Route(method=method, base=EVENTS, template=template, handler=handler, goes_out=goes_out)
