"""Taxes and totals of an entry: calculated by authority and class, or taken as entered."""

from __future__ import annotations

from decimal import Decimal

from integrations.standins.sage300.company import Company
from integrations.standins.sage300.errors import field_invalid
from integrations.standins.sage300.schema import Row
from integrations.standins.sage300.values import rounded

FIVE = range(1, 6)
_NOTHING = Decimal(0)


def set_tax_group(company: Company, row: Row) -> None:
    """Take over the authorities of the tax group named in the row."""
    code = row["TaxGroup"]
    group = company.table("TXTaxGroups").find(code, "Purchases") if code else None
    if code and group is None:
        raise field_invalid(f"Tax group '{code}' does not exist.")
    for number in FIVE:
        row[f"TaxAuthority{number}"] = group[f"TaxAuthority{number}"] if group else ""
    row["TaxGroupDescription"] = group["Description"] if group else ""
    row["Taxable"] = "Yes" if row["TaxAuthority1"] else "No"


def total_up(company: Company, row: Row) -> None:
    """Work out taxes, distributed totals and what is left undistributed."""
    is_calculated = row["TaxAmountControl"] == "Calculate"
    sums = dict.fromkeys(FIVE, _NOTHING)
    net = gross = _NOTHING
    for line in row["InvoiceDetails"]:
        if is_calculated:
            _calculate_line(company, row, line)
        included = sum((line[f"TaxAmount{n}"] for n in FIVE if _included(line, n)), _NOTHING)
        taxes = sum((line[f"TaxAmount{n}"] for n in FIVE), _NOTHING)
        line["TaxTotal"] = taxes
        line["TaxAmountIncludedInPrice"] = included
        line["DistributedAmountBeforeTaxes"] = line["DistributedAmount"] - included
        line["GLDistributedAmount"] = line["FunctionalDistributedAmount"] = line[
            "DistributedAmount"
        ]
        net += line["DistributedAmountBeforeTaxes"]
        gross += line["DistributedAmount"] + taxes - included
        for number in FIVE:
            sums[number] += line[f"TaxAmount{number}"]
    _set_header(row, net=net, gross=gross, sums=sums, is_calculated=is_calculated)


def _set_header(
    row: Row, *, net: Decimal, gross: Decimal, sums: dict[int, Decimal], is_calculated: bool
) -> None:
    distributed = sum(sums.values(), _NOTHING)
    if is_calculated:
        for number in FIVE:
            row[f"TaxAmount{number}"] = sums[number]
            row[f"TaxBase{number}"] = net if row[f"TaxAuthority{number}"] else _NOTHING
    entered = sum((Decimal(row[f"TaxAmount{number}"]) for number in FIVE), _NOTHING)
    if not distributed and entered:  # entered on the header only: spread over the lines by Sage
        distributed, gross = entered, gross + entered
    row["TaxTotal"] = entered
    row["TotalDistributedTax"] = distributed
    if row["DocumentTotalIncludingTax"] == 0 and row["DocumentTotalBeforeTaxes"]:
        row["DocumentTotalIncludingTax"] = row["DocumentTotalBeforeTaxes"] + entered
    row["DocumentTotalBeforeTaxes"] = row["DocumentTotalIncludingTax"] - entered
    row["DistributedTotalBeforeTaxes"] = net
    row["DistributedTotalIncludingTax"] = gross
    row["FunctionalDistributionWithTaxTotal"] = gross
    row["UndistributedAmount"] = row["DocumentTotalIncludingTax"] - gross


def _included(line: Row, number: int) -> bool:
    return bool(line[f"TaxInclusive{number}"] == "Yes")


def _calculate_line(company: Company, row: Row, line: Row) -> None:
    if not row["TaxAuthority1"]:
        return
    amount = Decimal(line["DistributedAmount"])
    rates = {number: _rate(company, row, line, number) for number in FIVE}
    included = sum((rate for number, rate in rates.items() if _included(line, number)), _NOTHING)
    net = amount / (1 + included / 100)
    for number, rate in rates.items():
        line[f"TaxRate{number}"] = rate
        line[f"TaxAmount{number}"] = rounded(net * rate / 100)
        line[f"BaseTax{number}"] = rounded(net) if row[f"TaxAuthority{number}"] else _NOTHING


def _rate(company: Company, row: Row, line: Row, number: int) -> Decimal:
    authority = row[f"TaxAuthority{number}"]
    if not authority:
        return _NOTHING
    buyer_class, item_class = row[f"TaxClass{number}"] or 1, line[f"TaxClass{number}"] or 1
    rates = company.table("TXTaxRates").find(authority, "Purchases", buyer_class)
    if rates is None or item_class > 10:
        return _NOTHING
    return Decimal(rates[f"ItemRate{item_class}"])
