"""Replay: first what it would touch, counted and added up; then the deed, for exactly that set."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import DoneSerializer, asked, settle
from sync.api.postings import FILTERS
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.queries.postings import Filter
from sync.services import replaying
from tenants import audit
from tenants.api_access import TenantScoped


class PlanSerializer(serializers.Serializer[Any]):
    """What a replay of the filter would touch; `mark` names this exact set."""

    count = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    left = serializers.DictField(
        child=serializers.IntegerField(), help_text="Bills that stay, by the reason."
    )
    beyond = serializers.IntegerField(help_text="Bills more than one replay takes.")
    mark = serializers.CharField()
    posting_ids = serializers.ListField(child=serializers.UUIDField())


class WantedReplaySerializer(serializers.Serializer[Any]):
    """The set agreed to, and why."""

    mark = serializers.CharField()
    reason = serializers.CharField(max_length=250)


class Replay(TenantScoped):
    """Ask again for the stopped bills of a filter."""

    page: ClassVar[str] = "replay"

    @extend_schema(
        summary="Count what a replay would touch",
        tags=["replay"],
        parameters=[COMPANY, *FILTERS],
        responses={200: PlanSerializer, 404: NOT_HERE},
        examples=examples("replay.plan"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """The plan; nothing is written."""
        company = self.get_company()
        planned = replaying.plan(
            company, Filter.from_query(request.query_params), zone=ZoneInfo(company.time_zone)
        )
        return Response(
            {
                "count": planned.count,
                "amount": f"{planned.amount:.2f}",
                "left": dict(planned.left),
                "beyond": planned.beyond,
                "mark": planned.mark,
                "posting_ids": [str(row.pk) for row in planned.postings],
            }
        )

    @extend_schema(
        summary="Replay the bills of a plan",
        description="Each is decided anew and looked up in Sage before anything is sent. The "
        "reason is kept with each bill.",
        tags=["replay"],
        parameters=[COMPANY, *FILTERS],
        request=WantedReplaySerializer,
        responses={
            202: DoneSerializer,
            404: NOT_HERE,
            409: refusal(
                "Nothing was done: meanwhile it is 2 bills, 5,940.00.",
                where="calder/bakery/replay/",
            ),
        },
        examples=examples("replay.do"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Do it."""
        company = self.get_company()
        wanted = asked(WantedReplaySerializer, request)
        outcome = replaying.replay(
            company,
            Filter.from_query(request.query_params),
            mark=wanted["mark"],
            reason=wanted["reason"],
            actor=audit.actor_of(request),
            zone=ZoneInfo(company.time_zone),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)}, status=202)
