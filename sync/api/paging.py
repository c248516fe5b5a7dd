"""Cursor pages, newest first: no page skips or repeats a row while others are added."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework.pagination import CursorPagination


class Newest(CursorPagination):
    """`next` and `previous` are whole addresses to follow, null at the ends."""

    page_size = settings.CONNECTOR.api_page_size
    invalid_cursor_message = "There is no such page. Begin again without the cursor."

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Say so in the words of OpenAPI 3.1, which has no `nullable`."""
        neighbour = {
            "type": ["string", "null"],
            "format": "uri",
            "example": "https://connector.example/api/v1/…?cursor=cD0yMDI2LTEyLTAx",
        }
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": neighbour, "previous": neighbour, "results": schema},
        }


class NewestChange(Newest):
    """By the last change."""

    ordering = ("-changed_at", "id")


class NewestStart(Newest):
    """By the start."""

    ordering = ("-started_at", "id")


class NewestLine(Newest):
    """By the time of the line."""

    ordering = ("-at", "-id")
