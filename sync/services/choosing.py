"""Saving a company's policy: a new version, with what changed and who decided it on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sync.domain.policy import Policy
from sync.domain.policy_document import BY_NAME, policy_from_dict, policy_to_dict
from sync.models import CompanyPolicy
from sync.services import journal, setup, turns
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company


class ChangedMeanwhile(Exception):
    """Somebody saved another version since this one was read."""


def changes_between(before: Policy | None, after: Policy) -> dict[str, tuple[object, object]]:
    """What differs, as field → (old, new) in the words of the document; all where it is new."""
    new = policy_to_dict(after)
    old = policy_to_dict(before) if before else dict.fromkeys(new)
    return {name: (old[name], value) for name, value in new.items() if old[name] != value}


def save_policy(
    company: Company,
    document: Mapping[str, object],
    *,
    version_seen: int,
    actor: Actor,
    now: datetime,
) -> tuple[CompanyPolicy, list[str]]:
    """Store the document over what is stored; return the row and the names of what changed.

    `version_seen` is the version the person read, 0 before there is one. Raises PolicyRefused and
    ChangedMeanwhile. Needs the open scope. Bills that were not sent are decided anew by the next
    pass, which is rung for here; the caller rings the worker.
    """
    rows = CompanyPolicy.objects.for_tenant(company.tenant_id).select_for_update()
    row = rows.filter(company=company).first()
    if (row.version if row else 0) != version_seen:
        raise ChangedMeanwhile
    before = row.policy() if row else None
    policy = policy_from_dict(document, base=before)
    changed = changes_between(before, policy)
    if row is not None and not changed:
        return row, []
    is_new = row is None
    row = row or CompanyPolicy(tenant_id=company.tenant_id, company=company, version=0)
    row.values, row.version, row.changed_at = policy_to_dict(policy), row.version + 1, now
    row.save(force_insert=is_new)
    _record(company, row, changed, is_new=is_new, actor=actor, now=now)
    setup.start_if_ready(company)
    turns.ring(company_id=company.pk)
    return row, list(changed)


def _record(
    company: Company,
    row: CompanyPolicy,
    changed: Mapping[str, tuple[object, object]],
    *,
    is_new: bool,
    actor: Actor,
    now: datetime,
) -> None:
    labels = ", ".join(BY_NAME[name].label.lower() for name in changed)
    details = {name: {"from": old, "to": new} for name, (old, new) in changed.items()}
    audit.record(
        tenant=company.tenant_id, actor=actor, action="policy.changed", now=now,
        subject=f"{company.name}, version {row.version}", subject_id=company.pk, details=details,
    )  # fmt: skip
    sentence = "The policy was set for the first time." if is_new else f"Policy changed: {labels}."
    line = journal.company_line(
        tenant_id=company.tenant_id,
        company_id=company.pk,
        event="policy.changed",
        sentence=sentence,
        now=now,
        actor=actor.name,
    )
    journal.write([line])
