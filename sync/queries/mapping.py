"""The mapping page: every BILL account with the Sage account it leads to, and every rule.

How an account reads in Sage is judged anew each time from the list as last read, so an account that
went inactive yesterday shows today, before a bill is refused for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.bill.types import ListItem, ListKind
from integrations.sage300.types import GLAccount
from sync.domain.account_targets import AccountSuggestion, find_target, suggest_accounts, usable
from sync.domain.gl_accounts import SageAccounts, fold_number
from sync.domain.mapping_rules import MappingRule
from sync.domain.posting_state import PostingState
from sync.domain.problems import Problem, ProblemCode
from sync.models import MappingRule as RuleRow
from sync.models import MappingRuleChange, Posting
from sync.queries.bill_desks import KINDS, Grounds, grounds_of, rule_of
from sync.queries.lists import ACCOUNTS
from sync.queries.rule_effects import LOOK_BACK_DAYS, NOT_YET_SENT, uses_of_rules

#: Kinds of BILL accounts that no bill line is coded to; shown only where one is.
NOT_FOR_LINES = frozenset({"BANK", "ACCOUNTS_PAYABLE", "ACCOUNTS_RECEIVABLE", "CREDIT_CARD"})
STANDING_WORDS: Mapping[ProblemCode, str] = {
    ProblemCode.GL_MISSING: "not in Sage",
    ProblemCode.GL_INACTIVE: "inactive in Sage",
    ProblemCode.GL_NOT_POSTABLE: "takes no postings",
    ProblemCode.GL_CONTROL: "control account",
    ProblemCode.NUMBER_AMBIGUOUS: "fits several accounts",
}
MOST_BILLS = 5_000
HISTORY_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A Sage account as a row shows it; `trouble` says in two words why it cannot be used."""

    number: str
    name: str = ""
    trouble: str = ""
    sentence: str = ""


@dataclass(slots=True, kw_only=True)
class AccountRow:
    """One BILL account: where its lines go, why, and how much that is.

    `lines` and `amount` count what lies in Sage of the last 90 days, `waiting` the bills that are
    not there yet.
    """

    item: ListItem
    target: Target | None = None
    how: str = ""
    rule: MappingRule | None = None
    also_by_rules: int = 0
    waiting: set[uuid.UUID] = field(default_factory=set)
    lines: int = 0
    amount: Decimal = Decimal(0)

    @property
    def needs_a_look(self) -> bool:
        """Whether a person should do something: no usable account and bills that wait for one."""
        has_trouble = self.target is not None and bool(self.target.trouble)
        return has_trouble or (self.target is None and bool(self.waiting))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShown:
    """One rule in names, with what it leads to and how many waiting bills go by it."""

    row: RuleRow
    words: str
    target: Target
    uses: int
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPage:
    """Everything the page shows beside the panel."""

    grounds: Grounds
    accounts: Sequence[AccountRow]
    rules: Sequence[RuleShown]
    read_at: datetime | None
    last_change: MappingRuleChange | None
    vendor_defaults: int

    @property
    def unmapped(self) -> int:
        """BILL accounts that lead to no Sage account."""
        return sum(1 for row in self.accounts if row.target is None)

    @property
    def looks(self) -> Sequence[AccountRow]:
        """The accounts a person should look at."""
        return [row for row in self.accounts if row.needs_a_look]

    @property
    def bad_rules(self) -> Sequence[RuleShown]:
        """The rules whose account cannot be used."""
        return [rule for rule in self.rules if rule.target.trouble]


