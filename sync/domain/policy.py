"""One company's policy: every choice the product makes about its bills, as one frozen value.

The defaults are the careful ones. A `Policy` that exists is consistent: making one with values that
cannot work raises `PolicyRefused`, with a sentence for each field, so that a form, the API and the
provision command say the same. The words of each choice stand in `policy_fields.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from string import Formatter

from integrations.sage300.types import GL_ACCOUNT_LENGTH, VENDOR_NUMBER_LENGTH

SMALLEST_BATCH, LARGEST_BATCH = 1, 100
SHORTEST_CADENCE, LONGEST_CADENCE = 5, 86_400
SAGE_CODE_LENGTH, TAX_GROUP_LENGTH = 6, 12
TEMPLATE_PARTS = frozenset({"tag", "date", "count", "company", "period"})


class UnassignedBills(StrEnum):
    """What happens to bills for which BILL has no approver."""

    LEAVE = "leave"
    POST = "post"


class PostingDateRule(StrEnum):
    """Which day Sage takes as the posting date."""

    INVOICE_DATE = "invoice_date"
    APPROVAL_SEEN = "approval_seen"
    TODAY = "today"


class ClosedPeriodRule(StrEnum):
    """What happens when the posting date's period takes no postings."""

    HOLD = "hold"
    NEXT_OPEN = "next_open"


class Release(StrEnum):
    """How far a batch goes in Sage without a person."""

    OPEN = "open"
    READY = "ready"
    POST = "post"


class VendorCreation(StrEnum):
    """What happens to a vendor that no exact rule links."""

    PERSON = "person"
    CREATE_NEW = "create_new"


class StoredNumberRule(StrEnum):
    """Which BILL field, if any, this company keeps the Sage vendor number in."""

    NOTHING = "nothing"
    SHORT_NAME = "short_name"
    ACCOUNT_NUMBER = "account_number"


class NumberSource(StrEnum):
    """What a new vendor's number is made from."""

    NAME = "name"
    ACCOUNT_NUMBER = "account_number"
    SHORT_NAME = "short_name"
    COUNTER = "counter"


class TaxRule(StrEnum):
    """How tax is understood; BILL has no tax lines."""

    TOTALS_ARE_OWED = "totals_are_owed"
    HOLD_TAX_GROUP = "hold_tax_group"


class DuplicateRule(StrEnum):
    """A second bill with the vendor and invoice number of another."""

    REVIEW = "review"
    SUFFIX = "suffix"


class ReviewRule(StrEnum):
    """Whether a person says yes to every bill."""

    AUTO = "auto"
    REVIEW_ALL = "review_all"


class VendorField(StrEnum):
    """A field of a Sage vendor that a company may let BILL's side write."""

    NAME = "name"
    SHORT_NAME = "short_name"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    TERMS = "terms"
    TAX_GROUP = "tax_group"
    GL_ACCOUNT = "gl_account"


