"""The one deterministic Sage document number for a bill, and the order number that names the bill.

Sage refuses a second document with the same vendor and number, so the number must come out the same
every time it is made: it is the vendor's own invoice number, which is also what people search for.
It is never shortened and never re-spelt beyond what Sage's own mask does (upper case), because
a person comparing it with the paper must find it. What does not fit is held.
"""

from __future__ import annotations

from collections.abc import Collection

from integrations.sage300.types import DOCUMENT_NUMBER_LENGTH, ORDER_NUMBER_LENGTH
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.sage_text import folded, is_storable, named
from sync.domain.words import listed, shown


def document_number(invoice_number: str) -> str | Problem:
    """Upper case, trimmed, inner white space folded to one blank; a problem where it cannot go."""
    number = folded(invoice_number).upper()
    if not number:
        return problem(
            ProblemCode.NO_INVOICE_NUMBER,
            "The bill has no invoice number. Sage needs one; enter it in BILL.",
        )
    bad = list(dict.fromkeys(c for c in number if not is_storable(c)))
    if bad:
        return problem(
            ProblemCode.INVOICE_NUMBER_CHARACTERS,
            f"Sage cannot store {listed([named(c) for c in bad])} in an invoice number "
            f"(“{shown(number)}”). Correct the number in BILL.",
        )
    if len(number) > DOCUMENT_NUMBER_LENGTH:
        return problem(
            ProblemCode.INVOICE_NUMBER_TOO_LONG,
            f"Invoice number “{shown(number, 60)}” has {len(number)} characters, Sage has room for "
            f"{DOCUMENT_NUMBER_LENGTH}. Shorten it in BILL.",
        )
    return number


def is_numbered(document_number: str, wanted: str) -> bool:
    """Whether a bill that asks for `wanted` may bear this number: it, or it with a suffix."""
    return document_number == wanted or document_number.startswith(f"{wanted}-")


def with_suffix(number: str, nth: int) -> str:
    """The number of the `nth` bill that bears it, `1042-2` for the second; never over 22."""
    if nth < 2:
        raise ValueError(f"the first bill keeps its number, so nth is at least 2, not {nth}")
    return _suffixed(number, nth, DOCUMENT_NUMBER_LENGTH)


def order_number(bill_id: str, *, taken: Collection[str]) -> str:
    """The BILL id as Sage stores it (upper case), unlike every order number in `taken`.

    BILL ids tell upper from lower case and Sage does not, so two bills may fold alike: the second
    gets a suffix. `taken` are the order numbers of other postings, upper case.
    """
    base = bill_id.strip().upper()
    number, nth = base[:ORDER_NUMBER_LENGTH], 1
    while number in taken:
        nth += 1
        number = _suffixed(base, nth, ORDER_NUMBER_LENGTH)
    return number


def _suffixed(number: str, nth: int, length: int) -> str:
    suffix = f"-{nth}"
    return f"{number[: length - len(suffix)].rstrip()}{suffix}"
