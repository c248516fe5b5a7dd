"""Vendors: made from their group's defaults, changed property by property in the order sent."""

from __future__ import annotations

from typing import Any

from integrations.standins.sage300.company import Company
from integrations.standins.sage300.errors import SageError, field_invalid
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.values import check_payload, take

VENDOR = ENTITIES["Vendor"]
_OPTIONAL = ENTITIES["VendorOptionalFieldValue"]
_FROM_GROUP = {
    "AccountSet": "AccountSet",
    "CurrencyCode": "CurrencyCode",
    "RateType": "RateType",
    "BankCode": "BankCode",
    "DistributionType": "DistributionType",
    "DistributionSet": "DistributionSet",
    "DistributionCode": "DistributionCode",
    "GeneralLedgerAccountNumber": "GLAccount",
    "Terms": "Terms",
    "DuplicateAmountCode": "DuplicateAmountCode",
    "DuplicateDateCode": "DuplicateDateCode",
    "TaxGroup": "TaxGroup",
    "TaxReportingType": "TaxReportingType",
    "Num1099CPRSCode": "Num1099CPRSCode",
    "PaymentCode": "PaymentCode",
} | {
    f"{group}{number}": f"{vendor}{number}"
    for group, vendor in (("TaxClass", "TaxClassCode"), ("TaxIncluded", "TaxIncluded"))
    for number in range(1, 6)
}
_CHECKED_IN = {
    "Terms": ("APTerms", "Terms code"),
    "AccountSet": ("APAccountSets", "Account set"),
    "DistributionCode": ("APDistributionCodes", "Distribution code"),
    "CurrencyCode": ("CSCurrencyCodes", "Currency code"),
}
_KEPT_BY_SAGE = frozenset(
    name
    for name in VENDOR.properties
    if name.startswith(("Balance", "Number", "DateOf", "Total", "Last", "Largest", "High"))
) | {"InactiveDate", "DateLastMaintained", "UpdateOperation", "APVersion", "Database"}


def create(company: Company, payload: object, session: Session) -> Row:
    """Insert a vendor. Needs number, name and an active group."""
    checked = check_payload(VENDOR, payload, session.switches)
    row = VENDOR.new(
        Status="Active",
        OnHold="NotOnHold",
        DistributionType="GLAccount",
        StartDate=session.date,
        DateLastMaintained=session.date,
        CheckLanguage="ENG",
    )
    _apply(company, row, checked, session)
    for name, title in (("VendorNumber", "Vendor number"), ("GroupCode", "Group code")):
        if not row[name]:
            raise field_invalid(f"{title} cannot be blank.")
    if not row["VendorName"]:
        raise field_invalid("Vendor name cannot be blank.")
    if company.table("APVendors").find(row["VendorNumber"]) is not None:
        raise SageError("RecordDuplicate", f"Vendor '{row['VendorNumber']}' already exists.")
    company.table("APVendors").put(row)
    return row


def change(
    company: Company, row: Row, payload: object, session: Session, *, replace: bool = False
) -> None:
    """Change what is sent; with `replace` (PUT) the optional fields not sent are purged."""
    checked = dict(check_payload(VENDOR, payload, session.switches))
    checked.pop("VendorNumber", None)
    changed = row | {"VendorOptionalFieldValues": list(row["VendorOptionalFieldValues"])}
    if replace:
        changed["VendorOptionalFieldValues"] = []
    _apply(company, changed, checked, session)
    if changed["Status"] == "Inactive" and row["Status"] == "Active":
        if _is_busy(company, row["VendorNumber"]):
            raise field_invalid(
                f"Vendor '{row['VendorNumber']}' has open transactions and cannot be inactive."
            )
        changed["InactiveDate"] = session.date
    changed["DateLastMaintained"] = session.date
    row.update(changed)


def delete(company: Company, row: Row) -> None:
    """Remove a vendor that has no transactions."""
    if _is_busy(company, row["VendorNumber"]):
        raise SageError("General", f"Vendor '{row['VendorNumber']}' has transactions.")
    company.table("APVendors").drop(row["VendorNumber"])


def _is_busy(company: Company, number: str) -> bool:
    if any(vendor == number for vendor, _ in company.state.unposted):
        return True
    posted = company.table("APPostedDocuments").rows()
    return any(document["VendorNumber"] == number for document in posted)


def _apply(company: Company, row: Row, payload: Row, session: Session) -> None:
    for name, value in payload.items():
        if name in _KEPT_BY_SAGE or name.startswith("@odata."):
            continue
        if name == "VendorOptionalFieldValues":
            _apply_optional_fields(company, row, value, session)
            continue
        _set(company, row, name, take(VENDOR.properties[name], value, session.switches))


def _set(company: Company, row: Row, name: str, value: Any) -> None:
    row[name] = value
    if name == "GroupCode":
        _take_group_defaults(company, row)
    elif name == "GLAccount" and value and company.account(value) is None:
        raise field_invalid(f"G/L account '{value}' does not exist.")
    elif name == "TaxGroup" and value:
        if company.table("TXTaxGroups").find(value, "Purchases") is None:
            raise field_invalid(f"Tax group '{value}' does not exist.")
    elif name in _CHECKED_IN and value:
        resource, title = _CHECKED_IN[name]
        if company.table(resource).find(value) is None:
            raise field_invalid(f"{title} '{value}' does not exist.")


def _take_group_defaults(company: Company, row: Row) -> None:
    group = company.table("APVendorGroups").find(row["GroupCode"])
    if group is None:
        raise field_invalid(f"Vendor group '{row['GroupCode']}' does not exist.")
    if group["Status"] != "Active":
        raise field_invalid(f"Vendor group '{row['GroupCode']}' is inactive.")
    for source, target in _FROM_GROUP.items():
        row[target] = group[source]


def _apply_optional_fields(company: Company, row: Row, sent: list[Row], session: Session) -> None:
    rows = {kept["OptionalField"]: kept for kept in row["VendorOptionalFieldValues"]}
    for change_row in sent:
        name = take(
            _OPTIONAL.properties["OptionalField"], change_row.get("OptionalField"), session.switches
        )
        operation = change_row.get("UpdateOperation", "Unspecified")
        if name not in company.state.optional_fields.get("vendor", ()):
            raise field_invalid(f"Optional field '{name}' does not exist.")
        if operation in {"Update", "Delete"} and name not in rows:
            raise SageError("RecordNotFound", f"Optional field '{name}' is not on the record.")
        if operation == "Delete":
            del rows[name]
            continue
        value = take(_OPTIONAL.properties["Value"], change_row.get("Value"), session.switches)
        rows[name] = _OPTIONAL.new(
            VendorNumber=row["VendorNumber"], OptionalField=name, Value=value.ljust(60), Length=60
        )
    row["VendorOptionalFieldValues"] = list(rows.values())
    row["NumberOfOptionalFields"] = len(rows)
