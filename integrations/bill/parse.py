"""Turns BILL's JSON into this product's types, and nothing else.

Pure: bytes or JSON values in, frozen values out. Unknown words of BILL's enumerations are kept as
they are. A row that has no id cannot be used at all and raises UnexpectedAnswer; any other missing
or odd value becomes "unset", and the rules above decide what that means for a bill.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal

from integrations.bill.types import (
    Address,
    Bill,
    BillEvent,
    BillLine,
    BillSession,
    BillVendor,
    Coding,
    Health,
    ListItem,
    ListKind,
    PastEvent,
    Subscription,
)
from integrations.bill.values import (
    UnreadableJson,
    amount_of,
    as_mapping,
    date_of,
    flag_of,
    id_of,
    member,
    moment_of,
    read_json,
    rows_of,
    text_of,
)
from integrations.errors import UnexpectedAnswer

_NO_EVENT = "A signed message from BILL could not be read as an event."

# Facts of BILL's own bookkeeping, of payment, and copies of the vendor's name: none of them changes
# what is owed. Line ids are renewed by a PUT in BILL that changes nothing else.
_OUTSIDE_BILL_HASH = frozenset(
    {"vendor_name", "payment_status", "created_at", "updated_at", "content_hash"}
)
_OUTSIDE_VENDOR_HASH = frozenset({"created_at", "updated_at", "content_hash"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list: its rows, and the cursor of the next one ("" at the end)."""

    rows: tuple[Mapping[str, object], ...]
    next_cursor: str


def parse_page(value: object) -> Page:
    """Read a list answer: the usual envelope, or the bare array some event calls answer with."""
    if isinstance(value, list):
        return Page(rows=rows_of(value), next_cursor="")
    if not isinstance(value, dict) or not isinstance(value.get("results"), list):
        raise UnexpectedAnswer(
            "list answer without results",
            sentence="BILL answered a list in a form this product does not know. "
            "Nothing was changed; support must look at it.",
        )
    return Page(rows=rows_of(value["results"]), next_cursor=text_of(value.get("nextPage")))


def parse_bill(raw: Mapping[str, object]) -> Bill:
    """Read a bill as the single read and the list send it."""
    invoice = member(raw, "invoice")
    bill = Bill(
        id=_required_id(raw, "bill"),
        vendor_id=id_of(raw.get("vendorId")),
        vendor_name=text_of(raw.get("vendorName")),
        invoice_number=text_of(invoice.get("invoiceNumber")),
        invoice_date=date_of(invoice.get("invoiceDate")),
        due_date=date_of(raw.get("dueDate")),
        amount=amount_of(raw.get("amount")),
        description=text_of(raw.get("description")),
        approval_status=text_of(raw.get("approvalStatus")),
        payment_status=text_of(raw.get("paymentStatus")),
        archived=flag_of(raw.get("archived")),
        purchase_order_number=text_of(raw.get("purchaseOrderNumber")),
        exchange_rate=amount_of(raw.get("exchangeRate")),
        coding=_parse_coding(member(raw, "classifications")),
        lines=tuple(_parse_line(row) for row in rows_of(raw.get("billLineItems"))),
        created_at=moment_of(raw.get("createdTime")),
        updated_at=moment_of(raw.get("updatedTime")),
    )
    return replace(bill, content_hash=hash_bill(bill))


def _parse_line(raw: Mapping[str, object]) -> BillLine:
    return BillLine(
        id=id_of(raw.get("id")),
        amount=amount_of(raw.get("amount")),
        description=text_of(raw.get("description")),
        coding=_parse_coding(member(raw, "classifications")),
    )


def _parse_coding(raw: Mapping[str, object]) -> Coding:
    return Coding(
        account_id=id_of(raw.get("chartOfAccountId")),
        department_id=id_of(raw.get("departmentId")),
        location_id=id_of(raw.get("locationId")),
        class_id=id_of(raw.get("accountingClassId")),
        item_id=id_of(raw.get("itemId")),
        job_id=id_of(raw.get("jobId")),
        employee_id=id_of(raw.get("employeeId")),
        customer_id=id_of(raw.get("customerId")),
    )


def hash_bill(bill: Bill) -> str:
    """Return the hex SHA-256 over what an accountant would call the bill.

    Equal for two readings of an unchanged bill, however amounts are spelled (1500, 1500.00), in
    whatever order BILL lists the lines, and after a save that only renewed the line ids.
    """
    content = {key: value for key, value in _fields(bill).items() if key not in _OUTSIDE_BILL_HASH}
    content["lines"] = sorted(_canonical({**_fields(line), "id": ""}) for line in bill.lines)
    return _digest(content)


def parse_vendor(raw: Mapping[str, object]) -> BillVendor:
    """Read a vendor; tax ids and bank data are left where they are."""
    address = member(raw, "address")
    vendor = BillVendor(
        id=_required_id(raw, "vendor"),
        name=text_of(raw.get("name")),
        short_name=text_of(raw.get("shortName")),
        account_number=text_of(raw.get("accountNumber")),
        company_name=text_of(member(raw, "additionalInfo").get("companyName")),
        email=text_of(raw.get("email")),
        phone=text_of(raw.get("phone")),
        address=Address(
            line1=text_of(address.get("line1")),
            line2=text_of(address.get("line2")),
            city=text_of(address.get("city")),
            state_or_province=text_of(address.get("stateOrProvince")),
            postal_code=text_of(address.get("zipOrPostalCode")),
            country=text_of(address.get("country")),
            country_name=text_of(address.get("countryName")),
        ),
        currency=text_of(raw.get("billCurrency")),
        archived=flag_of(raw.get("archived")),
        created_at=moment_of(raw.get("createdTime")),
        updated_at=moment_of(raw.get("updatedTime")),
    )
    content = _fields(vendor)
    return replace(
        vendor,
        content_hash=_digest({k: v for k, v in content.items() if k not in _OUTSIDE_VENDOR_HASH}),
    )


