"""How every refusal the API's document names is brought about.

A refusal is known by method, the end of its address and its status. It is provoked by what is
sent, after what was prepared; both start from the world in which the examples run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import jsonschema
from django.urls import Resolver404, resolve

from integrations.models import BillConnection, Sage300Connection
from sync.api.reference import document, groups
from sync.models import Posting
from tenants.scoping import tenant_scope
from tests.integration.sync.api_world import DANA, ApiWorld, pause, subscribe

NOBODY_LISTENS = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provoked:
    """What to send; `path` and `says` are what the address needs and the sentence holds."""

    says: str
    body: Any = None
    prepare: Callable[[ApiWorld, Any], None] | None = None
    query: str = ""
    posting: Mapping[str, str] | None = None
    kind: str = ""


def _disconnect(world: ApiWorld, settings: Any) -> None:
    with tenant_scope(world.company.tenant_id):
        for model in (BillConnection, Sage300Connection):
            model.objects.for_tenant(world.company.tenant_id).delete()


def _rest(world: ApiWorld, settings: Any) -> None:
    with tenant_scope(world.company.tenant_id):
        for model in (BillConnection, Sage300Connection):
            row = world.one(model)
            row.pause(reason=f"Paused by {DANA.name}.", now=datetime.now(UTC))


def _sage_forgets(world: ApiWorld, settings: Any) -> None:
    with tenant_scope(world.company.tenant_id):
        row = world.one(Sage300Connection)
        row.password = "changed-in-sage"
        row.save()


def _bill_is_away(world: ApiWorld, settings: Any) -> None:
    subscribe(world)
    settings.CONNECTOR = replace(settings.CONNECTOR, read_attempts=1)
    settings.PRACTICE_BILL_URL = NOBODY_LISTENS


def _unsubscribed_and_away(world: ApiWorld, settings: Any) -> None:
    settings.CONNECTOR = replace(settings.CONNECTOR, read_attempts=1)
    settings.PRACTICE_BILL_URL = NOBODY_LISTENS


def _paused(world: ApiWorld, settings: Any) -> None:
    pause(world)


RULE = {"gl_account": "2010-100", "account_id": "0caCbkUtilities00001"}
SAGE = {
    "base_url": "https://elsewhere.example/Sage300WebApi",
    "company_database": "CALBAK",
    "user_name": "MLCONN",
}
BILL = {
    "environment": "practice", "organization_id": "008CalderBakery00001",
    "user_name": "ML-CONNECTOR",
}  # fmt: skip
NO_BILL = Provoked(says="an owner adds it", prepare=_disconnect)
AWAY = Provoked(says="BILL", prepare=_bill_is_away)

PROVOKED: Mapping[tuple[str, str, int], Provoked] = {
    ("post", "/companies/", 400): Provoked(
        says="three letters",
        body={"name": "Calder", "time_zone": "America/Chicago", "currency": "U$D"},
    ),
    ("post", "/copy/", 400): Provoked(says="time_zone", body={"name": "Calder"}),
    ("post", "/pause/", 409): Provoked(says="paused already", body={}, prepare=_paused),
    ("post", "/resume/", 409): Provoked(says="on already"),
    ("put", "/policy/", 400): Provoked(
        says="release", body={"version": 1, "policy": {"release": "pay"}}
    ),
    ("put", "/policy/", 409): Provoked(
        says="you read version 9", body={"version": 9, "policy": {"release": "ready"}}
    ),
    ("post", "/policy/look/", 400): Provoked(says="release", body={"policy": {"release": "pay"}}),
    ("put", "/bill-connection/", 400): Provoked(
        says="Type it again", body={**BILL, "user_name": "SOMEBODY"}
    ),
    ("put", "/bill-connection/", 409): Provoked(
        says="so nothing was replaced",
        body={**BILL, "password": "wrong", "developer_key": "wrong"},
    ),
    ("post", "/bill-connection/pause/", 409): Provoked(says="nothing to pause", prepare=_rest),
    ("put", "/sage300-connection/", 400): Provoked(says="Type it again", body=SAGE),
    ("put", "/sage300-connection/", 409): Provoked(
        says="so nothing was replaced", body={**SAGE, "password": "wrong"}
    ),
    ("post", "/sage300-connection/pause/", 409): Provoked(says="nothing to pause", prepare=_rest),
    ("post", "/ping/", 409): Provoked(says="not connected yet", body={}, prepare=_disconnect),
    ("post", "/webhook-subscription/", 409): NO_BILL,
    ("post", "/webhook-subscription/", 502): replace(AWAY, prepare=_unsubscribed_and_away),
    ("delete", "/webhook-subscription/", 409): NO_BILL,
    ("delete", "/webhook-subscription/", 502): AWAY,
    ("post", "/webhook-subscription/test/", 409): NO_BILL,
    ("post", "/webhook-subscription/test/", 502): AWAY,
    ("post", "/webhook-subscription/key/", 409): NO_BILL,
    ("post", "/webhook-subscription/key/", 502): AWAY,
    ("post", "/lists/", 409): Provoked(
        says="is not set up", body={"list": "accounts"}, prepare=_disconnect
    ),
    ("post", "/lists/", 502): Provoked(
        says="Sage", body={"list": "accounts"}, prepare=_sage_forgets
    ),
    ("post", "/mapping-rules/", 400): Provoked(says="control account", body=RULE),
    ("put", "/mapping-rules/{rule_id}/", 400): Provoked(says="control account", body=RULE),
    ("put", "/mapping-rules/{rule_id}/", 409): Provoked(
        says="was quicker", body={**RULE, "seen": "2026-01-01"}
    ),
    ("delete", "/mapping-rules/{rule_id}/", 409): Provoked(
        says="was quicker", query="?seen=2026-01-01"
    ),
    ("post", "/mapping-rules/file/", 409): Provoked(
        says="line 2", body="BILL account,Sage account\nTrade Shows,1\n", kind="text/csv"
    ),
    ("post", "/postings/{posting_id}/account/", 400): Provoked(
        says="control account",
        body={"gl_account": "2010-100", "line_id": ""},
        posting={"state": "BLOCKED", "invoice_number": "5512"},
    ),
    ("post", "/postings/{posting_id}/account/", 409): Provoked(
        says="in Sage or on its way", body={"gl_account": "6420-100", "line_id": "x"}
    ),
    ("post", "/postings/{posting_id}/deeds/", 409): Provoked(
        says="was quicker", body={"deed": "approve", "seen": "REVIEW"}
    ),
    ("post", "/review/approve/", 409): Provoked(says="no bill was chosen", body={}),
    ("post", "/replay/", 409): Provoked(
        says="meanwhile it is", body={"mark": "1:1.00", "reason": "Looked at it"}
    ),
    ("post", "/runs/", 409): Provoked(says="paused", prepare=_paused),
    ("post", "/reconciliations/", 409): Provoked(says="paused", prepare=_paused),
    ("put", "/vendor-defaults/", 409): Provoked(
        says="no group OLD", body={"kind": "group", "key": "OLD", "gl_account": "6410-100"}
    ),
    ("post", "/vendor-defaults/update/", 409): Provoked(
        says="meanwhile it is", body={"mark": "OLD:1", "reason": "Agreed"}
    ),
    ("post", "/vendors/{vendor_id}/", 409): Provoked(
        says="Alder Creek Dairy", body={"deed": "ignore", "note": "No", "seen": "linked:X"}
    ),
    ("post", "/vendors/{vendor_id}/", 502): Provoked(
        says="Sage", body={"deed": "link", "sage_number": "NEWONE"}, prepare=_sage_forgets
    ),
}


def find(method: str, path: str, status: int) -> Provoked | None:
    """How this refusal is brought about; None where nobody has said."""
    tail = path.removeprefix("/api/v1/companies/{company_slug}").removeprefix("/api/v1")
    return PROVOKED.get((method, tail, status))


def body_of(world: ApiWorld, provoked: Provoked) -> Any:
    """The body; a line of the posting is filled in where one is asked for."""
    body = provoked.body
    if isinstance(body, dict) and body.get("line_id") == "":
        row = world.one(Posting, **(provoked.posting or {}))
        with tenant_scope(row.tenant_id):
            return {**body, "line_id": row.bill.snapshot["lines"][0]["id"]}
    return body


def faults_of(place: str, told: Any) -> Iterator[str]:
    """What is missing for a refusal to lead somewhere."""
    error = told["error"]
    where = urlsplit(error["where"])
    is_place = where.scheme == "http" and _is_found(where.path)
    if where.path == "/api/" and where.fragment not in _anchors():
        is_place = False
    if not (error["sentence"] and error["acts"] and is_place):
        yield f"{place} leads nowhere: {error}"
    jsonschema.Draft202012Validator(
        {"$ref": "#/components/schemas/Refusal", "components": document()["components"]}
    ).validate(told)


def _is_found(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


@cache
def _anchors() -> set[str]:
    return {one.anchor for group in groups("http://testserver") for one in group.operations}
