"""Which GL account takes one line of a bill, and the sentence that says why.

The precedence, told to the customer in these words: a person's override, then a mapping rule, then
the Sage account with the same number as the BILL account, then the vendor's default in Sage, then
the catch-all account (off unless chosen). The first that names an account decides; if that account
cannot be used the line is held, and the next source is not tried in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from integrations.bill.types import Bill, BillLine, Coding, ListItem
from integrations.sage300.types import GLAccount, SageVendor
from sync.domain.gl_accounts import (
    SageAccounts,
    account_problem,
    ambiguous_problem,
    missing_problem,
)
from sync.domain.mapping_rules import LineFacts, MappingRule, best_rules
from sync.domain.policy import Policy
from sync.domain.problems import Problem, ProblemCode, problem
from sync.domain.words import listed


class AccountSource(StrEnum):
    """Where a line's account comes from, in order of precedence."""

    OVERRIDE = "override"
    RULE = "rule"
    SAME_NUMBER = "same_number"
    VENDOR_DEFAULT = "vendor_default"
    CATCH_ALL = "catch_all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Both sides' lists as last read: BILL's rows of every kind by id, Sage's GL accounts."""

    lists: Mapping[str, ListItem]
    accounts: SageAccounts

    def name(self, item_id: str) -> str:
        """What people call this row of BILL's, its id where we have not read it."""
        found = self.lists.get(item_id)
        return found.name if found and found.name else item_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that lies on the translator's desk for one bill.

    `overrides` leads from a line id to the GL account a person chose for it.
    """

    bill: Bill
    vendor: SageVendor
    catalogue: Catalogue
    rules: Sequence[MappingRule]
    policy: Policy
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The account of one line; `rule` is the one that won, where a rule decided."""

    account: GLAccount
    source: AccountSource
    reason: str
    rule: MappingRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _BillAccount:
    """The BILL account a line is coded to, and how we came to it."""

    id: str = ""
    via: str = ""
    unknown_item: str = ""


def choose_account(line: BillLine, desk: Desk) -> Chosen | Problem:
    """Walk the precedence for one line."""
    override = desk.overrides.get(line.id, "") if line.id else ""
    if override:
        return _checked(override, AccountSource.OVERRIDE, "Override: chosen for this bill", desk)
    coded = _bill_account(line, desk)
    if coded.unknown_item:
        return problem(
            ProblemCode.BILL_ITEM_UNKNOWN,
            f"We have not read BILL item {coded.unknown_item}, so its account is not known. If it "
            "is in BILL's item list, it is read with the next sync.",
            subject=coded.unknown_item,
        )
    rules = best_rules(desk.rules, _facts(line, desk.bill, coded.id))
    if len(rules) > 1:
        return _tie(rules, desk)
    if rules:
        reason = _rule_reason(rules[0], desk) + coded.via
        return _checked(rules[0].gl_account, AccountSource.RULE, reason, desk, rules[0])
    return _without_rule(coded, desk)


def line_facts(line: BillLine, desk: Desk) -> LineFacts:
    """What a rule could ask about this line: the conditions to remember a choice by."""
    return _facts(line, desk.bill, _bill_account(line, desk).id)


def effective(name: str, line: Coding, header: Coding) -> str:
    """A line's value of a dimension, or the bill's where the line says nothing."""
    return str(getattr(line, name) or getattr(header, name))


def _without_rule(coded: _BillAccount, desk: Desk) -> Chosen | Problem:
    known = desk.catalogue.lists.get(coded.id)
    if coded.id and known is None:
        return problem(
            ProblemCode.BILL_ACCOUNT_UNKNOWN,
            f"We have not read BILL account {coded.id}, so its number is not known. If it is in "
            "BILL's chart of accounts, it is read with the next sync.",
            subject=coded.id,
        )
    if known and known.number and desk.catalogue.accounts.find(known.number):
        reason = "Same number in Sage" + coded.via
        return _checked(known.number, AccountSource.SAME_NUMBER, reason, desk)
    vendor = desk.vendor
    if vendor.gl_account and vendor.distribution_type in ("", "GLAccount"):
        reason = f"Vendor default of {vendor.number} in Sage"
        return _checked(vendor.gl_account, AccountSource.VENDOR_DEFAULT, reason, desk)
    if desk.policy.catch_all_account:
        reason = "Catch-all account"
        return _checked(desk.policy.catch_all_account, AccountSource.CATCH_ALL, reason, desk)
    return _unmapped(known)