def parse_list_item(kind: ListKind, raw: Mapping[str, object]) -> ListItem:
    """Read one row of a classification list; an employee's name is put together from its parts."""
    account = member(raw, "account")
    person = f"{text_of(raw.get('firstName'))} {text_of(raw.get('lastName'))}".strip()
    return ListItem(
        kind=kind,
        id=_required_id(raw, kind.value),
        name=text_of(raw.get("name")) or person or text_of(raw.get("shortName")),
        number=text_of(account.get("number")).strip(),
        account_type=text_of(account.get("type")),
        parent_id=id_of(raw.get("parentId")),
        expense_account_id=id_of(raw.get("expenseChartOfAccountId")),
        archived=flag_of(raw.get("archived")),
        updated_at=moment_of(raw.get("updatedTime")),
    )


def parse_event(body: bytes | str) -> BillEvent:
    """Read a notification: an object, or a JSON string that holds one.

    Raises UnexpectedAnswer where there is no event id: such a message cannot be told from a repeat.
    The event type is taken as it stands, though BILL's own samples get it wrong (an archived vendor
    announced as created); the kind of object comes from the message's own key.
    """
    try:
        value = read_json(body)
        value = read_json(value) if isinstance(value, str) else value
    except UnreadableJson as error:
        raise UnexpectedAnswer("event is not JSON", sentence=_NO_EVENT) from error
    message = as_mapping(value)
    facts = member(message, "metadata")
    event_id = text_of(facts.get("eventId"))
    if not event_id:
        raise UnexpectedAnswer("event without an id", sentence=_NO_EVENT)
    event_type = text_of(facts.get("eventType"))
    entity = next(
        (key for key, part in message.items() if key != "metadata" and isinstance(part, dict)),
        event_type.partition(".")[0],
    )
    return BillEvent(
        event_id=event_id,
        event_type=event_type,
        subscription_id=text_of(facts.get("subscriptionId")),
        organization_id=id_of(facts.get("organizationId")),
        entity=text_of(entity),
        entity_id=id_of(member(message, entity).get("id")),
    )


def parse_subscription(value: object) -> Subscription:
    """Read a webhook subscription."""
    raw = as_mapping(value)
    return Subscription(
        id=_required_id(raw, "subscription"),
        name=text_of(raw.get("name")),
        notification_url=text_of(raw.get("notificationUrl")),
        is_enabled=flag_of(member(raw, "status").get("enabled")),
        event_types=tuple(text_of(event.get("type")) for event in rows_of(raw.get("events"))),
        security_key=text_of(raw.get("securityKey")),
    )


def parse_past_event(value: object) -> PastEvent:
    """Read one row of a subscription's history; the payload stays the text BILL stored."""
    raw = as_mapping(value)
    payload, status = raw.get("payload"), raw.get("statusCode")
    return PastEvent(
        id=_required_id(raw, "event"),
        event_type=text_of(raw.get("type")),
        payload=_canonical(payload) if isinstance(payload, dict) else text_of(payload),
        created_at=moment_of(raw.get("createdTime")),
        status_code=status if isinstance(status, int) and not isinstance(status, bool) else 0,
    )


def parse_session(value: object, *, session_id: str = "") -> BillSession:
    """Read the answer of a sign-in, or of "who am I" (which does not repeat the session id)."""
    raw = as_mapping(value)
    return BillSession(
        session_id=text_of(raw.get("sessionId")) or session_id,
        organization_id=id_of(raw.get("organizationId")),
        user_id=id_of(raw.get("userId")),
    )


def parse_health(value: object) -> Health:
    """Read BILL's own word on itself."""
    raw = as_mapping(value)
    return Health(
        application=text_of(raw.get("appId")),
        environment=text_of(raw.get("appEnv")),
        version=text_of(raw.get("appVersion")),
        region=text_of(raw.get("bdcRegion")),
    )


def _required_id(raw: Mapping[str, object], what: str) -> str:
    found = id_of(raw.get("id"))
    if not found:
        raise UnexpectedAnswer(
            f"{what} without an id",
            sentence=f"BILL answered a {what} without its id, so it cannot be told apart. "
            "Nothing was changed; support must look at it.",
        )
    return found


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(content: object) -> str:
    return json.dumps(
        content, default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )


def _fields(value: Bill | BillLine | BillVendor | Coding | Address) -> dict[str, object]:
    """A value's own fields; `asdict` would copy all that lies within, for every bill read."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _plain(value: object) -> object:
    """Write a Decimal without trailing zeros (1500.00 and 1500 are one amount), others as text."""
    if isinstance(value, Coding | Address):
        return _fields(value)
    if isinstance(value, Decimal):
        return format(value.normalize() + 0, "f")
    return str(value)
