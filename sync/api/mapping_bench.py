"""Beside the rules: where each BILL account goes, what a rule would do, history, and the file."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.deeds import asked
from sync.api.errors import Conflict
from sync.api.mapping import WantedRuleSerializer, draft_of
from sync.api.paging import Newest
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.api.spreadsheets import CsvParser, CsvRenderer
from sync.models import MappingRuleChange
from sync.queries.mapping import AccountRow, mapping_page, options_for
from sync.services import mapping_acts, mapping_files, turns
from tenants import audit
from tenants.api_access import TenantScoped

TAGS = ["mapping rules"]


class TargetSerializer(serializers.Serializer[Any]):
    """A Sage account; `sentence` says why it cannot be used, "" when it can."""

    number = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    trouble = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(allow_blank=True)


class AccountSerializer(serializers.Serializer[Any]):
    """One BILL account: where its lines go and how that is known; `lines` of the last 90 days."""

    account_id = serializers.CharField()
    name = serializers.CharField()
    number = serializers.CharField(allow_blank=True)
    target = TargetSerializer(allow_null=True)
    how = serializers.CharField(allow_blank=True)
    rule_id = serializers.CharField(allow_blank=True)
    waiting_bills = serializers.IntegerField()
    lines = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    needs_a_look = serializers.BooleanField()
    suggested = serializers.ListField(child=serializers.CharField())


class EffectSerializer(serializers.Serializer[Any]):
    """What saving a rule would do: waiting bills change, what lies in Sage stays."""

    faults = serializers.DictField(child=serializers.CharField())
    waiting_bills = serializers.IntegerField()
    waiting_amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    bills = serializers.ListField(child=serializers.UUIDField())
    kept_by_choice = serializers.IntegerField(help_text="Lines a person decided; they stay.")
    sent_lines = serializers.IntegerField(help_text="In Sage; they stay as they are.")
    sent_amount = serializers.DecimalField(max_digits=19, decimal_places=2)


class RuleChangeSerializer(serializers.ModelSerializer[MappingRuleChange]):
    """Who did what to which rule; `source` is page, api, csv or line."""

    class Meta:
        model = MappingRuleChange
        fields = [
            "id", "rule_id", "at", "action", "source", "conditions", "name", "before_account",
            "after_account", "waiting_bills", "actor_name",
        ]  # fmt: skip


class FileLineSerializer(serializers.Serializer[Any]):
    """What becomes of one line: new, changed, same or refused."""

    line = serializers.IntegerField()
    verdict = serializers.CharField()
    sentence = serializers.CharField()


class FileSerializer(serializers.Serializer[Any]):
    """What a file asks for; stored whole or not at all."""

    is_applied = serializers.BooleanField()
    sentence = serializers.CharField()
    lines = FileLineSerializer(many=True)


class Accounts(TenantScoped):
    """The table."""

    @extend_schema(
        summary="List BILL's accounts and where each goes", tags=TAGS,
        parameters=[
            COMPANY, OpenApiParameter("look", bool, description="Only those that need a look."),
        ],
        responses={200: AccountSerializer(many=True), 404: NOT_HERE},
        examples=examples("mapping-accounts.list"), filters=False,
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """By name."""
        company = self.get_company()
        page = mapping_page(tenant_id=company.tenant_id, company_id=company.pk, now=timezone.now())
        wants_looks = request.query_params.get("look", "") in {"1", "true"}
        rows = page.looks if wants_looks else page.accounts
        shown = [_account(row, [
            one.account.formatted for one in options_for(page.grounds, row.item).suggested
        ]) for row in rows]  # fmt: skip
        return Response(AccountSerializer(shown, many=True).data)


class RuleEffect(TenantScoped):
    """A trial."""

    @extend_schema(
        summary="Try a mapping rule",
        description="Says what saving it would do and what is wrong with it; nothing is saved.",
        tags=TAGS, parameters=[COMPANY], request=WantedRuleSerializer,
        responses={200: EffectSerializer, 404: NOT_HERE},
        examples=examples("mapping-rules.try"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Try it."""
        company, draft = self.get_company(), draft_of(asked(WantedRuleSerializer, request))
        grounds, effect = mapping_acts.preview(company, draft, now=timezone.now())
        shown = {
            "faults": mapping_acts.check(draft, grounds),
            "waiting_bills": len(effect.waiting),
            "waiting_amount": effect.amount,
            "bills": [one.posting.pk for one in effect.waiting],
            "kept_by_choice": effect.kept,
            "sent_lines": effect.sent_lines,
            "sent_amount": effect.sent_amount,
        }
        return Response(EffectSerializer(shown).data)


