"""Rows of Sage's lists: accounts, groups, calendars, posted documents, posting messages.

Posted documents, posting messages and the posting process have no published sample: their names
follow the rule Sage uses elsewhere, and where a sister resource spells one otherwise, both
spellings are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from integrations.sage300.types import (
    CompanyProfile,
    FiscalPeriod,
    GLAccount,
    PostedDocument,
    PostingError,
    PostProcess,
    VendorGroup,
)
from integrations.sage300.values import (
    Row,
    WireError,
    amount,
    day,
    folded,
    is_yes,
    text,
    unformatted,
    whole,
)

ACCOUNT_PROPERTIES = (
    "UnformattedAccount",
    "AccountNumber",
    "Description",
    "Status",
    "PostToAccount",
    "ControlAccount",
    "Multicurrency",
    "RollupSwitch",
)
PERIODS_IN_A_YEAR = 13
SWITCHES = ("LockedFiscalPeriod", "InactiveGLAccount", "NonexistentGLAccount")

_SEQUENCE = ("PostingSequenceNo", "PostingSequenceNumber")
_AMOUNTS = (
    "VendCurrencyInvoiceAmount",
    "VendorCurrencyInvoiceAmount",
    "FuncCurrencyInvoiceAmount",
    "FunctionalCurrencyInvoiceAmount",
)
_FROM = ("FromBatch", "PostBatchFrom")
_TO = ("ToBatch", "PostBatchTo")
_ALL = ("ProcessAllBatches", "PostAllBatches")


def parse_account(row: Row) -> GLAccount:
    """A general ledger account."""
    formatted = text(row, "AccountNumber", "UnformattedAccount")
    number = unformatted(text(row, "UnformattedAccount") or formatted)
    if not number:
        raise WireError("an account without its number")
    return GLAccount(
        number=number,
        formatted=formatted,
        description=text(row, "Description"),
        is_active=text(row, "Status") != "Inactive",
        post_to=text(row, "PostToAccount") or "Detail",
        is_control=is_yes(row.get("ControlAccount")),
        is_rollup=is_yes(row.get("RollupSwitch")),
        is_multicurrency=is_yes(row.get("Multicurrency")),
    )


def parse_group(row: Row) -> VendorGroup:
    """A vendor group."""
    account = text(row, "GeneralLedgerAccountNumber", "GeneralLedgerAccountNo", "GLAccount")
    return VendorGroup(
        code=folded(row, "GroupCode"),
        description=text(row, "Description"),
        is_active=text(row, "Status") != "Inactive",
        currency=folded(row, "CurrencyCode"),
        terms=folded(row, "Terms", "TermsCode"),
        tax_group=folded(row, "TaxGroup"),
        account_set=folded(row, "AccountSet"),
        gl_account=unformatted(account),
    )


def periods_of(row: Row) -> Iterator[FiscalPeriod]:
    """The periods of one fiscal year.

    Whether a period is locked for payables cannot be read; a year that is not active is closed.
    """
    year = text(row, "FiscalYear")
    is_active = row.get("Active") is None or is_yes(row["Active"])
    for number in range(1, PERIODS_IN_A_YEAR + 1):
        first = day(row.get(f"FiscalPeriod{number}StartDate"))
        last = day(row.get(f"FiscalPeriod{number}EndDate"))
        if first is None or last is None or last < first:
            continue
        yield FiscalPeriod(
            year=year,
            period=f"{number:02d}",
            first_date=first,
            last_date=last,
            is_open=is_active,
        )


def parse_profile(row: Row) -> CompanyProfile:
    """The company's name, currency, and how strict it is."""
    return CompanyProfile(
        name=text(row, "Name"),
        functional_currency=folded(row, "FunctionalCurrency"),
        is_multicurrency=is_yes(row.get("Multicurrency")),
        switches={name: text(row, name) for name in SWITCHES if text(row, name)},
    )


def parse_posted(row: Row) -> PostedDocument:
    """A document in the ledger."""
    found = next((amount(row[name]) for name in _AMOUNTS if row.get(name) is not None), None)
    return PostedDocument(
        vendor_number=folded(row, "VendorNumber"),
        document_number=folded(row, "DocumentNumber"),
        order_number=folded(row, "OrderNumber"),
        batch_number=whole(row.get("BatchNumber")),
        entry_number=whole(row.get("EntryNumber")),
        posting_sequence=whole(text(row, *_SEQUENCE)),
        amount=found,
    )


def parse_posting_error(row: Row) -> PostingError:
    """Why an entry was not posted, and where Sage moved it."""
    return PostingError(
        batch_number=whole(row.get("BatchNumber")),
        entry_number=whole(row.get("EntryNumber")),
        message=text(row, "ErrorDescription", "Description"),
        error_batch=whole(text(row, "ErrorBatchNumber", "ErrorBatch")),
        error_entry=whole(text(row, "ErrorEntryNumber", "ErrorEntry")),
    )


def parse_post_process(row: Row) -> PostProcess | None:
    """The names this server gives to posting; None unless it names all three.

    The template must itself say "do not post all": a guessed word could be ignored, and a posting
    process that ignores it would post every batch of the company.
    """
    from_field = _first(row, _FROM)
    to_field = _first(row, _TO)
    all_field = _first(row, _ALL)
    if not (from_field and to_field and all_field):
        return None
    choice = text(row, all_field)
    if not choice.lower().replace(" ", "").startswith("donot"):
        return None
    return PostProcess(
        from_field=from_field, to_field=to_field, all_field=all_field, not_all_value=choice
    )


def _first(row: Row, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in row), "")
