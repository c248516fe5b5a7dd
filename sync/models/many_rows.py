"""Writes many rows, each with its own values, in one statement.

Django's `bulk_update` writes a CASE for every column and row, and `bulk_create` prepares every value
by itself, which costs more than the round trips they save. Here the values travel as one JSON
document that PostgreSQL reads as a table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, models

Change = tuple[models.Model, Mapping[str, Any]]


def write_rows(changes: Sequence[Change], *, guard: str) -> set[Any]:
    """Write each row's values where its column `guard` is still as loaded; the keys of those rows.

    All rows are of one model and one tenant, and the caller holds them locked: a column that only
    some of them change is written back as loaded on the others.
    """
    if not changes:
        return set()
    model = type(changes[0][0])
    names = sorted({name for _, values in changes for name in values})
    table = [
        {
            "key": str(row.pk),
            "guard": getattr(row, guard),
            **{
                name: _plain(values[name] if name in values else _loaded(model, row, name))
                for name in names
            },
        }
        for row, values in changes
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, names, guard), [json.dumps(table, default=str)])
        written = {found for (found,) in cursor.fetchall()}
    return {row.pk for row, _ in changes if row.pk in written}


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model; their keys and defaults were set when they were made."""
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    shape = ", ".join(f"{quote(str(f.column))} {f.db_type(connection)}" for f in fields)
    table = [{field.column: getattr(row, field.attname) for field in fields} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {quote(model._meta.db_table)} ({columns}) SELECT {columns}"  # noqa: S608 - names of our own models
            f" FROM jsonb_to_recordset(%s::jsonb) AS given({shape})",
            [json.dumps(table, default=str)],
        )
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _loaded(model: type[models.Model], row: models.Model, name: str) -> Any:
    return getattr(row, _field(model, name).attname)


def _plain(value: Any) -> Any:
    return value.pk if isinstance(value, models.Model) else value


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, models.Field):
        raise TypeError(f"{name} is no column of {model.__name__}")
    return field


def _statement(model: type[models.Model], names: Sequence[str], guard: str) -> str:
    quote = connection.ops.quote_name
    own = [(quote(str(_field(model, name).column)), name) for name in names]
    sets = ", ".join(f"{column} = given.{quote(name)}" for column, name in own)
    shape = ", ".join(f"{quote(name)} {_type(model, name)}" for name in names)
    key, guarded = quote(str(_field(model, "id").column)), quote(str(_field(model, guard).column))
    return (
        f"UPDATE {quote(model._meta.db_table)} AS held SET {sets}"  # noqa: S608 - names of our own models
        f" FROM jsonb_to_recordset(%s::jsonb)"
        f" AS given(key {_type(model, 'id')}, guard {_type(model, guard)}, {shape})"
        f" WHERE held.{key} = given.key AND held.{guarded} = given.guard RETURNING held.{key}"
    )


def _type(model: type[models.Model], name: str) -> str:
    return str(_field(model, name).db_type(connection))
