"""Mapping rules: list, make, change, remove; checked against Sage's accounts as on the page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import DoneSerializer, asked, settle
from sync.api.paging import Newest
from sync.api.schema import COMPANY, NOT_HERE, at_fault, examples, refusal
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.models import MappingRule
from sync.services import mapping_acts
from sync.services.mapping_acts import Draft, Saved, stamp_of
from tenants import audit
from tenants.api_access import TenantScoped


class RuleSerializer(serializers.ModelSerializer[MappingRule]):
    """Lines of BILL with all these (ids of BILL, "" is any) go to `gl_account`.

    `seen` is to be sent back with a change, so that two people do not overwrite each other.
    """

    seen = serializers.SerializerMethodField()

    class Meta:
        model = MappingRule
        fields = [
            "id", "name", "gl_account", "account_id", "department_id", "location_id", "class_id",
            "item_id", "vendor_id", "made_at", "seen",
        ]  # fmt: skip

    def get_seen(self, row: MappingRule) -> str:
        """The mark of how it stands now."""
        return stamp_of(row)


class WantedRuleSerializer(serializers.Serializer[Any]):
    """A rule as it should stand."""

    name = serializers.CharField(required=False, allow_blank=True, default="", max_length=100)
    gl_account = serializers.CharField(max_length=45)
    account_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    department_id = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=60
    )
    location_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    class_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    item_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    vendor_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=60)
    seen = serializers.CharField(required=False, allow_blank=True, default="")


class NewestRule(Newest):
    """By the time it was made or changed."""

    ordering = ("-made_at", "id")


BAD_TARGET = at_fault(
    "gl_account: GL account 6320-300 Fuel is inactive in Sage (this rule). Choose another."
)
OVERTAKEN = refusal(
    "Priya Raman was quicker and changed this rule to 6410-100. Nothing was saved.",
    where="calder/bakery/mapping/",
)
SEEN = OpenApiParameter("seen", str, description="Refuses it if the rule has changed since.")


@extend_schema_view(
    get=extend_schema(
        summary="List mapping rules, newest change first",
        tags=["mapping rules"],
        parameters=[COMPANY],
        responses={200: RuleSerializer(many=True), 404: NOT_HERE},
        examples=examples("mapping-rules.list"),
    )
)
class MappingRules(TenantScoped, ListAPIView[MappingRule]):
    """All rules of a company."""

    serializer_class = RuleSerializer
    pagination_class = NewestRule

    def get_queryset(self) -> QuerySet[MappingRule]:
        """The company's rules."""
        if getattr(self, "swagger_fake_view", False):
            return MappingRule.objects.none()
        return mapping_acts.rows_of(self.get_company())

    @extend_schema(
        summary="Make a mapping rule",
        description="Waiting bills it touches are decided anew and go by themselves.",
        tags=["mapping rules"],
        parameters=[COMPANY],
        request=WantedRuleSerializer,
        responses={201: RuleSerializer, 400: BAD_TARGET, 404: NOT_HERE},
        examples=examples("mapping-rules.make"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Make one."""
        return Response(_save(self, request, None), status=201)


class MappingRuleDetail(TenantScoped):
    """One rule."""

    page: ClassVar[str] = "mapping"

    @extend_schema(
        summary="Read a mapping rule",
        tags=["mapping rules"],
        parameters=[COMPANY],
        responses={200: RuleSerializer, 404: NOT_HERE},
        examples=examples("mapping-rules.read"),
    )
    def get(self, request: Request, company_slug: str, rule_id: uuid.UUID) -> Response:
        """How it stands."""
        return Response(RuleSerializer(_find(self, rule_id)).data)

    @extend_schema(
        summary="Change a mapping rule",
        tags=["mapping rules"],
        parameters=[COMPANY],
        request=WantedRuleSerializer,
        responses={200: RuleSerializer, 400: BAD_TARGET, 404: NOT_HERE, 409: OVERTAKEN},
        examples=examples("mapping-rules.change"),
    )
    def put(self, request: Request, company_slug: str, rule_id: uuid.UUID) -> Response:
        """Change it whole."""
        _find(self, rule_id)
        return Response(_save(self, request, rule_id))

    @extend_schema(
        summary="Remove a mapping rule",
        description="Its history stays. Waiting bills that used it are decided anew.",
        tags=["mapping rules"],
        parameters=[COMPANY, SEEN],
        request=None,
        responses={200: DoneSerializer, 404: NOT_HERE, 409: OVERTAKEN},
        examples=examples("mapping-rules.remove"),
    )
    def delete(self, request: Request, company_slug: str, rule_id: uuid.UUID) -> Response:
        """Remove it."""
        _find(self, rule_id)
        company = self.get_company()
        outcome = mapping_acts.remove(
            company,
            rule_id,
            seen=request.query_params.get("seen", ""),
            actor=audit.actor_of(request),
            now=timezone.now(),
            source="api",
        )
        return Response({"sentence": settle(company, outcome)})


def _find(view: TenantScoped, rule_id: uuid.UUID) -> MappingRule:
    row = mapping_acts.rows_of(view.get_company()).filter(pk=rule_id).first()
    if row is None:
        raise NotFound("There is no such mapping rule here.")
    return row


def draft_of(wanted: Mapping[str, Any]) -> Draft:
    """The rule a body asks for."""
    return Draft(
        gl_account=wanted["gl_account"].strip(),
        name=wanted["name"],
        conditions={name: wanted[name] for name in MOST_TELLING_FIRST},
    )


def _save(view: TenantScoped, request: Request, rule_id: uuid.UUID | None) -> Any:
    company = view.get_company()
    wanted = asked(WantedRuleSerializer, request)
    outcome = mapping_acts.save(
        company,
        draft_of(wanted),
        rule_id=rule_id,
        seen=wanted["seen"],
        actor=audit.actor_of(request),
        now=timezone.now(),
        source="api",
    )
    settle(company, outcome)
    if not isinstance(outcome, Saved):
        raise AssertionError("settle lets only a saved rule through")
    return RuleSerializer(mapping_acts.rows_of(company).get(pk=outcome.rule_id)).data
