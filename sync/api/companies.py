"""The token's companies: what each one is, and what it decided."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView

from sync.api.schema import COMPANY, NOT_HERE, answered
from sync.domain.policy import Policy
from sync.domain.policy_document import policy_json_schema, policy_to_dict
from sync.models import CompanyPolicy
from tenants.api_access import TenantScoped
from tenants.models import Company

EXAMPLE = {
    "slug": "bakery",
    "name": "Calder Bakery",
    "time_zone": "America/Chicago",
    "currency": "USD",
    "is_paused": False,
    "paused_reason": "",
}


class CompanySerializer(serializers.ModelSerializer[Company]):
    """One BILL organization feeding one Sage 300 company database."""

    class Meta:
        model = Company
        fields = ["slug", "name", "time_zone", "currency", "is_paused", "paused_reason"]


class CompanyDetailSerializer(CompanySerializer):
    """A company with its policy."""

    policy = serializers.SerializerMethodField()

    class Meta(CompanySerializer.Meta):
        fields = [*CompanySerializer.Meta.fields, "policy"]

    @extend_schema_field(policy_json_schema())
    def get_policy(self, company: Company) -> dict[str, object]:
        """The choices in force; the defaults where nobody chose yet."""
        rows = CompanyPolicy.objects.for_tenant(company.tenant_id)
        row = rows.filter(company=company).first()
        return policy_to_dict(row.policy() if row else Policy())


@extend_schema_view(
    get=extend_schema(
        summary="List companies", tags=["companies"], examples=[answered("Companies", EXAMPLE)]
    )
)
class Companies(TenantScoped, ListAPIView[Company]):
    """The companies of the token's tenant."""

    serializer_class = CompanySerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Company]:
        """By name."""
        if getattr(self, "swagger_fake_view", False):
            return Company.objects.none()
        return Company.objects.for_tenant(self.tenant).order_by("name")


@extend_schema_view(
    get=extend_schema(
        summary="Read a company and its policy",
        tags=["companies"],
        parameters=[COMPANY],
        responses={200: CompanyDetailSerializer, 404: NOT_HERE},
        examples=[answered("A company", {**EXAMPLE, "policy": policy_to_dict(Policy())})],
    )
)
class CompanyDetail(TenantScoped, RetrieveAPIView[Company]):
    """One company."""

    serializer_class = CompanyDetailSerializer

    def get_object(self) -> Any:
        """The company of the address."""
        return self.get_company()
