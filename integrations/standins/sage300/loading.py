"""Companies and users from data: the samples, or any other file of the same shape.

Data only, no code. Records are given in Sage's own property names; what is left out is blank or
follows Sage's defaults, so that a vendor needs no more than number, name and group.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.standins.sage300 import batches, posting, vendors
from integrations.standins.sage300.company import Company, canonical
from integrations.standins.sage300.resources import RESOURCES
from integrations.standins.sage300.schema import ENTITIES
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.values import date_text

_PLAIN = {
    "account_sets": ("APAccountSets", {"Status": "Active"}),
    "vendor_groups": ("APVendorGroups", {"Status": "Active", "DistributionType": "GLAccount"}),
    "distribution_codes": ("APDistributionCodes", {"Status": "Active", "Discountable": "Yes"}),
    "currencies": ("CSCurrencyCodes", {"DecimalPlaces": "Num2"}),
    "tax_groups": ("TXTaxGroups", {"TransactionType": "Purchases"}),
    "tax_rates": ("TXTaxRates", {"TransactionType": "Purchases"}),
}


def load_company(code: str, data: Mapping[str, Any], session: Session) -> Company:
    """A company database with this content."""
    company = Company(code)
    state = company.state
    state.next_batch = int(data.get("next_batch", 1))
    state.optional_fields = {kind: list(n) for kind, n in data.get("optional_fields", {}).items()}
    state.locked_periods = {(year, period) for year, period in data.get("locked_periods", [])}
    set_profile(company, data.get("profile", {}))
    set_years(company, data.get("fiscal_years", []))
    for section, (resource, defaults) in _PLAIN.items():
        for record in data.get(section, []):
            put(company, resource, defaults | record)
    for record in data.get("terms", []):
        put_terms(company, dict(record))
    for record in data.get("accounts", []):
        put_account(company, record)
    for record in data.get("vendors", []):
        vendors.create(company, record, session)
    for record in data.get("batches", []):
        _put_batch(company, dict(record), session)
    return company


def put(company: Company, resource: str, record: Mapping[str, Any]) -> None:
    """Lay a record into the table of a resource, as it is given."""
    company.table(resource).put(ENTITIES[RESOURCES[resource].entity].new(**record))


def set_profile(company: Company, record: Mapping[str, Any]) -> None:
    """The company profile; switches that are left out refuse."""
    defaults = {
        "DatabaseID": company.code,
        "FunctionalCurrency": "USD",
        "LockedFiscalPeriod": "Error",
        "InactiveGLAccount": "Error",
        "NonexistentGLAccount": "Error",
    }
    put(company, "CSCompanyProfile", defaults | dict(record))


def set_years(company: Company, years: list[Any]) -> None:
    """Fiscal years: a number is a calendar year in twelve months, an object is taken as given."""
    for year in years:
        if isinstance(year, Mapping):
            put(company, "CSFiscalCalendars", year)
            continue
        record: dict[str, Any] = {"FiscalYear": str(year), "Active": True}
        record |= {"AdjustmentPeriodStatus": "Unlocked", "ClosingPeriodStatus": "Unlocked"}
        for month in range(1, 13):
            last = calendar.monthrange(int(year), month)[1]
            record[f"FiscalPeriod{month}StartDate"] = date_text(date(int(year), month, 1))
            record[f"FiscalPeriod{month}EndDate"] = date_text(date(int(year), month, last))
        put(company, "CSFiscalCalendars", record)


def put_terms(company: Company, record: dict[str, Any]) -> None:
    """Terms; `DueDays`, `DiscountDays` and `DiscountPercentage` stand for the schedule rows."""
    code = str(record["TermsCode"])
    company.state.due_days[code] = int(record.pop("DueDays", 0))
    percentage = Decimal(str(record.pop("DiscountPercentage", 0)))
    company.state.discounts[code] = (int(record.pop("DiscountDays", 0)), percentage)
    put(company, "APTerms", {"Status": "Active", "NumberOfPayments": 1} | record)


def put_account(company: Company, record: Mapping[str, Any]) -> None:
    """A GL account; the unformatted key follows from the account number."""
    number = str(record["AccountNumber"])
    defaults = {
        "UnformattedAccount": canonical(number),
        "AccountType": "IncomeStatement",
        "NormalBalanceDRCR": "Debit",
        "Status": "Active",
        "AccountSegmentCode1": number.partition("-")[0],
    }
    put(company, "GLAccounts", defaults | dict(record))


def _put_batch(company: Company, record: dict[str, Any], session: Session) -> None:
    entered_by = Session(
        user=record.pop("entered_by", "CLERK"), switches=session.switches, today=session.today
    )
    status = record.pop("status", "Open")
    batch = batches.create(company, record, entered_by)
    if status == "Open":
        return
    batches.set_status(company, batch, "ReadyToPost", entered_by)
    if status == "Posted":
        posting.post(company, batch, entered_by)
