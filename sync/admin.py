"""What operators see of the work: every ledger, and nothing to change in any of them.

A bill, what was sent and what came back are evidence. They are read here across tenants; what a
person does about them is done on the tenant's own pages, by the same services.
"""

from __future__ import annotations

from django.contrib import admin

from sync.models import Attempt, Batch, LogEntry, Posting, Run, VendorLink, WebhookEvent
from tenants.admin import ReadOnlyAdmin


class LedgerAdmin(ReadOnlyAdmin):
    """A read-only list over all tenants, newest first, without counting every row."""

    list_select_related = ("company", "tenant")
    list_per_page = 50
    show_full_result_count = False


@admin.register(Posting)
class PostingAdmin(LedgerAdmin):
    """Bills on their way into Sage."""

    list_display = (
        "company",
        "vendor_name",
        "invoice_number",
        "amount",
        "state",
        "sage_status",
        "sage_batch_number",
        "sage_entry_number",
        "changed_at",
    )
    list_filter = ("state", "mode", "sage_status")
    search_fields = ("invoice_number", "vendor_name", "source_id", "document_number")
    ordering = ("-changed_at",)


@admin.register(Batch)
class BatchAdmin(LedgerAdmin):
    """Intents, and how far each has come."""

    list_display = ("tag", "company", "stage", "entry_count", "total_amount", "why", "made_at")
    list_filter = ("stage",)
    search_fields = ("tag", "database_key")
    ordering = ("-made_at",)


@admin.register(Attempt)
class AttemptAdmin(LedgerAdmin):
    """Writes to Sage, each committed before its first byte left."""

    list_display = ("operation", "tag", "company", "worker", "epoch", "started_at", "deadline_at")
    list_filter = ("operation",)
    search_fields = ("tag",)
    ordering = ("-started_at",)


@admin.register(VendorLink)
class VendorLinkAdmin(LedgerAdmin):
    """Which Sage vendor each BILL vendor is."""

    list_display = ("name", "company", "state", "sage_number", "reason", "read_at")
    list_filter = ("state",)
    search_fields = ("name", "bill_vendor_id", "sage_number")
    ordering = ("name",)


@admin.register(Run)
class RunAdmin(LedgerAdmin):
    """Passes over companies."""

    list_display = ("company", "trigger", "started_at", "ended_at", "outcome", "sentence")
    list_filter = ("outcome", "trigger")
    ordering = ("-started_at",)


@admin.register(WebhookEvent)
class WebhookEventAdmin(LedgerAdmin):
    """What BILL's letter box took in."""

    list_display = ("event_type", "entity_id", "company", "received_at", "taken_in_at", "note")
    list_filter = ("event_type",)
    search_fields = ("event_id", "entity_id")
    exclude = ("body",)
    ordering = ("-received_at",)


@admin.register(LogEntry)
class LogEntryAdmin(LedgerAdmin):
    """The log of every operation."""

    list_display = ("at", "company", "event", "invoice_number", "vendor_name", "sentence")
    list_filter = ("event",)
    search_fields = ("invoice_number", "vendor_name", "sentence")
    ordering = ("-at",)
