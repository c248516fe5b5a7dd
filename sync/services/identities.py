"""Who a bill is in Sage: vendor number, document number, order number; allotted once.

Allotted from our own rows only, never from what Sage holds: a suffix made because "the number is
taken" would walk round Sage's own lock and post twice. Frozen by the first intent; once a byte has
left it changes only when Sage itself said that nothing stayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.bill.types import Bill
from sync.domain.document_number import order_number, with_suffix
from sync.domain.policy import DuplicateRule
from sync.domain.problems import Problem, ProblemCode, problem
from sync.models import Posting
from sync.services.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The three numbers Sage will know the bill by, upper case."""

    vendor_number: str
    document_number: str
    order_number: str

    def columns(self) -> dict[str, object]:
        """As columns of the posting."""
        return {
            "vendor_number": self.vendor_number,
            "document_number": self.document_number,
            "order_number": self.order_number,
        }


def allot(
    work: Work, posting: Posting, bill: Bill, *, vendor_number: str, wanted: str
) -> Identity | Problem:
    """The identity of this posting, or why it cannot have one now; inside the caller's scope."""
    is_frozen = posting.identity_frozen_at is not None and not posting.is_identity_clean
    if is_frozen:
        return _frozen(posting, vendor_number=vendor_number, wanted=wanted)
    others = (
        Posting.objects.for_tenant(work.tenant_id)
        .filter(database_key=work.database_key)
        .exclude(pk=posting.pk)
    )
    same_number = others.filter(vendor_number=vendor_number)
    number, nth = wanted, 1
    may_suffix = work.policy.duplicate_rule is DuplicateRule.SUFFIX or posting.is_duplicate_accepted
    while (other := same_number.filter(document_number=number).first()) is not None:
        if not may_suffix:
            return _duplicate(posting, other)
        nth += 1
        number = with_suffix(wanted, nth)
    folded = bill.id.strip().upper()
    taken = set(
        others.filter(order_number__startswith=folded[:18]).values_list("order_number", flat=True)
    )
    order = posting.order_number or order_number(bill.id, taken=taken)
    return Identity(vendor_number=vendor_number, document_number=number, order_number=order)


def _frozen(posting: Posting, *, vendor_number: str, wanted: str) -> Identity | Problem:
    is_same = posting.vendor_number == vendor_number and (
        posting.document_number == wanted or posting.document_number.startswith(f"{wanted}-")
    )
    if is_same:
        return Identity(
            vendor_number=posting.vendor_number,
            document_number=posting.document_number,
            order_number=posting.order_number,
        )
    return problem(
        ProblemCode.SENT_UNDER_OTHER_NUMBER,
        f"It was sent as document {posting.document_number} of vendor {posting.vendor_number}, the"
        " answer was lost, and Sage has not shown it. Now it would go as document"
        f" {wanted} of vendor {vendor_number}. Look in Sage for the first one, then press “I"
        " looked in Sage”.",
    )


def _duplicate(posting: Posting, other: Posting) -> Problem:
    return problem(
        ProblemCode.POSSIBLE_DUPLICATE,
        f"Another bill of {posting.vendor_name} has the invoice number {posting.invoice_number}"
        f" ({other.amount:,.2f}, {other.invoice_date}). If this one is a different invoice, say yes"
        " and it gets a suffix; if it is the same, exclude it here.",
        subject=str(other.pk),
        subject_name=other.invoice_number,
    )


def held_elsewhere(posting: Posting, values: Mapping[str, object]) -> Problem:
    """The sentence for a number that a row outside this tenant's sight holds."""
    number = values.get("document_number") or posting.document_number
    return problem(
        ProblemCode.NUMBER_HELD_ELSEWHERE,
        f"Document {number} of this vendor is already on its way to this Sage database from another"
        " company. Exclude one of the two.",
    )


def given_back(posting: Posting) -> dict[str, object]:
    """The columns that free an identity that was never frozen; {} for a frozen one."""
    if posting.identity_frozen_at is not None:
        return {}
    return {"vendor_number": "", "document_number": "", "order_number": "", "invoice": None}
