"""Bills in BILL: list, read, create, replace, change, archive. There is no hard delete in v3."""

from __future__ import annotations

from copy import deepcopy

from integrations.standins.bill.answers import Json, bad_field, minified, ok, refuse
from integrations.standins.bill.approvals import assign_by_policy, is_being_approved, reset_approval
from integrations.standins.bill.billforms import (
    OWN_FIELDS,
    follow_amount,
    name_vendor,
    new_bill,
    new_line,
    read_line,
    refuse_bad_bill,
    work_out,
)
from integrations.standins.bill.calls import Call, as_object, route
from integrations.standins.bill.fields import BILLS
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import Organization
from integrations.standins.bill.table import Row
from integrations.standins.bill.vendors import merged, read_bulk
from integrations.standins.messages import Reply

MAX_BULK = 100
# developer.bill.com names a choice of changes that are told; clients list these.
TOLD_FIELDS = ("vendorId", "amount", "invoice", "purchaseOrderNumber")
_NAMELESS = frozenset({"vendorName"})
_HIDDEN_APPROVERS = frozenset({"approvers"})


def list_bills(call: Call) -> Reply:
    """`GET /v3/bills`."""
    return call.answer_list(call.organization.bills, "bills", BILLS, without=_hidden(call))


def get_bill(call: Call) -> Reply:
    """`GET /v3/bills/{billId}`; approvers with `billApprovals=true`, or always, by switch."""
    return call.answer(call.organization.bills.get(call.record_id()), without=_hidden(call))


def create_bill(call: Call) -> Reply:
    """`POST /v3/bills`, answered 201 without the vendor's name."""
    sent = call.body()
    row = _create(call, _checked(call, sent))
    return _answer_write(call, row, sent, 201)


def create_bills(call: Call) -> Reply:
    """`POST /v3/bills/bulk`: at most 100, all or nothing."""
    checked = [_checked(call, sent) for sent in read_bulk(call, "bills", MAX_BULK)]
    hidden = _NAMELESS | _HIDDEN_APPROVERS
    made = [
        {name: value for name, value in _create(call, body).body.items() if name not in hidden}
        for body in checked
    ]
    content = minified({"bills": made}, money_as_text=call.office.switches.money_as_text)
    return ok(content, 201)


def replace_bill(call: Call) -> Reply:
    """`PUT /v3/bills/{billId}`: lines left out are removed, lines without id are new."""
    row = _changeable(call)
    sent = call.body()
    refuse_bad_bill(call.organization, sent)
    known = {line["id"]: line for line in row.body.get("billLineItems", [])}
    lines = []
    for place, each in enumerate(_sent_lines(sent)):
        line_id = _line_id(each, known)
        if line_id is None:
            lines.append(new_line(call.office, call.organization, each, place))
        else:
            lines.append({"id": line_id, **read_line(call.organization, each, place)})
    after = {name: value for name, value in row.body.items() if name not in OWN_FIELDS}
    after |= {name: sent[name] for name in OWN_FIELDS if sent.get(name) is not None}
    return _save(call, row, {**after, "billLineItems": lines}, sent, counts_anew=True)


def patch_bill(call: Call) -> Reply:
    """`PATCH /v3/bills/{billId}`: line ids stay; a line sent without classifications loses them."""
    row = _changeable(call)
    sent = call.body()
    own = {name: value for name, value in sent.items() if name in OWN_FIELDS}
    after = merged(row.body, own)
    refuse_bad_bill(call.organization, after)
    lines = {line["id"]: line for line in deepcopy(row.body.get("billLineItems", []))}
    for place, each in enumerate(_sent_lines(sent)):
        line_id = _line_id(each, lines)
        if line_id is None:
            added = new_line(call.office, call.organization, each, place)
            lines[added["id"]] = added
            continue
        kept = {name: value for name, value in lines[line_id].items() if name != "classifications"}
        if "amount" not in each and {"quantity", "price"} & each.keys():
            kept.pop("amount")
        laid = read_line(call.organization, {**kept, **each}, place)
        lines[line_id] = {"id": line_id, **laid}
    after["billLineItems"] = list(lines.values())
    return _save(call, row, after, sent, counts_anew=sent.get("billLineItems") is not None)


def archive_bill(call: Call) -> Reply:
    """`POST /v3/bills/{billId}/archive`."""
    return _set_archived(call, archived=True)


def restore_bill(call: Call) -> Reply:
    """`POST /v3/bills/{billId}/restore`."""
    return _set_archived(call, archived=False)


