"""What a person does with one bill: approve, send again, leave out, handle outside, an account."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import DoneSerializer, asked, settle
from sync.api.schema import COMPANY, NOT_HERE, at_fault, examples, refusal
from sync.domain.deeds import Deed
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.models import Posting
from sync.queries.posting_story import find_posting
from sync.services import acts, line_choices
from sync.services.line_choices import Choice
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company


class DeedSerializer(serializers.Serializer[Any]):
    """One of the `deeds` the posting offers now; `seen` refuses it if it has moved on since.

    `note` is needed where the offer has a `note_label`; it stays with the bill.
    """

    deed = serializers.ChoiceField(choices=[one.value for one in Deed])
    seen = serializers.CharField(
        required=False, allow_blank=True, default="", help_text="The state it was read in."
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=250)


class AccountChoiceSerializer(serializers.Serializer[Any]):
    """The account of one line, for this bill only; "" takes an earlier choice back.

    `remember` names what a rule for lines like it should ask for.
    """

    line_id = serializers.CharField(max_length=60)
    gl_account = serializers.CharField(allow_blank=True, max_length=45)
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    remember = serializers.ListField(
        child=serializers.ChoiceField(choices=list(MOST_TELLING_FIRST)),
        required=False,
        default=list,
    )
    seen = serializers.CharField(required=False, allow_blank=True, default="")


class OnePosting(TenantScoped):
    """One bill of the company in the address."""

    page: ClassVar[str] = "posting"

    def find(self, posting_id: uuid.UUID) -> tuple[Company, Posting]:
        """The company and its posting; NotFound for any other."""
        company = self.get_company()
        row = find_posting(
            tenant_id=company.tenant_id, company_id=company.pk, posting_id=posting_id
        )
        if row is None:
            raise NotFound("There is no such bill here.")
        return company, row


class PostingDeed(OnePosting):
    """The deeds a bill offers."""

    @extend_schema(
        summary="Act on a bill",
        description="Only what the posting offers under `deeds` is open. Nothing is ever sent"
        " without being looked up in Sage first.",
        tags=["postings"],
        parameters=[COMPANY],
        request=DeedSerializer,
        responses={
            200: DoneSerializer, 404: NOT_HERE,
            409: refusal("Priya Raman was quicker. Left out by Priya Raman: paid by card.",
                         where="calder/bakery/postings/0f5a1c7e-3f4d-4e4f-a8d5-2f5c7f0e9b21/"),
        },
        examples=examples("postings.act"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str, posting_id: uuid.UUID) -> Response:
        """Do it."""
        company, row = self.find(posting_id)
        wanted = asked(DeedSerializer, request)
        outcome = acts.act(
            row,
            Deed(wanted["deed"]),
            seen_state=wanted["seen"] or row.state,
            actor=audit.actor_of(request),
            note=wanted["note"],
            zone=ZoneInfo(company.time_zone),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)})


class PostingAccount(OnePosting):
    """The account of a line."""

    @extend_schema(
        summary="Choose the account of a line",
        description="Goes before every rule, for this bill; the bill is decided anew.",
        tags=["postings"],
        parameters=[COMPANY],
        request=AccountChoiceSerializer,
        responses={
            200: DoneSerializer,
            400: at_fault("gl_account: GL account 2010-100 is a control account."),
            404: NOT_HERE,
            409: refusal("Its account cannot be changed here any more: it is in Sage or on its way"
                         " there. Change it in Sage."),
        },
        examples=examples("postings.account"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str, posting_id: uuid.UUID) -> Response:
        """Choose it."""
        company, row = self.find(posting_id)
        wanted = asked(AccountChoiceSerializer, request)
        outcome = line_choices.choose(
            row,
            Choice(
                line_id=wanted["line_id"],
                gl_account=wanted["gl_account"].strip(),
                reason=wanted["reason"],
                remember=wanted["remember"],
            ),
            company=company,
            seen_state=wanted["seen"] or row.state,
            actor=audit.actor_of(request),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)})
