"""Filling the pretended BILL with data.

Data are plain JSON in BILL's own field names, so that any other server given the same data answers
alike. Dates and times may be relative (`-8d`, `-3d4h`) to the moment of loading. Nothing is checked:
real organizations hold records that the API of today would refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.standins.bill.answers import Json
from integrations.standins.bill.approvals import settle_status
from integrations.standins.bill.billforms import as_amount, follow_amount, name_vendor
from integrations.standins.bill.classifications import new_record
from integrations.standins.bill.clock import resolve_date, resolve_time, time_text
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import CLASSIFICATION_KINDS, Organization, Person
from integrations.standins.bill.table import Table
from integrations.standins.bill.vendors import complete_vendor

_CLASSIFICATION_NAMES = {
    "chartOfAccounts": "chart-of-accounts",
    "departments": "departments",
    "locations": "locations",
    "accountingClasses": "accounting-classes",
    "jobs": "jobs",
    "items": "items",
    "employees": "employees",
}
_AMOUNTS = (
    *("amount", "dueAmount", "scheduledAmount", "creditAmount", "paidAmount", "fundingAmount"),
    *("exchangeRate", "appliedAmount"),
)
_LINE_AMOUNTS = ("amount", "quantity", "price")


def load(office: Office, data: Mapping[str, Any], now: datetime) -> None:
    """Add the keys and organizations of `data`; relative dates count from `now`."""
    for key in data.get("developerKeys", []):
        office.doorkeeper.keys[key["key"]] = key.get("active", True)
    for each in data.get("organizations", []):
        organization = _load_organization(office, each, now)
        office.doorkeeper.organizations[organization.id] = organization


def _load_organization(office: Office, data: Mapping[str, Any], now: datetime) -> Organization:
    organization = Organization(
        id=data.get("id") or office.ids.record("008"),
        name=data.get("name", ""),
        is_locked=data.get("locked", False),
        people=[_load_person(office, each, "006") for each in data.get("users", [])],
        policies=[dict(each) for each in data.get("approvalPolicies", [])],
    )
    organization.people += [_load_token(office, each) for each in data.get("syncTokens", [])]
    for name, kind in _CLASSIFICATION_NAMES.items():
        for each in data.get(name, []):
            sent = {**each, "id": each.get("id") or office.ids.record(CLASSIFICATION_KINDS[kind])}
            _keep(organization.classifications[kind], new_record(kind, sent), each, now)
    for each in data.get("vendors", []):
        _keep(organization.vendors, _vendor(office, each), each, now)
    for each in data.get("bills", []):
        _keep(organization.bills, read_bill(office, organization, each, now), each, now)
    for each in data.get("vendorCredits", []):
        _keep(organization.credits, _credit(office, each, now), each, now)
    return organization


def _keep(table: Table, body: Json, data: Mapping[str, Any], now: datetime) -> None:
    created_ms = resolve_time(data.get("createdTime", "-0d"), now)
    updated = data.get("updatedTime")
    updated_ms = resolve_time(updated, now) if updated else created_ms
    table.add(body, created_ms=created_ms, updated_ms=updated_ms)


def _load_person(office: Office, data: Mapping[str, Any], prefix: str) -> Person:
    return Person(
        id=data.get("id") or office.ids.record(prefix),
        username=data["username"],
        password=data["password"],
    )


def _load_token(office: Office, data: Mapping[str, Any]) -> Person:
    return Person(
        id=data.get("id") or office.ids.record("syu0"),
        username=data["name"],
        password=data["token"],
        is_token=True,
    )


def _vendor(office: Office, data: Mapping[str, Any]) -> Json:
    body: Json = {"id": office.ids.record("009"), "archived": False, **data}
    complete_vendor(body)
    return body


def read_bill(
    office: Office, organization: Organization, data: Mapping[str, Any], now: datetime
) -> Json:
    """A whole bill from data in BILL's field names; relative dates count from `now`."""
    body: Json = {
        "id": data.get("id") or office.ids.record("00n"),
        "archived": False,
        "paymentStatus": "UNPAID",
        **data,
    }
    body["billLineItems"] = read_lines(office, data.get("billLineItems", []), "bli")
    _take_amounts(body, _AMOUNTS)
    total = sum((line.get("amount", Decimal(0)) for line in body["billLineItems"]), Decimal(0))
    body.setdefault("amount", total)
    for name in ("scheduledAmount", "creditAmount", "paidAmount"):
        body.setdefault(name, Decimal(0))
    if "dueAmount" not in data:
        follow_amount(organization, body)
    if "dueDate" in data:
        body["dueDate"] = resolve_date(data["dueDate"], now)
    invoice = dict(data.get("invoice", {}))
    if "invoiceDate" in invoice:
        invoice["invoiceDate"] = resolve_date(invoice["invoiceDate"], now)
    body["invoice"] = invoice
    body["approvers"] = [_approver(each, now) for each in data.get("approvers", [])]
    if "approvalStatus" not in data:
        settle_status(body)
    if not body["approvers"]:
        del body["approvers"]
    name_vendor(organization, body)
    return body


def _approver(data: Mapping[str, Any], now: datetime) -> Json:
    approver = dict(data)
    if "statusChangedTime" in approver:
        approver["statusChangedTime"] = time_text(resolve_time(data["statusChangedTime"], now))
    return approver


def _credit(office: Office, data: Mapping[str, Any], now: datetime) -> Json:
    body: Json = {
        "id": data.get("id") or office.ids.record("vcr"),
        "archived": False,
        "status": "NOT_APPLIED",
        **data,
    }
    body["vendorCreditLineItems"] = read_lines(office, data.get("vendorCreditLineItems", []), "vcl")
    _take_amounts(body, _AMOUNTS)
    if "creditDate" in data:
        body["creditDate"] = resolve_date(data["creditDate"], now)
    return body


def read_lines(office: Office, data: list[Mapping[str, Any]], prefix: str) -> list[Json]:
    """Lines from data, with an id of that prefix where they have none."""
    lines = []
    for each in data:
        line = {"id": each.get("id") or office.ids.record(prefix), **each}
        _take_amounts(line, _LINE_AMOUNTS)
        lines.append(line)
    return lines


def _take_amounts(body: Json, names: tuple[str, ...]) -> None:
    for name in names:
        amount = as_amount(body.get(name))
        if amount is not None:
            body[name] = amount