def bill_event(office: Office, before: Json, after: Json) -> str:
    """The event of a change, or none where BILL does not promise one."""
    told = any(before.get(name) != after.get(name) for name in TOLD_FIELDS)
    return "bill.updated" if told or office.switches.updated_events == "all" else ""


def refuse_duplicate(
    office: Office, organization: Organization, body: Json, own: Row | None
) -> None:
    """Raise BDC_1171 for a second bill of one vendor and number, where they are not permitted."""
    forbidden = body.get("allowDuplicateInvoiceNumber") is False
    if office.switches.duplicate_invoice_numbers and not forbidden:
        return
    number = body["invoice"]["invoiceNumber"]
    for row in organization.bills:
        invoice = row.body.get("invoice", {})
        same = (row.body.get("vendorId"), invoice.get("invoiceNumber")) == (
            body["vendorId"],
            number,
        )
        if same and row is not own:
            raise refuse(422, "BDC_1171", f"Invoice number {number} already exists.")


def _checked(call: Call, sent: Json) -> Json:
    refuse_bad_bill(call.organization, sent)
    refuse_duplicate(call.office, call.organization, sent, None)
    own_id_aside = {name: value for name, value in sent.items() if name != "id"}
    return new_bill(call.office, call.organization, own_id_aside)


def _create(call: Call, body: Json) -> Row:
    assign_by_policy(call.organization, body)
    return call.office.create(call.organization, call.organization.bills, body, "bill.created")


def _changeable(call: Call) -> Row:
    row = call.organization.bills.get(call.record_id())
    setting = call.office.switches.edit_after_approval
    status = row.body.get("approvalStatus")
    closed = status == "APPROVED" or (setting == "never" and is_being_approved(row.body))
    if closed and setting != "always":
        raise refuse(422, "BDC_1143", "The bill cannot be changed after it was approved.")
    return row


def _save(call: Call, row: Row, after: Json, sent: Json, *, counts_anew: bool) -> Reply:
    refuse_duplicate(call.office, call.organization, {**after, **_permission(sent)}, row)
    before = row.body
    row.body = after
    (work_out if counts_anew else follow_amount)(call.organization, row.body)
    name_vendor(call.organization, row.body)
    if call.office.switches.edit_resets_approval:
        reset_approval(row.body)
    event = bill_event(call.office, before, row.body)
    call.office.change(call.organization, call.organization.bills, row, event)
    return _answer_write(call, row, sent)


def _permission(sent: Json) -> Json:
    name = "allowDuplicateInvoiceNumber"
    return {name: sent[name]} if name in sent else {}


def _answer_write(call: Call, row: Row, sent: Json, status: int = 200) -> Reply:
    shown = sent.get("billApprovals") is True
    return call.answer(row, status, without=_NAMELESS if shown else _NAMELESS | _HIDDEN_APPROVERS)


def _set_archived(call: Call, *, archived: bool) -> Reply:
    bills = call.organization.bills
    row = bills.get(call.record_id())
    call.office.set_archived(call.organization, bills, row, archived=archived, kind="bill")
    return call.answer(row, without=_NAMELESS | _HIDDEN_APPROVERS)


def _hidden(call: Call) -> frozenset[str]:
    asked = call.query.get("billApprovals") == "true"
    shown = asked or call.office.switches.approvers_in_plain_reads
    return frozenset() if shown else _HIDDEN_APPROVERS


def _sent_lines(sent: Json) -> list[Json]:
    lines = sent.get("billLineItems")
    if lines is None:
        return []
    if not isinstance(lines, list):
        raise bad_field("billLineItems: must be an array")
    return [as_object(line) for line in lines]


def _line_id(sent: Json, known: dict[str, Json]) -> str | None:
    line_id = sent.get("id")
    if line_id is None:
        return None
    if line_id not in known:
        raise refuse(400, "BDC_1205", f"No record found for id {line_id}.")
    return str(line_id)


ROUTES = (
    route("GET", "/v3/bills", list_bills),
    route("POST", "/v3/bills", create_bill),
    route("POST", "/v3/bills/bulk", create_bills),
    route("GET", "/v3/bills/{billId}", get_bill),
    route("PUT", "/v3/bills/{billId}", replace_bill),
    route("PATCH", "/v3/bills/{billId}", patch_bill),
    route("POST", "/v3/bills/{billId}/archive", archive_bill),
    route("POST", "/v3/bills/{billId}/restore", restore_bill),
)
