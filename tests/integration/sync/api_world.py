"""The world the API's examples are run in: Calder Bakery, synced between the two stand-ins.

Some of its bills lie in Sage, three wait for a yes, some are blocked. What stands in an address or
in a body for one of its rows is filled in here; an operation that needs a particular row, or that
must be prepared, has a line in `SUBJECTS` or `PREPARED`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client

from sync.domain.deeds import Deed
from sync.models import LogEntry, MappingRule, Posting, Reconciliation, Run, VendorLink
from sync.services import acts, mapping_acts, reconcile, setup, trying
from sync.services.mapping_acts import Draft
from sync.services.trying import Side
from tenants.audit import Actor
from tenants.models import Company, Role, Tenant
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.workbench import UTILITIES, a_synced_desk
from tests.integration.sync.world import Desk

DANA = Actor(name="Dana Whitfield")
LEFT_TO_REVIEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example of the served document; `name` is its title, "" for one written in code."""

    name: str
    method: str
    path: str
    status: int
    request: Any
    kind: str
    answer: Any


@dataclass(slots=True)
class ApiWorld:
    """The company, and machines of every role; no desk where nothing was synced."""

    company: Company
    tokens: Mapping[Role, str]
    stranger: str
    sage_url: str = ""
    client: Client = field(default_factory=Client)

    def one(self, model: Any, *, order: str = "pk", **filters: Any) -> Any:
        with tenant_scope(self.company.tenant_id):
            rows = model.objects.for_tenant(self.company.tenant_id)
            return rows.filter(company=self.company, **filters).order_by(order)[0]

    def parts(self, example: Example) -> dict[str, str]:
        """What stands for each part of the address."""
        chosen = next(
            (made(self) for start, made in SUBJECTS.items() if example.name.startswith(start)), {}
        )
        return {
            "company_slug": self.company.slug,
            **{name: str(row(self).pk) for name, row in ROWS.items() if f"{{{name}}}" in example.path},
            **{name: str(row.pk) for name, row in chosen.items()},
        }  # fmt: skip

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", kind: str = ""
    ) -> Any:
        """Send a request as the owner's machine, or with this token ("none" sends none)."""
        bearer = token or self.tokens[Role.OWNER]
        headers = {} if token == "none" else {"Authorization": f"Bearer {bearer}"}
        data = body if isinstance(body, str) else "" if body is None else json.dumps(body)
        return self.client.generic(
            method.upper(), path, data, content_type=kind or "application/json", headers=headers
        )

    def address(self, example: Example, *, posting: Mapping[str, str] | None = None) -> str:
        """Its address here; `posting` chooses another bill than usual."""
        parts = self.parts(example)
        if posting is not None:
            parts["posting_id"] = str(self.one(Posting, **posting).pk)
        return example.path.format(**parts)

    def body(self, example: Example) -> Any:
        """The example's body with this world's own marks and ids."""
        made = next((made for name, made in BODIES.items() if example.name == name), None)
        return example.request if made is None else {**example.request, **made(self, example)}

    def get(self, path: str) -> Any:
        return self.ask("get", f"/api/v1/companies/{self.company.slug}/{path}").json()


ROWS: Mapping[str, Callable[[ApiWorld], Any]] = {
    "posting_id": lambda world: world.one(Posting, state="IN_SAGE", order="invoice_number"),
    "run_id": lambda world: world.one(Run, order="-started_at"),
    "line_id": lambda world: world.one(LogEntry, event="posting.landed", order="invoice_number"),
    "vendor_id": lambda world: world.one(VendorLink, state="ambiguous", order="name"),
    "rule_id": lambda world: world.one(MappingRule),
}


def _posting(**filters: Any) -> Callable[[ApiWorld], dict[str, Any]]:
    return lambda world: {"posting_id": world.one(Posting, order="invoice_number", **filters)}


SUBJECTS: Mapping[str, Callable[[ApiWorld], dict[str, Any]]] = {
    "reconciliations.": lambda world: {"run_id": world.one(Reconciliation)},
    "postings.act Approve": _posting(state="REVIEW"),
    "postings.act Leave out": _posting(state="REVIEW"),
    "postings.act": _posting(state="BLOCKED"),
    "postings.account": _posting(state="BLOCKED", invoice_number="5512"),
}


