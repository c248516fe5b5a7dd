"""Sage vendors that resemble a BILL vendor, ranked, each with what speaks for it.

Names are compared word by word without legal forms; telephone, e-mail, street and postal code add
to it. The score orders suggestions for a person and never links by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.bill.types import BillVendor
from integrations.sage300.types import SageVendor

# Words that tell no firm from another.
LEGAL_WORDS = frozenset(
    {"inc", "incorporated", "llc", "llp", "lp", "ltd", "limited", "co", "corp", "corporation"}
    | {"company", "plc", "gmbh", "sa", "the", "and", "of", "dba"}
)
# Mail anybody can have; the same domain then says nothing.
PUBLIC_MAIL = frozenset(
    ("gmail.com", "outlook.com", "hotmail.com", "yahoo.com", "aol.com", "icloud.com", "live.com")
)
# Left out without parting a word: O'Hara, St. Paul.
APOSTROPHES = "'\u2019."
SAME_NAME, SHARED_WORDS = 60, 50
SAME_PHONE, SAME_EMAIL, SAME_MAIL_DOMAIN, SAME_STREET, SAME_POSTAL_CODE = 20, 20, 8, 10, 5
WORTH_SHOWING, CLOSE_WORDS, MOST_SHOWN = 15, 0.6, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One Sage vendor that may be it; `score` is 0 to 100.

    `is_close`: too similar to create another beside it without asking.
    """

    number: str
    name: str
    score: int
    evidence: tuple[str, ...]
    is_close: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SageVendors:
    """All vendors of one Sage company, findable by number and by what they have in common."""

    by_number: Mapping[str, SageVendor]
    by_trait: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, vendors: Iterable[SageVendor]) -> SageVendors:
        """Index vendors; do it once a run."""
        by_number = {vendor.number.upper(): vendor for vendor in vendors}
        traits: dict[str, set[str]] = defaultdict(set)
        for number, vendor in by_number.items():
            for trait in _traits(vendor.name, vendor.phone, vendor.email):
                traits[trait].add(number)
        return cls(
            by_number=by_number,
            by_trait={trait: frozenset(numbers) for trait, numbers in traits.items()},
        )

    def find(self, number: str) -> SageVendor | None:
        """The vendor of this number, capitals aside."""
        return self.by_number.get(number.strip().upper())


def suggest(vendor: BillVendor, sage: SageVendors) -> tuple[Suggestion, ...]:
    """The best few, best first; equal scores by number, so that the order is always the same."""
    traits = _traits(vendor.name, vendor.phone, vendor.email)
    numbers = {number for trait in traits for number in sage.by_trait.get(trait, ())}
    found = [_compare(vendor, sage.by_number[number]) for number in numbers]
    worth = [one for one in found if one.score >= WORTH_SHOWING]
    return tuple(sorted(worth, key=lambda one: (-one.score, one.number))[:MOST_SHOWN])


def is_close_name(ours: str, theirs: str) -> bool:
    """Whether two names may well be one firm's: most telling words shared, or one within the other."""
    return _close(_words(ours), _words(theirs))


def _close(ours: list[str], theirs: list[str]) -> bool:
    if ours and "".join(ours) == "".join(theirs):
        return True
    shared = set(ours) & set(theirs)
    if not shared:
        return False
    # A name that lies wholly within the other may be the same firm, said shorter.
    is_within = shared in (set(ours), set(theirs))
    return is_within or len(shared) / len(set(ours) | set(theirs)) >= CLOSE_WORDS


def _compare(vendor: BillVendor, candidate: SageVendor) -> Suggestion:
    score, evidence, is_close = _names(vendor, candidate)
    for points, words, same, decides in (
        (
            SAME_PHONE,
            "same telephone",
            _same(_digits(vendor.phone), _digits(candidate.phone)),
            True,
        ),
        (SAME_EMAIL, "same e-mail", _same(vendor.email, candidate.email), True),
        (
            SAME_MAIL_DOMAIN,
            "same e-mail domain",
            _same(_domain(vendor.email), _domain(candidate.email))
            and not _same(vendor.email, candidate.email),
            False,
        ),
        (SAME_STREET, "same street", _same_street(vendor, candidate), False),
        (
            SAME_POSTAL_CODE,
            "same postal code",
            _same(vendor.address.postal_code, candidate.postal_code),
            False,
        ),
    ):
        if same:
            score += points
            evidence.append(words)
            is_close = is_close or decides
    return Suggestion(
        number=candidate.number,
        name=candidate.name,
        score=min(score, 100),
        evidence=tuple(evidence),
        is_close=is_close,
    )


def _names(vendor: BillVendor, candidate: SageVendor) -> tuple[int, list[str], bool]:
    ours, theirs = _words(vendor.name), _words(candidate.name)
    if ours and "".join(ours) == "".join(theirs):
        return SAME_NAME, ["same name"], True
    shared = set(ours) & set(theirs)
    if not shared:
        return 0, [], False
    share = len(shared) / len(set(ours) | set(theirs))
    words = " ".join(word for word in ours if word in shared)
    evidence = [f"name shares “{words}”"]
    return round(SHARED_WORDS * share), evidence, _close(ours, theirs)


def _traits(name: str, phone: str, email: str) -> set[str]:
    words = _words(name)
    traits = {f"word {word}" for word in words} | {f"name {''.join(words)}"}
    if _digits(phone):
        traits.add(f"phone {_digits(phone)}")
    if email:
        traits.add(f"mail {_plain(email)}")
    if _domain(email):
        traits.add(f"domain {_domain(email)}")
    return traits


def _words(name: str) -> list[str]:
    """Telling words of a name, plurals taken back; all of them if only legal words are left."""
    text = "".join(c if c.isalnum() else "" if c in APOSTROPHES else " " for c in name.casefold())
    words = [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in text.split()]
    return [word for word in words if word not in LEGAL_WORDS] or words


def _digits(phone: str) -> str:
    """The last ten digits; fewer than seven are no telephone number."""
    digits = "".join(c for c in phone if c.isdigit())
    return digits[-10:] if len(digits) >= 7 else ""


def _domain(email: str) -> str:
    domain = _plain(email).rpartition("@")[2] if "@" in email else ""
    return "" if domain in PUBLIC_MAIL else domain


def _same_street(vendor: BillVendor, candidate: SageVendor) -> bool:
    lines = {_plain(line) for line in candidate.address_lines}
    return bool(vendor.address.line1.strip()) and _plain(vendor.address.line1) in lines


def _plain(text: str) -> str:
    return "".join(text.casefold().split())


def _same(ours: str, theirs: str) -> bool:
    return bool(_plain(ours)) and _plain(ours) == _plain(theirs)
