"""Comparing BILL and Sage: start one, follow it, and read every difference with its next step."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.errors import Conflict
from sync.api.paging import Newest, NewestStart
from sync.api.runs import StepSerializer
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.domain.packing import unpack
from sync.domain.reconciliation import Mover, Part, PeriodSum
from sync.models import Discrepancy, Reconciliation
from sync.services import reconcile
from tenants import audit
from tenants.api_access import TenantScoped


class SumSerializer(serializers.Serializer[Any]):
    """One fiscal period in one currency: BILL's side, Sage's side, and what no reason covers."""

    period = serializers.CharField(allow_blank=True)
    currency = serializers.CharField()
    bills = serializers.IntegerField()
    approved = serializers.DecimalField(max_digits=19, decimal_places=3)
    open = serializers.DecimalField(max_digits=19, decimal_places=3)
    ready_to_post = serializers.DecimalField(max_digits=19, decimal_places=3, source="ready")
    posted = serializers.DecimalField(max_digits=19, decimal_places=3)
    open_count = serializers.IntegerField()
    ready_to_post_count = serializers.IntegerField(source="ready_count")
    posted_count = serializers.IntegerField()
    apart = serializers.DecimalField(max_digits=19, decimal_places=3)
    unexplained = serializers.DecimalField(max_digits=19, decimal_places=3)
    is_open = serializers.BooleanField(allow_null=True)
    is_partial = serializers.BooleanField()


class PartSerializer(serializers.Serializer[Any]):
    """What was compared of one part, and when."""

    part = serializers.ChoiceField(choices=[part.value for part in Part])
    compared_at = serializers.DateTimeField()
    sentence = serializers.CharField()


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    """One comparison. `outcome` is "" while it lasts, then ok, paused, failed or broke.

    A part that could not be read keeps what the comparison before it found, with its time.
    """

    steps = StepSerializer(many=True)
    sums = serializers.SerializerMethodField()
    parts = serializers.SerializerMethodField()

    class Meta:
        model = Reconciliation
        fields = [
            "id", "trigger", "asked_by", "started_at", "ended_at", "outcome", "sentence", "steps",
            "sums", "parts", "sage_calls",
        ]  # fmt: skip

    @extend_schema_field(SumSerializer(many=True))
    def get_sums(self, run: Reconciliation) -> Any:
        """The additions by period, newest first."""
        return SumSerializer([unpack(PeriodSum, one) for one in run.sums], many=True).data

    @extend_schema_field(PartSerializer(many=True))
    def get_parts(self, run: Reconciliation) -> list[dict[str, str]]:
        """Every part that was ever compared."""
        return [
            {"part": part, "compared_at": note["at"], "sentence": note["sentence"]}
            for part, note in run.parts.items()
        ]


class DifferenceSerializer(serializers.ModelSerializer[Discrepancy]):
    """One difference. `mover` tells who moves it on: person, itself, or explained.

    `do` is the one thing to do ("" where nobody need act), `target` and `target_id` say where.
    `amount` is what it takes off its period's addition, BILL less Sage.
    """

    class Meta:
        model = Discrepancy
        fields = [
            "id", "part", "kind", "mover", "title", "detail", "do", "target", "target_id",
            "period", "currency", "bills", "amount", "first_seen_at", "last_seen_at", "settled_at",
        ]  # fmt: skip


class OldestFirst(Newest):
    """By age."""

    ordering = ("first_seen_at", "id")


class DifferenceFilterSet(filters.FilterSet):  # type: ignore[misc]
    """What the differences may be narrowed by."""

    part = filters.ChoiceFilter(
        choices=[(part.value, part.value) for part in Part], label="Only this part."
    )
    mover = filters.ChoiceFilter(
        choices=[(mover.value, mover.value) for mover in Mover], label="Only what they move on."
    )
    period = filters.CharFilter(label="Only this fiscal period: 2026-11.")
    settled = filters.BooleanFilter(
        field_name="settled_at", lookup_expr="isnull", exclude=True,
        label="true: only what has settled; false: only what is open.",
    )  # fmt: skip

    class Meta:
        model = Discrepancy
        fields: ClassVar[list[str]] = []


class CompanyComparisons(TenantScoped):
    """Comparisons of the company in the address."""

    def get_queryset(self) -> QuerySet[Reconciliation]:
        """The company's comparisons."""
        if getattr(self, "swagger_fake_view", False):
            return Reconciliation.objects.none()
        company = self.get_company()
        return Reconciliation.objects.for_tenant(self.tenant).filter(company=company)


@extend_schema_view(
    get=extend_schema(
        summary="List comparisons of BILL and Sage, newest first",
        tags=["reconciliations"],
        parameters=[COMPANY],
        responses={200: ReconciliationSerializer(many=True), 404: NOT_HERE},
        examples=examples("reconciliations.list"),
    )
)
class Reconciliations(CompanyComparisons, ListAPIView[Reconciliation]):
    """All comparisons of a company."""

    serializer_class = ReconciliationSerializer
    pagination_class = NewestStart
    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Compare now",
        description="The answer names the comparison; a worker begins it within seconds. It only "
        "reads. One that has not ended yet serves again.",
        tags=["reconciliations"],
        parameters=[COMPANY],
        request=None,
        responses={
            202: ReconciliationSerializer,
            404: NOT_HERE,
            409: refusal(
                "Calder Bakery is paused. An owner can resume it.", where="calder/bakery/policy/"
            ),
        },
        examples=examples("reconciliations.start"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Ask for a comparison."""
        company = self.get_company()
        if company.is_paused:
            raise Conflict(company.paused_reason or f"{company} is paused. An owner can resume it.")
        now = timezone.now()
        run = reconcile.ask(company, audit.actor_of(request), trigger="api", now=now)
        jobs.ring_comparison(tenant_id=self.tenant.pk, company_id=company.pk)
        return Response(ReconciliationSerializer(run).data, status=202)


@extend_schema_view(
    get=extend_schema(
        summary="Follow a comparison",
        tags=["reconciliations"],
        parameters=[COMPANY],
        responses={200: ReconciliationSerializer, 404: NOT_HERE},
        examples=examples("reconciliations.read"),
    )
)
class ReconciliationDetail(CompanyComparisons, RetrieveAPIView[Reconciliation]):
    """One comparison with its steps and sums."""

    serializer_class = ReconciliationSerializer
    lookup_url_kwarg = "run_id"


@extend_schema_view(
    get=extend_schema(
        summary="List differences between BILL and Sage, oldest first",
        tags=["reconciliations"],
        parameters=[COMPANY],
        responses={200: DifferenceSerializer(many=True), 404: NOT_HERE},
        examples=examples("differences.list"),
    )
)
class Differences(TenantScoped, ListAPIView[Discrepancy]):
    """Every difference, open and settled."""

    serializer_class = DifferenceSerializer
    pagination_class = OldestFirst
    filterset_class = DifferenceFilterSet

    def get_queryset(self) -> QuerySet[Discrepancy]:
        """The company's differences."""
        if getattr(self, "swagger_fake_view", False):
            return Discrepancy.objects.none()
        return Discrepancy.objects.for_tenant(self.tenant).filter(company=self.get_company())
