"""One organization in BILL: its people, its lists and its subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from integrations.standins.bill.answers import Json
from integrations.standins.bill.table import Row, Table

# The path of each kind of classification, and the prefix of its ids.
CLASSIFICATION_KINDS = {
    "chart-of-accounts": "0ca",
    "departments": "0de",
    "locations": "loc",
    "accounting-classes": "cls",
    "jobs": "job",
    "items": "0ii",
    "employees": "emp",
}
# The id of each kind on a line; a header takes the first five.
CLASSIFICATION_IDS = {
    "chartOfAccountId": "chart-of-accounts",
    "accountingClassId": "accounting-classes",
    "departmentId": "departments",
    "locationId": "locations",
    "itemId": "items",
    "jobId": "jobs",
    "employeeId": "employees",
}
HEADER_IDS = ("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId")
NO_ID = "0" * 20


@dataclass(slots=True, kw_only=True)
class Person:
    """Who may sign in: a user with a password, or a sync token with its value (`is_token`)."""

    id: str
    username: str
    password: str
    is_token: bool = False
    wrong_passwords: int = 0


@dataclass(slots=True, kw_only=True)
class Subscription:
    """One notification address. The old keys are those before a rotation."""

    id: str
    name: str
    enabled: bool
    events: list[tuple[str, str]]
    url: str
    security_key: str
    created_ms: int
    updated_ms: int
    old_keys: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Notice:
    """One notification: what happened, for whom, and what became of sending it.

    `status_code` is the receiver's last answer; 0 means that it gave none.
    """

    id: str
    type: str
    version: str
    subscription_id: str
    entity_id: str
    content: Json
    created_ms: int
    status_code: int = 0
    sends: int = 0
    is_dead: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Organization:
    """Everything BILL holds for one organization."""

    id: str
    name: str
    is_locked: bool = False
    people: list[Person] = field(default_factory=list)
    vendors: Table = field(default_factory=Table)
    bills: Table = field(default_factory=Table)
    credits: Table = field(default_factory=Table)
    classifications: dict[str, Table] = field(
        default_factory=lambda: {kind: Table() for kind in CLASSIFICATION_KINDS}
    )
    policies: list[Json] = field(default_factory=list)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Every list of records with its name."""
        yield "vendors", self.vendors
        yield "bills", self.bills
        yield "vendor-credits", self.credits
        yield from self.classifications.items()

    def find_row(self, record_id: str) -> Row | None:
        """The record with that id, whatever its kind."""
        return next((row for _, table in self.tables() if (row := table.find(record_id))), None)
