"""The webhook subscription: whether BILL tells us of changes, and asking it to, or to stop."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.models import WebhookSubscription
from sync.api.errors import Mends, told
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.services import subscriptions
from sync.services.public_address import notification_url, why_polling_only
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company, Role
from tenants.scoping import tenant_scope

TAGS = ["webhook-subscription"]
OWNERS = frozenset({Role.OWNER})
AWAY = refusal(
    "BILL is not answering.", acts=Mends.NOBODY, where="calder/bakery/connections/",
    code="bad_gateway",
)  # fmt: skip
NOT_NOW = refusal(
    "Calder Bakery has no connection to BILL yet; an owner adds it.",
    where="calder/bakery/connections/",
)


class SubscriptionSerializer(serializers.Serializer[Any]):
    """`status` is registered, switched_off or polling_only; the sentence says why."""

    status = serializers.CharField()
    sentence = serializers.CharField()
    url = serializers.CharField(allow_blank=True)
    registered_at = serializers.DateTimeField(allow_null=True)
    last_checked_at = serializers.DateTimeField(allow_null=True)


class TestedSerializer(serializers.Serializer[subscriptions.Tested]):
    """What came of a test; `status_code` is our own answer as BILL saw it, 0 for none."""

    is_ok = serializers.BooleanField()
    status_code = serializers.IntegerField()
    sentence = serializers.CharField()


class SubscriptionView(TenantScoped):
    """What both views share; BILL is asked with no scope open."""

    scoped: ClassVar[bool] = False
    write_roles: ClassVar[frozenset[Role]] = OWNERS
    page: ClassVar[str] = "connections"

    def company(self) -> Company:
        """The company of the address."""
        with tenant_scope(self.tenant.pk):
            return self.get_company()

    def desk(self, company: Company, request: Request) -> subscriptions.Desk:
        """The company's business with BILL; raises NotReady."""
        return subscriptions.open_desk(
            tenant_id=company.tenant_id,
            company_id=company.pk,
            now=timezone.now(),
            actor=audit.actor_of(request).name,
        )

    def note(
        self, company: Company, request: Request, action: str, *, is_done: bool = True
    ) -> None:
        """Write down who had it done."""
        with tenant_scope(company.tenant_id):
            audit.record(
                tenant=company.tenant_id,
                actor=audit.actor_of(request),
                action=action,
                subject=company.name,
                subject_id=company.pk,
                details={"is_done": is_done},
                now=timezone.now(),
            )


class Subscription(SubscriptionView):
    """The subscription of one company."""

    @extend_schema(
        summary="Read the subscription",
        tags=TAGS,
        parameters=[COMPANY],
        responses={200: SubscriptionSerializer, 404: NOT_HERE},
        examples=examples("webhook-subscription.read"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """Tell what is known, without asking BILL."""
        company = self.company()
        with tenant_scope(company.tenant_id):
            row = subscriptions.find(tenant_id=company.tenant_id, company_id=company.pk)
        return Response(shown(row))

    @extend_schema(
        summary="Register the subscription",
        description="Where BILL cannot reach this installation, the answer says polling_only.",
        tags=TAGS,
        parameters=[COMPANY],
        request=None,
        responses={200: SubscriptionSerializer, 404: NOT_HERE, 409: NOT_NOW, 502: AWAY},
        examples=examples("webhook-subscription.register"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Have BILL tell us of changes."""
        company = self.company()
        with told():
            row = subscriptions.register(self.desk(company, request))
        self.note(company, request, "webhook.registered")
        return Response(shown(row))

    @extend_schema(
        summary="Remove the subscription",
        tags=TAGS,
        parameters=[COMPANY],
        responses={200: SubscriptionSerializer, 404: NOT_HERE, 409: NOT_NOW, 502: AWAY},
        examples=examples("webhook-subscription.remove"),
    )
    def delete(self, request: Request, company_slug: str) -> Response:
        """Have BILL forget us; bills are found by polling."""
        company = self.company()
        with told():
            row = subscriptions.remove(self.desk(company, request))
        self.note(company, request, "webhook.removed")
        return Response(shown(row))


class SubscriptionTest(SubscriptionView):
    """A test notification."""

    @extend_schema(
        summary="Test the subscription",
        description="BILL sends a signed notification; the answer says how it arrived.",
        tags=TAGS,
        parameters=[COMPANY],
        request=None,
        responses={200: TestedSerializer, 404: NOT_HERE, 409: NOT_NOW, 502: AWAY},
        examples=examples("webhook-subscription.test"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Have BILL send one."""
        company = self.company()
        with told():
            tested = subscriptions.test(self.desk(company, request))
        self.note(company, request, "webhook.tested", is_done=tested.is_ok)
        return Response(TestedSerializer(tested).data)


class SubscriptionKey(SubscriptionView):
    """The key that BILL signs with."""

    @extend_schema(
        summary="Take a new key",
        description="The old key stays good for late deliveries for a week.",
        tags=TAGS,
        parameters=[COMPANY],
        request=None,
        responses={200: SubscriptionSerializer, 404: NOT_HERE, 409: NOT_NOW, 502: AWAY},
        examples=examples("webhook-subscription.rekey"),
    )
    def post(self, request: Request, company_slug: str) -> Response:
        """Have BILL make one."""
        company = self.company()
        with told():
            row = subscriptions.rekey(self.desk(company, request))
        self.note(company, request, "webhook.key_changed")
        return Response(shown(row))


def shown(row: WebhookSubscription | None) -> object:
    """The subscription as the API tells it."""
    if row is None:
        return SubscriptionSerializer(
            {
                "status": WebhookSubscription.Status.POLLING_ONLY.value,
                "sentence": why_polling_only() or "Polling only: no subscription is registered.",
                "url": "",
                "registered_at": None,
                "last_checked_at": None,
            }
        ).data
    return SubscriptionSerializer(
        {
            "status": row.status,
            "sentence": row.reason or "BILL tells us of changes to bills and vendors.",
            "url": notification_url(row.address_id) if row.bill_id else "",
            "registered_at": row.registered_at,
            "last_checked_at": row.last_checked_at,
        }
    ).data
