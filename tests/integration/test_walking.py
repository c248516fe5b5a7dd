"""Walks every address of the product as everybody, and looks at what is behind each door.

A stranger of another tenant gets 404 wherever something is; nobody gets a page that broke; no
answer carries a word of the other tenant; and the other tenant's rows are as they were. A route
the test does not know fails it (see ``tests/routes.py``). It is walked twice: as in production,
and with row-level security switched off, so that the code's own scoping must hold alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.core.handlers.base import BaseHandler
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from tenants.models import Role, User
from tenants.scoping import TenantOwned, operator_scope
from tests.builders import an_api_token
from tests.people import CANARY, a_cast
from tests.routes import PACKAGES, PARTS, READS, ROUTES, WRITES, Door, Route, Side

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OUR_NAME = "Calder"
_PART = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One address as everybody meets it."""

    pattern: str
    route: Route
    parts: tuple[str, ...]
    template: str


class House(BaseHandler):
    """The product from its first middleware on. Django's test client does a third more work."""

    def __init__(self) -> None:
        self.load_middleware()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody with their cookies, or a machine with its token."""

    house: House
    cookies: dict[str, str]
    token: str = ""

    def ask(self, method: str, path: str, data: str = "", **options: Any) -> HttpResponseBase:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = RequestFactory().generic(method, path, data, headers=headers, **options)
        request.COOKIES = self.cookies
        request._dont_enforce_csrf_checks = True  # what CSRF holds back is not what is looked at
        return self.house.get_response(request)


class Stage:
    """The cast with their browsers; one house serves all."""

    def __init__(self) -> None:
        self.people = a_cast()
        self.ours = Side(tenant=self.people.tenant, company=self.people.company)
        self.theirs = Side(tenant=self.people.other_tenant, company=self.people.other_company)
        self.tokens = {role: an_api_token(self.people.tenant, role) for role in Role}
        self.strangers_token = an_api_token(self.people.other_tenant)
        self.house = House()
        self._cookies: dict[object, dict[str, str]] = {}

    def browser(self, user: User | None) -> Visitor:
        if user is None:
            return Visitor(house=self.house, cookies={})
        if user.pk not in self._cookies:
            client = Client()
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
            self._cookies[user.pk] = {name: morsel.value for name, morsel in client.cookies.items()}
        return Visitor(house=self.house, cookies=self._cookies[user.pk])

    def machine(self, token: str) -> Visitor:
        return Visitor(house=self.house, cookies={}, token=token)


def test_every_route_is_known_and_every_part_of_an_address_has_a_value() -> None:
    walks, unknown = _walks()
    parts = {part for walk in walks for part in walk.parts} - PARTS.keys()

    assert not unknown, "add these patterns to ROUTES in tests/routes.py"
    assert not parts, "add these parts of addresses to PARTS in tests/routes.py"
    assert ROUTES.keys() <= {walk.pattern for walk in walks}, "ROUTES names what is not there"


def test_a_route_without_an_entry_is_noticed() -> None:
    assert _route_of("new/page/") is None


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("walls", ["both walls", "scoping alone"])
def test_walking_every_route_as_everybody(walls: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="django.request")  # a line for each of 5,000 refusals
    stage = Stage()
    before = _rows_of(stage.theirs.tenant.pk)
    problems: list[str] = []
    is_without_rls = walls == "scoping alone"

    with _row_security_off(is_without_rls):
        for walk in _walks()[0]:
            if is_without_rls and walk.route.door is Door.OPERATOR:
                continue  # An operator reads everything: no scoping could hold alone there.
            for method in METHODS:
                if is_without_rls and method not in walk.route.methods:
                    continue  # No view is behind it, so no row is read: asked in the other walk.
                problems += _walk(walk, method, stage)

    assert not problems, "\n".join(problems)
    assert _rows_of(stage.theirs.tenant.pk) == before


def _walk(walk: Walk, method: str, stage: Stage) -> Iterator[str]:
    match walk.route.door:
        case Door.PUBLIC | Door.SIGNED_IN:
            return _walk_open(walk, method, stage)
        case Door.MEMBER:
            return _walk_member(walk, method, stage)
        case Door.TOKEN:
            return _walk_token(walk, method, stage)
        case Door.OPERATOR:
            return _walk_operator(walk, method, stage)


def _walk_open(walk: Walk, method: str, stage: Stage) -> Iterator[str]:
    allowed = {200, 302, 400, 401, 403, 404, 405, 409, 422, 429}
    sides = (stage.ours, stage.theirs) if walk.parts else (stage.ours,)
    for name, user in (("anonymous", None), ("owner", stage.people.owner)):
        for side in sides:
            answer = _ask(stage.browser(user), method, walk, side, stage.theirs)
            yield from _judge(walk, method, name, answer, allowed, forbidden=CANARY)
            if name == "anonymous" and walk.route.door is Door.SIGNED_IN:
                yield from _judge(walk, method, name, answer, {302, 405})


def _walk_member(walk: Walk, method: str, stage: Stage) -> Iterator[str]:
    known = method in walk.route.methods
    mixed = Side(tenant=stage.ours.tenant, company=stage.theirs.company)
    people: list[tuple[str, User | None, Role | None]] = [
        ("owner", stage.people.owner, Role.OWNER),
        ("accountant", stage.people.accountant, Role.ACCOUNTANT),
        ("viewer", stage.people.viewer, Role.VIEWER),
    ]
    for name, user, role in people:
        may = role in (walk.route.readers if method in READS else walk.route.writers)
        expected = {405, 404, 403, 200} if not known else {200, 302, 400, 404, 409, 422}
        if not may:
            expected = {403, 405}
        answer = _ask(stage.browser(user), method, walk, stage.ours, stage.theirs)
        yield from _judge(walk, method, name, answer, expected, forbidden=CANARY)
        for side in (stage.theirs, mixed):
            if side is mixed and len(walk.parts) < 2:
                continue
            answer = _ask(stage.browser(user), method, walk, side, stage.theirs)
            wanted = {404, 405}
            if side is mixed and "company_slug" not in walk.parts and not may:
                wanted = {403, 404, 405}  # their own firm, of which their role sees less
            yield from _judge(walk, method, f"{name} at theirs", answer, wanted, CANARY)
    for name, user in (("stranger", stage.people.stranger), ("operator", stage.people.operator)):
        answer = _ask(stage.browser(user), method, walk, stage.ours, stage.theirs)
        yield from _judge(walk, method, name, answer, {404, 405}, forbidden=OUR_NAME)
    answer = _ask(stage.browser(None), method, walk, stage.ours, stage.theirs)
    yield from _judge(walk, method, "anonymous", answer, {302, 405}, forbidden=OUR_NAME)


def _walk_token(walk: Walk, method: str, stage: Stage) -> Iterator[str]:
    known = method in walk.route.methods
    if not known and method != "OPTIONS":
        # Whoever asks, nothing is behind it; the owner, who may most, is asked.
        answer = _ask(stage.machine(stage.tokens[Role.OWNER]), method, walk, stage.ours, stage.ours)
        yield from _judge(walk, method, "owner token", answer, {405}, forbidden=CANARY)
        return
    for role in Role:
        token = stage.tokens[role]
        may = role in (walk.route.readers if method in READS else walk.route.writers)
        expected = {200, 201, 202, 204, 400, 404, 409, 415, 422} if known else {405, 403, 200}
        if not may and method in WRITES:
            expected = {403, 405}
        answer = _ask(stage.machine(token), method, walk, stage.ours, stage.theirs)
        yield from _judge(walk, method, f"{role} token", answer, expected, forbidden=CANARY)
        if walk.parts:
            answer = _ask(stage.machine(token), method, walk, stage.theirs, stage.theirs)
            wanted = {404, 403, 405, 200} if method == "OPTIONS" else {404, 403, 405}
            yield from _judge(walk, method, f"{role} token at theirs", answer, wanted, CANARY)
    if walk.parts and method != "OPTIONS":
        answer = _ask(stage.machine(stage.strangers_token), method, walk, stage.ours, stage.theirs)
        yield from _judge(walk, method, "stranger's token", answer, {404, 405}, OUR_NAME)
    answer = _ask(stage.browser(None), method, walk, stage.ours, stage.theirs)
    yield from _judge(walk, method, "no token", answer, {401, 405}, OUR_NAME)
    answer = _ask(stage.browser(stage.people.owner), method, walk, stage.ours, stage.theirs)
    yield from _judge(walk, method, "signed-in browser", answer, {401, 405}, OUR_NAME)


def _walk_operator(walk: Walk, method: str, stage: Stage) -> Iterator[str]:
    if method not in walk.route.methods:
        return
    allowed = {200, 302, 400, 403, 404, 405, 422}
    answer = _ask(stage.browser(stage.people.operator), method, walk, stage.ours, stage.ours)
    yield from _judge(walk, method, "operator", answer, allowed)
    for name, user in (
        ("owner", stage.people.owner),
        ("stranger", stage.people.stranger),
        ("anonymous", None),
    ):
        answer = _ask(stage.browser(user), method, walk, stage.ours, stage.ours)
        is_sign_in = walk.pattern in ("admin/login/", "admin/logout/")
        expected = {200, 302, 403, 404, 405} if is_sign_in else {302, 403, 404, 405}
        yield from _judge(walk, method, name, answer, expected, forbidden=OUR_NAME)


def _judge(
    walk: Walk,
    method: str,
    who: str,
    answer: HttpResponseBase,
    expected: set[int],
    forbidden: str = "",
) -> Iterator[str]:
    place = f"{who}: {method} /{walk.pattern}"
    if answer.status_code not in expected:
        yield f"{place} answered {answer.status_code}, expected one of {sorted(expected)}"
    if forbidden and forbidden in _body(answer):
        yield f"{place} showed {forbidden!r}"


def _body(answer: HttpResponseBase) -> str:
    parts = answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
    return b"".join(parts).decode(errors="replace") + str(dict(answer.items()))


def _ask(visitor: Visitor, method: str, walk: Walk, side: Side, hint: Side) -> HttpResponseBase:
    """Send one request that also names the other tenant's things; what it wrote is taken back."""
    path = walk.template
    for part in walk.parts:
        path = path.replace(f"<{part}>", str(PARTS[part](side)))
    names = {"tenant": hint.tenant.pk, "company": hint.company.pk, "ids": hint.company.pk}
    if method in READS or method == "OPTIONS":
        return visitor.ask(method, f"/{path}", QUERY_STRING=_query(names))
    with transaction.atomic():
        data = "{}" if walk.route.door is Door.TOKEN else _query(names)
        kind = (
            "application/json"
            if walk.route.door is Door.TOKEN
            else "application/x-www-form-urlencoded"
        )
        answer = visitor.ask(method, f"/{path}", data, content_type=kind)
        transaction.set_rollback(True)
    return answer


