"""A person's decisions about one vendor: link, link anew, create, leave out, take back.

Only exact rules link by themselves; a name alone never does, so this is where a person says who a
vendor is. Each deed is conditional on what they saw, logged and audited; the bills that waited go
on by themselves. The caller holds the tenant's scope and wakes the company afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from integrations.bill.types import BillVendor
from integrations.sage300.types import VENDOR_NUMBER_LENGTH, SageVendor
from sync.domain.packing import unpack
from sync.domain.policy import Policy
from sync.domain.problems import Problem
from sync.domain.sage_text import is_storable
from sync.domain.vendor_numbers import allot_vendor_number
from sync.domain.words import count_of
from sync.models import CompanyPolicy, LogEntry, Posting, VendorLink
from sync.models.vendor import LinkState
from sync.queries.lists import Lists
from sync.queries.rule_effects import NOT_YET_SENT
from sync.services import journal
from sync.services.acts import Done, NotOpen, Outcome, Overtaken
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company

#: Where a person may still decide anything.
BEING_MADE = LinkState.CREATING


def seen_mark(link: VendorLink) -> str:
    """What a form carries, so that a deed is done only to what its person saw."""
    return f"{link.state}:{link.sage_number}"


def link(
    row: VendorLink, number: str, *, seen: str, actor: Actor, now: datetime, note: str = ""
) -> Outcome:
    """Say which Sage vendor it is; also links one anew that was linked to another."""
    number = number.strip().upper()
    if not number:
        return NotOpen(sentence="Nothing was done: choose a Sage vendor, or write its number.")
    refusal = _cannot_change(row, seen)
    if refusal is not None:
        return refusal
    vendor = _find(row, number)
    if vendor is None:
        return NotOpen(
            sentence=f"Nothing was done: Sage has no vendor {number}. Check the number, or create"
            " the vendor."
        )
    holder = _holder(row, vendor.number)
    if holder is not None:
        return NotOpen(
            sentence=f"Nothing was done: Sage vendor {vendor.number} is already linked to"
            f" {holder.name} of BILL. Link or leave out that one first."
        )
    was = row.sage_number
    told = f"{row.name} is linked to {vendor.number} {vendor.name}".strip()
    told = f"{told}, it was {was}." if was and was != vendor.number else f"{told}."
    values: dict[str, Any] = {
        "state": LinkState.LINKED,
        "sage_number": vendor.number,
        "reason": f"Linked by {actor.name}. {note}".strip()[:300],
        "problem": None,
        "suggestions": [],
        "linked_at": now,
        "is_created_by_us": row.is_created_by_us and was == vendor.number,
        "sent_hash": "",
    }
    return _do(row, "linked", values, told, actor=actor, note=note, now=now)


def create(
    row: VendorLink,
    *,
    seen: str,
    actor: Actor,
    now: datetime,
    number: str = "",
    group_code: str = "",
) -> Outcome:
    """Have it created in Sage, under this number or one the company's rule makes.

    `group_code` "" is the policy's group for new vendors. The next pass creates it.
    """
    refusal = _cannot_change(row, seen)
    if refusal is not None:
        return refusal
    lists = Lists(row.tenant_id, row.company_id)
    policy = _policy(row)
    group = group_code.strip().upper() or policy.vendor_group
    wrong = _wrong_group(group, lists) or _wrong_currency(row, group, policy, lists)
    if wrong:
        return NotOpen(sentence=wrong)
    taken = {vendor.number.upper(): vendor.name for vendor in lists.vendors()}
    allotted = _number(row, number, policy, taken)
    if isinstance(allotted, NotOpen):
        return allotted
    told = f"{row.name} is created in Sage as {allotted} in group {group} now."
    values: dict[str, Any] = {
        "state": LinkState.CREATING,
        "sage_number": allotted,
        "group_code": group if group != policy.vendor_group else "",
        "reason": f"Created for {actor.name}."[:300],
        "problem": None,
        "suggestions": [],
    }
    return _do(row, "creating", values, told, actor=actor, note="", now=now)


def ignore(row: VendorLink, *, note: str, seen: str, actor: Actor, now: datetime) -> Outcome:
    """Leave this vendor and all its bills out, until somebody takes it back."""
    refusal = _cannot_change(row, seen)
    if refusal is not None:
        return refusal
    note = note.replace("\x00", "").strip()[:250]
    if not note:
        return NotOpen(
            sentence="Nothing was done yet. Please say why this vendor is left out: the reason is"
            " kept with it."
        )
    told = f"{row.name} and its bills are left out: {note}"
    values: dict[str, Any] = {
        "state": LinkState.IGNORED,
        "sage_number": "",
        "reason": f"Left out by {actor.name}: {note}"[:300],
        "problem": None,
        "suggestions": [],
        "linked_at": None,
    }
    return _do(row, "ignored", values, told, actor=actor, note=note, now=now)


def restore(row: VendorLink, *, seen: str, actor: Actor, now: datetime) -> Outcome:
    """Take a vendor back, or undo a link: it is matched anew by the company's exact rules."""
    refusal = _cannot_change(row, seen)
    if refusal is not None:
        return refusal
    told = f"{row.name} is matched anew now; only an exact rule links it by itself."
    values: dict[str, Any] = {
        "state": LinkState.NEW,
        "sage_number": "",
        "reason": f"Taken back by {actor.name}."[:300],
        "problem": None,
        "suggestions": [],
        "linked_at": None,
    }
    return _do(row, "restored", values, told, actor=actor, note="", now=now)


