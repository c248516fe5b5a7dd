"""Tenants with how each fares, worst first; creating, suspending and resuming them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString

from integrations.models import BillConnection, WebhookSubscription
from sync.admin import cells, founding, operate
from sync.domain.health import LOOKS, Health
from sync.queries.health import facts_of, tenants_with_health, worst_first
from sync.services.operating import OperatorDeed
from tenants import audit
from tenants.models import Company, Invitation, Tenant
from tenants.operator_site import opens_own_scopes, operator_of
from tenants.scoping import tenant_scope

GROUPS = (
    ("stopped", "Paused, behind or refused", (Health.PAUSED, Health.BEHIND, Health.REFUSED)),
    ("slow", "Slow or unsettled", (Health.SILENT, Health.UNSETTLED, Health.RESTING, Health.QUOTA)),
    ("fine", "Fine", (Health.FINE,)),
    ("new", "Not set up", (Health.NEW,)),
)


class ByHealth(admin.SimpleListFilter):
    """Narrows the list to how they fare."""

    title = "health"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The groups."""
        return [(key, words) for key, words, _ in GROUPS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the group."""
        wanted = [one.severity for key, _, group in GROUPS for one in group if key == self.value()]
        return queryset.filter(severity__in=wanted) if wanted else queryset


class BySystems(admin.SimpleListFilter):
    """Narrows the list to those that have a company on these systems."""

    title = "systems"
    parameter_name = "systems"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """BILL's environments."""
        return [(str(value), str(label)) for value, label in BillConnection.Environment.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with a company there."""
        rows = BillConnection.objects.filter(tenant=OuterRef("pk"), environment=self.value())
        return queryset.filter(Exists(rows)) if self.value() else queryset


class ByNews(admin.SimpleListFilter):
    """Narrows the list by how BILL's news reach us."""

    title = "BILL's news"
    parameter_name = "news"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a subscription."""
        return [(str(value), str(label)) for value, label in WebhookSubscription.Status.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with such a subscription."""
        rows = WebhookSubscription.objects.filter(tenant=OuterRef("pk"), status=self.value())
        return queryset.filter(Exists(rows)) if self.value() else queryset


class Worst(ChangeList):
    """The list, with a line that says what it is a list of."""

    summary = ""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page; say how many companies there are and when it was read."""
        super().get_results(request)
        shown, companies = cells.moments(), Company.objects.count()
        word = "company" if companies == 1 else "companies"
        self.summary = (
            f"{companies} {word} in all · worst first · read {shown.clock(shown.now)},"
            f" {shown.zone_name}"
        )


@admin.register(Tenant)
class TenantAdmin(admin.ModelAdmin[Tenant]):
    """Customers: how each fares, and what an operator does for them."""

    list_display = (
        "tenant", "health", "last_success", "backlog", "past_day", "quota", "latency",
    )  # fmt: skip
    list_display_links = ("tenant",)
    list_filter = (ByHealth, "status", BySystems, ByNews)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "slug")
    readonly_fields = (
        "slug", "status", "suspended_at", "suspended_by", "suspended_reason", "created_at",
        "in_full", "last_success", "backlog", "past_day", "quota", "latency",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "slug", "created_at", "status")}),
        (
            "How it fares",
            {"fields": ("in_full", "last_success", "backlog", "past_day", "quota", "latency")},
        ),
    )
    actions = ("ping", "run_now", "replay", "suspend", "resume")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """Every tenant with its figures."""
        return tenants_with_health(timezone.now(), super().get_queryset(request))

    def get_ordering(self, request: HttpRequest) -> Any:
        """Worst first, decided by the database over all of them."""
        return worst_first()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with its line."""
        return Worst

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """The parts of the page; since when and why it is suspended, where it is."""
        parts = list(super().get_fieldsets(request, obj))
        if obj is not None and obj.is_suspended:
            told = ("suspended_at", "suspended_by", "suspended_reason")
            parts.insert(1, ("Suspended", {"fields": told}))
        return parts

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A customer is suspended, not removed: the ledger of what was sent stays."""
        return False

    # --- figures ---------------------------------------------------------------------------------

    @admin.display(description="tenant", ordering="name")
    def tenant(self, tenant: Any) -> SafeString:
        """Name and number of companies."""
        number = tenant.companies or 0
        return cells.with_note(tenant.name, f"{number} {'company' if number == 1 else 'companies'}")

    @admin.display(description="health", ordering="severity")
    def health(self, tenant: Tenant) -> SafeString:
        """How it fares and why."""
        return cells.health(facts_of(tenant))

    @admin.display(description="health")
    def in_full(self, tenant: Tenant) -> SafeString:
        """How it fares, with the whole reason."""
        return cells.health(facts_of(tenant), longest=600)

    @admin.display(description="last success", ordering="sage_ok_at")
    def last_success(self, tenant: Tenant) -> SafeString:
        """Per direction."""
        return cells.last_success(tenant)

    @admin.display(description="backlog", ordering="backlog")
    def backlog(self, tenant: Any) -> SafeString:
        """Approved bills that are not in Sage."""
        dress = LOOKS[facts_of(tenant).health].dress
        return cells.backlog(tenant, {"bad": cells.OVER, "slow": cells.NEAR}.get(dress, ""))

    @admin.display(description="24 hours", ordering="day_refused")
    def past_day(self, tenant: Tenant) -> SafeString:
        """What went wrong."""
        return cells.past_day(tenant)

    @admin.display(description="quota", ordering="quota_percent")
    def quota(self, tenant: Tenant) -> SafeString:
        """Of BILL's hour."""
        return cells.quota(tenant)

    @admin.display(description="Sage", ordering="sage_median")
    def latency(self, tenant: Tenant) -> SafeString:
        """How long Sage takes."""
        return cells.latency(tenant)

    # --- actions ---------------------------------------------------------------------------------

    @admin.action(description="Ping both systems")
    def ping(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse:
        """Try the stored credentials of every company."""
        return operate.begin(request, OperatorDeed.PING, queryset, back="tenants")

    @admin.action(description="Run now")
    def run_now(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse:
        """Ask for a pass over every company."""
        return operate.begin(request, OperatorDeed.RUN, queryset, back="tenants")

    @admin.action(description="Replay refused bills")
    def replay(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse:
        """Decide refused bills anew."""
        return operate.begin(request, OperatorDeed.REPLAY, queryset, back="tenants")

    @admin.action(description="Suspend")
    def suspend(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse:
        """Stop all work."""
        return operate.begin(request, OperatorDeed.SUSPEND, queryset, back="tenants")

    @admin.action(description="Resume")
    def resume(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse:
        """Work again."""
        return operate.begin(request, OperatorDeed.RESUME, queryset, back="tenants")

    # --- pages -----------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Beside Django's pages: the plan of an action, and asking an owner in."""
        own: list[tuple[str, Callable[..., Any], str]] = [
            ("operate/", opens_own_scopes(operate.operate), "operate"),
            ("<uuid:object_id>/invite/", opens_own_scopes(founding.invite_owner), "tenant_invite"),
        ]
        wrap = self.admin_site.admin_view
        return [
            *(path(route, wrap(view), name=name) for route, view, name in own),
            *super().get_urls(),
        ]

    @opens_own_scopes
    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Make a tenant and ask its owner in; mails, so it holds no transaction."""
        return founding.found(request)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Tenant | None = None,
    ) -> HttpResponse:
        """One tenant with its companies and open invitations."""
        invitations = Invitation.objects.filter(tenant=obj, accepted_at=None)
        is_suspended = obj is not None and obj.is_suspended
        other = OperatorDeed.SUSPEND if is_suspended else OperatorDeed.RESUME
        context |= {
            "show_save_and_add_another": False,
            "companies": Company.objects.filter(tenant=obj).order_by("name"),
            "members": obj.memberships.select_related("user").order_by("role", "user__email")
            if obj is not None
            else (),
            "invitations": invitations.order_by("-created_at"),
            "deeds": [
                (deed.value, operate.BUTTONS[deed]) for deed in OperatorDeed if deed is not other
            ],
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- writing ---------------------------------------------------------------------------------

    def save_model(
        self, request: HttpRequest, obj: Tenant, form: ModelForm[Tenant], change: bool
    ) -> None:
        """Save the name, and write down who did it."""
        if "name" in form.changed_data:
            Tenant.objects.filter(pk=obj.pk).update(name=obj.name)
            self._record(request, obj, "tenant.changed")

    def _record(self, request: HttpRequest, tenant: Tenant, action: str) -> None:
        with tenant_scope(tenant.pk):
            audit.record(
                tenant=tenant, actor=operator_of(request), action=action, subject=tenant.name,
                now=timezone.now(),
            )  # fmt: skip