def _query(names: dict[str, Any]) -> str:
    return "&".join(f"{name}={value}" for name, value in names.items())


def _walks() -> tuple[list[Walk], list[str]]:
    walks: list[Walk] = []
    unknown: list[str] = []
    for pattern in _patterns(get_resolver().url_patterns, ""):
        route = _route_of(pattern)
        if route is None:
            unknown.append(pattern)
            continue
        parts = tuple(first or second for first, second in _PART.findall(pattern))
        walks.append(Walk(pattern=pattern, route=route, parts=parts, template=_template(pattern)))
    return walks, unknown


def _patterns(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


def _route_of(pattern: str) -> Route | None:
    if pattern in ROUTES:
        return ROUTES[pattern]
    return next((route for start, route in PACKAGES.items() if pattern.startswith(start)), None)


def _template(pattern: str) -> str:
    """Return the address with `<name>` for each part; regular expressions are flattened."""
    named = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)
    return re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", named).replace("^", "").replace("$", "")


def _rows_of(tenant_id: object) -> dict[str, list[dict[str, Any]]]:
    with operator_scope():
        return {
            model._meta.label: list(
                model._default_manager.filter(tenant_id=tenant_id).order_by("pk").values()
            )
            for model in apps.get_models()
            if issubclass(model, TenantOwned)
        }


class _row_security_off:  # noqa: N801 (reads as a statement)
    """Switch row-level security off inside the block."""

    def __init__(self, is_wanted: bool) -> None:
        self.is_wanted = is_wanted

    def __enter__(self) -> None:
        self._switch("DISABLE")

    def __exit__(self, *exception: object) -> None:
        self._switch("ENABLE")

    def _switch(self, how: str) -> None:
        if not self.is_wanted:
            return
        with connection.cursor() as cursor:
            for model in apps.get_models():
                if issubclass(model, TenantOwned):
                    cursor.execute(f"ALTER TABLE {model._meta.db_table} {how} ROW LEVEL SECURITY")
