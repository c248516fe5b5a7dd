"""Compares what we hold to be true of Sage's master data with what Sage shows now.

Linked vendors, and every GL account that something of ours leads to. A vendor's name is compared
loosely, because two systems seldom spell a firm alike; fields the company lets us own are compared
to the letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrations.bill.types import BillVendor
from integrations.sage300.types import GLAccount, SageVendor
from sync.domain.account_targets import find_target
from sync.domain.gl_accounts import SageAccounts, fold_number
from sync.domain.policy import Policy, VendorField
from sync.domain.problems import Problem, ProblemCode
from sync.domain.reconciliation import Difference, Kind, Target
from sync.domain.vendor_fields import changes, wanted_vendor
from sync.domain.vendor_suggestions import is_close_name
from sync.domain.words import listed

ACCOUNT_KINDS: Mapping[ProblemCode, Kind] = {
    ProblemCode.GL_MISSING: Kind.ACCOUNT_GONE,
    ProblemCode.GL_INACTIVE: Kind.ACCOUNT_INACTIVE,
}
FIELD_WORDS = {
    "VendorName": "name", "ShortName": "short name", "City": "city", "StateProvince": "state",
    "ZipPostalCode": "postal code", "Country": "country", "PhoneNumber": "telephone",
    "Email": "e-mail", "Terms": "terms", "TaxGroup": "tax group", "GLAccount": "default account",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedVendor:
    """One link; `account` is its default of ours, `is_due` where an update of ours is on its way."""

    number: str
    vendor: BillVendor
    account: str = ""
    is_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedAccount:
    """One thing that leads to a GL account; `origin` says in words what it is."""

    number: str
    origin: str
    target: Target
    target_id: str = ""


def compare_vendors(
    linked: Sequence[LinkedVendor], sage: Mapping[str, SageVendor], *, policy: Policy
) -> tuple[Difference, ...]:
    """Every linked vendor that vanished, rests or differs; `sage` by number."""
    return tuple(
        found for one in linked for found in _vendor(one, sage.get(one.number.upper()), policy)
    )


def _vendor(one: LinkedVendor, there: SageVendor | None, policy: Policy) -> Iterator[Difference]:
    name = one.vendor.name
    if there is None:
        yield _of_vendor(one, Kind.VENDOR_GONE, f"{name}: Sage has no vendor {one.number}",
                         "its bills are held", "Link it anew")  # fmt: skip
        return
    if not there.is_active:
        yield _of_vendor(one, Kind.VENDOR_INACTIVE, f"{name} is inactive in Sage",
                         f"vendor {one.number}", "Reactivate it in Sage, or link another")  # fmt: skip
    if there.is_on_hold:
        yield _of_vendor(one, Kind.VENDOR_ON_HOLD, f"{name} is on hold in Sage",
                         f"vendor {one.number}", "Take the hold off in Sage")  # fmt: skip
    owned = changes(
        there,
        wanted_vendor(
            one.vendor, number=there.number, policy=policy, gl_account=one.account
        ).vendor,
        policy.owned_vendor_fields,
    )
    if owned:
        yield _owned(one, there, owned)
    elif VendorField.NAME not in policy.owned_vendor_fields and not is_close_name(name, there.name):
        yield _of_vendor(one, Kind.VENDOR_DIFFERS, f"{name} is called {there.name} in Sage",
                         f"vendor {one.number}; renamed, or not the same firm", "Check the link")  # fmt: skip


def _owned(one: LinkedVendor, there: SageVendor, owned: Mapping[str, str]) -> Difference:
    words = dict.fromkeys(FIELD_WORDS.get(name, "address") for name in owned)
    title = f"{one.vendor.name}: {listed(list(words))} in Sage is not as in BILL"
    said = f"{there.name} in Sage" if "VendorName" in owned else f"vendor {one.number}"
    if one.is_due:
        return _of_vendor(
            one, Kind.VENDOR_TO_WRITE, title, f"{said}; written with the next run", ""
        )
    return _of_vendor(
        one,
        Kind.VENDOR_DIFFERS,
        title,
        f"{said}; changed in Sage, or refused there, since we wrote it",
        "Correct it in Sage, or change it in BILL",
    )


def _of_vendor(one: LinkedVendor, kind: Kind, title: str, detail: str, do: str) -> Difference:
    return Difference(
        kind=kind,
        key=f"{kind}:{one.vendor.id}",
        title=title,
        detail=detail,
        do=do,
        target=Target.VENDOR,
        target_id=one.vendor.id,
    )


def compare_accounts(mapped: Sequence[MappedAccount], sage: SageAccounts) -> tuple[Difference, ...]:
    """Every account that something leads to and no invoice may be distributed to, once each."""
    found: dict[str, Difference] = {}
    for one in mapped:
        answer = find_target(one.number, sage, origin=one.origin)
        if isinstance(answer, Problem):
            kind = ACCOUNT_KINDS.get(answer.code, Kind.ACCOUNT_NOT_POSTABLE)
            key = f"{kind}:{fold_number(one.number)}"
            found.setdefault(key, _of_account(one, kind, key, sage))
    return tuple(found.values())


def _of_account(one: MappedAccount, kind: Kind, key: str, sage: SageAccounts) -> Difference:
    known = sage.find(one.number)
    account = known[0] if len(known) == 1 else None
    name = f"{account.formatted} {account.description}".strip() if account else one.number
    return Difference(
        kind=kind,
        key=key,
        title=f"{name} {_trouble(kind, account, len(known))}",
        detail=one.origin,
        do="Choose another account",
        target=one.target,
        target_id=one.target_id,
    )


def _trouble(kind: Kind, account: GLAccount | None, fitting: int) -> str:
    if kind is Kind.ACCOUNT_GONE:
        return "is not in Sage"
    if kind is Kind.ACCOUNT_INACTIVE:
        return "is inactive in Sage"
    if account is None:
        return f"fits {fitting} accounts in Sage"
    if account.is_control:
        return "is a control account"
    return "is a rollup account" if account.is_rollup else "is closed to posting in Sage"
