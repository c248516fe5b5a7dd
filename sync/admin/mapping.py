"""Mapping rules of all companies: changed and removed here by the same service as on the pages.

So an account that cannot be used is refused, the history and the audit say who did it and why, and
the bills that waited for it go on. New rules are made on the company's own page, where what they
would touch is shown.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from sync import jobs
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.models import MappingRule
from sync.queries.bill_desks import Grounds, grounds_of
from sync.queries.mapping import choices_of, options_for
from sync.services import mapping_acts, turns
from sync.services.acts import Done
from sync.services.mapping_acts import WORDS, Draft, Saved
from tenants.models import Company
from tenants.operator_site import operator_of
from tenants.scoping import tenant_scope

CONDITIONS = tuple(reversed(MOST_TELLING_FIRST))
LONGEST_REASON = 250
SOURCE = "operator"
NO_REASON = "Please say why: the reason is kept in the log and the audit."


class RuleForm(forms.ModelForm[MappingRule]):
    """One rule in BILL's and Sage's own names, and why it is changed."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        help_text="Kept in the log and the audit; the customer reads it with your name.",
        error_messages={"required": NO_REASON},
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
    )
    seen = forms.CharField(widget=forms.HiddenInput)

    class Meta:
        model = MappingRule
        fields = ("gl_account", "name", *CONDITIONS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        self.grounds: Grounds = grounds_of(tenant_id=rule.tenant_id, company_id=rule.company_id)
        self.initial["seen"] = mapping_acts.stamp_of(rule)
        for name, choices in choices_of(self.grounds).items():
            self._offer(name, [("", "any"), *choices], WORDS[name])
        accounts = options_for(self.grounds, None).others
        numbers = [(one.formatted, f"{one.formatted} {one.description}") for one in accounts]
        self._offer("gl_account", numbers, "Sage account")

    def _offer(self, name: str, choices: list[tuple[str, str]], label: str) -> None:
        """Let it be chosen from a list; what is stored stays among the choices."""
        stored = getattr(self.instance, name)
        if stored not in {value for value, _ in choices}:
            choices = [(stored, f"{stored} (not in the list)"), *choices]
        self.fields[name] = forms.ChoiceField(
            choices=choices, required=name == "gl_account", label=label[0].upper() + label[1:]
        )

    def draft(self) -> Draft:
        """The rule as it is wanted."""
        said = self.cleaned_data
        return Draft(
            gl_account=said.get("gl_account", ""),
            name=said.get("name", ""),
            conditions={name: said.get(name, "") for name in MOST_TELLING_FIRST},
        )

    def clean(self) -> None:
        """Refuse what the page refuses, in its sentences."""
        super().clean()
        errors = mapping_acts.check(self.draft(), self.grounds, rule_id=str(self.instance.pk))
        for name, sentence in errors.items():
            self.add_error(name if name in self.fields else None, sentence)


@admin.register(MappingRule)
class MappingRuleAdmin(admin.ModelAdmin[MappingRule]):
    """Mapping rules."""

    form = RuleForm
    list_display = ("words", "gl_account", "company", "tenant", "made_by", "made_at")
    list_display_links = ("words",)
    list_select_related = ("company", "tenant", "made_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "gl_account", "company__name", "tenant__name")
    ordering = ("tenant__name", "company__name", "name", "gl_account")
    readonly_fields = ("company", "tenant", "made_by", "made_at")
    fields = (
        "company", "tenant", "gl_account", "name", *CONDITIONS, "made_by", "made_at", "reason",
        "seen",
    )  # fmt: skip
    actions = None
    delete_confirmation_template = "admin/remove_rule.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """New ones are made where what they touch is shown."""
        return False

    @admin.display(description="rule", ordering="name")
    def words(self, rule: MappingRule) -> str:
        """Its name, or which kinds of conditions it has."""
        named = [WORDS[name] for name in CONDITIONS if getattr(rule, name)]
        return rule.name or f"by {' + '.join(named)}"

    def save_model(self, request: HttpRequest, obj: MappingRule, form: Any, change: bool) -> None:
        """Save by the page's service, in the tenant's own scope."""
        company = _company(obj)
        with tenant_scope(obj.tenant_id):
            outcome = mapping_acts.save(
                company, form.draft(), rule_id=obj.pk, seen=form.cleaned_data["seen"],
                actor=operator_of(request), source=SOURCE, reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )  # fmt: skip
            _tell(request, company, isinstance(outcome, Saved), outcome.sentence)

    def delete_model(self, request: HttpRequest, obj: MappingRule) -> None:
        """Remove it by the page's service, in the tenant's own scope."""
        company = _company(obj)
        with tenant_scope(obj.tenant_id):
            outcome = mapping_acts.remove(
                company, obj.pk, actor=operator_of(request), source=SOURCE,
                reason=_reason(request), now=timezone.now(),
            )  # fmt: skip
            _tell(request, company, isinstance(outcome, Done), outcome.sentence)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Ask for the reason with the confirmation; without one nothing is removed."""
        if request.method == "POST" and not _reason(request):
            messages.error(request, f"Nothing was removed. {NO_REASON}")
            return redirect(request.path)
        context = {"longest": LONGEST_REASON, **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def response_change(self, request: HttpRequest, obj: MappingRule) -> HttpResponse:
        """Back to the list; what became of it was said already."""
        return redirect("admin:sync_mappingrule_changelist")

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list; what became of it was said already."""
        return redirect("admin:sync_mappingrule_changelist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MappingRule]:
        """Every rule."""
        return super().get_queryset(request).select_related("company__tenant")


def _company(rule: MappingRule) -> Company:
    return Company.objects.select_related("tenant").get(pk=rule.company_id)


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]


def _tell(request: HttpRequest, company: Company, is_done: bool, sentence: str) -> None:
    """Say what became of it, and have the bills that waited looked at."""
    if not is_done:
        messages.warning(request, sentence)
        return
    turns.ring(company_id=company.pk)
    jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="mended")
    messages.success(request, sentence)