class PolicyRefused(ValueError):
    """A policy that cannot work; `errors` has one sentence for each field at fault."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorNumberRule:
    """How numbers of new vendors are made: `width` is the whole length, prefix included."""

    prefix: str = ""
    source: NumberSource = NumberSource.NAME
    width: int = VENDOR_NUMBER_LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """See `policy_fields.POLICY_FIELDS` for the question each field answers.

    `cutover_date` is a day in the company's time zone, compared with the bill's creation.
    `number_map` leads from a BILL vendor's id, or else its exact name, to a Sage vendor number.
    """

    unassigned_bills: UnassignedBills = UnassignedBills.LEAVE
    cutover_date: date | None = None
    posting_date_rule: PostingDateRule = PostingDateRule.INVOICE_DATE
    closed_period_rule: ClosedPeriodRule = ClosedPeriodRule.HOLD
    first_open_date: date | None = None
    release: Release = Release.OPEN
    review: ReviewRule = ReviewRule.AUTO
    batch_size: int = 25
    batch_description: str = "{tag} BILL {date}"
    vendor_creation: VendorCreation = VendorCreation.PERSON
    stored_number_rule: StoredNumberRule = StoredNumberRule.NOTHING
    number_map: Mapping[str, str] = field(default_factory=dict, hash=False)
    vendor_number_rule: VendorNumberRule = VendorNumberRule()
    vendor_group: str = ""
    vendor_terms: str = ""
    vendor_tax_group: str = ""
    vendor_gl_account: str = ""
    owned_vendor_fields: frozenset[VendorField] = frozenset()
    catch_all_account: str = ""
    tax_rule: TaxRule = TaxRule.TOTALS_ARE_OWED
    duplicate_rule: DuplicateRule = DuplicateRule.REVIEW
    currency: str = "USD"
    cadence_seconds: int = 300

    def __post_init__(self) -> None:
        errors = {**_number_errors(self), **_text_errors(self), **_vendor_errors(self)}
        if errors:
            raise PolicyRefused(errors)


def _number_errors(policy: Policy) -> dict[str, str]:
    errors = {}
    if not SMALLEST_BATCH <= policy.batch_size <= LARGEST_BATCH:
        errors["batch_size"] = (
            f"A batch holds {SMALLEST_BATCH} to {LARGEST_BATCH} invoices, not {policy.batch_size}."
        )
    if not SHORTEST_CADENCE <= policy.cadence_seconds <= LONGEST_CADENCE:
        errors["cadence_seconds"] = (
            f"BILL is read every {SHORTEST_CADENCE} seconds at most and once a day at least, "
            f"not every {policy.cadence_seconds} seconds."
        )
    return errors


def _text_errors(policy: Policy) -> dict[str, str]:
    errors = {}
    if not (len(policy.currency) == 3 and policy.currency.isascii() and policy.currency.isupper()):
        errors["currency"] = (
            f"A currency is three capital letters such as USD, not “{policy.currency}”."
        )
    template = template_error(policy.batch_description)
    if template:
        errors["batch_description"] = template
    lengths = {
        "vendor_group": SAGE_CODE_LENGTH,
        "vendor_terms": SAGE_CODE_LENGTH,
        "vendor_tax_group": TAX_GROUP_LENGTH,
        "vendor_gl_account": GL_ACCOUNT_LENGTH,
        "catch_all_account": GL_ACCOUNT_LENGTH,
    }
    for name, longest in lengths.items():
        value: str = getattr(policy, name)
        if len(value) > longest:
            errors[name] = f"Sage has {longest} characters here, “{value}” has {len(value)}."
    return errors


def _vendor_errors(policy: Policy) -> dict[str, str]:
    errors = {}
    rule = policy.vendor_number_rule
    if not 1 <= rule.width <= VENDOR_NUMBER_LENGTH:
        errors["vendor_number_rule"] = (
            f"A Sage vendor number has 1 to {VENDOR_NUMBER_LENGTH} characters, not {rule.width}."
        )
    elif rule.prefix and not (rule.prefix.isascii() and rule.prefix.replace("-", "").isalnum()):
        errors["vendor_number_rule"] = (
            f"The prefix of vendor numbers is letters, digits and dashes, not “{rule.prefix}”."
        )
    elif rule.width - len(rule.prefix) < 3:
        errors["vendor_number_rule"] = (
            f"The prefix “{rule.prefix}” leaves fewer than 3 of {rule.width} characters, "
            "too few to tell vendors apart."
        )
    long = [number for number in policy.number_map.values() if len(number) > VENDOR_NUMBER_LENGTH]
    empty = [key for key, number in policy.number_map.items() if not key or not number.strip()]
    if long:
        errors["number_map"] = f"“{long[0]}” is longer than a Sage vendor number's 12 characters."
    elif empty:
        errors["number_map"] = "Each line of the number map needs a BILL vendor and a Sage number."
    if policy.vendor_creation is VendorCreation.CREATE_NEW and not policy.vendor_group:
        errors["vendor_group"] = (
            "To create vendors, Sage needs a vendor group; choose the one new vendors go into."
        )
    return errors


def template_error(template: str) -> str:
    """Why this batch description cannot be used, or ""."""
    try:
        pieces = [piece for piece in Formatter().parse(template) if piece[1] is not None]
    except ValueError:
        return "The batch description has a brace without its partner."
    if any(spec or conversion for _, _, spec, conversion in pieces):
        return "The batch description takes its parts as they are, such as {date}, unformatted."
    parts = {name for _, name, _, _ in pieces if name is not None}
    unknown = sorted(parts - TEMPLATE_PARTS)
    if unknown:
        known = ", ".join(f"{{{part}}}" for part in sorted(TEMPLATE_PARTS))
        return f"The batch description knows {known}, not {{{unknown[0]}}}."
    if "tag" not in parts:
        return "The batch description must hold {tag}: by it we find our batches again in Sage."
    return ""
