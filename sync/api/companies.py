"""The token's companies: what each one is, how far it is set up, new ones, pause and resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.deeds import DoneSerializer, asked
from sync.api.errors import Conflict
from sync.api.schema import COMPANY, NOT_HERE, at_fault, examples, refusal
from sync.domain.policy import Policy
from sync.domain.policy_document import policy_json_schema, policy_to_dict
from sync.models import CompanyPolicy
from sync.queries.set_up import Window, set_up_of
from sync.queries.shell import shell_of
from sync.services import setup
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.enrolment import add_company
from tenants.forms import NewCompanyForm
from tenants.models import Company, Role

OWNERS = frozenset({Role.OWNER})
TAGS = ["companies"]


class CompanySerializer(serializers.ModelSerializer[Company]):
    """One BILL organization feeding one Sage 300 company database."""

    class Meta:
        model = Company
        fields = ["slug", "name", "time_zone", "currency", "is_paused", "paused_reason"]


class SetUpSerializer(serializers.Serializer[Any]):
    """How far it has come. Of a system: missing, paused, untested, failing or works."""

    bill = serializers.CharField()
    sage300 = serializers.CharField()
    policy_version = serializers.IntegerField(help_text="0 before it is saved once")
    has_started = serializers.BooleanField(help_text="Nothing is missing for it to work.")
    vendors_to_decide = serializers.IntegerField()
    bills_to_review = serializers.IntegerField()
    bills_stopped = serializers.IntegerField()
    next_run_at = serializers.DateTimeField(allow_null=True)


class CompanyDetailSerializer(CompanySerializer):
    """A company with its policy and how far it is set up."""

    policy = serializers.SerializerMethodField()
    set_up = serializers.SerializerMethodField()

    class Meta(CompanySerializer.Meta):
        fields = [*CompanySerializer.Meta.fields, "policy", "set_up"]

    @extend_schema_field(policy_json_schema())
    def get_policy(self, company: Company) -> dict[str, object]:
        """The choices in force; the defaults where nobody chose yet."""
        rows = CompanyPolicy.objects.for_tenant(company.tenant_id)
        row = rows.filter(company=company).first()
        return policy_to_dict(row.policy() if row else Policy())

    @extend_schema_field(SetUpSerializer())
    def get_set_up(self, company: Company) -> dict[str, object]:
        """What is there and what is missing."""
        of = {"tenant_id": company.tenant_id, "company_id": company.pk}
        found, shell = set_up_of(**of), shell_of(**of)
        shown = {
            "bill": _word(found.bill),
            "sage300": _word(found.sage),
            "policy_version": found.policy.version if found.policy else 0,
            "has_started": found.has_started,
            "vendors_to_decide": shell.vendors_to_decide,
            "bills_to_review": shell.to_review,
            "bills_stopped": shell.stopped,
            "next_run_at": shell.next_run_at,
        }
        return dict(SetUpSerializer(shown).data)


class NewCompanySerializer(serializers.Serializer[Any]):
    """What a company is, before either system is connected."""

    name = serializers.CharField(max_length=120)
    time_zone = serializers.CharField(help_text="Decides which day it is for bills.")
    currency = serializers.CharField(
        required=False, default="USD", help_text="The functional currency of its Sage books."
    )


class PauseSerializer(serializers.Serializer[Any]):
    """Why; shown to everybody who meets the pause."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=250)


