"""What operators see of people and of what they did.

Directory rows (people) can be changed here. Rows behind row-level security can only be read: the
operator's scope writes none. Tokens, second factors and password hashes are not shown at all.
Tenants and companies stand in ``sync.admin``, with how they fare.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from tenants.models import AuditEvent, User

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


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """People."""

    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "joined_at")
    list_filter = ("is_active", "is_staff")
    search_fields = ("email", "name")
    readonly_fields = ("joined_at", "last_login", "new_password")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "time_zone", "new_password")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("joined_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "password1", "password2")}),)

    @admin.display(description="Password")
    def new_password(self, person: User) -> str:
        """The way to a new one; what is stored is shown in no part."""
        link = reverse("admin:auth_user_password_change", args=[person.pk])
        return format_html('<a href="{}">Set a new password</a>', link)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ("at", "tenant", "actor_name", "action", "subject")
    list_select_related = ("tenant",)
    list_filter = ("action",)
    search_fields = ("actor_name", "subject", "tenant__name")
    ordering = ("-at",)
    show_full_result_count = False
