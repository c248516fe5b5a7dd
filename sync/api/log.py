"""The log: one line for every operation, newest first."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from sync.api.paging import NewestLine
from sync.api.schema import COMPANY, NOT_HERE, answered
from sync.models import LogEntry
from tenants.api_access import TenantScoped

EXAMPLE = {
    "id": "2b8e9f10-55a0-4f54-8a3a-7d1f5b8d2c01",
    "at": "2026-12-01T14:42:19Z",
    "event": "posting.landed",
    "posting": "0f5a1c7e-3f4d-4e4f-a8d5-2f5c7f0e9b21",
    "run": "7d0c2f3e-8c1e-4e0c-9a44-0c6f5e0b8a11",
    "actor": "",
    "invoice_number": "10442",
    "vendor_name": "Novak",
    "gl_accounts": "5060100",
    "amount": "742.900",
    "status": "Open",
    "batch_number": 118,
    "entry_number": 3,
    "sentence": "Read back from Sage: batch 118, entry 3, Open, to the cent.",
}


class LogEntrySerializer(serializers.ModelSerializer[LogEntry]):
    """What happened, to which invoice, with which result, in words."""

    posting = serializers.UUIDField(source="posting_id", allow_null=True)
    run = serializers.UUIDField(source="run_id", allow_null=True)

    class Meta:
        model = LogEntry
        fields = [
            "id", "at", "event", "posting", "run", "actor", "invoice_number", "vendor_name",
            "gl_accounts", "amount", "status", "batch_number", "entry_number", "sentence",
        ]  # fmt: skip


class LogFilterSet(filters.FilterSet):  # type: ignore[misc]
    """What the log may be narrowed by."""

    invoice_number = filters.CharFilter(lookup_expr="iexact", label="Exactly, capitals or not.")
    vendor = filters.CharFilter(
        field_name="vendor_name", lookup_expr="icontains", label="Part of the vendor's name."
    )
    event = filters.CharFilter(lookup_expr="startswith", label="How the event begins: posting.")
    posting = filters.UUIDFilter(field_name="posting_id", label="Only this posting.")
    run = filters.UUIDFilter(field_name="run_id", label="Only this run.")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", label="Not before.")

    class Meta:
        model = LogEntry
        fields: ClassVar[list[str]] = []


@extend_schema_view(
    get=extend_schema(
        summary="Read the log, newest first",
        tags=["log"],
        parameters=[COMPANY],
        responses={200: LogEntrySerializer(many=True), 404: NOT_HERE},
        examples=[answered("Lines", EXAMPLE)],
    )
)
class Log(TenantScoped, ListAPIView[LogEntry]):
    """The company's log."""

    serializer_class = LogEntrySerializer
    pagination_class = NewestLine
    filterset_class = LogFilterSet

    def get_queryset(self) -> QuerySet[LogEntry]:
        """The company's lines."""
        if getattr(self, "swagger_fake_view", False):
            return LogEntry.objects.none()
        return LogEntry.objects.for_tenant(self.tenant).filter(company=self.get_company())
