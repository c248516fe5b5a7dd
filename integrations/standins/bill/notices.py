"""What a notification says.

`{"metadata": {…}, "bill": {…}}` as developer.bill.com shows it (2026-03-16): a bill without lines and
without approval status, its invoice date as a date-time; a vendor whose account number is a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from integrations.standins.bill.answers import Json
from integrations.standins.bill.clock import time_text
from integrations.standins.bill.organization import Notice, Organization, Subscription
from integrations.standins.bill.table import Row

if TYPE_CHECKING:
    from integrations.standins.bill.office import Office

VERSION = "1"
EVENT_TYPES = (
    *("vendor.created", "vendor.updated", "vendor.archived", "vendor.restored"),
    *("bill.created", "bill.updated", "bill.archived", "bill.restored"),
    *("payment.updated", "payment.failed", "autopay.failed"),
    *("bank-account.created", "bank-account.updated"),
    *("card-account.created", "card-account.updated"),
    *("invoice.created", "invoice.updated", "invoice.archived", "invoice.restored"),
    "risk-verification.updated",
    *("spend.transaction.updated", "spend.reimbursement.created", "spend.reimbursement.updated"),
    *("spend.reimbursement.deleted", "spend.three-ds-challenge.created"),
)
BILL_KEYS = (
    *("id", "vendorId", "amount", "createdTime", "updatedTime", "createdBy", "archived"),
    *("description", "dueDate", "paymentStatus", "payFromChartOfAccountId", "purchaseOrderNumber"),
)
VENDOR_KEYS = (
    *("id", "name", "shortName", "archived", "email", "phone", "networkStatus", "address"),
    *("paymentInformation", "additionalInfo", "recurringPayments", "billCurrency", "balance"),
    *("autoPay", "createdTime", "updatedTime"),
)
_TOLD_CLASSES = ("chartOfAccountId", "accountingClassId", "departmentId", "locationId")


def make_notices(
    office: Office, organization: Organization, event: str, row: Row, now_ms: int
) -> Iterator[tuple[Notice, Subscription]]:
    """One notification for every subscription that asked for the event.

    A switched-off subscription gets its notification into the history only, if the switch says so.
    """
    for subscription in organization.subscriptions.values():
        wanted = (event, VERSION) in subscription.events
        if wanted and (subscription.enabled or office.switches.history_while_disabled):
            yield (
                notice_for(office, organization, subscription, event, row.body, now_ms),
                subscription,
            )


def notice_for(
    office: Office,
    organization: Organization,
    subscription: Subscription,
    event: str,
    body: Json,
    now_ms: int,
) -> Notice:
    """One notification about a record, for one subscription."""
    notice_id = office.ids.uuid4("event")
    as_number = office.switches.webhook_version_as_number
    metadata = {
        "eventId": notice_id,
        "subscriptionId": subscription.id,
        "organizationId": organization.id,
        "eventType": event,
        "version": int(VERSION) if as_number else VERSION,
    }
    resource = event.partition(".")[0]
    content = bill_content(body, event) if resource == "bill" else vendor_content(body)
    return Notice(
        id=notice_id,
        type=event,
        version=VERSION,
        subscription_id=subscription.id,
        entity_id=str(body.get("id", "")),
        content={"metadata": metadata, resource: content},
        created_ms=now_ms,
    )


def bill_content(body: Json, event: str) -> Json:
    """A bill as notifications show it."""
    content = {name: body[name] for name in BILL_KEYS if name in body}
    if event != "bill.created" and "vendorName" in body:
        content["vendorName"] = body["vendorName"]
    invoice = dict(body.get("invoice", {}))
    if "invoiceDate" in invoice:
        invoice["invoiceDate"] = f"{invoice['invoiceDate'][:10]}T00:00:00.000Z"
    content["invoice"] = invoice
    classes = body.get("classifications", {})
    told = {name: classes[name] for name in _TOLD_CLASSES if name in classes}
    return {**content, "classifications": told} if told else content


def vendor_content(body: Json) -> Json:
    """A vendor as notifications show it, without bank data."""
    content = {name: body[name] for name in VENDOR_KEYS if name in body}
    number = body.get("accountNumber")
    if number is not None:
        content["accountNumber"] = int(number) if str(number).isdecimal() else number
    if isinstance(content.get("paymentInformation"), dict):
        content["paymentInformation"] = {
            name: value
            for name, value in content["paymentInformation"].items()
            if name != "bankAccount"
        }
    return content


def history_row(notice: Notice, payload: str) -> Json:
    """A notification as the history shows it."""
    return {
        "id": notice.id,
        "type": notice.type,
        "version": notice.version,
        "subscriptionId": notice.subscription_id,
        "payload": payload,
        "createdTime": time_text(notice.created_ms),
        "statusCode": notice.status_code,
    }
