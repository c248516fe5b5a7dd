"""What people do in BILL's own pages while the product looks on: enter, correct, approve, archive.

Each action can be called in a test, or from outside through the control door. People may enter what
the API would refuse, so nothing here is checked but that records exist.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from integrations.standins.bill.answers import Json
from integrations.standins.bill.approvals import (
    assign,
    assign_by_policy,
    decide,
    note_approval,
    reset_approval,
)
from integrations.standins.bill.billforms import follow_amount, name_vendor, work_out
from integrations.standins.bill.bills import bill_event
from integrations.standins.bill.classifications import new_record, read_amounts
from integrations.standins.bill.loading import read_bill, read_lines
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import (
    CLASSIFICATION_KINDS,
    Organization,
    Subscription,
)
from integrations.standins.bill.table import Row, Table
from integrations.standins.bill.vendors import merged, new_vendor, vendor_event
from integrations.standins.messages import ActionError

_MARK = "is_action"
Action = TypeVar("Action", bound=Callable[..., Any])


def action(method: Action) -> Action:
    """Mark a method as an action; it runs while no call is being answered."""

    @wraps(method)
    def run(self: People, /, *args: Any, **kwargs: Any) -> Any:
        with self._lock:
            return method(self, *args, **kwargs)

    setattr(run, _MARK, True)
    return cast(Action, run)


class People:
    """The actions. `organization` is an id or a name and may be left out where there is only one."""

    office: Office
    _lock: threading.RLock

    @action
    def add_vendor(self, organization: str = "", **fields: Any) -> str:
        """Enter a vendor in BILL's field names; answers its id."""
        where = self._organization(organization)
        body = new_vendor(self.office, {"name": "A vendor", **fields})
        return self.office.create(where, where.vendors, body, "vendor.created").id

    @action
    def edit_vendor(self, vendor_id: str, **fields: Any) -> None:
        """Correct a vendor; None clears a field."""
        where, row = self._find(vendor_id)
        before, row.body = row.body, merged(row.body, fields)
        self.office.change(where, where.vendors, row, vendor_event(self.office, before, row.body))

    @action
    def archive_vendor(self, vendor_id: str) -> None:
        """Archive a vendor."""
        where, row = self._find(vendor_id)
        self.office.set_archived(where, where.vendors, row, archived=True, kind="vendor")

    @action
    def restore_vendor(self, vendor_id: str) -> None:
        """Bring a vendor back."""
        where, row = self._find(vendor_id)
        self.office.set_archived(where, where.vendors, row, archived=False, kind="vendor")

    @action
    def merge_vendors(self, kept_id: str, lost_id: str) -> int:
        """Merge one vendor into another for good; answers how many bills moved."""
        where, kept = self._find(kept_id)
        lost = where.vendors.get(lost_id)
        moves_time = self.office.switches.merge_moves_updated_time
        moved = [row for row in where.bills if row.body.get("vendorId") == lost_id]
        for row in moved:
            row.body["vendorId"] = kept.id
            name_vendor(where, row.body)
            where.bills.touch(row, self.office.clock.now_ms() if moves_time else None)
        lost.hidden = self.office.switches.merged_vendor_vanishes
        self.office.set_archived(where, where.vendors, lost, archived=True)
        return len(moved)

    @action
    def add_bill(self, organization: str = "", **fields: Any) -> str:
        """Enter a bill in BILL's field names; answers its id.

        Without `approvers` and `approvalStatus` the organization's policies name the approvers.
        """
        where = self._organization(organization)
        body = read_bill(self.office, where, fields, self.office.clock.now())
        if not {"approvers", "approvalStatus"} & fields.keys():
            assign_by_policy(where, body)
        return self.office.create(where, where.bills, body, "bill.created").id

    @action
    def edit_bill(self, bill_id: str, **fields: Any) -> None:
        """Correct a bill; `billLineItems` replaces all lines, None clears a field.

        The total follows the lines, unless `amount` is given.
        """
        where, row = self._find(bill_id)
        before = row.body
        lines = fields.pop("billLineItems", None)
        row.body = merged(row.body, read_amounts(fields, ("amount", "paidAmount", "creditAmount")))
        if lines is not None:
            row.body["billLineItems"] = read_lines(self.office, lines, "bli")
        if lines is not None and "amount" not in fields:
            work_out(where, row.body)
        follow_amount(where, row.body)
        name_vendor(where, row.body)
        if self.office.switches.edit_resets_approval:
            reset_approval(row.body)
        self.office.change(where, where.bills, row, bill_event(self.office, before, row.body))

    @action
    def assign_approvers(self, bill_id: str, user_ids: list[str]) -> str:
        """Name who must approve a bill; answers its status."""
        where, row = self._find(bill_id)
        assign(row.body, user_ids)
        note_approval(self.office, where, row)
        return self._status(row)

    @action
    def approve_bill(self, bill_id: str, steps: str = "all") -> str:
        """Approve as the next approver (`steps="one"`) or as all of them; answers the status.

        A bill without approvers is given the organization's first user.
        """
        where, row = self._find(bill_id)
        if not row.body.get("approvers"):
            assign(row.body, [where.people[0].id])
        waiting = [each for each in row.body["approvers"] if each["status"] != "APPROVED"]
        for approver in waiting[:1] if steps == "one" else waiting:
            decide(self.office, where, row, approver, "APPROVED")
        return self._status(row)

    @action
    def deny_bill(self, bill_id: str) -> str:
        """Deny as the next approver; answers the status."""
        where, row = self._find(bill_id)
        if not row.body.get("approvers"):
            assign(row.body, [where.people[0].id])
        approvers: list[Json] = row.body["approvers"]
        waiting = [each for each in approvers if each["status"] == "WAITING"]
        decide(self.office, where, row, (waiting or approvers)[0], "DENIED")
        return self._status(row)

    @action
    def unapprove_bill(self, bill_id: str) -> str:
        """Take every approval back, so that all are asked again; answers the status."""
        where, row = self._find(bill_id)
        reset_approval(row.body)
        note_approval(self.office, where, row)
        return self._status(row)

    @action
    def archive_bill(self, bill_id: str) -> None:
        """Archive a bill: as near as BILL comes to deleting it."""
        where, row = self._find(bill_id)
        self.office.set_archived(where, where.bills, row, archived=True, kind="bill")

    @action
    def restore_bill(self, bill_id: str) -> None:
        """Bring a bill back."""
        where, row = self._find(bill_id)
        self.office.set_archived(where, where.bills, row, archived=False, kind="bill")

    @action
    def add_classification(self, kind: str, organization: str = "", **fields: Any) -> str:
        """Enter an account, department, location … (`kind` as in the path); answers its id."""
        where = self._organization(organization)
        if kind not in CLASSIFICATION_KINDS:
            raise ActionError(f"There is no classification of the kind {kind!r}.")
        made_id = fields.pop("id", None) or self.office.ids.record(CLASSIFICATION_KINDS[kind])
        body = new_record(kind, {**fields, "id": made_id})
        return self.office.create(where, where.classifications[kind], body).id

    @action
    def add_account(self, organization: str = "", **fields: Any) -> str:
        """Enter an account of the chart; answers its id."""
        return self.add_classification("chart-of-accounts", organization, **fields)

    @action
    def edit_account(self, account_id: str, **fields: Any) -> None:
        """Correct an account (or any classification); None clears a field."""
        where, row = self._find(account_id)
        row.body = merged(row.body, fields)
        self.office.change(where, self._table_of(where, row), row)

    @action
    def archive_account(self, account_id: str) -> None:
        """Archive an account (or any classification)."""
        where, row = self._find(account_id)
        self.office.set_archived(where, self._table_of(where, row), row, archived=True)

    @action
    def advance_clock(self, seconds: float) -> None:
        """Put BILL's clock forward."""
        self.office.clock.advance(seconds)

    @action
    def expire_sessions(self) -> int:
        """End every session; answers how many there were."""
        return self.office.doorkeeper.expire_all()

    @action
    def lock_org(self, organization: str = "") -> None:
        """Lock an organization out."""
        self._organization(organization).is_locked = True

    @action
    def unlock_org(self, organization: str = "") -> None:
        """Let an organization in again."""
        self._organization(organization).is_locked = False

    @action
    def set_password(self, username: str, password: str, organization: str = "") -> None:
        """Give a user or a sync token a new password; a locked login is open again."""
        for person in self._organization(organization).people:
            if person.username == username:
                person.password, person.wrong_passwords = password, 0
                return
        raise ActionError(f"There is no user or sync token {username!r}.")

    @action
    def deliver(self, event: str, record_id: str) -> None:
        """Send an event about a record as it is now, whether or not anything happened to it."""
        where, row = self._find(record_id)
        self.office.tell(where, event, row)

    @action
    def set_subscription_enabled(self, subscription_id: str, *, enabled: bool) -> None:
        """Switch a subscription on or off."""
        self._subscription(subscription_id).enabled = enabled

    def wait_for_post(self, timeout: float = 10.0) -> bool:
        """Wait until every notification is sent or given up; answers whether that came to pass."""
        return self.office.post.wait_idle(timeout)

    def _organization(self, name: str) -> Organization:
        every = list(self.office.doorkeeper.organizations.values())
        found = [each for each in every if not name or name in {each.id, each.name}]
        if len(found) != 1:
            raise ActionError(f"{len(found)} organizations answer to {name!r}; name one of them.")
        return found[0]

    def _find(self, record_id: str) -> tuple[Organization, Row]:
        for where in self.office.doorkeeper.organizations.values():
            row = where.find_row(record_id)
            if row is not None:
                return where, row
        raise ActionError(f"BILL holds no record {record_id!r}.")

    def _table_of(self, where: Organization, row: Row) -> Table:
        return next(table for _, table in where.tables() if table.find(row.id) is row)

    def _subscription(self, subscription_id: str) -> Subscription:
        for where in self.office.doorkeeper.organizations.values():
            if subscription_id in where.subscriptions:
                return where.subscriptions[subscription_id]
        raise ActionError(f"There is no subscription {subscription_id!r}.")

    def _status(self, row: Row) -> str:
        return str(row.body["approvalStatus"])


ACTIONS = frozenset(
    {name for name, value in vars(People).items() if hasattr(value, _MARK)} | {"wait_for_post"}
)
