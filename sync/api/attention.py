"""Attention: every cause that keeps bills from Sage, who acts, and what mends it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.posting_shapes import OfferSerializer
from sync.api.schema import COMPANY, NOT_HERE, examples
from sync.domain.problems import Acts
from sync.queries.attention import CauseShown, attention_page
from tenants.api_access import TenantScoped


class CauseSerializer(serializers.Serializer[Any]):
    """One thing to mend; every bill behind it goes on by itself once it is.

    Of what mends it that which fits is set: `map_account` with `suggested_accounts` (make a mapping
    rule), `decide_vendor` (a vendor's id), `read_again` (mended in Sage: read that list), `posting`
    with `deeds` (it is about one bill). `cause` narrows lists of postings and a replay to its bills.
    """

    title = serializers.CharField()
    sentence = serializers.CharField()
    acts = serializers.ChoiceField(choices=[one.value for one in Acts])
    bills = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    oldest = serializers.DateTimeField(allow_null=True)
    cause = serializers.CharField(allow_blank=True)
    posting = serializers.UUIDField(allow_null=True)
    deeds = OfferSerializer(many=True)
    map_account = serializers.CharField(allow_blank=True, help_text="BILL's id of the account")
    suggested_accounts = serializers.ListField(child=serializers.CharField())
    decide_vendor = serializers.UUIDField(allow_null=True)
    read_again = serializers.CharField(allow_blank=True)


class AttentionSerializer(serializers.Serializer[Any]):
    """All causes, refusals of Sage first."""

    bills = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    causes = CauseSerializer(many=True)


class Attention(TenantScoped):
    """What needs a person."""

    @extend_schema(
        summary="List what needs a person",
        tags=["attention"],
        parameters=[
            COMPANY,
            OpenApiParameter(
                "acts", str, enum=[one.value for one in Acts], description="Only who acts here."
            ),
        ],
        responses={200: AttentionSerializer, 404: NOT_HERE},
        examples=examples("attention.list"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """Every cause."""
        company, side = self.get_company(), request.query_params.get("acts", "")
        page = attention_page(
            tenant_id=company.tenant_id,
            company_id=company.pk,
            side=side if side in {one.value for one in Acts} else "",
            zone=ZoneInfo(company.time_zone),
            now=timezone.now(),
        )
        shown = {
            "bills": page.bills,
            "counts": page.counts,
            "causes": [_shown(box) for box in page.shown],
        }
        return Response(AttentionSerializer(shown).data)


def _shown(box: CauseShown) -> dict[str, Any]:
    cause, link = box.cause, box.link or box.relink
    return {
        "title": cause.title,
        "sentence": cause.sentence,
        "acts": cause.acts.value,
        "bills": cause.count,
        "amount": cause.amount,
        "oldest": cause.oldest,
        "cause": cause.filter,
        "posting": cause.posting_id,
        "deeds": box.offers,
        "map_account": box.account.id if box.account else "",
        "suggested_accounts": [
            one.account.formatted for one in (box.options.suggested if box.options else ())
        ],
        "decide_vendor": link.pk if link else None,
        "read_again": box.again,
    }
