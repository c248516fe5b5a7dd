"""The two systems of a company: credentials in and never out, tried before they replace any.

These views call BILL and Sage, so none holds a transaction while it does.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.models import BillConnection, Sage300Connection
from integrations.ping.ladder import Verdict
from sync import jobs
from sync.api.connection_shapes import (
    BillConnectionSerializer,
    SageConnectionSerializer,
    WantedBillSerializer,
    WantedSageSerializer,
    ladder,
)
from sync.api.deeds import DoneSerializer, asked
from sync.api.errors import Conflict
from sync.api.schema import COMPANY, NOT_HERE, at_fault, examples, refusal
from sync.queries.set_up import set_up_of
from sync.services import trying
from sync.services.entering import enter, form_of
from sync.services.listening import listen
from sync.services.trying import NAMES, Side, Tried
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company, Role
from tenants.scoping import tenant_scope

OWNERS = frozenset({Role.OWNER})
TAGS = {Side.BILL: ["bill-connection"], Side.SAGE: ["sage300-connection"]}
NO_ROW = refusal("BILL is not connected yet.", where="calder/bakery/connections/")


class ConnectionView(TenantScoped):
    """One side of a company; the subclasses name it."""

    scoped: ClassVar[bool] = False
    write_roles: ClassVar[frozenset[Role]] = OWNERS
    page: ClassVar[str] = "connections"
    side: ClassVar[Side]
    wanted: ClassVar[type[serializers.Serializer[Any]]]

    def company(self) -> Company:
        """The company of the address."""
        with tenant_scope(self.tenant.pk):
            return self.get_company()

    def show(self) -> Response:
        """How it stands."""
        company = self.company()
        return Response(_shown(company, self.side, ""))

    @sensitive_variables("said", "form")
    def change(self, request: Request) -> Response:
        """Try what was sent; 200 once it is stored, also where it still has to be mended."""
        company, now = self.company(), timezone.now()
        said, actor = asked(self.wanted, request), audit.actor_of(request)
        with tenant_scope(company.tenant_id):
            form = form_of(self.side)(said, stored=trying.row_of(company, self.side))
        if not form.is_valid():
            raise ValidationError(
                {name: [str(text) for text in texts] for name, texts in form.errors.items()}
            )
        tried = enter(company, self.side, form.cleaned_data, actor=actor, now=now)
        if tried.errors:
            raise ValidationError({name: [text] for name, text in tried.errors.items()})
        sentence = _told(company, self.side, tried)
        if tried.is_well:
            if self.side is Side.BILL:
                sentence = f"{sentence} {listen(company, actor=actor.name, now=now)}"
            jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="api")
        return Response(_shown(company, self.side, sentence))

    def rest(self, request: Request) -> Response:
        """Take it out of use."""
        company, actor = self.company(), audit.actor_of(request)
        with tenant_scope(company.tenant_id):
            is_done = trying.pause(company, self.side, actor=actor, now=timezone.now())
        name = NAMES[self.side]
        if not is_done:
            raise Conflict(f"{name} is not in use, so there is nothing to pause.")
        return Response(
            {"sentence": f"{name} is paused. Nothing is asked of it until somebody tests it."}
        )


NOT_STORED = at_fault(
    "password: Type it again: web api address changed, and what is stored is never sent to another"
    " place or for another user."
)
REFUSED = refusal(
    "Sage 300 stops at the check “Sign-in and vendors”, so nothing was replaced.",
    where="calder/bakery/connections/",
)
NOT_IN_USE = refusal(
    "BILL is not in use, so there is nothing to pause.", where="calder/bakery/connections/"
)
TRIED_FIRST = (
    "Tried before it replaces anything that works. A first connection that does not work yet is"
    " kept and stays paused. Secrets go in and never come out."
)


class BillConnectionView(ConnectionView):
    """BILL."""

    side = Side.BILL
    wanted = WantedBillSerializer

    @extend_schema(
        summary="Read the BILL connection", tags=TAGS[Side.BILL], parameters=[COMPANY],
        responses={200: BillConnectionSerializer, 404: NOT_HERE},
        examples=examples("bill-connection.read"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """Without its secrets."""
        return self.show()

    @extend_schema(
        summary="Connect BILL", description=TRIED_FIRST, tags=TAGS[Side.BILL],
        parameters=[COMPANY], request=WantedBillSerializer,
        responses={200: BillConnectionSerializer, 400: NOT_STORED, 404: NOT_HERE, 409: REFUSED},
        examples=examples("bill-connection.connect"),
    )  # fmt: skip
    def put(self, request: Request, company_slug: str) -> Response:
        """Try it and store it."""
        return self.change(request)


class SageConnectionView(ConnectionView):
    """Sage 300."""

    side = Side.SAGE
    wanted = WantedSageSerializer

    @extend_schema(
        summary="Read the Sage 300 connection", tags=TAGS[Side.SAGE], parameters=[COMPANY],
        responses={200: SageConnectionSerializer, 404: NOT_HERE},
        examples=examples("sage300-connection.read"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> Response:
        """Without its password."""
        return self.show()

    @extend_schema(
        summary="Connect Sage 300", description=TRIED_FIRST, tags=TAGS[Side.SAGE],
        parameters=[COMPANY], request=WantedSageSerializer,
        responses={200: SageConnectionSerializer, 400: NOT_STORED, 404: NOT_HERE, 409: REFUSED},
        examples=examples("sage300-connection.connect"),
    )  # fmt: skip
    def put(self, request: Request, company_slug: str) -> Response:
        """Try it and store it."""
        return self.change(request)


class BillPause(ConnectionView):
    """Taking BILL out of use."""

    side = Side.BILL

    @extend_schema(
        summary="Pause the BILL connection", tags=TAGS[Side.BILL], parameters=[COMPANY],
        description="Nothing is asked of it until a ping passes.", request=None,
        responses={200: DoneSerializer, 404: NOT_HERE, 409: NOT_IN_USE},
        examples=examples("bill-connection.pause"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Pause it."""
        return self.rest(request)