class NewestRuleChange(Newest):
    """By the time of the change."""

    ordering = ("-at", "-id")


@extend_schema_view(get=extend_schema(
    summary="Read the history of the mapping rules, newest first", tags=TAGS, parameters=[COMPANY],
    responses={200: RuleChangeSerializer(many=True), 404: NOT_HERE},
    examples=examples("mapping-rules.history"),
))  # fmt: skip
class RuleHistory(TenantScoped, ListAPIView[MappingRuleChange]):
    """Every change."""

    serializer_class = RuleChangeSerializer
    pagination_class = NewestRuleChange

    def get_queryset(self) -> QuerySet[MappingRuleChange]:
        """The company's changes."""
        if getattr(self, "swagger_fake_view", False):
            return MappingRuleChange.objects.none()
        return MappingRuleChange.objects.for_tenant(self.tenant).filter(company=self.get_company())


class RuleFile(TenantScoped):
    """All rules as a spreadsheet."""

    page: ClassVar[str] = "mapping"
    renderer_classes = (JSONRenderer, CsvRenderer)
    parser_classes = (CsvParser,)

    @extend_schema(
        operation_id="mapping_rules_csv", summary="Download the mapping rules", tags=TAGS,
        parameters=[COMPANY], responses={(200, "text/csv"): OpenApiTypes.STR, 404: NOT_HERE},
        examples=examples("mapping-rules.csv"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> HttpResponse:
        """In the columns that are read again."""
        company = self.get_company()
        answer = HttpResponse(mapping_files.write_out(company), content_type="text/csv")
        answer["Content-Disposition"] = f'attachment; filename="mapping-{company.slug}.csv"'
        return answer

    @extend_schema(
        operation_id="mapping_rules_csv_in", summary="Take mapping rules in from a file",
        description="Adds rules and changes those with the same conditions; removes none. Stored"
        " whole or not at all: with one line at fault nothing is, and the answer says which.",
        tags=TAGS,
        parameters=[
            COMPANY, OpenApiParameter("trial", bool, description="1: check it and store nothing."),
        ],
        request={"text/csv": OpenApiTypes.STR},
        responses={
            200: FileSerializer, 404: NOT_HERE,
            409: refusal("Nothing was saved: 1 line of 3 at fault.",
                         where="calder/bakery/mapping/"),
        },
        examples=examples("mapping-rules.csv-in"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Take it in."""
        company = self.get_company()
        report = mapping_files.take_in(
            company,
            request.data.get("file", b"") if isinstance(request.data, dict) else b"",
            is_trial=request.query_params.get("trial", "") in {"1", "true"},
            actor=audit.actor_of(request),
            now=timezone.now(),
        )
        if report.refused or not report.lines:
            at_fault = [f"line {one.line}: {one.sentence}" for one in report.lines
                        if one.verdict == "refused"]  # fmt: skip
            raise Conflict(" ".join([report.sentence, *at_fault]))
        if report.is_applied:
            turns.ring(company_id=company.pk)
            jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="mended")
        return Response(FileSerializer(report).data)


def _account(row: AccountRow, suggested: list[str]) -> dict[str, Any]:
    return {
        "account_id": row.item.id,
        "name": row.item.name,
        "number": row.item.number,
        "target": row.target,
        "how": row.how,
        "rule_id": row.rule.id if row.rule else "",
        "waiting_bills": len(row.waiting),
        "lines": row.lines,
        "amount": row.amount,
        "needs_a_look": row.needs_a_look,
        "suggested": suggested,
    }
