"""The log: one line for every operation, newest first."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.paging import NewestLine
from sync.api.schema import COMPANY, NOT_HERE, examples
from sync.models import LogEntry
from sync.queries.log import LogFilter, find_line, found_by
from sync.queries.paging import clean
from sync.queries.wire_text import wire_text
from tenants.api_access import TenantScoped

FILTERS = [
    OpenApiParameter("find", str, description="Looks in all that a line names."),
    OpenApiParameter("run", UUID, description="Only this run."),
]


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
    find = filters.CharFilter(method="look_for", label="Looks in all that a line names.")
    since = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", label="Not before.")

    class Meta:
        model = LogEntry
        fields: ClassVar[list[str]] = []

    def look_for(self, rows: QuerySet[LogEntry], name: str, text: str) -> QuerySet[LogEntry]:
        """As the page searches."""
        return rows.filter(found_by(clean(text, 100)))


@extend_schema_view(
    get=extend_schema(
        summary="Read the log, newest first",
        tags=["log"],
        parameters=[COMPANY],
        responses={200: LogEntrySerializer(many=True), 404: NOT_HERE},
        examples=examples("log.list"),
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


class WireSerializer(serializers.Serializer[Any]):
    """One write as it passed over the line, without headers and so without secrets."""

    summary = serializers.CharField()
    request = serializers.CharField()
    answer = serializers.CharField()
    outcome = serializers.CharField(allow_blank=True)
    sent_at = serializers.DateTimeField()
    seconds = serializers.FloatField(allow_null=True)


class LogLineSerializer(LogEntrySerializer):
    """A line with what was sent to Sage and answered, null where nothing was."""

    wire = serializers.SerializerMethodField()

    class Meta(LogEntrySerializer.Meta):
        fields = [*LogEntrySerializer.Meta.fields, "wire"]

    @extend_schema_field(WireSerializer(allow_null=True))
    def get_wire(self, line: LogEntry) -> object:
        """The write."""
        return WireSerializer(wire_text(line.attempt)).data if line.attempt else None


class LogLine(TenantScoped):
    """One line."""

    @extend_schema(
        summary="Read a line of the log and what passed over the wire",
        tags=["log"],
        parameters=[COMPANY],
        responses={200: LogLineSerializer, 404: NOT_HERE},
        examples=examples("log.read"),
    )
    def get(self, request: Request, company_slug: str, line_id: uuid.UUID) -> Response:
        """With its write."""
        company = self.get_company()
        line = find_line(tenant_id=company.tenant_id, company_id=company.pk, line_id=line_id)
        if line is None:
            raise NotFound("There is no such line here.")
        return Response(LogLineSerializer(line).data)


def wanted_of(request: Request) -> LogFilter:
    """The filter of a download."""
    try:
        run_id = uuid.UUID(request.query_params.get("run", ""))
    except ValueError:
        run_id = None
    return LogFilter(find=clean(request.query_params.get("find", ""), 100), run_id=run_id)
