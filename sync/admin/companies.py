"""Companies of all tenants: read here, with the last ladders of checks and the pages' actions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from integrations.ping import keeping
from sync.admin import cells, operate
from sync.services.operating import OperatorDeed
from tenants.admin import ReadOnlyAdmin
from tenants.models import Company


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    """Companies."""

    list_display = ("name", "tenant", "currency", "is_paused", "paused_reason", "created_at")
    list_select_related = ("tenant",)
    list_filter = ("is_paused",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "slug", "tenant__name")
    ordering = ("tenant__name", "name")
    fields = (
        "tenant", "name", "slug", "time_zone", "currency", "is_paused", "paused_reason",
        "created_at", "bill", "sage",
    )  # fmt: skip
    readonly_fields = ("bill", "sage")
    view_on_site = False
    actions = ("ping", "run_now", "replay")

    @admin.display(description="BILL, last tried")
    def bill(self, company: Company) -> SafeString:
        """The last ladder of BILL's side."""
        return _ladder(company, keeping.Side.BILL)

    @admin.display(description="Sage 300, last tried")
    def sage(self, company: Company) -> SafeString:
        """The last ladder of Sage's side."""
        return _ladder(company, keeping.Side.SAGE)

    @admin.action(description="Ping both systems")
    def ping(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Try the stored credentials."""
        return operate.begin(request, OperatorDeed.PING, queryset, back="companies")

    @admin.action(description="Run now")
    def run_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Ask for a pass."""
        return operate.begin(request, OperatorDeed.RUN, queryset, back="companies")

    @admin.action(description="Replay refused bills")
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Decide refused bills anew."""
        return operate.begin(request, OperatorDeed.REPLAY, queryset, back="companies")


def _ladder(company: Company, side: keeping.Side) -> SafeString:
    row = keeping.find(company, side)
    return cells.ladder(
        keeping.steps_of(row),
        tried_at=row.tried_at if row else None,
        by=row.tried_by if row else "",
    )
