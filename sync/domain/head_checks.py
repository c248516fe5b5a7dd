"""What must be right about a bill as a whole before its lines are worth translating.

The vendor's standing in Sage, currency, tax, and the texts of the header. Texts that merely
explain are shortened, and that is said; numbers people search by are held when they do not fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from integrations.bill.types import BillVendor
from integrations.sage300.types import DESCRIPTION_LENGTH, PO_NUMBER_LENGTH
from sync.domain.amounts import currency_problem
from sync.domain.line_accounts import Desk
from sync.domain.policy import TaxRule
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.sage_text import Fitted, fit, folded, is_storable, named
from sync.domain.words import listed, shown


def head_problems(desk: Desk, bill_vendor: BillVendor | None) -> Iterator[Problem | None]:
    """Everything that holds the whole bill, and what is worth a note."""
    bill, vendor, policy = desk.bill, desk.vendor, desk.policy
    about = {"subject": vendor.number, "subject_name": vendor.name}
    if bill.invoice_date is None:
        yield problem(
            ProblemCode.NO_INVOICE_DATE, "The bill has no invoice date. Enter it in BILL."
        )
    if not vendor.is_active:
        yield problem(
            ProblemCode.VENDOR_INACTIVE,
            f"Vendor {vendor.number} {vendor.name} is inactive in Sage. Reactivate it in Sage, or "
            "link another here.",
            **about,
        )
    if vendor.is_on_hold:
        yield problem(
            ProblemCode.VENDOR_ON_HOLD,
            f"Vendor {vendor.number} {vendor.name} is on hold in Sage: the invoice is entered, "
            "and Sage will not pay it until the hold is lifted.",
            **about,
        )
    if policy.tax_rule is TaxRule.HOLD_TAX_GROUP and vendor.tax_group:
        yield problem(
            ProblemCode.TAX_UNCLEAR,
            f"Vendor {vendor.number} has tax group {vendor.tax_group} in Sage and BILL has no tax "
            "lines. Enter the invoice in Sage by hand, or change the tax policy here.",
            **about,
        )
    yield currency_problem(bill, bill_vendor=bill_vendor, vendor=vendor, currency=policy.currency)
    yield _po_problem(bill.purchase_order_number)
    yield from text_warnings("The bill's description", fit(bill.description, DESCRIPTION_LENGTH))


def _po_problem(text: str) -> Problem | None:
    number = folded(text).upper()
    bad = list(dict.fromkeys(c for c in number if not is_storable(c)))
    if bad:
        return problem(
            ProblemCode.PO_NUMBER_CHARACTERS,
            f"Sage cannot store {listed([named(c) for c in bad])} in a purchase order number "
            f"(“{shown(number)}”). Correct it in BILL.",
        )
    if len(number) > PO_NUMBER_LENGTH:
        return problem(
            ProblemCode.PO_NUMBER_TOO_LONG,
            f"Purchase order number “{shown(number, 60)}” has {len(number)} characters, Sage has "
            f"room for {PO_NUMBER_LENGTH}. Shorten it in BILL.",
        )
    return None


def text_warnings(what: str, fitted: Fitted) -> Iterator[Problem]:
    """What a text lost on its way into Sage's field; `what` begins the sentence."""
    if fitted.is_cut:
        yield problem(
            ProblemCode.TEXT_SHORTENED,
            f"{what} is shortened to Sage's {DESCRIPTION_LENGTH} characters.",
        )
    if fitted.lost:
        yield problem(
            ProblemCode.TEXT_CHARACTERS,
            f"{what}: Sage cannot store {listed([named(c) for c in fitted.lost])}; it stands there "
            "replaced.",
        )
