"""What operators see of tenants and people.

Directory rows (tenants, people) can be changed here. Rows behind row-level security can only be
read: the operator's scope writes none. Tokens and second factors are not shown at all.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from tenants import audit
from tenants.models import AuditEvent, Company, Membership, Tenant, TenantStatus, User
from tenants.scoping import tenant_scope

admin.site.unregister(Group)


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """A ledger: it can be looked at, searched and filtered, and not changed."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody removes rows here."""
        return False


class MembershipInline(admin.TabularInline[Membership, Tenant]):
    """The people of a tenant."""

    model = Membership
    extra = 0
    fields = ("user", "role")
    autocomplete_fields = ("user",)


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    """Customers: create, suspend, resume."""

    list_display = ("name", "slug", "status", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    fields = ("name", "slug", "status", "created_at")
    readonly_fields = ("status", "created_at")
    inlines = (MembershipInline,)
    actions = ("suspend", "resume")

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """Return the fixed fields; addresses in use do not change."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "slug")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A customer is suspended, not removed: the ledger of what was sent stays."""
        return False

    def save_model(
        self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool
    ) -> None:
        """Save, and write down who did it."""
        now = timezone.now()
        if not change:
            obj.created_at = now
        super().save_model(request, obj, form, change)
        self._record(request, [obj], "tenant.changed" if change else "tenant.created")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Save the people, dating those that are new."""
        now = timezone.now()
        for membership in formset.save(commit=False):
            membership.created_at = membership.created_at or now
            membership.save()
        for gone in formset.deleted_objects:
            gone.delete()
        if formset.has_changed():
            self._record(request, [form.instance], "tenant.people_changed")

    @admin.action(description="Suspend: stop all work for these tenants")
    def suspend(self, request: HttpRequest, queryset: models.QuerySet[Tenant]) -> None:
        """Stop all work for the chosen tenants."""
        self._set_status(request, queryset, TenantStatus.SUSPENDED, "tenant.suspended")

    @admin.action(description="Resume work for these tenants")
    def resume(self, request: HttpRequest, queryset: models.QuerySet[Tenant]) -> None:
        """Work again for the chosen tenants."""
        self._set_status(request, queryset, TenantStatus.ACTIVE, "tenant.resumed")

    def _set_status(
        self,
        request: HttpRequest,
        queryset: models.QuerySet[Tenant],
        status: TenantStatus,
        action: str,
    ) -> None:
        changed = list(queryset.exclude(status=status))
        queryset.update(status=status)
        self._record(request, changed, action)
        names = ", ".join(tenant.name for tenant in changed) or "nothing to change"
        self.message_user(request, f"{status.label}: {names}.", messages.SUCCESS)

    def _record(self, request: HttpRequest, tenants: Iterable[Tenant], action: str) -> None:
        for tenant in tenants:
            with tenant_scope(tenant.pk):
                audit.record(
                    tenant=tenant,
                    actor=audit.actor_of(request),
                    action=action,
                    subject=tenant.name,
                    now=timezone.now(),
                )


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People."""

    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "joined_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    readonly_fields = ("joined_at", "last_login")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "time_zone", "password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "password1", "password2")}),)


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    """Companies of all tenants."""

    list_display = ("name", "tenant", "currency", "is_paused", "created_at")
    list_select_related = ("tenant",)
    list_filter = ("is_paused",)
    search_fields = ("name", "slug", "tenant__name")


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("at", "tenant", "actor_name", "action", "subject")
    list_select_related = ("tenant",)
    list_filter = ("action",)
    search_fields = ("actor_name", "subject", "tenant__name")
    ordering = ("-at",)
