"""Which resources there are, what they are keyed by, and what may be done with them."""

from __future__ import annotations

from dataclasses import dataclass

MODULES = ("AP", "AR", "BK", "CS", "GL", "IC", "OE", "PO", "TX")
_READ = frozenset({"GET"})
_ALL = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True)
class Resource:
    """A root resource. `stored`: its rows are kept in a table of their own."""

    module: str
    entity: str
    keys: tuple[str, ...]
    verbs: frozenset[str] = _READ
    right_to_read: str = ""
    right_to_write: str = ""
    stored: bool = True


RESOURCES = {
    "APVendors": Resource("AP", "Vendor", ("VendorNumber",), _ALL, "AP.read", "AP.vendors"),
    "APInvoiceBatches": Resource(
        "AP",
        "InvoiceBatch",
        ("BatchNumber",),
        frozenset({"GET", "POST", "PATCH"}),
        "AP.invoices",
        "AP.invoices",
        stored=False,
    ),
    "APVendorGroups": Resource("AP", "VendorGroup", ("GroupCode",), right_to_read="AP.read"),
    "APTerms": Resource("AP", "Terms", ("TermsCode",), right_to_read="AP.read"),
    "APAccountSets": Resource("AP", "AccountSet", ("AccountSetCode",), right_to_read="AP.read"),
    "APDistributionCodes": Resource(
        "AP", "DistributionCode", ("DistributionCodeKey",), right_to_read="AP.read"
    ),
    "APPostedDocuments": Resource(
        "AP", "PostedDocument", ("VendorNumber", "DocumentNumber"), right_to_read="AP.read"
    ),
    "APPostingErrorMessages": Resource(
        "AP",
        "PostingErrorMessage",
        (
            "BatchType",
            "PostingSequenceNo",
            "BatchNumber",
            "EntryNumber",
            "LineNumber",
            "ErrorNumber",
            "SequenceNumber",
        ),
        right_to_read="AP.read",
    ),
    "GLAccounts": Resource("GL", "GLAccount", ("UnformattedAccount",), right_to_read="GL.read"),
    "CSCompanyProfile": Resource(
        "CS",
        "CompanyProfile",
        ("DatabaseID",),
        frozenset({"GET", "PUT", "PATCH"}),
        "CS.read",
        "CS.write",
    ),
    "CSFiscalCalendars": Resource("CS", "FiscalCalendar", ("FiscalYear",), right_to_read="CS.read"),
    "CSCurrencyCodes": Resource(
        "CS", "CurrencyCode", ("CurrencyCodeKey",), right_to_read="CS.read"
    ),
    "TXTaxGroups": Resource(
        "TX", "TaxGroup", ("TaxGroupKey", "TransactionType"), right_to_read="TX.read"
    ),
    "TXTaxRates": Resource(
        "TX", "TaxRate", ("TaxAuthority", "TransactionType", "BuyerClass"), right_to_read="TX.read"
    ),
}
PROCESSES = {"APPostInvoices": "AP"}
