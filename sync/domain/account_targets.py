"""Whether a GL account may be chosen as a target, and which ones suggest themselves.

A number is judged when a person picks it, not an hour later by Sage: it must exist, be active, take
postings and be no control account. Suggestions are by number, then by name; they fill a list in and
never decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from integrations.bill.types import ListItem
from integrations.sage300.types import GLAccount
from sync.domain.gl_accounts import (
    SageAccounts,
    account_problem,
    ambiguous_problem,
    fold_number,
    missing_problem,
)
from sync.domain.problems import Problem

LEAST_SHARED_DIGITS, LEAST_SHARED_WORDS, MOST_SHOWN = 4, 0.3, 3
# Words that tell no account from another.
DULL_WORDS = frozenset({"and", "of", "the", "expense", "expenses", "account", "other"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSuggestion:
    """One GL account that may be meant; `evidence` reads `by number` or `by name`."""

    account: GLAccount
    score: int
    evidence: str


def find_target(number: str, accounts: SageAccounts, *, origin: str) -> GLAccount | Problem:
    """The account of this number if a distribution may name it; `origin` says who chose it."""
    found = accounts.find(number)
    if not found:
        return missing_problem(number, origin)
    if len(found) > 1:
        return ambiguous_problem(number, found, origin)
    return account_problem(found[0], origin) or found[0]


def usable(accounts: SageAccounts) -> tuple[GLAccount, ...]:
    """Every account an invoice may be distributed to, by its formatted number."""
    every = (account for group in accounts.by_folded.values() for account in group)
    good = (account for account in every if account_problem(account, "") is None)
    return tuple(sorted(good, key=lambda account: account.formatted))


def suggest_accounts(
    wanted: ListItem, targets: Iterable[GLAccount]
) -> tuple[AccountSuggestion, ...]:
    """The likeliest targets for a BILL account, best first, the order always the same."""
    found = [one for account in targets if (one := _compare(wanted, account)) is not None]
    return tuple(sorted(found, key=lambda one: (-one.score, one.account.formatted))[:MOST_SHOWN])


def _compare(wanted: ListItem, account: GLAccount) -> AccountSuggestion | None:
    number = fold_number(wanted.number)
    if len(number) >= LEAST_SHARED_DIGITS and fold_number(account.number).startswith(number):
        return AccountSuggestion(account=account, score=100, evidence="by number")
    ours, theirs = _words(wanted.name), _words(account.description)
    shared = len(ours & theirs) / len(ours | theirs) if ours and theirs else 0.0
    if shared < LEAST_SHARED_WORDS:
        return None
    return AccountSuggestion(account=account, score=round(90 * shared), evidence="by name")


def _words(name: str) -> set[str]:
    text = "".join(c if c.isalnum() else " " for c in name.casefold())
    words = {word[:-1] if len(word) > 3 and word.endswith("s") else word for word in text.split()}
    return words - DULL_WORDS or words
