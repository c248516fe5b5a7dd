"""Brings a company's policy, vendor links and rules to what a provision file says.

What the file does not name stays: a rule somebody made on a page is not lost by the next run.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sync.domain.policy import Policy, PolicyRefused
from sync.domain.policy_document import policy_from_dict, policy_to_dict
from sync.models import CompanyPolicy, MappingRule, VendorLink
from sync.models.vendor import LinkState
from sync.services import journal
from sync.services.provisioning.company import CompanyEntry, LinkEntry, SkipEntry, conditions
from sync.services.provisioning.resolving import VENDOR, Ids
from sync.services.provisioning.shape import Json, Reading, below
from tenants.models import Company

ACTOR = "provision"
_COLUMNS = {
    "account": "account_id",
    "department": "department_id",
    "location": "location_id",
    "accounting_class": "class_id",
    "item": "item_id",
    "vendor": "vendor_id",
}


def write_policy(
    entry: CompanyEntry, company: Company, ids: Ids, pointer: str, reading: Reading, now: datetime
) -> bool:
    """Make or change the policy row; tell whether anything differed. Needs the open scope."""
    row = CompanyPolicy.objects.for_tenant(company.tenant_id).filter(company=company).first()
    is_new = row is None
    row = row or CompanyPolicy(tenant_id=company.tenant_id, company=company)
    policy = _policy(entry, row, ids, pointer, reading, is_new=is_new)
    if policy is None:
        return False
    named = {ids[VENDOR, one.vendor]: one.gl_account for one in entry.vendor_accounts}
    before = (row.policy(), row.vendor_accounts, row.group_accounts, row.skip_rules)
    after = (
        policy,
        {**row.vendor_accounts, **named},
        {**row.group_accounts, **entry.group_accounts},
        _skip_rules(entry.skip_rules, row.skip_rules, ids),
    )
    if not is_new and before == after:
        return False
    row.values = policy_to_dict(policy)
    _, row.vendor_accounts, row.group_accounts, row.skip_rules = after
    row.version = 1 if is_new else row.version + 1
    row.changed_at = now
    row.save(force_insert=is_new)
    return True


def _policy(
    entry: CompanyEntry,
    row: CompanyPolicy,
    ids: Ids,
    pointer: str,
    reading: Reading,
    *,
    is_new: bool,
) -> Policy | None:
    said: Json = {"currency": entry.currency, **(entry.policy or {})}
    base = Policy() if is_new else row.policy()
    where = f"{pointer}/policy"
    try:
        policy = policy_from_dict(said, base=base)
        links = {ids[VENDOR, link.vendor]: link.sage_number for link in entry.vendor_links}
        if links:
            policy = policy_from_dict({"number_map": {**policy.number_map, **links}}, base=policy)
    except PolicyRefused as refused:
        for key, sentence in refused.errors.items():
            reading.add(below(where, key), sentence)
        return None
    if policy.currency != entry.currency:
        reading.add(
            f"{where}/currency",
            f"The company's currency is {entry.currency} and the policy's is {policy.currency}; "
            "both must be the same.",
        )
    return policy


def _skip_rules(
    entries: tuple[SkipEntry, ...], stored: list[dict[str, str]], ids: Ids
) -> list[dict[str, str]]:
    rules = {rule["name"]: rule for rule in stored}
    for entry in entries:
        known = rules.get(entry.name)
        rules[entry.name] = {
            "id": known["id"] if known else str(uuid.uuid4()),
            "name": entry.name,
            "vendor_id": ids[VENDOR, entry.vendor] if entry.vendor else "",
            "account_id": ids["account", entry.account] if entry.account else "",
            "invoice_number_prefix": entry.invoice_number_prefix,
        }
    return list(rules.values())


def write_mapping_rules(
    entry: CompanyEntry, company: Company, ids: Ids, pointer: str, reading: Reading, now: datetime
) -> bool:
    """Make the rules, or change those with the same conditions; tell whether any differed."""
    rows = MappingRule.objects.for_tenant(company.tenant_id).filter(company=company)
    stored = {tuple(getattr(row, name) for name in _COLUMNS.values()): row for row in rows}
    seen: dict[tuple[str, ...], int] = {}
    is_changed = False
    for place, rule in enumerate(entry.mapping_rules):
        named = {_COLUMNS[kind]: ids[kind, one] for kind, one in conditions(rule).items()}
        key = tuple(named.get(name, "") for name in _COLUMNS.values())
        if key in seen:
            reading.add(
                f"{pointer}/mapping_rules/{place}",
                f"This rule has the same conditions as rule {seen[key]} of the file; keep one.",
            )
            continue
        seen[key] = place
        row = stored.get(key)
        if row is not None and (row.gl_account, row.name) == (rule.gl_account, rule.name):
            continue
        row = row or MappingRule(tenant_id=company.tenant_id, company=company, **named)
        row.gl_account, row.name, row.made_at = rule.gl_account, rule.name, now
        row.save()
        is_changed = True
    return is_changed


def write_links(
    entry: CompanyEntry, company: Company, ids: Ids, pointer: str, reading: Reading, now: datetime
) -> bool:
    """Link vendors that were read already; others are linked by the number map when they come."""
    rows = {
        row.bill_vendor_id: row
        for row in VendorLink.objects.for_tenant(company.tenant_id).filter(company=company)
    }
    holders = {row.sage_number: row for row in rows.values() if row.sage_number}
    is_changed = False
    for place, link in enumerate(entry.vendor_links):
        row, number = rows.get(ids[VENDOR, link.vendor]), link.sage_number.upper()
        if row is None or (row.sage_number == number and row.state == LinkState.LINKED):
            continue
        holder = holders.get(number, row)
        where = f"{pointer}/vendor_links/{place}/sage_number"
        if holder.pk != row.pk:
            reading.add(
                where, f"Sage's vendor {number} is already linked to {holder.name} of BILL."
            )
        elif row.state == LinkState.CREATING and row.attempts.exists():
            reading.add(
                where,
                f"{row.name} is being created in Sage under {row.sage_number}. Wait for the next "
                "run to end, then link it.",
            )
        else:
            _link(row, link, now)
            is_changed = True
    return is_changed


def _link(row: VendorLink, link: LinkEntry, now: datetime) -> None:
    row.state, row.sage_number = LinkState.LINKED, link.sage_number.upper()
    row.reason, row.problem, row.suggestions = "Linked by the provision file.", None, []
    row.linked_at, row.is_created_by_us = now, False
    row.save()
    line = journal.vendor_line(
        row, event="vendor.linked", sentence=f"Linked to {row.sage_number} by the provision file.",
        now=now, actor=ACTOR,
    )  # fmt: skip
    journal.write([line])
