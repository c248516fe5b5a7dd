"""Who changed what, when, from where.

Every deed that reaches another system, changes a rule, a right or a secret is recorded in the same
transaction as the deed itself. Rows are never changed or removed; the database refuses it.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from tenants.models import AuditEvent, Tenant, User
from tenants.tokens import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: a person, a token, or the machine itself."""

    name: str
    id: uuid.UUID | None = None
    address: str | None = None


#: The connector's own doings, and those of an operator on the command line.
SYSTEM = Actor(name="ml-connector")


def actor_of(request: HttpRequest) -> Actor:
    """Return who sent this request: a signed-in person or a token."""
    user: object = request.user
    address = _address_of(request)
    if isinstance(user, User):
        return Actor(name=user.get_full_name(), id=user.pk, address=address)
    if isinstance(user, Machine):
        return Actor(name=str(user), id=user.token.pk, address=address)
    return Actor(name="Somebody not signed in", address=address)


def record(
    *,
    tenant: Tenant | uuid.UUID,
    actor: Actor,
    action: str,
    now: datetime,
    subject: str = "",
    subject_id: object = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write one event; needs the tenant's open scope.

    `action` is a dotted name (``mapping_rule.changed``), `subject` says in words what it was done
    to. `details` are plain values and never hold a secret.
    """
    return AuditEvent.objects.create(
        tenant_id=tenant if isinstance(tenant, uuid.UUID) else tenant.pk,
        at=now,
        actor_id=actor.id,
        actor_name=actor.name[:160],
        action=action,
        subject=subject[:200],
        subject_id=str(subject_id)[:64],
        details=dict(details or {}),
        address=actor.address,
    )


def _address_of(request: HttpRequest) -> str | None:
    """Return where the request came from; a proxy's word counts only where it is trusted."""
    if settings.TRUST_PROXY:
        forwarded = request.headers.get("X-Forwarded-For", "")
        if forwarded:
            return forwarded.rpartition(",")[2].strip() or None
    return request.META.get("REMOTE_ADDR") or None
