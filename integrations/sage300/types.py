"""Sage 300's vocabulary as plain frozen values, with nothing of BILL in it.

Amounts are Decimal with three decimals at most; dates are calendar dates (Sage's midnight Z carries
no time zone); numbers Sage stores under an upper-casing mask are upper case here.
Lengths: reference of the A/P views (AP0015, AP0020-AP0022).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

VENDOR_NUMBER_LENGTH = 12
VENDOR_NAME_LENGTH = 60
SHORT_NAME_LENGTH = 10
DOCUMENT_NUMBER_LENGTH = 22
ORDER_NUMBER_LENGTH = 22
PO_NUMBER_LENGTH = 22
DESCRIPTION_LENGTH = 60
COMMENT_LENGTH = 250
GL_ACCOUNT_LENGTH = 45


class BatchStatus(StrEnum):
    """Sage's words for a batch, as the Web API spells them."""

    OPEN = "Open"
    READY_TO_POST = "ReadyToPost"
    POSTED = "Posted"
    POST_IN_PROGRESS = "PostInProgress"
    DELETED = "Deleted"


class TaxControl(StrEnum):
    """`TaxAmountControl` of an invoice; Calculate is Sage's own default."""

    ENTER = "Enter"
    CALCULATE = "Calculate"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDetail:
    """One distribution: which GL account (unformatted number) carries which amount."""

    gl_account: str
    amount: Decimal
    description: str = ""
    comment: str = ""
    line_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One entry of a batch: what we send, and with the last group of fields what Sage shows.

    `total` is `DocumentTotalIncludingTax`. `undistributed_amount` is None until read back.
    """

    vendor_number: str
    document_number: str
    order_number: str
    document_date: date
    posting_date: date | None
    due_date: date | None
    total: Decimal
    details: tuple[InvoiceDetail, ...]
    document_type: str = "Invoice"
    description: str = ""
    po_number: str = ""
    tax_control: TaxControl | None = TaxControl.ENTER
    entry_number: int = 0
    undistributed_amount: Decimal | None = None
    fiscal_year: str = ""
    fiscal_period: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchHeader:
    """A batch without its entries, as a list shows it; `status` keeps a word unknown to us."""

    number: int
    description: str
    status: str
    entry_count: int
    total: Decimal
    posting_sequence: int = 0
    error_count: int = 0
    last_edited: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceBatch:
    """A batch with its entries."""

    header: BatchHeader
    invoices: tuple[Invoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedDocument:
    """A row of `APPostedDocuments`: a document that is in the ledger for good."""

    vendor_number: str
    document_number: str
    order_number: str
    batch_number: int
    entry_number: int
    posting_sequence: int = 0
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingError:
    """A row of `APPostingErrorMessages`: why an entry was moved, and where to."""

    batch_number: int
    entry_number: int
    message: str
    error_batch: int = 0
    error_entry: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SageVendor:
    """A vendor of `APVendors`, in the fields this product reads or owns."""

    number: str
    name: str
    group_code: str = ""
    short_name: str = ""
    is_active: bool = True
    is_on_hold: bool = False
    currency: str = ""
    terms: str = ""
    tax_group: str = ""
    account_set: str = ""
    gl_account: str = ""
    distribution_type: str = ""
    address_lines: tuple[str, ...] = ()
    city: str = ""
    state_province: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    contact_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GLAccount:
    """A general ledger account; `number` is the unformatted key, `formatted` what people read."""

    number: str
    formatted: str
    description: str
    is_active: bool = True
    post_to: str = "Detail"
    is_control: bool = False
    is_rollup: bool = False
    is_multicurrency: bool = False

    @property
    def is_postable(self) -> bool:
        """Whether an A/P distribution may name it (Sage 300 reference, GL/GLAccounts)."""
        return self.is_active and self.post_to != "Prohibited" and not self.is_rollup


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorGroup:
    """What a vendor of this group gets by default."""

    code: str
    description: str = ""
    is_active: bool = True
    currency: str = ""
    terms: str = ""
    tax_group: str = ""
    account_set: str = ""
    gl_account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalPeriod:
    """One period of the fiscal calendar, both dates included."""

    year: str
    period: str
    first_date: date
    last_date: date
    is_open: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyProfile:
    """What `CSCompanyProfile` tells, "" where it may not be read."""

    name: str = ""
    functional_currency: str = ""
    is_multicurrency: bool = False
    switches: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostProcess:
    """The names this server's `APPostInvoices('$template')` gives to what posting needs.

    Posting is offered only where all three are known (the one client seen says
    `ProcessAllBatches`, the receivables sister says `PostAllBatches`).
    """

    from_field: str
    to_field: str
    all_field: str
    not_all_value: str
