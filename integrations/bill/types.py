"""BILL's vocabulary as plain frozen values: what the v3 API says, with nothing of Sage in it.

Enumerations of BILL are open ("UNDEFINED exists nearly everywhere"), so they stay strings here.
An unset id or text is "", an unset date or amount is None. Amounts are Decimal in the vendor's
currency. Datetimes are aware (UTC offset as sent); dates are civil dates with no zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Approval(StrEnum):
    """The approval words this product knows; any other word of BILL's counts as not approved."""

    UNASSIGNED = "UNASSIGNED"
    ASSIGNED = "ASSIGNED"
    APPROVING = "APPROVING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"


class ListKind(StrEnum):
    """BILL's classification lists, by the last part of their path."""

    ACCOUNT = "chart-of-accounts"
    DEPARTMENT = "departments"
    LOCATION = "locations"
    CLASS = "accounting-classes"
    JOB = "jobs"
    ITEM = "items"
    EMPLOYEE = "employees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How a bill or one of its lines is classified in BILL; "" where BILL says nothing."""

    account_id: str = ""
    department_id: str = ""
    location_id: str = ""
    class_id: str = ""
    item_id: str = ""
    job_id: str = ""
    employee_id: str = ""
    customer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a bill; `amount` is None where BILL sent none."""

    id: str
    amount: Decimal | None
    description: str = ""
    coding: Coding = Coding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One bill as BILL last told it.

    `content_hash` (hex SHA-256) covers everything but times of BILL's own bookkeeping, payment
    facts, the vendor's name, line ids and the order of the lines, so that two readings of an
    unchanged bill are equal.
    """

    id: str
    vendor_id: str
    vendor_name: str = ""
    invoice_number: str = ""
    invoice_date: date | None = None
    due_date: date | None = None
    amount: Decimal | None = None
    description: str = ""
    approval_status: str = ""
    payment_status: str = ""
    archived: bool = False
    purchase_order_number: str = ""
    exchange_rate: Decimal | None = None
    coding: Coding = Coding()
    lines: tuple[BillLine, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    content_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A vendor's postal address."""

    line1: str = ""
    line2: str = ""
    city: str = ""
    state_or_province: str = ""
    postal_code: str = ""
    country: str = ""
    country_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillVendor:
    """One vendor as BILL tells it; bank data is dropped and the tax id is never read."""

    id: str
    name: str
    short_name: str = ""
    account_number: str = ""
    company_name: str = ""
    email: str = ""
    phone: str = ""
    address: Address = Address()
    currency: str = ""
    archived: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    content_hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListItem:
    """One row of a BILL classification list.

    `number` and `account_type` are an account's; `expense_account_id` is an item's.
    """

    kind: ListKind
    id: str
    name: str
    number: str = ""
    account_type: str = ""
    parent_id: str = ""
    expense_account_id: str = ""
    archived: bool = False
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillEvent:
    """What one webhook notification says; only a hint, the truth is read again.

    `entity` is "bill" or "vendor" or another resource word of BILL's; `entity_id` may be "".
    """

    event_id: str
    event_type: str
    subscription_id: str
    organization_id: str
    entity: str
    entity_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A webhook subscription; `security_key` is set only in the answer that made or re-keyed it."""

    id: str
    name: str
    notification_url: str
    is_enabled: bool
    event_types: tuple[str, ...]
    security_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvent:
    """One row of a subscription's history: what was sent, and how our door answered (0: unknown)."""

    id: str
    event_type: str
    payload: str
    created_at: datetime | None
    status_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillSession:
    """Who a session is: `is_token` where BILL's user id starts `syu` (a sync token: cannot pay)."""

    session_id: str
    organization_id: str
    user_id: str

    @property
    def is_token(self) -> bool:
        """A sync-token session; BILL refuses it every payment call."""
        return self.user_id.startswith("syu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What BILL says about itself without a sign-in; all "" where the answer was not BILL's."""

    application: str = ""
    environment: str = ""
    version: str = ""
    region: str = ""
