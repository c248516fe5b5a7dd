"""Changing who may do what in a tenant: roles, leaving, and the tokens of machines.

A tenant always keeps an owner, else nobody could mend anything. A token can do no more than its
maker: it is revoked when its maker leaves or may do less than it.
"""

from __future__ import annotations

from datetime import datetime

from tenants import audit
from tenants.audit import Actor
from tenants.models import ApiToken, Membership, Role, Tenant, User

_RANK = {Role.VIEWER: 0, Role.ACCOUNTANT: 1, Role.OWNER: 2}


class LastOwner(Exception):
    """The tenant would be left without an owner; the text says what to do."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__(f"{tenant} would be without an owner. Make somebody else an owner first.")


def change_role(member: Membership, role: Role, *, actor: Actor, now: datetime) -> int:
    """Give a member another role; return how many of their tokens were revoked for it.

    Needs the open scope; raises LastOwner.
    """
    before = member.role
    if before == role:
        return 0
    if before == Role.OWNER:
        _refuse_last_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    audit.record(
        tenant=member.tenant, actor=actor, action="member.role_changed",
        subject=member.user.email, subject_id=member.user_id,
        details={"from": before, "to": role.value}, now=now,
    )  # fmt: skip
    return _revoke_beyond(member.tenant, member.user, role, actor=actor, now=now)


def remove(member: Membership, *, actor: Actor, now: datetime) -> int:
    """End a membership; return how many tokens of theirs were revoked.

    Needs the open scope; raises LastOwner.
    """
    if member.role == Role.OWNER:
        _refuse_last_owner(member)
    tenant, user = member.tenant, member.user
    audit.record(
        tenant=tenant, actor=actor, action="member.removed", subject=user.email,
        subject_id=user.pk, details={"role": member.role}, now=now,
    )  # fmt: skip
    member.delete()
    return _revoke_beyond(tenant, user, None, actor=actor, now=now)


def issue_token(
    *, tenant: Tenant, label: str, role: str, by: User, actor: Actor, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token and record it; needs the open scope."""
    row, text = ApiToken.issue(tenant=tenant, role=role, label=label, created_by=by, now=now)
    audit.record(
        tenant=tenant, actor=actor, action="api_token.issued", subject=str(row),
        subject_id=row.pk, details={"role": role}, now=now,
    )  # fmt: skip
    return row, text


def revoke_token(token: ApiToken, *, actor: Actor, now: datetime, why: str = "") -> None:
    """Refuse a token from now on; harmless when it is revoked already. Needs the open scope."""
    if token.revoked_at is not None:
        return
    token.revoke(now=now)
    audit.record(
        tenant=token.tenant_id, actor=actor, action="api_token.revoked", subject=str(token),
        subject_id=token.pk, details={"why": why} if why else {}, now=now,
    )  # fmt: skip


def _refuse_last_owner(member: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(
        tenant=member.tenant, role=Role.OWNER, user__is_active=True
    )
    if not any(owner.pk != member.pk for owner in owners):
        raise LastOwner(member.tenant)


def _revoke_beyond(
    tenant: Tenant, maker: User, role: Role | None, *, actor: Actor, now: datetime
) -> int:
    """Revoke the maker's tokens that may do more than this role; all of them where it is None."""
    most = _RANK[role] if role else -1
    mine = ApiToken.objects.filter(tenant=tenant, created_by=maker, revoked_at=None)
    beyond = [token for token in mine if _RANK[Role(token.role)] > most]
    for token in beyond:
        revoke_token(token, actor=actor, now=now, why="its maker may no longer do this")
    return len(beyond)
