"""Keyset paging, newest first: a cursor is the time and id of a row, so no page skips or repeats.

Rows are ordered by a time and then by id in the direction of their index. A cursor that nobody made
counts as none.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[Row]):
    """One page; `newer` and `older` are the neighbours' cursors, "" where there is none."""

    rows: list[Row]
    newer: str = ""
    older: str = ""


def slice_of(
    rows: QuerySet[Row, Row],
    *,
    field: str,
    size: int,
    after: str = "",
    before: str = "",
    is_id_descending: bool = False,
) -> Slice[Row]:
    """The page after or before a cursor; the first one without."""
    key = "-pk" if is_id_descending else "pk"
    forward, backward = (f"-{field}", key), (field, key[1:] if is_id_descending else "-pk")
    anchor = read_cursor(before or after)
    if anchor is None:
        found = list(rows.order_by(*forward)[: size + 1])
        older = cursor_of(found[size - 1], field) if len(found) > size else ""
        return Slice(rows=found[:size], older=older)
    at, pk = anchor
    if before:
        nearer = Q(**{f"{field}__gt": at}) | Q(
            **{field: at, "pk__gt" if is_id_descending else "pk__lt": pk}
        )
        found = list(rows.filter(nearer).order_by(*backward)[: size + 1])
        page = found[:size][::-1]
        newer = cursor_of(page[0], field) if len(found) > size else ""
        return Slice(rows=page, newer=newer, older=cursor_of(page[-1], field) if page else "")
    further = Q(**{f"{field}__lt": at}) | Q(
        **{field: at, "pk__lt" if is_id_descending else "pk__gt": pk}
    )
    found = list(rows.filter(further).order_by(*forward)[: size + 1])
    page = found[:size]
    older = cursor_of(page[-1], field) if len(found) > size else ""
    return Slice(rows=page, newer=cursor_of(page[0], field) if page else "", older=older)


def cursor_of(row: Any, field: str) -> str:
    """The cursor of a row, for a query string."""
    return f"{getattr(row, field).isoformat()}~{row.pk}"


def read_cursor(text: str) -> tuple[datetime, uuid.UUID] | None:
    """The time and id of a cursor, None for anything else."""
    at, _, key = text.partition("~")
    try:
        moment, pk = datetime.fromisoformat(at), uuid.UUID(key)
    except ValueError:
        return None
    return None if moment.tzinfo is None else (moment, pk)


def clean(text: str, length: int) -> str:
    """Text from a query string as the database takes it: trimmed, short, without NUL."""
    return text.replace("\x00", "").strip()[:length]
