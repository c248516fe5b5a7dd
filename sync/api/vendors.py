"""Vendors: how each BILL vendor stands to Sage, and the decisions a person may take."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import asked, settle
from sync.api.errors import Mends, told
from sync.api.paging import Newest
from sync.api.posting_shapes import ProblemSerializer
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.models import VendorLink
from sync.models.vendor import LinkState
from sync.services import looking_up, vendor_acts
from sync.services.acts import Outcome
from sync.services.vendor_acts import seen_mark
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company
from tenants.scoping import tenant_scope

DEEDS = ("link", "create", "ignore", "restore")


class SuggestionSerializer(serializers.Serializer[Any]):
    """A Sage vendor that may be it, with what speaks for it; never linked by itself."""

    number = serializers.CharField()
    name = serializers.CharField()
    score = serializers.IntegerField(help_text="0 to 100")
    evidence = serializers.ListField(child=serializers.CharField())


class VendorSerializer(serializers.ModelSerializer[VendorLink]):
    """One BILL vendor. `seen` is to be sent back with a decision about it."""

    suggestions = SuggestionSerializer(many=True)
    problem = ProblemSerializer(allow_null=True)
    seen = serializers.SerializerMethodField()

    class Meta:
        model = VendorLink
        fields = [
            "id", "bill_vendor_id", "name", "is_archived", "state", "sage_number", "reason",
            "problem", "suggestions", "linked_at", "seen",
        ]  # fmt: skip

    def get_seen(self, row: VendorLink) -> str:
        """The mark of how it stands now."""
        return seen_mark(row)


class DecisionSerializer(serializers.Serializer[Any]):
    """What to do with a vendor; `seen` refuses it if somebody was quicker."""

    deed = serializers.ChoiceField(choices=DEEDS)
    seen = serializers.CharField(required=False, allow_blank=True, default="")
    sage_number = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=12,
        help_text="Which Sage vendor to link; or the number to create it under.",
    )  # fmt: skip
    group_code = serializers.CharField(required=False, allow_blank=True, default="", max_length=6)
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=250)


class VendorFilterSet(filters.FilterSet):  # type: ignore[misc]
    """What the list may be narrowed by."""

    state = filters.MultipleChoiceFilter(choices=LinkState.choices)
    name = filters.CharFilter(lookup_expr="icontains", label="Part of the name.")
    sage_number = filters.CharFilter(lookup_expr="iexact")
    bill_vendor_id = filters.CharFilter(label="BILL's id of the vendor.")
    is_archived = filters.BooleanFilter()

    class Meta:
        model = VendorLink
        fields: ClassVar[list[str]] = []


class ByName(Newest, CursorPagination):
    """By name."""

    ordering = ("name", "id")


@extend_schema_view(
    get=extend_schema(
        summary="List vendors by name",
        tags=["vendors"],
        parameters=[COMPANY],
        responses={200: VendorSerializer(many=True), 404: NOT_HERE},
        examples=examples("vendors.list"),
    )
)
class Vendors(TenantScoped, ListAPIView[VendorLink]):
    """Every BILL vendor and how it stands to Sage."""

    serializer_class = VendorSerializer
    pagination_class = ByName
    filterset_class = VendorFilterSet

    def get_queryset(self) -> QuerySet[VendorLink]:
        """The company's vendors."""
        if getattr(self, "swagger_fake_view", False):
            return VendorLink.objects.none()
        return VendorLink.objects.for_tenant(self.tenant).filter(company=self.get_company())


class VendorDetail(TenantScoped):
    """One vendor, and the decision about it. Linking may ask Sage, with no scope open."""

    scoped: ClassVar[bool] = False
    page: ClassVar[str] = "vendors"

    @extend_schema(
        summary="Read a vendor",
        tags=["vendors"],
        parameters=[COMPANY],
        responses={200: VendorSerializer, 404: NOT_HERE},
        examples=examples("vendors.read"),
    )
    def get(self, request: Request, company_slug: str, vendor_id: uuid.UUID) -> Response:
        """How it stands."""
        with tenant_scope(self.tenant.pk):
            return Response(VendorSerializer(self._link(vendor_id)[1]).data)

    @extend_schema(
        summary="Link, create, leave out or take back a vendor",
        description="The bills that waited for the decision are decided anew and go by themselves."
        " A Sage vendor we have not read yet is asked for in Sage.",
        tags=["vendors"],
        parameters=[COMPANY],
        request=DecisionSerializer,
        responses={
            200: VendorSerializer,
            404: NOT_HERE,
            409: refusal(
                "Priya Raman was quicker. Alder Creek Dairy is linked to ALDCRK.",
                where="calder/bakery/vendors/",
            ),
            502: refusal(
                "Sage 300 is not answering.", acts=Mends.NOBODY, code="bad_gateway",
                where="calder/bakery/connections/",
            ),
        },
        examples=examples("vendors.decide"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str, vendor_id: uuid.UUID) -> Response:
        """Decide."""
        with tenant_scope(self.tenant.pk):
            company, link = self._link(vendor_id)
        wanted = asked(DecisionSerializer, request)
        if wanted["deed"] == "link" and wanted["sage_number"]:
            with told(Mends.SAGE):
                looking_up.read_vendor(company, wanted["sage_number"], clock=timezone.now)
        with tenant_scope(self.tenant.pk):
            settle(company, _decide(request, link, wanted))
            link.refresh_from_db()
            return Response(VendorSerializer(link).data)

    def _link(self, vendor_id: uuid.UUID) -> tuple[Company, VendorLink]:
        company = self.get_company()
        link = vendor_acts.find_link(company=company, link_id=vendor_id)
        if link is None:
            raise NotFound("There is no such vendor here.")
        return company, link


def _decide(request: Request, link: VendorLink, wanted: dict[str, Any]) -> Outcome:
    seen = wanted["seen"] or seen_mark(link)
    actor, now = audit.actor_of(request), timezone.now()
    match wanted["deed"]:
        case "link":
            return vendor_acts.link(
                link, wanted["sage_number"], seen=seen, actor=actor, now=now, note=wanted["note"]
            )
        case "create":
            return vendor_acts.create(
                link, number=wanted["sage_number"], group_code=wanted["group_code"], seen=seen,
                actor=actor, now=now,
            )  # fmt: skip
        case "ignore":
            return vendor_acts.ignore(link, note=wanted["note"], seen=seen, actor=actor, now=now)
        case _:
            return vendor_acts.restore(link, seen=seen, actor=actor, now=now)
