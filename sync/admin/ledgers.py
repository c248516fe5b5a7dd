"""What operators see of the work: every ledger, and nothing to change in any of them.

A bill, what was sent and what came back are evidence. They are read here across tenants. Looking for
something in them is told: an operator says once why, and each tenant whose rows a search shows has
it in its audit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property

from sync.domain import words
from sync.domain.facts import Stage
from sync.domain.reconciliation import Mover, Part
from sync.models import (
    Answer,
    Attempt,
    Batch,
    Discrepancy,
    LogEntry,
    MappingRuleChange,
    Posting,
    Reconciliation,
    Run,
    VendorLink,
    WebhookEvent,
)
from sync.queries.postings import WORDS, standing_of
from tenants import audit
from tenants.admin import ReadOnlyAdmin
from tenants.operator_site import operator_of
from tenants.scoping import tenant_scope

REASON = "operator_search_reason"
LONGEST_REASON = 250
MOST_COUNTED = 10_000
#: How a link narrows a ledger to one firm's or company's rows.
FIRMS = frozenset({"tenant__id__exact", "company__id__exact"})


def figure(amount: Decimal | None, currency: str) -> str:
    """`1,205.90 CAD`; the code where the row carries one, "" without an amount."""
    return "" if amount is None else f"{words.money(amount, currency or 'USD')} {currency}".strip()


class Bounded(Paginator[Any]):
    """Counts no further than people turn pages, whatever a ledger has grown to."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or the most that is counted."""
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


def one_of(field: str, *values: str, lookup: str = "exact") -> type[admin.SimpleListFilter]:
    """A filter with known values; finding them out would read the whole ledger each time."""

    class OneOf(admin.SimpleListFilter):
        title = field.replace("_", " ")
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, value) for value in values]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            known = self.value() in values
            return queryset.filter(**{f"{field}__{lookup}": self.value()}) if known else queryset

    return OneOf


