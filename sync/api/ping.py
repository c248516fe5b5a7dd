"""The ladder of checks: its last results, and climbing it again."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync import jobs
from sync.api.connection_shapes import LadderSerializer, ladder
from sync.api.deeds import asked
from sync.api.errors import Conflict
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.queries.set_up import set_up_of
from sync.services import trying
from sync.services.listening import listen
from sync.services.trying import NAMES, Side
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company
from tenants.scoping import tenant_scope


class WantedPingSerializer(serializers.Serializer[Any]):
    """Which systems; from the step that failed last, or from the first."""

    systems = serializers.ListField(
        child=serializers.ChoiceField(choices=Side.choices),
        required=False,
        allow_empty=False,
        default=[one.value for one in Side],
    )
    from_failed = serializers.BooleanField(required=False, default=False)


class Ping(TenantScoped):
    """Both systems, step by step. Nothing is written into BILL or Sage 300."""

    scoped: ClassVar[bool] = False
    page: ClassVar[str] = "connections"

    @extend_schema(
        summary="Read the last ping", tags=["ping"], parameters=[COMPANY],
        responses={200: LadderSerializer(many=True), 404: NOT_HERE},
        examples=examples("ping.read"), filters=False,
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """What the last tries found, without asking anybody."""
        return Response(_ladders(self._company(), list(Side)))

    @extend_schema(
        summary="Ping both systems",
        description="Climbs the ladder with the stored credentials; a refused password is tried"
        " once. A paused connection goes on when every needed check passes.",
        tags=["ping"], parameters=[COMPANY], request=WantedPingSerializer,
        responses={
            200: LadderSerializer(many=True), 404: NOT_HERE,
            409: refusal("BILL is not connected yet.", where="calder/bakery/connections/"),
        },
        examples=examples("ping.run"), filters=False,
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Climb."""
        company, wanted, now = self._company(), asked(WantedPingSerializer, request), timezone.now()
        sides = [Side(text) for text in dict.fromkeys(wanted["systems"])]
        _refuse_missing(company, sides)
        actor = audit.actor_of(request)
        for side in sides:
            tried = trying.try_again(
                company, side, is_from_failed=wanted["from_failed"], actor=actor, now=now
            )
            if tried.is_well and side is Side.BILL:
                listen(company, actor=actor.name, now=now)
            if tried.is_well:
                jobs.ring_doorbell(
                    tenant_id=company.tenant_id, company_id=company.pk, trigger="api"
                )
        return Response(_ladders(company, sides))

    def _company(self) -> Company:
        with tenant_scope(self.tenant.pk):
            return self.get_company()


def _refuse_missing(company: Company, sides: list[Side]) -> None:
    with tenant_scope(company.tenant_id):
        missing = [side for side in sides if trying.row_of(company, side) is None]
    if missing:
        raise Conflict(f"{NAMES[missing[0]]} is not connected yet.")


def _ladders(company: Company, sides: list[Side]) -> object:
    with tenant_scope(company.tenant_id):
        found = set_up_of(tenant_id=company.tenant_id, company_id=company.pk)
    shown = [ladder(window) for window in found.windows if window.side in sides]
    return LadderSerializer(shown, many=True).data