def _bill_account(line: BillLine, desk: Desk) -> _BillAccount:
    """The line's own account, else its item's, else the bill's, else that of the bill's item."""
    header = desk.bill.coding
    if line.coding.account_id:
        return _BillAccount(id=line.coding.account_id)
    for item_id, account_id, via in (
        (line.coding.item_id, "", ""),
        ("", header.account_id, ", by the account of the bill"),
        (header.item_id, "", ""),
    ):
        item = desk.catalogue.lists.get(item_id)
        if item_id and item is None:
            return _BillAccount(unknown_item=item_id)
        if item and item.expense_account_id:
            return _BillAccount(
                id=item.expense_account_id, via=f", by the account of item {item.name}"
            )
        if account_id:
            return _BillAccount(id=account_id, via=via)
    return _BillAccount()


def _facts(line: BillLine, bill: Bill, account_id: str) -> LineFacts:
    return LineFacts(
        vendor_id=bill.vendor_id,
        account_id=account_id,
        item_id=effective("item_id", line.coding, bill.coding),
        class_id=effective("class_id", line.coding, bill.coding),
        location_id=effective("location_id", line.coding, bill.coding),
        department_id=effective("department_id", line.coding, bill.coding),
    )


def _checked(
    number: str,
    source: AccountSource,
    reason: str,
    desk: Desk,
    rule: MappingRule | None = None,
) -> Chosen | Problem:
    found = desk.catalogue.accounts.find(number)
    if not found:
        return missing_problem(number, reason)
    if len(found) > 1:
        return ambiguous_problem(number, found, reason)
    refusal = account_problem(found[0], reason)
    return refusal or Chosen(account=found[0], source=source, reason=reason, rule=rule)


def rule_name(rule: MappingRule, desk: Desk) -> str:
    """The names of what a rule asks for: `Utilities + Office`."""
    names = [
        (desk.bill.vendor_name or rule.vendor_id)
        if dimension == "vendor_id"
        else desk.catalogue.name(getattr(rule, dimension))
        for dimension in reversed(rule.named)
    ]
    return " + ".join(names)


def _rule_reason(rule: MappingRule, desk: Desk) -> str:
    return f"{'Table' if rule.is_table_row else 'Rule'}: {rule_name(rule, desk)}"


def _tie(rules: Sequence[MappingRule], desk: Desk) -> Problem:
    accounts = listed([rule.gl_account for rule in rules])
    name = rule_name(rules[0], desk)
    return problem(
        ProblemCode.RULES_TIE,
        f"{len(rules)} rules for {name} name different accounts: {accounts}. Remove all but one "
        "here.",
        subject="+".join(rule.id for rule in rules),
        subject_name=name,
    )


def _unmapped(known: ListItem | None) -> Problem:
    if known is None:
        return problem(
            ProblemCode.LINE_WITHOUT_ACCOUNT,
            "A line has no account in BILL, neither by an item nor on the bill, and its vendor has "
            "no default in Sage. Choose one in BILL, or here for this bill.",
        )
    number = f" {known.number}" if known.number else ""
    why = f"Sage has no account{number}" if number else "it has no number in BILL"
    archived = " (archived)" if known.archived else ""
    return problem(
        ProblemCode.ACCOUNT_UNMAPPED,
        f"BILL account {known.name}{number}{archived} leads to no Sage account: no rule names it "
        f"and {why}. Map it here.",
        subject=known.id,
        subject_name=known.name,
    )