class LedgerAdmin(ReadOnlyAdmin):
    """A read-only list over all tenants, newest first, without counting every row."""

    list_select_related = ("company", "tenant")
    list_per_page = 50
    show_full_result_count = False
    paginator = Bounded

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Narrow by the filters and by whose rows they are; anything else would be a search untold."""
        filters = {name for name in self.list_filter if isinstance(name, str)}
        return lookup in FIRMS or lookup.partition("__")[0] in filters

    def get_urls(self) -> list[URLPattern]:
        """Beside Django's pages: where the reason of a search is given."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_reason"
        view = self.admin_site.admin_view(self.reason_view)
        return [path("reason/", view, name=name), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a search needs a reason, and is written down where it found something."""
        searched = request.GET.get("q", "").strip()
        if not searched:
            return super().changelist_view(request, extra_context)
        reason = request.session.get(REASON, "")
        if not reason:
            return self._ask(request, request.GET.urlencode())
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and "cl" in (answer.context_data or {}):
            rows = (answer.context_data or {})["cl"].result_list
            self._tell(request, {row.tenant_id for row in rows}, searched, reason)
        return answer

    def reason_view(self, request: HttpRequest) -> HttpResponseBase:
        """Take the reason, for this session, and go on with the search."""
        query = request.POST.get("query", "")
        reason = request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]
        if not reason:
            return self._ask(request, query)
        request.session[REASON] = reason
        changelist = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(f"{changelist}?{query}")

    def _ask(self, request: HttpRequest, query: str) -> HttpResponse:
        action = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_reason")
        context = {
            **self.admin_site.each_context(request),
            "title": "Why do you search across tenants?",
            "query": query,
            "action": action,
            "longest": LONGEST_REASON,
        }
        return TemplateResponse(request, "admin/search_reason.html", context)

    def _tell(self, request: HttpRequest, tenant_ids: set[Any], searched: str, reason: str) -> None:
        for tenant_id in tenant_ids:
            with tenant_scope(tenant_id):
                audit.record(
                    tenant=tenant_id, actor=operator_of(request), action="tenant.searched",
                    subject=searched, now=timezone.now(),
                    details={"reason": reason, "in": str(self.opts.verbose_name_plural)},
                )  # fmt: skip


@admin.register(Posting)
class PostingAdmin(LedgerAdmin):
    """Bills on their way into Sage."""

    list_display = (
        "vendor_name", "invoice_number", "company", "tenant", "money", "standing",
        "sage_batch_number", "sage_entry_number", "changed_at",
    )  # fmt: skip
    list_filter = ("state", "mode", one_of("sage_status", "Open", "Ready To Post", "Posted"))
    search_fields = ("invoice_number", "document_number", "source_id", "vendor_name")
    search_help_text = "Invoice or document number, BILL's id, vendor. You are asked why, once."
    ordering = ("-changed_at",)

    @admin.display(description="amount", ordering="amount")
    def money(self, posting: Posting) -> str:
        """As the pages write it."""
        return figure(posting.amount, posting.currency)

    @admin.display(description="state", ordering="state")
    def standing(self, posting: Posting) -> str:
        """In the words of the pages."""
        return WORDS[standing_of(posting.state, posting.sage_status)]


@admin.register(Batch)
class BatchAdmin(LedgerAdmin):
    """Intents, and how far each has come."""

    list_display = (
        "tag", "company", "tenant", "stage", "entry_count", "money", "why", "made_at",
    )  # fmt: skip
    list_filter = (one_of("stage", *(stage.value for stage in Stage)),)
    search_fields = ("tag", "database_key")
    ordering = ("-made_at",)

    @admin.display(description="total amount", ordering="total_amount")
    def money(self, batch: Batch) -> str:
        """As the pages write it."""
        return figure(batch.total_amount, batch.currency)


@admin.register(Attempt)
class AttemptAdmin(LedgerAdmin):
    """Writes to Sage, each committed before its first byte left."""

    list_display = (
        "operation", "tag", "company", "tenant", "worker", "epoch", "started_at", "deadline_at",
    )  # fmt: skip
    search_fields = ("tag",)
    ordering = ("-started_at",)


@admin.register(Answer)
class AnswerAdmin(LedgerAdmin):
    """How each write ended."""

    list_display = (
        "attempt",
        "tenant",
        "outcome",
        "http_status",
        "vendor_code",
        "text",
        "ended_at",
    )
    list_select_related = ("attempt", "tenant")
    list_filter = (one_of("outcome", "ok", "rejected", "unknown", "not_sent"),)
    search_fields = ("request_id", "vendor_code", "text")
    ordering = ("-ended_at",)


@admin.register(VendorLink)
class VendorLinkAdmin(LedgerAdmin):
    """Which Sage vendor each BILL vendor is."""

    list_display = ("name", "company", "tenant", "state", "sage_number", "reason", "read_at")
    list_filter = ("state",)
    search_fields = ("name", "bill_vendor_id", "sage_number")
    ordering = ("name",)


@admin.register(Run)
class RunAdmin(LedgerAdmin):
    """Passes over companies."""

    list_display = ("company", "tenant", "trigger", "started_at", "ended_at", "outcome", "sentence")
    list_filter = (
        one_of("outcome", "ok", "paused", "failed", "broke"),
        one_of("trigger", "schedule", "webhook", "person", "api", "mended", "command"),
    )
    ordering = ("-started_at",)


@admin.register(Reconciliation)
class ReconciliationAdmin(LedgerAdmin):
    """Comparisons of both sides."""

    list_display = (
        "company", "tenant", "trigger", "asked_by", "started_at", "ended_at", "outcome", "sentence",
    )  # fmt: skip
    list_filter = (one_of("outcome", "ok", "paused", "failed", "broke"),)
    ordering = ("-started_at",)


@admin.register(Discrepancy)
class DiscrepancyAdmin(LedgerAdmin):
    """What differs between BILL and Sage."""

    list_display = (
        "title", "company", "tenant", "part", "mover", "period", "money", "first_seen_at",
        "settled_at",
    )  # fmt: skip
    list_filter = (
        one_of("mover", *(mover.value for mover in Mover)),
        one_of("part", *(part.value for part in Part)),
    )
    search_fields = ("title", "target_id")
    ordering = ("-first_seen_at",)

    @admin.display(description="amount", ordering="amount")
    def money(self, difference: Discrepancy) -> str:
        """As the pages write it; some differences move no money."""
        return figure(difference.amount, difference.currency)


@admin.register(WebhookEvent)
class WebhookEventAdmin(LedgerAdmin):
    """What BILL's letter box took in."""

    list_display = (
        "event_type", "entity_id", "company", "tenant", "received_at", "taken_in_at", "note",
    )  # fmt: skip
    list_filter = (one_of("entity", "bill", "vendor"),)
    search_fields = ("event_id", "entity_id")
    exclude = ("body",)
    ordering = ("-received_at",)


@admin.register(LogEntry)
class LogEntryAdmin(LedgerAdmin):
    """The log of every operation."""

    list_display = (
        "at", "company", "tenant", "event", "invoice_number", "vendor_name", "actor", "sentence",
    )  # fmt: skip
    list_filter = (
        one_of(
            "event", "attempt.", "bill.", "company.", "connection.", "mapping.", "person.", "policy.", "posting.",
            "run.", "vendor.", "webhook.", lookup="startswith",
        ),
    )  # fmt: skip
    search_fields = ("invoice_number", "vendor_name", "sentence")
    ordering = ("-at",)


@admin.register(MappingRuleChange)
class MappingRuleChangeAdmin(LedgerAdmin):
    """Who changed which mapping rule."""

    list_display = (
        "at", "company", "tenant", "actor_name", "action", "name", "before_account",
        "after_account", "waiting_bills",
    )  # fmt: skip
    list_filter = (
        one_of("action", "made", "changed", "removed"),
        one_of("source", "page", "line", "csv", "api", "operator"),
    )
    ordering = ("-at",)