def _cannot_change(row: VendorLink, seen: str) -> NotOpen | Overtaken | None:
    """Why nothing may be decided now: somebody was quicker, or Sage is being written to."""
    if seen_mark(row) != seen:
        return Overtaken(sentence=who_was_quicker(row))
    if row.state == BEING_MADE and row.attempts.exists():
        return NotOpen(
            sentence=f"{row.name} is being created in Sage as {row.sage_number}. It can be changed"
            " once Sage has answered."
        )
    return None


def _find(row: VendorLink, number: str) -> SageVendor | None:
    vendors = Lists(row.tenant_id, row.company_id).vendors()
    return next((vendor for vendor in vendors if vendor.number.upper() == number), None)


def _holder(row: VendorLink, number: str) -> VendorLink | None:
    """Another BILL vendor that is this Sage vendor already."""
    rows = VendorLink.objects.for_tenant(row.tenant_id).filter(company_id=row.company_id)
    return rows.filter(sage_number=number).exclude(pk=row.pk).first()


def _policy(row: VendorLink) -> Policy:
    owned = (
        CompanyPolicy.objects.for_tenant(row.tenant_id).filter(company_id=row.company_id).first()
    )
    return owned.policy() if owned else Policy()


def _wrong_group(group: str, lists: Lists) -> str:
    if not group:
        return (
            "Nothing was done: Sage needs a vendor group for a new vendor. Choose one here, or"
            " once for all in the policy."
        )
    groups = {one.code.upper(): one for one in lists.groups()}
    found = groups.get(group)
    if groups and found is None:
        return f"Nothing was done: Sage has no vendor group {group}."
    if found is not None and not found.is_active:
        return f"Nothing was done: vendor group {group} is inactive in Sage."
    return ""


def _wrong_currency(row: VendorLink, group: str, policy: Policy, lists: Lists) -> str:
    """Sage takes a vendor's currency from its group, for good."""
    bills_in = unpack(BillVendor, row.snapshot).currency
    groups = {one.code.upper(): one.currency for one in lists.groups()}
    made_in = groups.get(group) or policy.currency
    if not bills_in or bills_in == made_in:
        return ""
    return (
        f"Nothing was done: {row.name} bills in {bills_in}, and vendors of group {group} are made"
        f" in {made_in}. Choose a group in {bills_in}, or add it in Sage and link it here."
    )


