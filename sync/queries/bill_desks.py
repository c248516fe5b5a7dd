"""Lays out, for one bill, what the choice of its accounts rests on: lists, rules, vendor, policy.

Read from our own rows only. The write side gathers the same for a whole pass (`services/deciding`);
pages and previews ask for single bills, so they share this room and the domain's choice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from integrations.bill.types import Bill, ListItem, ListKind
from integrations.sage300.types import GLAccount, SageVendor
from sync.domain.gl_accounts import SageAccounts
from sync.domain.line_accounts import Catalogue, Desk
from sync.domain.mapping_rules import MOST_TELLING_FIRST, MappingRule
from sync.domain.policy import Policy
from sync.models import CompanyPolicy, LineOverride, VendorLink
from sync.models import MappingRule as RuleRow
from sync.queries.lists import Lists

#: A rule's dimension → the BILL list its ids are in; vendors are in our own link table.
KINDS: Mapping[str, ListKind] = {
    "account_id": ListKind.ACCOUNT,
    "department_id": ListKind.DEPARTMENT,
    "location_id": ListKind.LOCATION,
    "class_id": ListKind.CLASS,
    "item_id": ListKind.ITEM,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Everything accounts are chosen by in one company; `numbers` leads from BILL vendor to Sage."""

    lists: Lists
    items: Mapping[str, ListItem]
    accounts: SageAccounts
    rules: Sequence[MappingRule]
    policy: Policy
    vendors: Mapping[str, SageVendor]
    vendor_names: Mapping[str, str]
    numbers: Mapping[str, str]
    vendor_accounts: Mapping[str, str]
    group_accounts: Mapping[str, str]

    def desk(self, bill: Bill, overrides: Mapping[str, str] | None = None) -> Desk:
        """The desk for one bill, with the default account its vendor has here or in Sage."""
        number = self.numbers.get(bill.vendor_id, "")
        vendor = self.vendors.get(number, SageVendor(number="", name=bill.vendor_name))
        chosen = self.vendor_accounts.get(bill.vendor_id, "")
        chosen = chosen or (self.group_accounts.get(vendor.group_code, "") if number else "")
        if chosen:
            vendor = replace(vendor, gl_account=chosen, distribution_type="GLAccount")
        return Desk(
            bill=bill,
            vendor=vendor,
            catalogue=Catalogue(lists=self.items, accounts=self.accounts),
            rules=self.rules,
            policy=self.policy,
            overrides=overrides or {},
        )

    def name_of(self, dimension: str, value: str) -> str:
        """What people call this value of a rule's dimension, its id where we have not read it."""
        if dimension == "vendor_id":
            return self.vendor_names.get(value) or value
        found = self.items.get(value)
        return found.name if found and found.name else value

    def words_of(self, rule: MappingRule) -> str:
        """What a rule asks for, in names: `Utilities + Office`."""
        named = [self.name_of(name, getattr(rule, name)) for name in reversed(rule.named)]
        return " + ".join(named)

    def account(self, number: str) -> GLAccount | None:
        """The one account of this number, if there is exactly one."""
        found = self.accounts.find(number)
        return found[0] if len(found) == 1 else None


def grounds_of(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> Grounds:
    """Gather them; four queries."""
    lists = Lists(tenant_id, company_id)
    owned = CompanyPolicy.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
    links = list(
        VendorLink.objects.for_tenant(tenant_id)
        .filter(company_id=company_id)
        .values_list("bill_vendor_id", "name", "sage_number")
    )
    rules = RuleRow.objects.for_tenant(tenant_id).filter(company_id=company_id)
    return Grounds(
        lists=lists,
        items=lists.bill_items(),
        accounts=SageAccounts.of(lists.accounts()),
        rules=[rule_of(row) for row in rules],
        policy=owned.policy() if owned else Policy(),
        vendors={vendor.number.upper(): vendor for vendor in lists.vendors()},
        vendor_names={key: name for key, name, _ in links},
        numbers={key: number.upper() for key, _, number in links if number},
        vendor_accounts=owned.vendor_accounts if owned else {},
        group_accounts=owned.group_accounts if owned else {},
    )


def rule_of(row: RuleRow) -> MappingRule:
    """A stored rule as the domain's value."""
    named = {name: getattr(row, name) for name in MOST_TELLING_FIRST}
    return MappingRule(id=str(row.pk), gl_account=row.gl_account, **named)


def overrides_of(
    tenant_id: uuid.UUID, posting_ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, dict[str, str]]:
    """The accounts people chose for single lines, by posting and line id."""
    found: dict[uuid.UUID, dict[str, str]] = {}
    rows = LineOverride.objects.for_tenant(tenant_id).filter(posting_id__in=list(posting_ids))
    for posting_id, line_id, account in rows.values_list("posting_id", "line_id", "gl_account"):
        found.setdefault(posting_id, {})[line_id] = account
    return found
