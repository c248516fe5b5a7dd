"""The number a new vendor gets in Sage, which does not number vendors itself.

The number is the vendor's key for good and what people type, so it is made by the company's rule
from something they recognise. It is allotted once, committed, and only then sent: a lost answer is
looked up under the same number and never becomes a second vendor.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Collection, Iterator

from integrations.bill.types import BillVendor
from sync.domain.policy import NumberSource, VendorNumberRule
from sync.domain.problems import Problem, ProblemCode, problem


def allot_vendor_number(
    vendor: BillVendor, *, rule: VendorNumberRule, taken: Collection[str], start: int = 1
) -> str | Problem:
    """A number not in `taken` (upper case): at most `rule.width` characters, prefix included.

    `start` is where a counter begins. A vendor without the field the rule asks for is numbered by
    its name.
    """
    prefix = rule.prefix.upper()
    room = rule.width - len(prefix)
    candidates: Iterator[str]
    if rule.source is NumberSource.COUNTER:
        candidates = (str(n).zfill(room) for n in range(start, 10**room))
    else:
        candidates = _spellings(_stem(vendor, rule.source), room)
    free = (prefix + c for c in candidates if prefix + c not in taken)
    return next(free, None) or problem(
        ProblemCode.VENDOR_NUMBERS_USED_UP,
        f"Every vendor number the rule can make for {vendor.name} is taken. Widen the rule, or "
        "choose a number here.",
        subject=vendor.id,
        subject_name=vendor.name,
    )


def _stem(vendor: BillVendor, source: NumberSource) -> str:
    asked = {
        NumberSource.ACCOUNT_NUMBER: vendor.account_number,
        NumberSource.SHORT_NAME: vendor.short_name,
    }.get(source, vendor.name)
    # A name in another script leaves nothing of itself; the end of the BILL id then stands in.
    return _plain(asked) or _plain(vendor.name) or f"V{_plain(vendor.id)[-6:]}"


def _plain(text: str) -> str:
    """Capital letters and digits of ASCII, accents taken off."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return "".join(c for c in bare.upper() if c.isalnum())


def _spellings(stem: str, room: int) -> Iterator[str]:
    """The stem, then the stem ending in 2, 3, … within the room."""
    longest = 10 ** min(room, 5)
    numbered = (stem[: room - len(str(n))] + str(n) for n in range(2, longest))
    return itertools.chain([stem[:room]], numbered)
