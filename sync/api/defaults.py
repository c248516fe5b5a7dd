"""Default accounts of vendors and groups, and having them written into Sage's own vendors."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import DoneSerializer, asked, settle
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.models import CompanyPolicy
from sync.services import vendor_defaults
from sync.services.vendor_defaults import BY_GROUP, BY_VENDOR
from tenants import audit
from tenants.api_access import TenantScoped

TAGS = ["vendor defaults"]


class DefaultsSerializer(serializers.Serializer[Any]):
    """The defaults kept here: by BILL's id of a vendor, and by Sage's code of a group."""

    vendors = serializers.DictField(child=serializers.CharField())
    groups = serializers.DictField(child=serializers.CharField())


class WantedDefaultSerializer(serializers.Serializer[Any]):
    """The account of one vendor or group; "" takes it away."""

    kind = serializers.ChoiceField(choices=[BY_VENDOR, BY_GROUP])
    key = serializers.CharField(max_length=60)
    gl_account = serializers.CharField(allow_blank=True, max_length=45)


class UpdateSerializer(serializers.Serializer[Any]):
    """One Sage vendor whose own default account would change."""

    sage_number = serializers.CharField()
    name = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField()


class UpdatePlanSerializer(serializers.Serializer[Any]):
    """What writing the defaults into Sage would do; `mark` names exactly this."""

    count = serializers.IntegerField()
    same = serializers.IntegerField(help_text="Linked vendors that have theirs already.")
    mark = serializers.CharField(allow_blank=True)
    changes = UpdateSerializer(many=True)


class WantedUpdateSerializer(serializers.Serializer[Any]):
    """The plan agreed to, and why."""

    mark = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(max_length=250)


class Defaults(TenantScoped):
    """The defaults kept here."""

    page: ClassVar[str] = "vendors"

    @extend_schema(
        summary="Read the default accounts", tags=TAGS, parameters=[COMPANY],
        responses={200: DefaultsSerializer, 404: NOT_HERE}, examples=examples("defaults.read"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """As they stand."""
        company = self.get_company()
        rows = CompanyPolicy.objects.for_tenant(company.tenant_id)
        row = rows.filter(company=company).first()
        shown = {
            "vendors": row.vendor_accounts if row else {},
            "groups": row.group_accounts if row else {},
        }
        return Response(DefaultsSerializer(shown).data)

    @extend_schema(
        summary="Set a default account",
        description="Decides the lines of that vendor or group which nothing else maps.",
        tags=TAGS, parameters=[COMPANY], request=WantedDefaultSerializer,
        responses={
            200: DoneSerializer, 404: NOT_HERE,
            409: refusal("Nothing was done: there is no group OLD here.",
                         where="calder/bakery/vendors/"),
        },
        examples=examples("defaults.set"),
    )  # fmt: skip
    def put(self, request: Request, company_slug: str) -> Response:
        """Set or take away."""
        company, wanted = self.get_company(), asked(WantedDefaultSerializer, request)
        outcome = vendor_defaults.set_default(
            company,
            wanted["kind"],
            wanted["key"],
            wanted["gl_account"],
            actor=audit.actor_of(request),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)})


class DefaultsUpdate(TenantScoped):
    """Sage's own vendors."""

    page: ClassVar[str] = "vendors"

    @extend_schema(
        summary="Count the Sage vendors that would change", tags=TAGS, parameters=[COMPANY],
        responses={200: UpdatePlanSerializer, 404: NOT_HERE}, examples=examples("defaults.plan"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """The plan; nothing is written."""
        plan = vendor_defaults.plan_update(self.get_company())
        shown = {
            "count": len(plan.changes),
            "same": plan.same,
            "mark": plan.mark,
            "changes": [
                {
                    "sage_number": one.vendor.number,
                    "name": one.link.name,
                    "before": one.before,
                    "after": one.after,
                }
                for one in plan.changes
            ],
        }
        return Response(UpdatePlanSerializer(shown).data)

    @extend_schema(
        summary="Write the defaults into Sage's vendors",
        description="Each is written by the next pass and told in the log.",
        tags=TAGS, parameters=[COMPANY], request=WantedUpdateSerializer,
        responses={
            202: DoneSerializer, 404: NOT_HERE,
            409: refusal("Nothing was done: meanwhile it is 4 vendors. Look at the new list and"
                         " press again.", where="calder/bakery/vendors/"),
        },
        examples=examples("defaults.write"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Ask for it."""
        company, wanted = self.get_company(), asked(WantedUpdateSerializer, request)
        outcome = vendor_defaults.ask_update(
            company,
            mark=wanted["mark"],
            reason=wanted["reason"],
            actor=audit.actor_of(request),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)}, status=202)
