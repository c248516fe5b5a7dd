"""Whether a bill's amounts can stand in Sage as they are: present, exact, and adding up.

Nothing is rounded or filled in. An amount that would have to change to fit is held, since one cent
between the two ledgers costs more than the bill's delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from integrations.bill.types import Bill, BillVendor
from integrations.sage300.types import SageVendor
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.words import decimals_of, listed, money

# A/P amounts are BCD*10.3: nineteen digits, three of them decimals (Sage 300 reference).
LARGEST_AMOUNT = Decimal(10) ** 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """The total and each line's amount, in the bill's order, at the currency's decimals."""

    total: Decimal
    lines: tuple[Decimal, ...]


def check_amounts(bill: Bill, currency: str) -> Amounts | tuple[Problem, ...]:
    """The amounts to send, or every reason why they cannot be sent."""
    problems = (*_line_problems(bill, currency), *_total_problems(bill, currency))
    total, lines = bill.amount, [line.amount for line in bill.lines]
    if problems or total is None:
        return problems
    unit = Decimal(1).scaleb(-decimals_of(currency))
    return Amounts(
        total=total.quantize(unit),
        lines=tuple(amount.quantize(unit) for amount in lines if amount is not None),
    )


def currency_problem(
    bill: Bill, *, bill_vendor: BillVendor | None, vendor: SageVendor, currency: str
) -> Problem | None:
    """Why the bill is not in the company's currency; BILL keeps a bill's currency on its vendor.

    A vendor without a currency counts as domestic, unless the bill carries an exchange rate.
    """
    in_bill = bill_vendor.currency if bill_vendor else ""
    foreign = in_bill and in_bill != currency
    if not foreign and bill.exchange_rate not in (None, Decimal(1)) and not in_bill:
        foreign, in_bill = True, "another currency"
    if foreign:
        return problem(
            ProblemCode.FOREIGN_CURRENCY,
            f"The bill is in {in_bill}, and this company posts {currency}. Enter it in Sage by "
            "hand and mark it as handled here.",
            subject=bill.vendor_id,
            subject_name=bill.vendor_name,
        )
    if vendor.currency and vendor.currency != currency:
        return problem(
            ProblemCode.FOREIGN_CURRENCY,
            f"Sage keeps vendor {vendor.number} in {vendor.currency}, and this company posts "
            f"{currency}. Link a {currency} vendor here, or enter the bill in Sage by hand.",
            subject=bill.vendor_id,
            subject_name=bill.vendor_name,
        )
    return None


def _line_problems(bill: Bill, currency: str) -> Iterator[Problem]:
    if not bill.lines:
        yield problem(
            ProblemCode.NO_LINES,
            "The bill has no lines, so there is nothing to distribute. Add them in BILL.",
        )
    known = list(enumerate((line.amount for line in bill.lines), start=1))
    bare = [str(place) for place, amount in known if not _is_amount(amount)]
    if bare:
        yield problem(
            ProblemCode.LINE_WITHOUT_AMOUNT,
            f"{_lines(bare)} no amount. Enter it in BILL.",
        )
    too_fine = [
        str(place)
        for place, a in known
        if a is not None and _is_amount(a) and _too_fine(a, currency)
    ]
    if too_fine:
        yield problem(
            ProblemCode.TOO_MANY_DECIMALS,
            f"{_lines(too_fine)} an amount with more decimals than {currency} has. "
            "Correct it in BILL; we do not round.",
        )


def _total_problems(bill: Bill, currency: str) -> Iterator[Problem]:
    total = bill.amount
    if total is None or not total.is_finite():
        yield problem(ProblemCode.NO_TOTAL, "The bill has no total. Enter it in BILL.")
        return
    if _too_fine(total, currency):
        yield problem(
            ProblemCode.TOO_MANY_DECIMALS,
            f"The bill's total {money(total, currency)} has more decimals than {currency} has. "
            "Correct it in BILL; we do not round.",
        )
    amounts = [line.amount for line in bill.lines]
    if max([abs(total), *(abs(a) for a in amounts if _is_amount(a) and a)]) >= LARGEST_AMOUNT:
        yield problem(
            ProblemCode.AMOUNT_TOO_LARGE,
            "An amount has more digits than Sage has room for. Correct it in BILL.",
        )
    if amounts and all(_is_amount(a) for a in amounts):
        distributed = sum((a for a in amounts if a is not None), Decimal(0))
        if distributed != total:
            yield problem(
                ProblemCode.TOTALS_DIFFER,
                f"The bill says {money(total, currency)}, its lines add up to "
                f"{money(distributed, currency)}. Correct it in BILL.",
            )
    if total == 0:
        yield problem(
            ProblemCode.ZERO_TOTAL,
            "The bill's total is 0.00, and Sage takes no invoice without an amount. Correct or archive "
            "it in BILL.",
        )
    elif total < 0:
        yield problem(
            ProblemCode.NEGATIVE_TOTAL,
            f"The bill's total is {money(total, currency)}. A credit is not sent as an invoice: "
            "enter it as a vendor credit in BILL, or in Sage by hand.",
        )


def _is_amount(amount: Decimal | None) -> bool:
    return amount is not None and amount.is_finite()


def _too_fine(amount: Decimal, currency: str) -> bool:
    exponent = amount.normalize().as_tuple().exponent
    return isinstance(exponent, int) and -exponent > decimals_of(currency)


def _lines(places: list[str]) -> str:
    return f"Line {places[0]} has" if len(places) == 1 else f"Lines {listed(places)} have"
