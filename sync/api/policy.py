"""The policy: read it with what each choice touches, look at a change first, save it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.deeds import asked
from sync.api.errors import Conflict
from sync.api.schema import COMPANY, NOT_HERE, at_fault, examples, refusal
from sync.domain.policy import Policy as Choices
from sync.domain.policy import PolicyRefused
from sync.domain.policy_document import policy_from_dict, policy_json_schema, policy_to_dict
from sync.models import CompanyPolicy
from sync.queries.policy_touch import touches_of
from sync.services.choosing import ChangedMeanwhile, changes_between, save_policy
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company

TAGS = ["policy"]
FAULT = at_fault("release: What happens in Sage is open, ready or post, not “pay”.")
OVERTAKEN = refusal(
    "The policy is version 2 by now, and you read version 1. Read it again, then save.",
    where="calder/bakery/policy/",
)


class TouchSerializer(serializers.Serializer[Any]):
    """What a choice touches now; `count` null says only the words."""

    count = serializers.IntegerField(allow_null=True)
    words = serializers.CharField()


class PolicySerializer(serializers.Serializer[Any]):
    """The choices in force. Send `version` back with a change. 0: nobody saved it yet."""

    version = serializers.IntegerField()
    policy = serializers.SerializerMethodField()
    touches = serializers.DictField(child=TouchSerializer())
    unsent_bills = serializers.IntegerField(help_text="Decided anew by any change.")

    @extend_schema_field(policy_json_schema())
    def get_policy(self, shown: Mapping[str, Any]) -> object:
        """All keys."""
        return shown["policy"]


@extend_schema_field(policy_json_schema())
class DocumentField(serializers.DictField):
    """A whole or partial policy; keys left out stay as they are."""


class WantedPolicySerializer(serializers.Serializer[Any]):
    """The choices to change, and the version they were read at."""

    version = serializers.IntegerField(min_value=0)
    policy = DocumentField()


class LookSerializer(serializers.Serializer[Any]):
    """The choices to look at."""

    policy = DocumentField()


class PolicyChangeSerializer(serializers.Serializer[Any]):
    """One choice before and after."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    touch = TouchSerializer(allow_null=True)


class LookedSerializer(serializers.Serializer[Any]):
    """What saving would change; nothing was saved."""

    changes = PolicyChangeSerializer(many=True)
    unsent_bills = serializers.IntegerField()


class PolicyView(TenantScoped):
    """The policy of one company."""

    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Read the policy", tags=TAGS, parameters=[COMPANY],
        responses={200: PolicySerializer, 404: NOT_HERE}, examples=examples("policy.read"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """How it stands."""
        return Response(_shown(self.get_company()))

    @extend_schema(
        summary="Change the policy",
        description="Keys left out stay as they are. Bills that have not left are decided anew;"
        " what is in Sage stays as it is.",
        tags=TAGS,
        parameters=[COMPANY],
        request=WantedPolicySerializer,
        responses={200: PolicySerializer, 400: FAULT, 404: NOT_HERE, 409: OVERTAKEN},
        examples=examples("policy.change"),
    )
    def put(self, request: Request, company_slug: str) -> Response:
        """Save it as a new version."""
        company, wanted = self.get_company(), asked(WantedPolicySerializer, request)
        stored = _row(company)
        document = {"currency": company.currency, **wanted["policy"]}
        if document["currency"] != company.currency:
            raise ValidationError({"currency": ["The company's currency decides; leave it out."]})
        try:
            save_policy(
                company,
                document,
                version_seen=wanted["version"],
                actor=audit.actor_of(request),
                now=timezone.now(),
            )
        except PolicyRefused as refused:
            raise ValidationError({name: [text] for name, text in refused.errors.items()}) from None
        except ChangedMeanwhile:
            version = stored.version if stored else 0
            raise Conflict(
                f"The policy is version {version} by now, and you read version"
                f" {wanted['version']}. Read it again, then save."
            ) from None
        jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="api")
        return Response(_shown(company))


class PolicyLook(TenantScoped):
    """What a change would touch."""

    page: ClassVar[str] = "policy"

    @extend_schema(
        summary="Look at a change of the policy",
        description="Says what would change and what it touches; nothing is saved.",
        tags=TAGS,
        parameters=[COMPANY],
        request=LookSerializer,
        responses={200: LookedSerializer, 400: FAULT, 404: NOT_HERE},
        examples=examples("policy.look"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Compare, write nothing."""
        company, wanted = self.get_company(), asked(LookSerializer, request)
        row = _row(company)
        before = row.policy() if row else Choices()
        try:
            after = policy_from_dict(wanted["policy"], base=before)
        except PolicyRefused as refused:
            raise ValidationError({name: [text] for name, text in refused.errors.items()}) from None
        touches = _touches(company, before)
        shown = {
            "changes": [
                {"field": name, "before": old, "after": new, "touch": touches.by_field.get(name)}
                for name, (old, new) in changes_between(before, after).items()
            ],
            "unsent_bills": touches.unsent,
        }
        return Response(LookedSerializer(shown).data)


def _shown(company: Company) -> object:
    row = _row(company)
    policy = row.policy() if row else Choices(currency=company.currency)
    touches = _touches(company, policy)
    return PolicySerializer(
        {
            "version": row.version if row else 0,
            "policy": policy_to_dict(policy),
            "touches": touches.by_field,
            "unsent_bills": touches.unsent,
        }
    ).data


def _row(company: Company) -> CompanyPolicy | None:
    rows = CompanyPolicy.objects.for_tenant(company.tenant_id)
    return rows.filter(company=company).first()


def _touches(company: Company, policy: Choices) -> Any:
    return touches_of(
        tenant_id=company.tenant_id,
        company_id=company.pk,
        zone=ZoneInfo(company.time_zone),
        policy=policy,
        currency=company.currency,
    )
