"""Mapping rules: which coding in BILL leads to which GL account in Sage, and which rule wins.

A rule names one or more dimensions; one that names only the BILL account is a row of the mapping
table. The most specific rule wins, that is the one with most dimensions; among rules with equally
many, the one with the more telling dimension, in the order of `MOST_TELLING_FIRST`. So the answer
does not depend on the order rules are stored in. Only rules with the very same conditions can tie,
and if they name different accounts that is a contradiction for a person to end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sync.domain.gl_accounts import fold_number

MOST_TELLING_FIRST = (
    "vendor_id",
    "item_id",
    "class_id",
    "location_id",
    "department_id",
    "account_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingRule:
    """Lines that agree in every dimension named ("" is any) go to `gl_account`.

    The dimensions are BILL ids; `gl_account` is a Sage number in any spelling. A rule that names
    no dimension would be a catch-all, which is a policy and no rule: it never applies.
    """

    id: str
    gl_account: str
    vendor_id: str = ""
    item_id: str = ""
    class_id: str = ""
    location_id: str = ""
    department_id: str = ""
    account_id: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """The dimensions this rule names, most telling first."""
        return tuple(name for name in MOST_TELLING_FIRST if getattr(self, name))

    @property
    def is_table_row(self) -> bool:
        """Whether this is a row of the account table rather than a rule with conditions."""
        return self.named == ("account_id",)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """What rules may ask about a line; "" where BILL says nothing."""

    vendor_id: str = ""
    item_id: str = ""
    class_id: str = ""
    location_id: str = ""
    department_id: str = ""
    account_id: str = ""


def best_rules(rules: Iterable[MappingRule], facts: LineFacts) -> tuple[MappingRule, ...]:
    """The winning rule; several where rules of the same conditions contradict; none if none fits.

    Rules that agree on the account as well count as one, the one with the lowest id.
    """
    fitting = [rule for rule in rules if _fits(rule, facts)]
    if not fitting:
        return ()
    top = max(_rank(rule) for rule in fitting)
    winners = sorted((rule for rule in fitting if _rank(rule) == top), key=lambda r: r.id)
    by_target: dict[str, MappingRule] = {}
    for rule in winners:
        by_target.setdefault(fold_number(rule.gl_account), rule)
    return tuple(by_target.values())


def _fits(rule: MappingRule, facts: LineFacts) -> bool:
    return bool(rule.named) and all(
        getattr(rule, name) == getattr(facts, name) for name in rule.named
    )


def _rank(rule: MappingRule) -> tuple[int, ...]:
    return (len(rule.named), *(bool(getattr(rule, name)) for name in MOST_TELLING_FIRST))
