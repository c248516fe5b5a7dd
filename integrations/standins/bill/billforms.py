"""What a client may write into a bill, and what BILL works out from it: line amounts, the total, what
is due, and the approvers its policies name."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from integrations.standins.bill.answers import Json, bad_field, bad_fields, refuse
from integrations.standins.bill.clock import is_date
from integrations.standins.bill.office import Office
from integrations.standins.bill.organization import CLASSIFICATION_IDS, HEADER_IDS, Organization

CENT = Decimal("0.01")
LONGEST_NUMBER, LONGEST_TEXT = 21, 4000
LINE_FIELDS = ("amount", "quantity", "price", "description", "classifications")
OWN_FIELDS = (
    *("vendorId", "dueDate", "description", "purchaseOrderNumber", "payFromChartOfAccountId"),
    *("invoice", "classifications"),
)
# Invented rates: local currency for one US dollar.
EXCHANGE_RATES = {"CAD": Decimal("1.3642"), "EUR": Decimal("0.9218"), "GBP": Decimal("0.7893")}


def as_amount(value: object) -> Decimal | None:
    """A number or a numeric text as an amount; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def refuse_bad_bill(organization: Organization, body: Json) -> None:
    """Raise BILL's refusal for a bill that lacks what it must have or names what is not there."""
    sent = body.get("invoice")
    invoice: Json = sent if isinstance(sent, dict) else {}
    number = invoice.get("invoiceNumber")
    problems = [] if body.get("vendorId") else ["vendorId: must not be null"]
    if not isinstance(number, str) or not number.strip():
        problems.append("invoice.invoiceNumber: must not be blank")
    elif len(number) > LONGEST_NUMBER:
        problems.append(f"invoice.invoiceNumber: size must be between 0 and {LONGEST_NUMBER}")
    for name, value in (
        ("invoice.invoiceDate", invoice.get("invoiceDate")),
        ("dueDate", body.get("dueDate")),
    ):
        if not is_date(value):
            problems.append(f"{name}: must be a date in the form yyyy-MM-dd")
    if len(str(body.get("description") or "")) > LONGEST_TEXT:
        problems.append(f"description: size must be between 0 and {LONGEST_TEXT}")
    if problems:
        raise bad_fields(problems)
    if organization.vendors.find(body["vendorId"]) is None:
        raise refuse(400, "BDC_1205", f"No record found for id {body['vendorId']}.")
    _refuse_unknown_ids(organization, body.get("classifications"), HEADER_IDS, "classifications")


def new_line(office: Office, organization: Organization, sent: object, place: int) -> Json:
    """A line with a new id from what was sent for it."""
    line = read_line(organization, sent, place)
    return {"id": office.ids.record("bli"), **line}


def read_line(organization: Organization, sent: object, place: int) -> Json:
    """The fields of a line, its amount worked out where only quantity and price are given."""
    where = f"billLineItems[{place}]"
    if not isinstance(sent, dict):
        raise bad_field(f"{where}: must be an object")
    line = {name: sent[name] for name in LINE_FIELDS if sent.get(name) is not None}
    for name in ("amount", "quantity", "price"):
        if name in line:
            number = as_amount(line[name])
            if number is None:
                raise bad_field(f"{where}.{name}: must be a number")
            line[name] = number
    if "amount" not in line:
        if not {"quantity", "price"} <= line.keys():
            raise bad_field(f"{where}.amount: must not be null")
        line["amount"] = (line["quantity"] * line["price"]).quantize(CENT, ROUND_HALF_UP)
    if len(str(line.get("description") or "")) > LONGEST_TEXT:
        raise bad_field(f"{where}.description: size must be between 0 and {LONGEST_TEXT}")
    names = (*CLASSIFICATION_IDS, "customerId")
    _refuse_unknown_ids(organization, line.get("classifications"), names, where)
    return line


def read_lines(office: Office, organization: Organization, sent: object) -> list[Json]:
    """New lines for everything sent."""
    if sent is None:
        return []
    if not isinstance(sent, list):
        raise bad_field("billLineItems: must be an array")
    return [new_line(office, organization, each, place) for place, each in enumerate(sent)]


def work_out(organization: Organization, body: Json) -> None:
    """Set the total from the lines, and what follows from the total."""
    lines = body.get("billLineItems") or []
    body["amount"] = sum((line["amount"] for line in lines), Decimal(0))
    follow_amount(organization, body)


def follow_amount(organization: Organization, body: Json) -> None:
    """Set what follows from the total: what is due, and dollars for a foreign vendor."""
    spent = body.get("paidAmount", Decimal(0)) + body.get("creditAmount", Decimal(0))
    body["dueAmount"] = body["amount"] - spent
    vendor = organization.vendors.find(body.get("vendorId"))
    currency = vendor.body.get("billCurrency", "USD") if vendor else "USD"
    if currency == "USD":
        body.pop("fundingAmount", None)
        body.pop("exchangeRate", None)
        return
    rate = body.setdefault("exchangeRate", EXCHANGE_RATES.get(currency, Decimal(1)))
    body["fundingAmount"] = (body["amount"] / rate).quantize(CENT, ROUND_HALF_UP)


def new_bill(office: Office, organization: Organization, sent: Json) -> Json:
    """A whole bill from the fields sent, without its vendor's name."""
    body: Json = {
        "id": sent.get("id") or office.ids.record("00n"),
        "archived": False,
        **{name: sent[name] for name in OWN_FIELDS if sent.get(name) is not None},
        "billLineItems": read_lines(office, organization, sent.get("billLineItems")),
        "paymentStatus": "UNPAID",
        "approvalStatus": "UNASSIGNED",
        "scheduledAmount": Decimal(0),
        "creditAmount": Decimal(0),
        "paidAmount": Decimal(0),
    }
    work_out(organization, body)
    name_vendor(organization, body)
    return body


def name_vendor(organization: Organization, body: Json) -> None:
    """Write the vendor's present name into a bill."""
    vendor = organization.vendors.find(body.get("vendorId"))
    if vendor is not None:
        body["vendorName"] = vendor.body.get("name", "")


def _refuse_unknown_ids(
    organization: Organization, sent: object, names: tuple[str, ...], where: str
) -> None:
    if sent is None:
        return
    if not isinstance(sent, dict):
        raise bad_field(f"{where}: must be an object")
    for name, record_id in sent.items():
        if name not in names:
            raise bad_field(f"{where}.{name}: is not known")
        kind = CLASSIFICATION_IDS.get(name)
        if kind and record_id and organization.classifications[kind].find(record_id) is None:
            raise refuse(400, "BDC_1205", f"No record found for id {record_id}.")
