"""Every sealed cell of the database, for rotation and audit.

Directory rows are few and read as they are; a tenant's rows are read and written in that tenant's
scope, a small batch at a time, so that a rotation can run beside the working product and be
broken off anywhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from integrations.canary import PURPOSE, SONG
from integrations.models import KeyCanary
from integrations.secrets import Condition, SecretField, condition, seal, unseal
from tenants.models import Tenant
from tenants.scoping import tenant_scope

ROWS_AT_A_TIME = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One sealed column of one row, as it lies in the database."""

    table: str
    column: str
    row_id: uuid.UUID
    purpose: str
    sealed: str | None

    @property
    def condition(self) -> Condition:
        """What an audit calls it."""
        return condition(self.sealed, self.purpose)


def sealed_fields() -> list[tuple[type[models.Model], SecretField]]:
    """Every model and its sealed columns."""
    return [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SecretField)
    ]


def iter_cells() -> Iterator[Cell]:
    """Every tenant's cells, read in its own scope."""
    for tenant_id in Tenant.objects.values_list("pk", flat=True):
        for model, field in sealed_fields():
            after = uuid.UUID(int=0)
            while cells := _read(tenant_id, model, field, after):
                yield from cells
                after = cells[-1].row_id


def rotate(cell: Cell) -> bool:
    """Seal a cell again under the first key; False when it was changed meanwhile."""
    opened = unseal(cell.sealed or "", cell.purpose)
    tenant_id = uuid.UUID(cell.purpose.partition("/")[0])
    quote = connection.ops.quote_name
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quote(cell.table)} SET {quote(cell.column)} = %s"  # noqa: S608 - our own names
            f" WHERE id = %s AND {quote(cell.column)} = %s",
            [seal(opened, cell.purpose), cell.row_id, cell.sealed],
        )
        return bool(cursor.rowcount)


def rotate_canary() -> None:
    """Seal the canary again, so that the earlier key can be retired."""
    canary = KeyCanary.objects.filter(pk=1).first()
    if canary is not None and unseal(canary.sealed, PURPOSE) == SONG:
        KeyCanary.objects.filter(pk=1, sealed=canary.sealed).update(sealed=seal(SONG, PURPOSE))


def _read(
    tenant_id: uuid.UUID, model: type[models.Model], field: Any, after: uuid.UUID
) -> list[Cell]:
    table, column = model._meta.db_table, field.column
    quote = connection.ops.quote_name
    with tenant_scope(tenant_id), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, {quote(column)} FROM {quote(table)}"  # noqa: S608 - our own names
            " WHERE tenant_id = %s AND id > %s ORDER BY id LIMIT %s",
            [tenant_id, after, ROWS_AT_A_TIME],
        )
        rows = cursor.fetchall()
    return [
        Cell(
            table=table,
            column=column,
            row_id=row_id,
            purpose=field.purpose(model(pk=row_id, tenant_id=tenant_id)),
            sealed=sealed,
        )
        for row_id, sealed in rows
    ]
