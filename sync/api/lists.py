"""Both systems' lists as last read, which rules and vendors name; and reading Sage's again now."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.deeds import DoneSerializer, asked
from sync.api.errors import Mends, told
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.domain.account_targets import usable
from sync.queries.bill_desks import grounds_of
from sync.queries.lists import ACCOUNTS
from sync.queries.mapping import choices_of
from sync.services import looking_up, turns
from tenants.api_access import TenantScoped
from tenants.scoping import tenant_scope


class NamedSerializer(serializers.Serializer[Any]):
    """One record of BILL's: its id is what a rule names."""

    id = serializers.CharField()
    name = serializers.CharField()


class SageAccountSerializer(serializers.Serializer[Any]):
    """A GL account that a distribution may name."""

    gl_account = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class GroupSerializer(serializers.Serializer[Any]):
    """A vendor group of Sage's."""

    code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    is_active = serializers.BooleanField()


class ListsSerializer(serializers.Serializer[Any]):
    """What may be named in rules, defaults and decisions; BILL's records by dimension."""

    read_at = serializers.DateTimeField(allow_null=True)
    bill = serializers.DictField(child=NamedSerializer(many=True))
    sage_accounts = SageAccountSerializer(many=True)
    sage_groups = GroupSerializer(many=True)


class WantedListSerializer(serializers.Serializer[Any]):
    """Which of Sage's lists."""

    list = serializers.ChoiceField(choices=list(looking_up.LISTS))


class ListsView(TenantScoped):
    """The lists."""

    scoped: ClassVar[bool] = False
    page: ClassVar[str] = "connections"

    @extend_schema(
        summary="Read both systems' lists",
        description="As last read: every hour, and at once when an id is unknown.",
        tags=["lists"],
        parameters=[COMPANY],
        responses={200: ListsSerializer, 404: NOT_HERE},
        examples=examples("lists.read"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """What may be named."""
        with tenant_scope(self.tenant.pk):
            company = self.get_company()
            grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
            shown = {
                "read_at": grounds.lists.read_at(ACCOUNTS),
                "bill": {
                    dimension: [{"id": key, "name": name} for key, name in pairs]
                    for dimension, pairs in choices_of(grounds).items()
                },
                "sage_accounts": [
                    {"gl_account": one.formatted, "name": one.description}
                    for one in usable(grounds.accounts)
                ],
                "sage_groups": [
                    {"code": one.code, "name": one.description, "is_active": one.is_active}
                    for one in grounds.lists.groups()
                ],
            }
            return Response(ListsSerializer(shown).data)

    @extend_schema(
        summary="Read one of Sage's lists now",
        description="For somebody who has just mended something there; bills not yet in Sage are"
        " decided anew.",
        tags=["lists"],
        parameters=[COMPANY],
        request=WantedListSerializer,
        responses={
            200: DoneSerializer, 404: NOT_HERE,
            409: refusal("Calder Bakery is not set up: an owner adds both connections and the"
                         " policy.", where="calder/bakery/connections/"),
            502: refusal("Sage 300 is not answering.", acts=Mends.NOBODY, code="bad_gateway",
                         where="calder/bakery/connections/"),
        },
        examples=examples("lists.read-again"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Read it."""
        with tenant_scope(self.tenant.pk):
            company = self.get_company()
        name = asked(WantedListSerializer, request)["list"]
        with told(Mends.SAGE, page="policy" if company.is_paused else "connections"):
            looking_up.read_list(company, name, clock=timezone.now)
        turns.ring(company_id=company.pk)
        jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="mended")
        return Response(
            {"sentence": "Read again just now; bills not yet in Sage are decided anew."}
        )
