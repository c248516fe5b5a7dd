"""The distributions of an entry: accounts, codes, amounts, and how lines are told apart."""

from __future__ import annotations

from typing import Any

from integrations.standins.sage300.company import Company, canonical
from integrations.standins.sage300.errors import SageError, field_invalid
from integrations.standins.sage300.schema import ENTITIES, Row
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.taxes import FIVE
from integrations.standins.sage300.values import take

LINE = ENTITIES["InvoiceDetail"]
_OPTIONAL = ENTITIES["InvoiceDetailOptionalField"]
_STEP = 20
_KEPT_BY_SAGE = frozenset(
    {
        "BatchNumber",
        "EntryNumber",
        "LineNumber",
        "UpdateOperation",
        "TaxTotal",
        "DistributedAmountBeforeTaxes",
        "TaxAmountIncludedInPrice",
        "GLDistributedAmount",
        "InvoiceDetailOptionalFields",
    }
)


def apply_lines(company: Company, entry: Row, sent: list[Row], session: Session) -> None:
    """Insert, update and delete lines as each row says."""
    lines = {line["LineNumber"]: line for line in entry["InvoiceDetails"]}
    for payload in sent:
        number = int(payload.get("LineNumber", 0))
        operation = payload.get("UpdateOperation", "Unspecified")
        if operation in {"Update", "Delete"} and number not in lines:
            raise SageError("RecordNotFound", f"Line {number} does not exist.")
        if operation == "Delete":
            del lines[number]
        elif operation == "Insert" or number not in lines:
            line = _new_line(entry, max(lines, default=0) + _STEP)
            _apply(company, line, payload, session)
            lines[line["LineNumber"]] = line
        else:
            lines[number] = line = lines[number].copy()
            _apply(company, line, payload, session)
    entry["InvoiceDetails"] = [lines[number] for number in sorted(lines)]
    entry["NumberOfDetails"] = entry["NumberOfDetailsDecimal"] = len(lines)


def check_lines(company: Company, entry: Row, session: Session) -> None:
    """Raise for a line without an account or with one that A/P may not use."""
    for line in entry["InvoiceDetails"]:
        if not line["GLAccount"]:
            raise field_invalid(f"G/L account cannot be blank. Line {line['LineNumber']}.")
        check_account(company, line["GLAccount"], session)


def check_account(company: Company, number: str, session: Session) -> None:
    """Refuse, warn or accept an account, as it is and as the company has chosen."""
    account, profile = company.account(number), company.profile
    if account is None:
        text = f"G/L account '{number}' is not defined in General Ledger."
        session.complain(profile["NonexistentGLAccount"], text)
        return
    shown = account["AccountNumber"]
    if account["Status"] == "Inactive":
        session.complain(profile["InactiveGLAccount"], f"G/L account '{shown}' is inactive.")
    if account["PostToAccount"] == "Prohibited":
        raise field_invalid(f"Posting to G/L account '{shown}' is prohibited.")
    if account["ControlAccount"] == "Yes":
        raise field_invalid(f"G/L account '{shown}' is a control account closed to A/P.")
    if account["RollupSwitch"] == "Yes":
        raise field_invalid(f"G/L account '{shown}' is a rollup account.")


def _new_line(entry: Row, number: int) -> Row:
    line = LINE.new(
        BatchNumber=entry["BatchNumber"],
        EntryNumber=entry["EntryNumber"],
        LineNumber=number,
        Discountable="Yes",
        ReverseChargeable1="No",
    )
    for index in FIVE:
        line[f"TaxInclusive{index}"] = entry[f"TaxInclusive{index}"]
        line[f"TaxClass{index}"] = 1 if entry[f"TaxAuthority{index}"] else 0
    return line


def _apply(company: Company, line: Row, payload: Row, session: Session) -> None:
    for name, value in payload.items():
        if name in _KEPT_BY_SAGE or name.startswith("@odata."):
            continue
        stored = take(LINE.properties[name], value, session.switches)
        line[name] = stored
        if name == "DistributionCode" and stored:
            _take_code_defaults(company, line)
        elif name == "GLAccount":
            _echo_account(company, line, session)
    line["CommentAttached"] = "Yes" if line["Comment"] else "No"
    sent = payload.get("InvoiceDetailOptionalFields")
    if sent is not None:
        line["InvoiceDetailOptionalFields"] = optional_rows(company, "line", sent, session)
        line["NumberOfOptionalFields"] = len(line["InvoiceDetailOptionalFields"])


def _take_code_defaults(company: Company, line: Row) -> None:
    code = company.table("APDistributionCodes").find(line["DistributionCode"])
    if code is None:
        raise field_invalid(f"Distribution code '{line['DistributionCode']}' does not exist.")
    if code["Status"] != "Active":
        raise field_invalid(f"Distribution code '{line['DistributionCode']}' is inactive.")
    line["GLAccount"] = code["GLAccount"]
    line["DistributionDescription"] = code["Description"]
    line["Discountable"] = code["Discountable"]


def _echo_account(company: Company, line: Row, session: Session) -> None:
    account = company.account(line["GLAccount"])
    line["AccountExists"] = 1 if account else 0
    line["AccountDescription"] = account["Description"] if account else ""
    if session.switches.account_echo == "unformatted":
        line["GLAccount"] = canonical(line["GLAccount"])
    elif session.switches.account_echo == "formatted" and account:
        line["GLAccount"] = account["AccountNumber"]


def optional_rows(company: Company, kind: str, sent: list[Row], session: Session) -> list[Row]:
    """Optional field rows of an entry or a line; the values come back padded to 60."""
    entity = _OPTIONAL if kind == "line" else ENTITIES["InvoiceOptionalField"]
    rows: dict[str, Any] = {}
    for payload in sent:
        name = take(
            entity.properties["OptionalField"], payload.get("OptionalField"), session.switches
        )
        if name not in company.state.optional_fields.get(kind, ()):
            raise field_invalid(f"Optional field '{name}' does not exist.")
        if payload.get("UpdateOperation") == "Delete":
            rows.pop(name, None)
            continue
        value = take(entity.properties["Value"], payload.get("Value"), session.switches)
        rows[name] = entity.new(OptionalField=name, Value=value.ljust(60), Length=60)
    return list(rows.values())
