"""Runs: start one, and follow how far it is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.errors import Conflict
from sync.api.paging import NewestStart
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.models import Run
from sync.services.run_requests import ask_for_run
from tenants import audit
from tenants.api_access import TenantScoped


class StepSerializer(serializers.Serializer[Any]):
    """One step; `total` is 0 where it is not known beforehand."""

    name = serializers.CharField()
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField(allow_blank=True)


class RunSerializer(serializers.ModelSerializer[Run]):
    """One pass over a company. `outcome` is "" while it lasts, then ok, paused, failed or broke."""

    steps = StepSerializer(many=True)

    class Meta:
        model = Run
        fields = [
            "id", "trigger", "started_at", "ended_at", "outcome", "sentence", "steps",
            "bill_calls", "sage_calls",
        ]  # fmt: skip


class CompanyRuns(TenantScoped):
    """Runs of the company in the address."""

    def get_queryset(self) -> QuerySet[Run]:
        """The company's runs."""
        if getattr(self, "swagger_fake_view", False):
            return Run.objects.none()
        company = self.get_company()
        return Run.objects.for_tenant(self.tenant).filter(company=company)


@extend_schema_view(
    get=extend_schema(
        summary="List runs, newest first",
        tags=["runs"],
        parameters=[COMPANY],
        examples=examples("runs.list"),
    )
)
class Runs(CompanyRuns, ListAPIView[Run]):
    """All runs of a company."""

    serializer_class = RunSerializer
    pagination_class = NewestStart
    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Start a run",
        description="The answer names the run; a worker begins it within seconds. A run that was "
        "asked for and has not begun yet serves again.",
        tags=["runs"],
        parameters=[COMPANY],
        request=None,
        responses={
            202: RunSerializer,
            404: NOT_HERE,
            409: refusal(
                "Calder Bakery is paused. An owner can resume it.", where="calder/bakery/policy/"
            ),
        },
        examples=examples("runs.start"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Ask for a run."""
        company = self.get_company()
        if company.is_paused:
            raise Conflict(company.paused_reason or f"{company} is paused. An owner can resume it.")
        now = timezone.now()
        run = ask_for_run(tenant_id=self.tenant.pk, company_id=company.pk, trigger="api", now=now)
        audit.record(
            tenant=self.tenant,
            actor=audit.actor_of(request),
            action="run.asked",
            subject=company.name,
            subject_id=run.pk,
            now=now,
        )
        jobs.ring_doorbell(
            tenant_id=self.tenant.pk, company_id=company.pk, trigger="api", run_id=str(run.pk)
        )
        return Response(RunSerializer(run).data, status=202)


@extend_schema_view(
    get=extend_schema(
        summary="Follow a run",
        tags=["runs"],
        parameters=[COMPANY],
        responses={200: RunSerializer, 404: NOT_HERE},
        examples=examples("runs.read"),
    )
)
class RunDetail(CompanyRuns, RetrieveAPIView[Run]):
    """One run with its steps."""

    serializer_class = RunSerializer
    lookup_url_kwarg = "run_id"