def _line(world: ApiWorld, example: Example) -> dict[str, Any]:
    posting = SUBJECTS["postings.account"](world)["posting_id"]
    with tenant_scope(posting.tenant_id):
        return {"line_id": posting.bill.snapshot["lines"][0]["id"]}


def _marked(path: str) -> Callable[[ApiWorld, Example], dict[str, Any]]:
    return lambda world, example: {"mark": world.get(path)["mark"]}


BODIES: Mapping[str, Callable[[ApiWorld, Example], dict[str, Any]]] = {
    "policy.change Smaller batches, left Open": lambda world, example: {
        "version": world.get("policy/")["version"]
    },
    "sage300-connection.connect With a user of its own": lambda world, example: {
        "base_url": world.sage_url
    },
    "postings.account For this bill": _line,
    "postings.account Remembered as a rule": _line,
    "review.approve By their ids": lambda world, example: {
        "postings": world.get("review/")["approvable"][:1]
    },
    "review.approve All of a view": _marked("review/?view=clear"),
    "replay.do For exactly that set": _marked("replay/"),
    "defaults.write As counted": _marked("vendor-defaults/update/"),
}


def pause(world: ApiWorld) -> None:
    with tenant_scope(world.company.tenant_id):
        now = datetime.now(UTC)
        setup.set_paused(world.company, is_paused=True, reason="", actor=DANA, now=now)


def subscribe(world: ApiWorld) -> None:
    world.ask("post", f"/api/v1/companies/{world.company.slug}/webhook-subscription/")


def _default(world: ApiWorld) -> None:
    body = {"kind": "group", "key": "TRADE", "gl_account": "6410-100"}
    world.ask("put", f"/api/v1/companies/{world.company.slug}/vendor-defaults/", body)


def _ping(world: ApiWorld) -> None:
    for side in Side:
        trying.try_again(
            world.company, side, is_from_failed=False, actor=DANA, now=datetime.now(UTC)
        )


PREPARED: Mapping[str, Callable[[ApiWorld], None]] = {
    "companies.resume": pause,
    "ping.read": _ping,
    "bill-connection.read": _ping,
    "sage300-connection.read": _ping,
    "webhook-subscription.read": subscribe,
    "webhook-subscription.test": subscribe,
    "webhook-subscription.rekey": subscribe,
    "defaults.": _default,
}


@contextmanager
def an_api_world(settings: Any) -> Iterator[ApiWorld]:
    """Sync twice: first everything waits for a yes, then all but three bills have it."""
    with a_synced_desk(settings, review="review_all") as desk:
        settings.PUBLIC_URL = "http://127.0.0.1:9"
        tenant = desk.company.tenant
        Tenant.objects.filter(pk=tenant.pk).update(slug="calder", name="Calder Foods")
        with tenant_scope(tenant.pk):
            Company.objects.update(slug="bakery", name="Calder Bakery")
            desk.company.refresh_from_db()
        _approve_most(desk)
        desk.sync()
        _make_a_rule(desk.company)
        of = {"tenant_id": tenant.pk, "company_id": desk.company.pk}
        reconcile.compare(**of, clock=desk.clock, worker="test")
        yield _world(desk.company, desk.sage_server.url)


def an_empty_world() -> ApiWorld:
    """A company that is connected to nothing, for what is refused before anything is looked at."""
    return _world(builders.a_company(builders.a_tenant(slug="calder"), slug="bakery"))


def _world(company: Company, sage_url: str = "") -> ApiWorld:
    tokens = {role: builders.an_api_token(company.tenant, role, label="Robot") for role in Role}
    stranger = builders.an_api_token(builders.a_company().tenant)
    return ApiWorld(company, tokens, stranger, sage_url)


def _approve_most(desk: Desk) -> None:
    now, zone = datetime.now(UTC), ZoneInfo(desk.company.time_zone)
    waiting = sorted(desk.postings(state="REVIEW"), key=lambda row: row.invoice_number)
    with tenant_scope(desk.company.tenant_id):
        for row in waiting[LEFT_TO_REVIEW:]:
            acts.act(
                row, Deed.APPROVE, seen_state="REVIEW", actor=DANA, note="", zone=zone, now=now
            )


def _make_a_rule(company: Company) -> None:
    draft = Draft(gl_account="6410-100", name="Power", conditions={"account_id": UTILITIES})
    with tenant_scope(company.tenant_id):
        mapping_acts.save(company, draft, actor=DANA, now=datetime.now(UTC))
