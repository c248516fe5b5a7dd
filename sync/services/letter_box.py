"""The rows behind BILL's letter box: whose box, which keys, and one insert.

Each of the two questions is one message to the database, since a notification must be cheap: its
statements run as one transaction, which begins by opening the tenant's scope and ends by closing it.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

from integrations.models import WebhookKey
from integrations.secrets import SecretField, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOBODY = uuid.UUID(int=0)
_DUMMY = "letter box that does not exist"

_FIND = """
    SELECT set_config('app.tenant', COALESCE((SELECT tenant_id
        FROM integrations_webhookaddress WHERE id = %(address)s), %(nobody)s)::text, true);
    SELECT a.tenant_id, a.company_id, k.id, k.key
    FROM integrations_webhookaddress a
    LEFT JOIN integrations_webhooksubscription s ON s.company_id = a.company_id
    LEFT JOIN integrations_webhookkey k ON k.subscription_id = s.id
         AND (k.valid_until IS NULL OR k.valid_until > clock_timestamp())
    WHERE a.id = %(address)s;
    SELECT set_config('app.tenant', '', true)
"""
_STORE = """
    SELECT set_config('app.tenant', %(tenant)s, true);
    WITH fresh AS (
        INSERT INTO sync_webhookevent (id, tenant_id, company_id, event_id, event_type, entity,
            entity_id, body, received_at, taken_in_at, note)
        VALUES (%(id)s, %(tenant)s::uuid, %(company)s, %(event_id)s, %(event_type)s, %(entity)s,
            %(entity_id)s, %(body)s, clock_timestamp(),
            CASE WHEN %(is_poison)s THEN clock_timestamp() END, %(note)s)
        ON CONFLICT (company_id, event_id) DO NOTHING
        RETURNING 1
    ), rung AS (
        UPDATE sync_duework
        SET rung_at = clock_timestamp() + make_interval(secs => %(gather)s)
        WHERE company_id = %(company)s AND NOT %(is_poison)s AND EXISTS (SELECT 1 FROM fresh)
          AND (rung_at IS NULL
               OR rung_at > clock_timestamp() + make_interval(secs => %(gather)s))
        RETURNING 1
    )
    SELECT EXISTS (SELECT 1 FROM fresh), EXISTS (SELECT 1 FROM rung);
    SELECT set_config('app.tenant', '', true)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose box it is."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A letter box: its owner (None where there is no such box) and the keys that are good now."""

    owner: Owner | None
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What storing did: whether the event was new, and whether it made the company due."""

    is_new: bool
    is_rung: bool


def find_box(address_id: uuid.UUID) -> Box:
    """The box and its keys; one that is not there has a key nobody knows, opened like the others.

    Raises SecretUnreadable where CREDENTIAL_KEYS are not the ones the key was stored under.
    """
    rows = _ask(_FIND, {"address": address_id, "nobody": _NOBODY})
    keys = tuple(
        unseal(sealed, _purpose(tenant_id, key_id)).encode()
        for tenant_id, _, key_id, sealed in rows
        if sealed
    )
    owner = Owner(tenant_id=rows[0][0], company_id=rows[0][1]) if rows else None
    return Box(owner=owner, keys=keys or (unseal(_dummy(), _DUMMY).encode(),))


def store(owner: Owner, columns: Mapping[str, str], body: bytes, *, poison: str = "") -> Stored:
    """Keep an event and make its company due soon; a repeat does neither.

    `poison` says why an event cannot be read; it is kept and wakes nobody.
    """
    [(is_new, is_rung)] = _ask(
        _STORE,
        {
            "id": uuid.uuid4(),
            "tenant": str(owner.tenant_id),
            "company": owner.company_id,
            "body": body,
            "is_poison": bool(poison),
            "note": poison[:300],
            "gather": settings.CONNECTOR.webhook_gather_seconds,
            **columns,
        },
    )
    return Stored(is_new=is_new, is_rung=is_rung)


def _ask(statements: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of the middle statement of three."""
    with connection.cursor() as cursor:
        cursor.execute(statements, values)
        cursor.nextset()
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _purpose(tenant_id: uuid.UUID, key_id: uuid.UUID) -> str:
    field = WebhookKey._meta.get_field("key")
    assert isinstance(field, SecretField)  # noqa: S101 (a property of the model)
    return field.purpose(WebhookKey(id=key_id, tenant_id=tenant_id))


@cache
def _dummy() -> str:
    return seal(secrets.token_urlsafe(32), _DUMMY)