class SagePause(ConnectionView):
    """Taking Sage 300 out of use."""

    side = Side.SAGE

    @extend_schema(
        summary="Pause the Sage 300 connection", tags=TAGS[Side.SAGE], parameters=[COMPANY],
        description="Nothing is asked of it until a ping passes.", request=None,
        responses={200: DoneSerializer, 404: NOT_HERE, 409: NOT_IN_USE},
        examples=examples("sage300-connection.pause"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Pause it."""
        return self.rest(request)


def _told(company: Company, side: Side, tried: Tried) -> str:
    """What came of it; raises Conflict where nothing was stored."""
    name = NAMES[side]
    if tried.is_well:
        return f"{name} is connected."
    failed = next(step for step in tried.steps if step.verdict is Verdict.FAILED)
    if not tried.is_stored:
        raise Conflict(
            f"{name} stops at the check “{failed.name}”, so nothing was replaced."
            f" {failed.what_to_do}"
        )
    return f"Saved, and not in use yet: it stops at the check “{failed.name}”. {failed.what_to_do}"


def _shown(company: Company, side: Side, sentence: str) -> object:
    with tenant_scope(company.tenant_id):
        found = set_up_of(tenant_id=company.tenant_id, company_id=company.pk)
    window = found.bill if side is Side.BILL else found.sage
    row = window.row
    shown = {
        "is_connected": row is not None,
        "is_paused": bool(row and row.is_paused),
        "paused_reason": row.paused_reason if row else "",
        "user_name": row.user_name if row else "",
        "has_password": bool(row and row.password),
        "credentials_set_at": row.credentials_set_at if row else None,
        "last_ok_at": row.last_ok_at if row else None,
        "sentence": sentence,
        "ladder": ladder(window),
    }
    if side is Side.BILL:
        bill = row if isinstance(row, BillConnection) else BillConnection(environment="")
        shown |= {
            "environment": bill.environment,
            "organization_id": bill.organization_id,
            "has_developer_key": bool(bill.developer_key),
            "is_token": bill.is_token,
        }
        return BillConnectionSerializer(shown).data
    sage = row if isinstance(row, Sage300Connection) else Sage300Connection(password_case="")
    shown |= {
        "base_url": sage.base_url,
        "company_database": sage.company_database,
        "password_case": sage.password_case,
    }
    return SageConnectionSerializer(shown).data
