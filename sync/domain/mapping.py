"""The translator's desk: a BILL bill and a company's rules in, a Sage invoice or every problem out.

It decides how a bill stands in Sage, never whether it goes (`readiness.py`) or when
(`posting_date.py`). All problems of a bill are told at once, each with the one who must act, so
that nobody mends one thing only to be shown the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from integrations.bill.types import Bill, BillLine, BillVendor
from integrations.sage300.types import (
    COMMENT_LENGTH,
    DESCRIPTION_LENGTH,
    Invoice,
    InvoiceDetail,
    SageVendor,
    TaxControl,
)
from sync.domain.amounts import Amounts, check_amounts
from sync.domain.document_number import document_number
from sync.domain.head_checks import head_problems, text_warnings
from sync.domain.line_accounts import (
    AccountSource,
    Catalogue,
    Chosen,
    Desk,
    choose_account,
    effective,
)
from sync.domain.mapping_rules import MappingRule
from sync.domain.policy import Policy, TaxRule
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.sage_text import fit, folded
from sync.domain.words import money

DIMENSIONS = {
    "item_id": "Item",
    "department_id": "Department",
    "location_id": "Location",
    "class_id": "Class",
    "job_id": "Job",
    "employee_id": "Employee",
    "customer_id": "Customer",
}
INHERITED = ("item_id", "department_id", "location_id", "class_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedLine:
    """One distribution as it will stand in Sage, and why.

    `not_carried` names what BILL says of the line and Sage will not hold, "Department Plant".
    """

    line_id: str
    gl_account: str
    formatted: str
    account_name: str
    amount: Decimal
    description: str
    comment: str
    source: AccountSource
    reason: str
    rule_id: str = ""
    not_carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """A bill that can go: its lines in BILL's order, adding up to `total` to the cent."""

    document_number: str
    invoice_date: date
    total: Decimal
    lines: tuple[MappedLine, ...]
    description: str = ""
    po_number: str = ""
    tax_control: TaxControl | None = TaxControl.ENTER
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """A bill that is held, with every cause; `warnings` are what would be said if it went."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Notes:
    """Problems and warnings gathered on the way, each once."""

    problems: dict[Problem, None] = field(default_factory=dict)
    warnings: dict[Problem, None] = field(default_factory=dict)

    def add(self, found: Iterable[Problem | None]) -> None:
        for one in found:
            if one is not None:
                (self.problems if one.holds else self.warnings)[one] = None


def map_bill(
    bill: Bill,
    *,
    vendor: SageVendor,
    bill_vendor: BillVendor | None,
    catalogue: Catalogue,
    rules: Sequence[MappingRule],
    policy: Policy,
    overrides: Mapping[str, str] | None = None,
) -> Mapped | Unmapped:
    """Translate one bill for the Sage vendor it is linked to.

    `overrides` leads from a BILL line id to the GL account a person chose for this bill.
    """
    desk = Desk(
        bill=bill,
        vendor=vendor,
        catalogue=catalogue,
        rules=rules,
        policy=policy,
        overrides=overrides or {},
    )
    notes = _Notes()
    number = document_number(bill.invoice_number)
    notes.add([number if isinstance(number, Problem) else None])
    notes.add(head_problems(desk, bill_vendor))
    amounts = check_amounts(bill, policy.currency)
    if not isinstance(amounts, Amounts):
        notes.add(amounts)
    choices = [choose_account(line, desk) for line in bill.lines]
    notes.add(choice for choice in choices if isinstance(choice, Problem))
    notes.add(_line_warnings(desk, choices))
    if (
        notes.problems
        or isinstance(number, Problem)
        or not isinstance(amounts, Amounts)
        or bill.invoice_date is None
    ):
        return Unmapped(problems=tuple(notes.problems), warnings=tuple(notes.warnings))
    return Mapped(
        document_number=number,
        invoice_date=bill.invoice_date,
        total=amounts.total,
        lines=_mapped_lines(desk, choices, amounts),
        description=fit(bill.description, DESCRIPTION_LENGTH).text,
        po_number=folded(bill.purchase_order_number).upper(),
        tax_control=TaxControl.ENTER if policy.tax_rule is TaxRule.TOTALS_ARE_OWED else None,
        warnings=tuple(notes.warnings),
    )


def to_invoice(
    mapped: Mapped,
    *,
    bill: Bill,
    vendor_number: str,
    document_number: str,
    order_number: str,
    posting_date: date,
) -> Invoice:
    """The Sage invoice under the identity allotted to its posting."""
    return Invoice(
        vendor_number=vendor_number,
        document_number=document_number,
        order_number=order_number,
        document_date=mapped.invoice_date,
        posting_date=posting_date,
        due_date=bill.due_date,
        total=mapped.total,
        description=mapped.description,
        po_number=mapped.po_number,
        tax_control=mapped.tax_control,
        details=tuple(
            InvoiceDetail(
                gl_account=line.gl_account,
                amount=line.amount,
                description=line.description,
                comment=line.comment,
            )
            for line in mapped.lines
        ),
    )


def _line_warnings(desk: Desk, choices: Sequence[Chosen | Problem]) -> Iterator[Problem]:
    for place, (line, choice) in enumerate(zip(desk.bill.lines, choices, strict=True), start=1):
        fitted = fit(line.description, DESCRIPTION_LENGTH)
        yield from text_warnings(f"The description of line {place}", fitted)
        if isinstance(choice, Chosen) and choice.source is AccountSource.CATCH_ALL:
            amount = money(line.amount, desk.policy.currency) if line.amount is not None else ""
            yield problem(
                ProblemCode.CATCH_ALL_USED,
                f"Line {place}{f', {amount},' if amount else ''} goes to the catch-all account "
                f"{choice.account.formatted}, since nothing else maps it.",
                subject=line.coding.account_id,
            )
    gone = sorted(set(desk.overrides) - {line.id for line in desk.bill.lines})
    if gone:
        yield problem(
            ProblemCode.OVERRIDE_UNUSED,
            "An account was chosen here for a line that is no longer on the bill; it is not used.",
            subject=gone[0],
        )


def _mapped_lines(
    desk: Desk, choices: Sequence[Chosen | Problem], amounts: Amounts
) -> tuple[MappedLine, ...]:
    """Every line with its account and amount; every one of them has an account by now."""
    chosen = [choice for choice in choices if isinstance(choice, Chosen)]
    return tuple(
        _mapped_line(line, choice, amount, desk)
        for line, choice, amount in zip(desk.bill.lines, chosen, amounts.lines, strict=True)
    )


def _mapped_line(line: BillLine, choice: Chosen, amount: Decimal, desk: Desk) -> MappedLine:
    fitted = fit(line.description, DESCRIPTION_LENGTH)
    not_carried = _not_carried(line, choice, desk)
    whole = folded(line.description) if fitted.is_cut else ""
    comment = "; ".join(part for part in (whole, *not_carried) if part)
    return MappedLine(
        line_id=line.id,
        gl_account=choice.account.number,
        formatted=choice.account.formatted,
        account_name=choice.account.description,
        amount=amount,
        description=fitted.text,
        comment=fit(comment, COMMENT_LENGTH).text,
        source=choice.source,
        reason=choice.reason,
        rule_id=choice.rule.id if choice.rule else "",
        not_carried=not_carried,
    )


def _not_carried(line: BillLine, choice: Chosen, desk: Desk) -> tuple[str, ...]:
    """What BILL says of a line that the account does not already express."""
    expressed = choice.rule.named if choice.rule else ()
    header = desk.bill.coding
    said = {
        name: effective(name, line.coding, header)
        if name in INHERITED
        else getattr(line.coding, name)
        for name in DIMENSIONS
    }
    return tuple(
        f"{DIMENSIONS[name]} {desk.catalogue.name(value)}"
        for name, value in said.items()
        if value and name not in expressed
    )
