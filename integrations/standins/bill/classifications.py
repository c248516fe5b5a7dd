"""Vendor credits, and the seven kinds of classification: accounts, departments, locations, classes,
jobs, items and employees."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from integrations.standins.bill.answers import Json, bad_field
from integrations.standins.bill.billforms import as_amount
from integrations.standins.bill.calls import Call, Handler, Route, route
from integrations.standins.bill.fields import CLASSIFICATIONS, EMPLOYEES, VENDOR_CREDITS
from integrations.standins.bill.organization import CLASSIFICATION_KINDS
from integrations.standins.bill.vendors import merged
from integrations.standins.messages import Reply

_PLAIN = ("name", "shortName", "description", "parentId")
OWN_FIELDS = {
    "chart-of-accounts": ("name", "description", "parentId", "account"),
    "departments": _PLAIN,
    "locations": _PLAIN,
    "accounting-classes": _PLAIN,
    "jobs": _PLAIN,
    "items": (
        *("type", "shortName", "name", "description", "parentId", "price", "taxable"),
        *("expenseChartOfAccountId", "purchaseDescription", "purchaseCost", "chartOfAccountId"),
        "percentage",
    ),
    "employees": ("firstName", "lastName", "shortName", "parentId"),
}
_AMOUNTS = ("price", "purchaseCost", "percentage")


def list_credits(call: Call) -> Reply:
    """`GET /v3/vendor-credits`."""
    return call.answer_list(call.organization.credits, "vendor-credits", VENDOR_CREDITS)


def get_credit(call: Call) -> Reply:
    """`GET /v3/vendor-credits/{creditId}`."""
    return call.answer(call.organization.credits.get(call.record_id()))


def list_kind(kind: str, call: Call) -> Reply:
    """The list of one kind."""
    rules = EMPLOYEES if kind == "employees" else CLASSIFICATIONS
    return call.answer_list(call.organization.classifications[kind], kind, rules)


def get_one(kind: str, call: Call) -> Reply:
    """One record of a kind."""
    return call.answer(call.organization.classifications[kind].get(call.record_id()))


def create_one(kind: str, call: Call) -> Reply:
    """A new record of a kind, answered 201."""
    body = new_record(
        kind, {**call.body(), "id": call.office.ids.record(CLASSIFICATION_KINDS[kind])}
    )
    _refuse_nameless(kind, body)
    table = call.organization.classifications[kind]
    return call.answer(call.office.create(call.organization, table, body), 201)


def patch_one(kind: str, call: Call) -> Reply:
    """Change a record of a kind; null clears a field."""
    table = call.organization.classifications[kind]
    row = table.get(call.record_id())
    sent = {name: value for name, value in call.body().items() if name in OWN_FIELDS[kind]}
    after = merged(row.body, read_amounts(sent))
    _refuse_nameless(kind, after)
    row.body = after
    call.office.change(call.organization, table, row)
    return call.answer(row)


def set_archived(kind: str, archived: bool, call: Call) -> Reply:
    """Archive or restore a record of a kind."""
    table = call.organization.classifications[kind]
    row = table.get(call.record_id())
    call.office.set_archived(call.organization, table, row, archived=archived)
    return call.answer(row)


def new_record(kind: str, sent: Json) -> Json:
    """A whole record of a kind from the fields sent and its id."""
    own = {name: sent[name] for name in OWN_FIELDS[kind] if sent.get(name) is not None}
    return {"id": sent["id"], "archived": bool(sent.get("archived")), **read_amounts(own)}


def read_amounts(fields: Json, names: tuple[str, ...] = _AMOUNTS) -> Json:
    """The fields with numbers as amounts; raises BILL's 400 where one is none."""
    result = dict(fields)
    for name in names:
        if result.get(name) is not None:
            amount = as_amount(result[name])
            if amount is None:
                raise bad_field(f"{name}: must be a number")
            result[name] = amount
    return result


def _refuse_nameless(kind: str, body: Json) -> None:
    name = "lastName" if kind == "employees" else "name"
    if not str(body.get(name) or "").strip():
        raise bad_field(f"{name}: must not be blank")


def _routes_of(kind: str) -> tuple[Route, ...]:
    path = f"/v3/classifications/{kind}"

    def bound(handler: Callable[..., Reply], *values: bool) -> Handler:
        return partial(handler, kind, *values)

    return (
        route("GET", path, bound(list_kind)),
        route("POST", path, bound(create_one)),
        route("GET", path + "/{recordId}", bound(get_one)),
        route("PATCH", path + "/{recordId}", bound(patch_one)),
        route("POST", path + "/{recordId}/archive", bound(set_archived, True)),
        route("POST", path + "/{recordId}/restore", bound(set_archived, False)),
    )


ROUTES = (
    route("GET", "/v3/vendor-credits", list_credits),
    route("GET", "/v3/vendor-credits/{creditId}", get_credit),
    *(each for kind in CLASSIFICATION_KINDS for each in _routes_of(kind)),
)
