"""One company's Web API: addresses, sign-in and paging, with nothing of invoices in it.

Every request carries the user and password (no cookies are kept), and a Content-Type, without
which Sage answers 500 even to a GET. Reads may be repeated by the transport, writes never are.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, urlsplit

from integrations.errors import NotFound
from integrations.sage300.errors import Reply, refusal, unreadable
from integrations.sage300.values import Page, Row, WireError, page, record
from integrations.transport import Answer, Call, Observe, Transport

APPLICATION = "Sage300WebApi"
PAGE_ROWS = 100
LONGEST_URL = 1900
SYSTEM = "Sage 300"

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True, kw_only=True)
class SageAddress:
    """Where a company database is and who signs in.

    `password_case` is "upper" (Sage's rule unless complex passwords are on) or "as_typed".
    """

    base_url: str
    company: str
    user: str
    password: str = field(repr=False)
    password_case: str = "upper"  # noqa: S105 - the name of a rule
    ca_pem: str = field(default="", repr=False)

    @property
    def sent_password(self) -> str:
        """The password as Sage is given it."""
        return self.password if self.password_case == "as_typed" else self.password.upper()  # noqa: S105


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """The longest a call may take: a read with its repetitions, a write, the posting process."""

    read_seconds: float = 120.0
    write_seconds: float = 180.0
    post_seconds: float = 600.0


def full_base_url(typed: str) -> str:
    """The address of the Web API, from what a person typed: a host, or any address below it."""
    url = typed.strip().rstrip("/")
    at = url.lower().find("/" + APPLICATION.lower())
    if at >= 0:
        return url[: at + 1 + len(APPLICATION)]
    return url if urlsplit(url).path.strip("/") else f"{url}/{APPLICATION}"


def quoted(value: str) -> str:
    """A text as OData writes it, in single quotes with inner ones doubled."""
    return "'" + value.replace("'", "''") + "'"


def key(value: str) -> str:
    """A text key in parentheses, ready for an address."""
    return f"({quote(quoted(value), safe=chr(39))})"


class SageDoor:
    """Sends requests to one company and turns refusals into errors."""

    def __init__(
        self,
        address: SageAddress,
        transport: Transport,
        *,
        deadlines: Deadlines,
        observe: Observe | None = None,
    ) -> None:
        self.address = address
        self.deadlines = deadlines
        self._transport = transport
        self._observe = observe
        self._base = full_base_url(address.base_url)
        self._user = address.user.upper()
        pair = f"{self._user}:{address.sent_password}".encode()
        token = base64.b64encode(pair).decode("ascii")
        self._secrets = (address.password, address.sent_password, token)
        self._headers = {
            "Authorization": f"Basic {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    def url(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The address of a path (its key already written by `key`) with its options."""
        company = quote(self.address.company.upper(), safe="")
        url = f"{self._base}/v1.0/-/{company}/{path}"
        if query:
            pairs = (f"{name}={quote(value, safe='')}" for name, value in query.items())
            url += "?" + "&".join(pairs)
        return url

    def landing(self) -> Answer:
        """The application's own page, asked without credentials; any status is returned."""
        call = Call(
            method="GET",
            url=f"{self._base}/",
            deadline_seconds=self.deadlines.read_seconds,
            system=SYSTEM,
            ca_pem=self.address.ca_pem,
        )
        return self._transport.send(call, observe=self._observe)

    def read(self, path: str, query: Mapping[str, str] | None = None, *, what: str) -> Row:
        """One record; raises NotFound."""
        reply = self._read(path, query, what)
        return self.parsed(reply, record)

    def find(self, path: str, *, what: str) -> Row | None:
        """One record by its key, or None; a part of Sage that is missing still raises."""
        try:
            return self.read(path, what=what)
        except NotFound as error:
            if error.vendor_code == "ResourceNotFound":
                raise
            return None

    def page(self, path: str, query: Mapping[str, str], *, what: str) -> Page:
        """One page of a list."""
        reply = self._read(path, query, what)
        return self.parsed(reply, page)

    def rows(
        self, path: str, query: Mapping[str, str] | None = None, *, what: str
    ) -> Iterator[Row]:
        """Every row of a list. Rows may repeat when the list shifts while it is read."""
        options = dict(query or {})
        while True:
            one = self.page(path, options, what=what)
            yield from one.rows
            reached = int(options.get("$skip", "0"))
            if one.next_skip is None or one.next_skip <= reached:
                return
            options["$skip"] = str(one.next_skip)

    def template(self, resource: str, *, what: str) -> Row:
        """A blank record with its defaults; a POST that writes nothing."""
        reply = self._send("POST", f"{resource}('$template')", b"{}", what=what, is_write=False)
        return self.parsed(reply, record)

    def write(
        self, method: str, path: str, body: bytes, *, what: str, seconds: float | None = None
    ) -> Reply:
        """Send a write once; a refusal or a lost answer is raised."""
        return self._send(method, path, body, what=what, is_write=True, seconds=seconds)

    def parsed(self, reply: Reply, parse: Callable[[bytes], Parsed]) -> Parsed:
        """The answer read by `parse`, or the error for one that is not what was due."""
        try:
            return parse(reply.body)
        except WireError as error:
            raise unreadable(reply, str(error)) from error

    def _read(self, path: str, query: Mapping[str, str] | None, what: str) -> Reply:
        return self._send("GET", path, None, query=query, what=what, is_write=False)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        what: str,
        is_write: bool,
        query: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        usual = self.deadlines.write_seconds if is_write else self.deadlines.read_seconds
        call = Call(
            method=method,
            url=self.url(path, query),
            deadline_seconds=usual if seconds is None else seconds,
            headers=self._headers,
            body=body,
            is_write=is_write,
            secrets=self._secrets,
            system=SYSTEM,
            ca_pem=self.address.ca_pem,
        )
        answer = self._transport.send(call, observe=self._observe)
        reply = Reply(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            is_write=is_write,
            what=what,
            company=self.address.company.upper(),
            user=self._user,
            request_id=answer.request_id,
            is_password_upper=self.address.password_case == "upper",  # noqa: S105
        )
        if not 200 <= answer.status < 300:
            raise refusal(reply)
        return reply