@extend_schema_view(get=extend_schema(
    summary="List companies", tags=TAGS, examples=examples("companies.list")
))  # fmt: skip
class Companies(TenantScoped, ListAPIView[Company]):
    """The companies of the token's tenant."""

    serializer_class = CompanySerializer
    pagination_class = None
    write_roles: ClassVar[frozenset[Role]] = OWNERS

    def get_queryset(self) -> QuerySet[Company]:
        """By name."""
        if getattr(self, "swagger_fake_view", False):
            return Company.objects.none()
        return Company.objects.for_tenant(self.tenant).order_by("name")

    @extend_schema(
        summary="Add a company",
        description="Connect both systems and save its policy next; then it starts by itself.",
        tags=TAGS,
        request=NewCompanySerializer,
        responses={201: CompanyDetailSerializer, 400: at_fault("currency: A currency is three"
                   " letters such as USD.")},
        examples=examples("companies.add"),
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Add one."""
        said = new_company_of(request)
        actor, now = audit.actor_of(request), timezone.now()
        company = add_company(tenant=self.tenant, **said, actor=actor, now=now)
        return Response(CompanyDetailSerializer(company).data, status=201)


@extend_schema_view(get=extend_schema(
    summary="Read a company", tags=TAGS, parameters=[COMPANY],
    responses={200: CompanyDetailSerializer, 404: NOT_HERE}, examples=examples("companies.read"),
))  # fmt: skip
class CompanyDetail(TenantScoped, RetrieveAPIView[Company]):
    """One company."""

    serializer_class = CompanyDetailSerializer

    def get_object(self) -> Any:
        """The company of the address."""
        return self.get_company()


class CompanyCopy(TenantScoped):
    """A new company from this one, for going live from a test database."""

    write_roles: ClassVar[frozenset[Role]] = OWNERS

    @extend_schema(
        summary="Make a new company from this one",
        description="Policy and mapping rules go with it; vendor links are looked up again in the"
        " new books; nothing posted is carried over.",
        tags=TAGS,
        parameters=[COMPANY],
        request=NewCompanySerializer,
        responses={201: CompanyDetailSerializer, 404: NOT_HERE},
        examples=examples("companies.copy"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Copy it."""
        source, said = self.get_company(), new_company_of(request)
        company = setup.copy_company(
            source, **said, actor=audit.actor_of(request), now=timezone.now()
        )
        return Response(CompanyDetailSerializer(company).data, status=201)


class CompanyPause(TenantScoped):
    """Pausing all work of a company."""

    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Pause a company",
        description="Nothing is read or sent until it is resumed. Nothing is lost.",
        tags=TAGS,
        parameters=[COMPANY],
        request=PauseSerializer,
        responses={200: DoneSerializer, 404: NOT_HERE, 409: refusal("Calder Bakery was paused"
                   " already.", where="calder/bakery/policy/")},
        examples=examples("companies.pause"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Pause it."""
        company = self.get_company()
        reason = asked(PauseSerializer, request)["reason"]
        _set_paused(company, request, is_paused=True, reason=reason)
        return Response({"sentence": f"{company} is paused. Nothing is lost."})


class CompanyResume(TenantScoped):
    """Resuming it."""

    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Resume a company",
        tags=TAGS,
        parameters=[COMPANY],
        request=None,
        responses={200: DoneSerializer, 404: NOT_HERE, 409: refusal("Calder Bakery was on"
                   " already.", where="calder/bakery/policy/")},
        examples=examples("companies.resume"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Let it go on."""
        company = self.get_company()
        _set_paused(company, request, is_paused=False, reason="")
        jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="api")
        return Response({"sentence": f"{company} goes on; BILL is read now."})


def new_company_of(request: Request) -> Mapping[str, Any]:
    """What a new company should be, checked as the page checks it."""
    form = NewCompanyForm(asked(NewCompanySerializer, request))
    if not form.is_valid():
        raise ValidationError(
            {name: [str(text) for text in texts] for name, texts in form.errors.items()}
        )
    return dict(form.cleaned_data)


def _set_paused(company: Company, request: Request, *, is_paused: bool, reason: str) -> None:
    actor, now = audit.actor_of(request), timezone.now()
    if not setup.set_paused(company, is_paused=is_paused, reason=reason, actor=actor, now=now):
        raise Conflict(f"{company} was {'paused' if is_paused else 'on'} already.")


def _word(window: Window) -> str:
    if window.row is None:
        return "missing"
    if window.row.is_paused:
        return "paused"
    if window.failed_at and window.is_of_stored:
        return "failing"
    return "works" if window.is_proved else "untested"
