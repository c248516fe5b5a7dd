"""Approval of bills: UNASSIGNED → ASSIGNED → APPROVING → APPROVED, or DENIED.

A bill no policy matches stays UNASSIGNED and can be paid. BILL does not say whether approving moves
updatedTime or sends an event; by default here it does neither, the harder case.
"""

from __future__ import annotations

from decimal import Decimal

from integrations.standins.bill.answers import Json, bad_field, minified, ok, refuse
from integrations.standins.bill.billforms import as_amount
from integrations.standins.bill.calls import Call, as_object, read_json, route
from integrations.standins.bill.clock import time_text
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import Organization, Person
from integrations.standins.bill.table import Row
from integrations.standins.messages import Reply

_WORDS = {"APPROVE": "APPROVED", "DENY": "DENIED"}


def list_policies(call: Call) -> Reply:
    """`GET /v3/bill-approvals/policies`."""
    return ok(minified({"results": call.organization.policies}))


def act(call: Call) -> Reply:
    """`POST /v3/bill-approvals/actions`: an array of {billId, action, comment}, all or nothing."""
    sent = read_json(call.content)
    if not isinstance(sent, list) or not sent:
        raise bad_field("body: must be an array with at least one action")
    steps = []
    for place, each in enumerate(map(as_object, sent)):
        word = _WORDS.get(str(each.get("action")))
        if word is None:
            raise bad_field(f"[{place}].action: must be APPROVE or DENY")
        row = call.organization.bills.get(str(each.get("billId")))
        steps.append((row, _approver_of(row.body, call.session.person), word))
    for row, approver, word in steps:
        decide(call.office, call.organization, row, approver, word)
    return ok(minified({"status": "SUCCESS"}))


def list_pending(call: Call) -> Reply:
    """`GET /v3/bill-approvals/pending-user-approvals`; a sync token has none and is refused."""
    person = call.session.person
    if person.is_token:
        raise refuse(400, "BDC_1302", "Entity type mismatch.")
    pending = [
        {name: row.body.get(source) for name, source in _PENDING.items()}
        for row in call.organization.bills
        if any(
            approver["userId"] == person.id and approver["status"] == "WAITING"
            for approver in row.body.get("approvers", [])
        )
    ]
    return ok(minified({"bills": pending}, money_as_text=call.office.switches.money_as_text))


_PENDING = {"billId": "id", "vendorId": "vendorId", "amount": "amount", "dueDate": "dueDate"}


def decide(office: Office, organization: Organization, row: Row, approver: Json, word: str) -> None:
    """Let one approver say APPROVED, DENIED or, to take it back, WAITING."""
    approver["status"] = word
    approver["statusChangedTime"] = time_text(office.clock.now_ms())
    settle_status(row.body)
    note_approval(office, organization, row)


def note_approval(office: Office, organization: Organization, row: Row) -> None:
    """Make a change of approval visible as far as the switches say."""
    moves = office.switches.approval_moves_updated_time
    organization.bills.touch(row, office.clock.now_ms() if moves else None)
    if office.switches.approval_sends_event:
        office.tell(organization, "bill.updated", row)


def settle_status(body: Json) -> None:
    """Set the approval status that follows from what the approvers said."""
    words = [approver["status"] for approver in body.get("approvers", [])]
    if not words:
        status = "UNASSIGNED"
    elif "DENIED" in words:
        status = "DENIED"
    elif all(word == "APPROVED" for word in words):
        status = "APPROVED"
    else:
        status = "APPROVING" if "APPROVED" in words else "ASSIGNED"
    body["approvalStatus"] = status


def assign(body: Json, user_ids: list[str]) -> None:
    """Name the approvers of a bill, in order; all wait."""
    body["approvers"] = [
        {"userId": user_id, "status": "WAITING", "approverOrder": place}
        for place, user_id in enumerate(user_ids)
    ]
    settle_status(body)


def assign_by_policy(organization: Organization, body: Json) -> None:
    """Name the approvers of the first policy that matches, if one does."""
    for policy in organization.policies:
        if all(_holds(rule, body) for rule in policy.get("rules", [])):
            ordered = sorted(policy["approvers"], key=lambda each: int(each["approverOrder"]))
            assign(body, [each["userId"] for each in ordered])
            return


def reset_approval(body: Json) -> None:
    """Ask every approver again."""
    for approver in body.get("approvers", []):
        approver["status"] = "WAITING"
    settle_status(body)


def is_being_approved(body: Json) -> bool:
    """Whether somebody has approved, though not everybody."""
    return body.get("approvalStatus") == "APPROVING"


def _approver_of(body: Json, person: Person) -> Json:
    """The place in the row of approvers where this person acts; a token acts for the next one."""
    approvers: list[Json] = body.get("approvers", [])
    for approver in approvers:
        own = person.is_token or approver["userId"] == person.id
        if own and approver["status"] == "WAITING":
            return approver
    raise refuse(422, "BDC_1143", "You are not an approver whom this bill waits for.")


def _holds(rule: Json, body: Json) -> bool:
    have = _rule_values(str(rule["key"]), body)
    operator, wanted = str(rule["op"]), rule["value"]
    if operator == "in":
        return any(value in wanted for value in have)
    if operator == "eq":
        return wanted in have
    limit = as_amount(wanted) or Decimal(0)
    tests = {
        "gt": lambda amount: amount > limit,
        "gte": lambda amount: amount >= limit,
        "lt": lambda amount: amount < limit,
        "lte": lambda amount: amount <= limit,
    }
    return any(tests[operator](value) for value in have)


def _rule_values(key: str, body: Json) -> list[object]:
    if key == "BILL_AMOUNT":
        return [body["amount"]]
    if key == "VENDOR_ID":
        return [body["vendorId"]]
    first, *others = key.lower().split("_")
    name = first + "".join(word.capitalize() for word in others)
    coded = [body, *body.get("billLineItems", [])]
    return [value for each in coded if (value := each.get("classifications", {}).get(name))]


ROUTES = (
    route("GET", "/v3/bill-approvals/policies", list_policies),
    route("POST", "/v3/bill-approvals/actions", act),
    route("GET", "/v3/bill-approvals/pending-user-approvals", list_pending),
)
