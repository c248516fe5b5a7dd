"""Who a bill is in Sage: vendor number, document number, order number; allotted once.

Allotted from our own rows only, never from what Sage holds: a suffix made because "the number is
taken" would walk round Sage's own lock and post twice. Frozen by the first intent; once a byte has
left it changes only when Sage itself said that nothing stayed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import IntegrityError, transaction

from integrations.bill.types import Bill
from integrations.sage300.types import Invoice
from sync.domain.document_number import (
    document_number,
    is_numbered,
    order_number,
    with_suffix,
)
from sync.domain.packing import pack
from sync.domain.policy import DuplicateRule
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.words import day
from sync.models import Posting
from sync.models.posting import PostingQuerySet
from sync.services.work import Work

_SHOWN = ("vendor_number", "document_number", "amount", "invoice_date", "invoice_number")


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


class Numbers:
    """The numbers given out in one Sage database, as far as the postings at hand ask for them.

    Read once for many postings, and kept up as they are decided one after another. Used inside the
    caller's scope, which also writes what is allotted here.
    """

    def __init__(self, work: Work, asked: Sequence[tuple[Posting, str, str]]) -> None:
        """Read who holds the numbers that these (posting, vendor, document number) ask for."""
        self._work = work
        self._decided: set[uuid.UUID] = set()
        self._holders: dict[tuple[str, str], dict[uuid.UUID, Posting]] = {}
        self._orders: dict[str, set[uuid.UUID]] = {}
        self._read = {(vendor, wanted) for _, vendor, wanted in asked}
        folded = {order_number(posting.source_id, taken=()) for posting, _, _ in asked}
        # The vendors narrow it down to the rows of the unique index; a blank number is nobody's, and
        # saying so lets the database use that index, which leaves the blank ones out.
        rows = (
            self._rows()
            .exclude(document_number="")
            .filter(
                vendor_number__in={vendor for vendor, _ in self._read},
                document_number__in={wanted for _, wanted in self._read},
            )
        )
        for row in rows.only(*_SHOWN):
            self._holders.setdefault((row.vendor_number, row.document_number), {})[row.pk] = row
        orders = self._rows().exclude(order_number="").filter(order_number__in=folded)
        for number, key in orders.values_list("order_number", "pk"):
            self._orders.setdefault(number, set()).add(key)

    def allot(
        self, posting: Posting, bill: Bill, *, vendor_number: str, wanted: str
    ) -> Identity | Problem:
        """The identity of this posting, or why it cannot have one now."""
        is_frozen = posting.identity_frozen_at is not None and not posting.is_identity_clean
        if is_frozen:
            return _frozen(posting, vendor_number=vendor_number, wanted=wanted)
        number, nth = wanted, 1
        is_rule = self._work.policy.duplicate_rule is DuplicateRule.SUFFIX
        while (other := self._holder(posting, vendor_number, number)) is not None:
            if not (is_rule or posting.is_duplicate_accepted):
                return _duplicate(posting, other)
            nth += 1
            number = with_suffix(wanted, nth)
        order = posting.order_number or self._order(posting, bill)
        return Identity(vendor_number=vendor_number, document_number=number, order_number=order)

    def note(self, posting: Posting, columns: Mapping[str, object]) -> None:
        """Remember what this posting will hold once `columns` are written to it."""
        self._decided.add(posting.pk)
        held = (posting.vendor_number, posting.document_number)
        self._holders.get(held, {}).pop(posting.pk, None)
        self._orders.get(posting.order_number, set()).discard(posting.pk)
        document = (
            str(columns.get("vendor_number", posting.vendor_number)),
            str(columns.get("document_number", posting.document_number)),
        )
        order = str(columns.get("order_number", posting.order_number))
        if document[1]:
            self._holders.setdefault(document, {})[posting.pk] = posting
        if order:
            self._orders.setdefault(order, set()).add(posting.pk)

    def _holder(self, posting: Posting, vendor: str, number: str) -> Posting | None:
        holders = self._holders.get((vendor, number), {})
        found = next((row for key, row in holders.items() if key != posting.pk), None)
        if found is not None or (vendor, number) in self._read:
            return found
        rows = self._rows().filter(vendor_number=vendor, document_number=number)
        return rows.exclude(pk__in=[posting.pk, *self._decided]).first()

    def _order(self, posting: Posting, bill: Bill) -> str:
        plain = order_number(bill.id, taken=())
        if not self._orders.get(plain, set()) - {posting.pk}:
            return plain
        rows = self._rows().filter(order_number__startswith=plain[:18])
        held = set(rows.exclude(pk=posting.pk).values_list("order_number", flat=True))
        given = {number for number, keys in self._orders.items() if keys - {posting.pk}}
        return order_number(bill.id, taken=held | given)

    def _rows(self) -> PostingQuerySet:
        rows = Posting.objects.for_tenant(self._work.tenant_id)
        return rows.filter(database_key=self._work.database_key)


def _frozen(posting: Posting, *, vendor_number: str, wanted: str) -> Identity | Problem:
    is_same = posting.vendor_number == vendor_number and is_numbered(
        posting.document_number, wanted
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
    dated = day(other.invoice_date) if other.invoice_date else "without a date"
    return problem(
        ProblemCode.POSSIBLE_DUPLICATE,
        f"Another bill of {posting.vendor_name} has the invoice number {posting.invoice_number}"
        f" ({other.amount:,.2f}, {dated}). If this one is a different invoice, say yes"
        " and it gets a suffix; if it is the same, leave it out here.",
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
    """The columns that free an identity that is not frozen; {} for a frozen one.

    One that was sent stays recognisable by its order number: a restore of Sage may bring its entry
    back.
    """
    if posting.identity_frozen_at is not None:
        return {}
    freed: dict[str, object] = {"vendor_number": "", "document_number": ""}
    if posting.batch_id is None:
        freed |= {"order_number": "", "invoice": None}
    return freed


def order_of(posting: Posting) -> str:
    """The order number Sage knows the bill by, or would."""
    return posting.order_number or order_number(posting.source_id, taken=())


def adopt(posting: Posting, invoice: Invoice, *, database_key: str) -> bool:
    """Take the identity that Sage shows, for a bill whose own was forgotten by a restore of our database.

    Such a bill is not approved now, so nothing says what it was sent as. Its total, and its number
    where Sage shows another one, are what BILL says: where the two differ, a person is told. False
    where another posting bears the order number. Inside the caller's scope.
    """
    wanted = document_number(posting.invoice_number)
    if isinstance(wanted, str) and not is_numbered(invoice.document_number, wanted):
        invoice = replace(invoice, document_number=wanted)
    if posting.amount is not None:
        invoice = replace(invoice, total=_in_cents(posting.amount))
    posting.database_key = database_key
    posting.order_number = order_of(posting)
    posting.invoice = pack(invoice)
    posting.mapped_hash = posting.bill.content_hash
    with suppress(IntegrityError), transaction.atomic():
        posting.save(update_fields=["database_key", "order_number", "invoice", "mapped_hash"])
        return True
    return False


def _in_cents(amount: Decimal) -> Decimal:
    """As amounts are sent: the column keeps three places, a third that is 0 is none."""
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount


def hold_again(posting: Posting) -> None:
    """Give a posting found in Sage its number back; inside the caller's scope.

    Another posting may have it by now, of another tenant even: then it stays with that one, and
    Sage's own lock tells the two apart.
    """
    if posting.document_number or posting.invoice is None:
        return
    columns = {name: posting.invoice[name] for name in ("vendor_number", "document_number")}
    rows = Posting.objects.for_tenant(posting.tenant_id).filter(pk=posting.pk)
    with suppress(IntegrityError), transaction.atomic():
        rows.update(**columns)