def _number(
    row: VendorLink, number: str, policy: Policy, taken: Mapping[str, str]
) -> str | NotOpen:
    """The number asked for if it is free, or one the company's rule makes."""
    links = VendorLink.objects.for_tenant(row.tenant_id).filter(company_id=row.company_id)
    linked = links.exclude(pk=row.pk).exclude(sage_number="")
    allotted = {*linked.values_list("sage_number", flat=True)}
    asked = number.strip().upper()
    if not asked:
        vendor = unpack(BillVendor, row.snapshot)
        made = allot_vendor_number(
            vendor, rule=policy.vendor_number_rule, taken={*allotted, *taken}
        )
        return NotOpen(sentence=made.sentence) if isinstance(made, Problem) else made
    if len(asked) > VENDOR_NUMBER_LENGTH or not all(is_storable(c) for c in asked):
        return NotOpen(
            sentence=f"Nothing was done: “{asked[:40]}” cannot be a Sage vendor number. It has at"
            f" most {VENDOR_NUMBER_LENGTH} letters and digits."
        )
    if asked in taken:
        return NotOpen(
            sentence=f"Nothing was done: Sage has a vendor {asked} already, {taken[asked]}. Link to"
            " it, or choose another number."
        )
    if asked in allotted:
        return NotOpen(sentence=f"Nothing was done: number {asked} is given to another vendor.")
    return asked


def _do(
    row: VendorLink,
    deed: str,
    values: dict[str, Any],
    told: str,
    *,
    actor: Actor,
    note: str,
    now: datetime,
) -> Outcome:
    """Write it if the row still stands as it was read; with its log line and audit."""
    before = seen_mark(row)
    rows = VendorLink.objects.for_tenant(row.tenant_id).filter(
        pk=row.pk, state=row.state, sage_number=row.sage_number
    )
    try:
        with transaction.atomic():
            is_won = rows.update(**values) == 1
    except IntegrityError:
        is_won = False
    if not is_won:
        row.refresh_from_db()
        return Overtaken(sentence=who_was_quicker(row))
    for name, value in values.items():
        setattr(row, name, value)
    waiting = _decide_anew(row)
    line = journal.vendor_line(
        row, event=f"vendor.{deed}", sentence=told, now=now, actor=actor.name
    )
    journal.write([line])
    audit.record(
        tenant=row.tenant_id,
        actor=actor,
        action=f"vendor.{deed}",
        subject=told,
        subject_id=row.pk,
        details={"from": before, "to": seen_mark(row), "note": note},
        now=now,
    )
    goes_on = f" {count_of(waiting, 'waiting bill')} decided anew." if waiting else ""
    return Done(sentence=f"{told}{goes_on}")


def _decide_anew(row: VendorLink) -> int:
    """Mark the vendor's bills that are not in Sage yet; return how many."""
    states = (*NOT_YET_SENT, "SKIPPED")
    rows = Posting.objects.for_tenant(row.tenant_id).of_company(row.company_id)
    rows = rows.filter(
        bill_vendor_id=row.bill_vendor_id, state__in=states, is_skipped_by_person=False
    )
    return rows.update(is_dirty=True)


def who_was_quicker(row: VendorLink) -> str:
    """What happened to the vendor meanwhile, with the person who did it where it was one."""
    last: LogEntry | None = (
        LogEntry.objects.for_tenant(row.tenant_id)
        .filter(vendor_link_id=row.pk)
        .order_by("-at", "-pk")
        .first()
    )
    if last is None:
        return f"Nothing was done: {row.name} has changed since you opened this page."
    who = f"{last.actor} was quicker." if last.actor else "It has changed by itself meanwhile."
    return f"{who} {last.sentence} Nothing else was done."


def find_link(*, company: Company, link_id: uuid.UUID) -> VendorLink | None:
    """The vendor of this company, None where it has none such."""
    rows = VendorLink.objects.for_tenant(company.tenant_id).filter(company=company)
    return rows.filter(pk=link_id).first()
