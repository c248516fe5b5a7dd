"""Which Sage vendor a BILL vendor is.

Only exact rules of the company link by themselves: its number map, and the Sage number it keeps in
BILL where it says so. Everything else is a suggestion with its evidence: a name alone has paid the
wrong firm before, so a person decides. A company may let vendors be created where nothing similar
is in Sage; anything similar still asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.bill.types import BillVendor
from sync.domain.policy import Policy, StoredNumberRule, VendorCreation
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.vendor_suggestions import SageVendors, Suggestion, suggest
from sync.domain.words import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """An exact rule names this Sage vendor; `reason` says which."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """To be created in Sage; `number` where the number map prescribes one, else ""."""

    number: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A person must link, create or ignore it."""

    problem: Problem
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """Several Sage vendors fit; a person must say which, if any."""

    problem: Problem
    suggestions: tuple[Suggestion, ...] = ()


Match = Linked | Create | Ask | Ambiguous


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A Sage number that a rule of the company names for this vendor."""

    number: str
    reason: str
    is_prescribed: bool = False


def match_vendor(
    vendor: BillVendor,
    *,
    sage: SageVendors,
    policy: Policy,
    linked: Mapping[str, str] | None = None,
) -> Match:
    """Decide for one vendor without a link.

    `linked` leads from Sage numbers already linked (upper case) to the BILL vendor id they are.
    """
    taken = linked or {}
    named = _named(vendor, policy)
    if named:
        decided = _by_rule(vendor, named, sage, policy, taken)
        if decided:
            return decided
    suggestions = suggest(vendor, sage)
    close = [one for one in suggestions if one.is_close]
    if len(close) > 1:
        return Ambiguous(problem=_ambiguous(vendor, close), suggestions=suggestions)
    may_create = policy.vendor_creation is VendorCreation.CREATE_NEW and not vendor.archived
    if may_create and not close:
        if vendor.currency and vendor.currency != policy.currency:
            return Ask(problem=_foreign(vendor, policy), suggestions=suggestions)
        return Create(number="", reason="Nothing similar in Sage; your policy creates it.")
    return Ask(problem=_unlinked(vendor, suggestions), suggestions=suggestions)


def _named(vendor: BillVendor, policy: Policy) -> _Named | None:
    for key in (vendor.id, vendor.name):
        if key in policy.number_map:
            number = policy.number_map[key].strip().upper()
            return _Named(number=number, reason="Number map", is_prescribed=True)
    match policy.stored_number_rule:
        case StoredNumberRule.SHORT_NAME:
            stored, where = vendor.short_name, "short name"
        case StoredNumberRule.ACCOUNT_NUMBER:
            stored, where = vendor.account_number, "account number"
        case StoredNumberRule.NOTHING:
            return None
    number = stored.strip().upper()
    return _Named(number=number, reason=f"Sage number in BILL's {where}") if number else None


def _by_rule(
    vendor: BillVendor,
    named: _Named,
    sage: SageVendors,
    policy: Policy,
    linked: Mapping[str, str],
) -> Match | None:
    """What a named number leads to; None where it names nothing and other ways remain."""
    about = {"subject": vendor.id, "subject_name": vendor.name}
    owner = linked.get(named.number, vendor.id)
    if owner != vendor.id:
        return Ask(
            problem=problem(
                ProblemCode.VENDOR_TAKEN,
                f"{named.reason} says {vendor.name} is Sage vendor {named.number}, which is "
                f"already linked to another BILL vendor ({owner}). Choose here.",
                **about,
            )
        )
    if sage.find(named.number):
        return Linked(number=named.number, reason=named.reason)
    if not named.is_prescribed:
        return None
    if policy.vendor_creation is VendorCreation.CREATE_NEW and not vendor.archived:
        return Create(number=named.number, reason="Number map; your policy creates it.")
    return Ask(
        problem=problem(
            ProblemCode.VENDOR_MISSING_IN_SAGE,
            f"The number map says {vendor.name} is Sage vendor {named.number}, and Sage has no "
            "such vendor. Correct the map here, or add the vendor in Sage.",
            **about,
        )
    )


def _ambiguous(vendor: BillVendor, close: list[Suggestion]) -> Problem:
    names = listed([f"{one.number} {one.name}" for one in close[:3]])
    return problem(
        ProblemCode.VENDOR_AMBIGUOUS,
        f"{len(close)} Sage vendors fit {vendor.name}: {names}. Names alone are never enough for "
        "us to link; choose one here.",
        subject=vendor.id,
        subject_name=vendor.name,
    )


def _foreign(vendor: BillVendor, policy: Policy) -> Problem:
    return problem(
        ProblemCode.VENDOR_NOT_LINKED,
        f"{vendor.name} bills in {vendor.currency}, and new vendors are created in"
        f" {policy.currency}. Add it in Sage with its currency, then link it here.",
        subject=vendor.id,
        subject_name=vendor.name,
    )


def _unlinked(vendor: BillVendor, suggestions: tuple[Suggestion, ...]) -> Problem:
    about = {"subject": vendor.id, "subject_name": vendor.name}
    if suggestions:
        best = suggestions[0]
        sentence = (
            f"{vendor.name} is not linked to a Sage vendor. {best.number} {best.name} may be it "
            f"({listed(best.evidence)}). Link or create it here."
        )
    else:
        sentence = (
            f"{vendor.name} is not linked to a Sage vendor, and nothing similar is there. Link or "
            "create it here."
        )
    if vendor.archived:
        sentence = f"{sentence[:-1]}; it is archived in BILL, so we do not create it by ourselves."
    return problem(ProblemCode.VENDOR_NOT_LINKED, sentence, **about)
