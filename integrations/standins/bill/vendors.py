"""Vendors in BILL: list, read, create, change, archive.

Names need not be unique and there is no vendor code. What a client sends for a field that only BILL
sets is left aside.
"""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal

from integrations.standins.bill.answers import Json, bad_field, bad_fields, minified, ok
from integrations.standins.bill.calls import Call, as_object, read_json, route
from integrations.standins.bill.fields import VENDORS
from integrations.standins.bill.office import Office
from integrations.standins.messages import Reply

MAX_BULK = 20
OWN_FIELDS = (
    *("name", "shortName", "accountNumber", "accountType", "email", "phone", "address"),
    *("paymentInformation", "additionalInfo", "rppsId", "billCurrency", "autoPay"),
)
_ADDRESS_NEEDS = ("line1", "city", "zipOrPostalCode", "country")
_COUNTRIES = {"US": "United States", "CA": "Canada", "GB": "United Kingdom", "MX": "Mexico"}
_LENGTHS = {"name": 100, "shortName": 40}


def list_vendors(call: Call) -> Reply:
    """`GET /v3/vendors`."""
    return call.answer_list(call.organization.vendors, "vendors", VENDORS)


def get_vendor(call: Call) -> Reply:
    """`GET /v3/vendors/{vendorId}`."""
    return call.answer(call.organization.vendors.get(call.record_id()))


def create_vendor(call: Call) -> Reply:
    """`POST /v3/vendors`, answered 201."""
    body = call.body()
    refuse_bad_vendor(body)
    vendors = call.organization.vendors
    row = call.office.create(
        call.organization, vendors, new_vendor(call.office, body), "vendor.created"
    )
    return call.answer(row, 201)


def create_vendors(call: Call) -> Reply:
    """`POST /v3/vendors/bulk`: at most 20, all or nothing."""
    bodies = read_bulk(call, "vendors", MAX_BULK)
    for body in bodies:
        refuse_bad_vendor(body)
    made = [
        call.office.create(
            call.organization,
            call.organization.vendors,
            new_vendor(call.office, body),
            "vendor.created",
        ).body
        for body in bodies
    ]
    content = minified({"vendors": made}, money_as_text=call.office.switches.money_as_text)
    return ok(content, 201)


def patch_vendor(call: Call) -> Reply:
    """`PATCH /v3/vendors/{vendorId}`: what is sent replaces, null clears, the rest stays."""
    row = call.organization.vendors.get(call.record_id())
    before = deepcopy(row.body)
    after = merged(
        row.body, {key: value for key, value in call.body().items() if key in OWN_FIELDS}
    )
    refuse_bad_vendor(after)
    row.body.update(after)
    for name in before.keys() - after.keys():
        del row.body[name]
    complete_vendor(row.body)
    event = vendor_event(call.office, before, row.body)
    call.office.change(call.organization, call.organization.vendors, row, event)
    return call.answer(row)


def archive_vendor(call: Call) -> Reply:
    """`POST /v3/vendors/{vendorId}/archive`."""
    return _set_archived(call, archived=True)


def restore_vendor(call: Call) -> Reply:
    """`POST /v3/vendors/{vendorId}/restore`."""
    return _set_archived(call, archived=False)


def _set_archived(call: Call, *, archived: bool) -> Reply:
    vendors = call.organization.vendors
    row = vendors.get(call.record_id())
    call.office.set_archived(call.organization, vendors, row, archived=archived, kind="vendor")
    return call.answer(row)


def vendor_event(office: Office, before: Json, after: Json) -> str:
    """The event of a change, or none: BILL promises one for name and address only."""
    told = any(before.get(name) != after.get(name) for name in ("name", "address"))
    return "vendor.updated" if told or office.switches.updated_events == "all" else ""


def new_vendor(office: Office, fields: Json) -> Json:
    """A whole vendor from the fields sent; `fields` may name the id."""
    body: Json = {
        "id": fields.get("id") or office.ids.record("009"),
        "archived": False,
        **{name: fields[name] for name in OWN_FIELDS if fields.get(name) is not None},
    }
    complete_vendor(body)
    return body


def complete_vendor(body: Json) -> None:
    """Fill in what BILL sets by itself."""
    body.setdefault("accountType", "BUSINESS")
    body.setdefault("billCurrency", "USD")
    body.setdefault("bankAccountStatus", "NO_ACCOUNT")
    body.setdefault("networkStatus", "NOT_CONNECTED")
    body.setdefault("recurringPayments", False)
    body.setdefault("balance", {"amount": Decimal(0)})
    body.setdefault("autoPay", {"enabled": False})
    address = body.get("address")
    if isinstance(address, dict) and address.get("country") in _COUNTRIES:
        body["address"] = {**address, "countryName": _COUNTRIES[address["country"]]}


def refuse_bad_vendor(body: Json) -> None:
    """Raise BILL's 400 for a vendor that lacks what it must have."""
    problems = [] if _is_text(body.get("name")) else ["name: must not be blank"]
    problems += [
        f"{name}: size must be between 0 and {length}"
        for name, length in _LENGTHS.items()
        if len(str(body.get(name) or "")) > length
    ]
    address = body.get("address")
    if isinstance(address, dict):
        problems += [
            f"address.{name}: must not be null"
            for name in _ADDRESS_NEEDS
            if not _is_text(address.get(name))
        ]
    else:
        problems.append("address: must not be null")
    if problems:
        raise bad_fields(problems)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def merged(body: Json, changes: Json) -> Json:
    """The body with the changes laid over it, object by object; null takes a field away."""
    result = dict(body)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def read_bulk(call: Call, name: str, limit: int) -> list[Json]:
    """The objects of a bulk call, sent as an array or under `name`."""
    sent = read_json(call.content)
    if isinstance(sent, dict):
        sent = sent.get(name)
    if not isinstance(sent, list) or not 1 <= len(sent) <= limit:
        raise bad_field(f"{name}: size must be between 1 and {limit}")
    return [as_object(each) for each in sent]


ROUTES = (
    route("GET", "/v3/vendors", list_vendors),
    route("POST", "/v3/vendors", create_vendor),
    route("POST", "/v3/vendors/bulk", create_vendors),
    route("GET", "/v3/vendors/{vendorId}", get_vendor),
    route("PATCH", "/v3/vendors/{vendorId}", patch_vendor),
    route("POST", "/v3/vendors/{vendorId}/archive", archive_vendor),
    route("POST", "/v3/vendors/{vendorId}/restore", restore_vendor),
)
