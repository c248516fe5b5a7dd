"""What operators see of connections: everything but the secrets, and nothing to change."""

from __future__ import annotations

from django.contrib import admin

from integrations.models import BillConnection, Sage300Connection, WebhookSubscription
from tenants.admin import ReadOnlyAdmin

STATE_FIELDS = (
    "state",
    "paused_reason",
    "paused_at",
    "credential_version",
    "credentials_set_at",
    "last_ok_at",
)


@admin.register(BillConnection)
class BillConnectionAdmin(ReadOnlyAdmin):
    """BILL connections."""

    list_display = ("company", "tenant", "environment", "organization_id", "state", "last_ok_at")
    list_filter = ("state", "environment")
    list_select_related = ("company", "tenant")
    search_fields = ("organization_id", "company__name", "tenant__name")
    fields = (
        "company",
        "environment",
        "user_name",
        "organization_id",
        "is_token",
        "fixed_organization_id",
        *STATE_FIELDS,
    )


@admin.register(Sage300Connection)
class Sage300ConnectionAdmin(ReadOnlyAdmin):
    """Sage 300 connections."""

    list_display = ("company", "tenant", "base_url", "company_database", "state", "last_ok_at")
    list_filter = ("state",)
    list_select_related = ("company", "tenant")
    search_fields = ("base_url", "company_database", "company__name", "tenant__name")
    fields = (
        "company",
        "base_url",
        "company_database",
        "user_name",
        "password_case",
        "post_process",
        "fixed_database",
        "fixed_host",
        *STATE_FIELDS,
    )


@admin.register(WebhookSubscription)
class WebhookSubscriptionAdmin(ReadOnlyAdmin):
    """What BILL was asked to send."""

    list_display = ("company", "tenant", "status", "reason", "last_checked_at")
    list_filter = ("status",)
    list_select_related = ("company", "tenant")
    search_fields = ("bill_id", "company__name", "tenant__name")
    fields = ("company", "bill_id", "address_id", "status", "reason", "registered_at")
