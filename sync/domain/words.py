"""How dates, amounts and lists read in a sentence for a bookkeeper.

Sentences are made in the domain, so their parts are too: one way to write a date or an amount,
whichever rule is speaking. Pages that know the person's locale format figures themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

# ISO 4217: currencies whose smallest unit is not a hundredth.
WHOLE_CURRENCIES = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
THOUSANDTH_CURRENCIES = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def day(value: date) -> str:
    """`November 1, 2026`."""
    return f"{MONTHS[value.month - 1]} {value.day}, {value.year}"


def period_name(year: str, period: str) -> str:
    """`2026-10`, as Sage people name a fiscal period."""
    return f"{year}-{period.zfill(2)}"


def decimals_of(currency: str) -> int:
    """How many decimals an amount in this currency may have."""
    if currency in WHOLE_CURRENCIES:
        return 0
    return 3 if currency in THOUSANDTH_CURRENCIES else 2


def money(amount: Decimal, currency: str = "USD") -> str:
    """`1,205.90`, with more decimals where the amount itself has more; a true minus sign."""
    least = decimals_of(currency)
    exponent = amount.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0
    text = f"{abs(amount):,.{max(least, own, 0)}f}"
    return f"−{text}" if amount < 0 else text  # noqa: RUF001


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 bill`, `3 bills`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def shown(text: str, length: int = 40) -> str:
    """Text of somebody else's inside our sentence: white space folded, an ellipsis if long."""
    folded = " ".join(text.split())
    return folded if len(folded) <= length else folded[: length - 1].rstrip() + "…"