def mapping_page(*, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> MappingPage:
    """Gather the page; ten queries whatever the number of rules."""
    grounds = grounds_of(tenant_id=tenant_id, company_id=company_id)
    uses = uses_of_rules(grounds, tenant_id=tenant_id, company_id=company_id)
    stored = (
        RuleRow.objects.for_tenant(tenant_id)
        .filter(company_id=company_id)
        .select_related("made_by")
    )
    rules = [_rule(row, grounds, len(uses.get(str(row.pk), ()))) for row in stored]
    changes = MappingRuleChange.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return MappingPage(
        grounds=grounds,
        accounts=_accounts(grounds, tenant_id, company_id, now),
        rules=sorted(rules, key=lambda rule: rule.words.casefold()),
        read_at=grounds.lists.read_at(ACCOUNTS),
        last_change=changes.order_by("-at", "-pk").first(),
        vendor_defaults=len(grounds.vendor_accounts) + len(grounds.group_accounts),
    )


def target_of(number: str, accounts: SageAccounts) -> Target:
    """The account of a number with what is wrong with it now."""
    found = find_target(number, accounts, origin="as mapped")
    if isinstance(found, GLAccount):
        return Target(number=found.formatted, name=found.description)
    trouble = STANDING_WORDS.get(found.code, "cannot be used")
    known = accounts.find(number)
    name = known[0].description if len(known) == 1 else ""
    shown = known[0].formatted if len(known) == 1 else number
    return Target(number=shown, name=name, trouble=trouble, sentence=found.sentence)


def _rule(row: RuleRow, grounds: Grounds, uses: int) -> RuleShown:
    return RuleShown(
        row=row,
        words=grounds.words_of(rule_of(row)),
        target=target_of(row.gl_account, grounds.accounts),
        uses=uses,
        made_by=row.made_by.get_full_name() if row.made_by else "",
    )


def _accounts(
    grounds: Grounds, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime
) -> list[AccountRow]:
    rows = {
        item.id: AccountRow(item=item)
        for item in grounds.items.values()
        if item.kind is ListKind.ACCOUNT
    }
    _count_lines(rows, tenant_id, company_id, now)
    for row in rows.values():
        _aim(row, grounds)
    shown = [
        row
        for row in rows.values()
        if row.waiting
        or row.lines
        or row.rule
        or not (row.item.archived or row.item.account_type in NOT_FOR_LINES)
    ]
    return sorted(shown, key=lambda row: (row.item.name.casefold(), row.item.id))


def _aim(row: AccountRow, grounds: Grounds) -> None:
    """Where lines of this account go when nothing more special decides."""
    table = [r for r in grounds.rules if r.is_table_row and r.account_id == row.item.id]
    row.also_by_rules = sum(
        1 for r in grounds.rules if r.account_id == row.item.id and not r.is_table_row
    )
    if table:
        row.rule, row.how = table[0], "by hand"
        row.target = target_of(table[0].gl_account, grounds.accounts)
    elif row.item.number and grounds.accounts.find(row.item.number):
        row.how, row.target = "by number", target_of(row.item.number, grounds.accounts)
    elif grounds.policy.catch_all_account:
        row.how = "catch-all"
        row.target = target_of(grounds.policy.catch_all_account, grounds.accounts)


def _count_lines(
    rows: dict[str, AccountRow], tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime
) -> None:
    """Count lines by BILL account straight from the stored bills."""
    postings = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    waiting = postings.in_state(*NOT_YET_SENT).values_list("pk", "bill__snapshot")
    for key, snapshot in waiting.order_by("pk")[:MOST_BILLS].iterator():
        for account_id, _ in _coded(snapshot):
            if account_id in rows:
                rows[account_id].waiting.add(key)
    since = now - timedelta(days=LOOK_BACK_DAYS)
    sent = postings.in_state(PostingState.IN_SAGE).filter(in_sage_at__gte=since)
    for snapshot in (
        sent.order_by("-in_sage_at")
        .values_list("bill__snapshot", flat=True)[:MOST_BILLS]
        .iterator()
    ):
        for account_id, amount in _coded(snapshot):
            if account_id in rows:
                rows[account_id].lines += 1
                rows[account_id].amount += amount


def _coded(snapshot: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    header = snapshot.get("coding", {}).get("account_id", "")
    return [
        (line.get("coding", {}).get("account_id", "") or header, Decimal(line.get("amount") or 0))
        for line in snapshot.get("lines", ())
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a list of targets offers: the suggestions first, then every usable account."""

    suggested: Sequence[AccountSuggestion]
    others: Sequence[GLAccount]


def options_for(grounds: Grounds, item: ListItem | None) -> Options:
    """The accounts a person may choose for this BILL account."""
    every = usable(grounds.accounts)
    suggested = suggest_accounts(item, every) if item else ()
    chosen = {fold_number(one.account.number) for one in suggested}
    others = [account for account in every if fold_number(account.number) not in chosen]
    return Options(suggested=suggested, others=others)


def choices_of(grounds: Grounds) -> dict[str, list[tuple[str, str]]]:
    """For each dimension the BILL records a rule may name, by name: (id, name)."""
    found: dict[str, list[tuple[str, str]]] = {}
    for dimension, kind in KINDS.items():
        items = [one for one in grounds.items.values() if one.kind is kind and not one.archived]
        found[dimension] = sorted(
            ((one.id, one.name or one.id) for one in items), key=lambda pair: pair[1].casefold()
        )
    found["vendor_id"] = sorted(grounds.vendor_names.items(), key=lambda pair: pair[1].casefold())
    return found


def history(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, before: str = ""
) -> tuple[list[MappingRuleChange], str]:
    """The changes, newest first, and the cursor of the older page ("" where there is none)."""
    rows = MappingRuleChange.objects.for_tenant(tenant_id).filter(company_id=company_id)
    if before:
        try:
            rows = rows.filter(at__lt=datetime.fromisoformat(before))
        except ValueError:
            rows = rows.none()
    found = list(rows.order_by("-at", "-pk")[: HISTORY_ROWS + 1])
    older = found[HISTORY_ROWS - 1].at.isoformat() if len(found) > HISTORY_ROWS else ""
    return found[:HISTORY_ROWS], older


def trouble_of(number: str, grounds: Grounds) -> str:
    """Why this account cannot be chosen, "" when it can."""
    found = find_target(number, grounds.accounts, origin="this choice")
    return found.sentence if isinstance(found, Problem) else ""
