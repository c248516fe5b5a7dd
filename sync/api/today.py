"""Today: are both systems there, where does every bill stand, and does it tie."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.schema import COMPANY, NOT_HERE, examples
from sync.queries.today import today_of
from tenants.api_access import TenantScoped

MONEY: dict[str, Any] = {"max_digits": 19, "decimal_places": 2}


class LightSerializer(serializers.Serializer[Any]):
    """One system: ok, paused, off or missing, with its last success."""

    name = serializers.CharField()
    state = serializers.CharField()
    sentence = serializers.CharField(allow_blank=True)
    last_at = serializers.DateTimeField(allow_null=True)


class TallySerializer(serializers.Serializer[Any]):
    """How many bills, and how much in BILL and as read back from Sage."""

    count = serializers.IntegerField()
    in_bill = serializers.DecimalField(**MONEY)
    in_sage = serializers.DecimalField(**MONEY)
    elsewhere = serializers.IntegerField(help_text="In another currency; not in the sums.")


class SageBatchSerializer(serializers.Serializer[Any]):
    """One of the latest batches; `number` 0 is not known yet."""

    number = serializers.IntegerField()
    state = serializers.CharField(source="standing")
    sent_at = serializers.DateTimeField()
    count = serializers.IntegerField()
    in_bill = serializers.DecimalField(**MONEY)
    in_sage = serializers.DecimalField(**MONEY)
    ties = serializers.BooleanField()


class TodaySerializer(serializers.Serializer[Any]):
    """The day's figures; `bills` by state add up to every bill. `unexplained` should be 0."""

    systems = LightSerializer(many=True, source="lights")
    bills = serializers.DictField(child=TallySerializer(), source="tallies")
    sent = TallySerializer()
    in_sage = TallySerializer()
    unexplained = serializers.DecimalField(**MONEY)
    stopped = serializers.IntegerField()
    changed_in_bill = serializers.IntegerField(source="changed")
    batches = SageBatchSerializer(many=True)


class Today(TenantScoped):
    """The first page of the day."""

    @extend_schema(
        summary="Read the day's figures",
        tags=["today"],
        parameters=[COMPANY],
        responses={200: TodaySerializer, 404: NOT_HERE},
        examples=examples("today.read"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """Every figure of Today."""
        company = self.get_company()
        page = today_of(tenant_id=company.tenant_id, company_id=company.pk, now=timezone.now())
        return Response(TodaySerializer(page).data)
