"""Review: the bills that wait for a yes, and saying it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.deeds import DoneSerializer, asked, settle
from sync.api.posting_shapes import PostingSerializer
from sync.api.schema import COMPANY, NOT_HERE, examples, refusal
from sync.queries.review import VIEWS, ReviewPage, review_page
from sync.services import approving
from tenants import audit
from tenants.api_access import TenantScoped
from tenants.models import Company


class ReviewSerializer(serializers.Serializer[Any]):
    """The bills of a view, oldest first; `mark` names exactly these, with their amounts.

    `approvable` are those a plain yes is enough for; a possible duplicate asks more.
    """

    view = serializers.ChoiceField(choices=list(VIEWS.items()))
    counts = serializers.DictField(child=serializers.IntegerField())
    amount = serializers.DecimalField(max_digits=19, decimal_places=2)
    mark = serializers.CharField()
    approvable = serializers.ListField(child=serializers.UUIDField())
    postings = PostingSerializer(many=True)


class ApproveSerializer(serializers.Serializer[Any]):
    """Bills by their ids, or all of a view with the `mark` it had when it was read."""

    postings = serializers.ListField(child=serializers.UUIDField(), required=False, default=list)
    all = serializers.BooleanField(required=False, default=False)
    view = serializers.ChoiceField(choices=list(VIEWS.items()), required=False, default="all")
    mark = serializers.CharField(required=False, allow_blank=True, default="")


class Review(TenantScoped):
    """The list."""

    @extend_schema(
        summary="List the bills to review",
        tags=["review"],
        parameters=[COMPANY, OpenApiParameter("view", str, enum=list(VIEWS))],
        responses={200: ReviewSerializer, 404: NOT_HERE},
        examples=examples("review.list"),
    )
    def get(self, request: Request, company_slug: str) -> Response:
        """Those that wait for a yes."""
        asked_for = request.query_params.get("view", "")
        view = asked_for if asked_for in VIEWS else "all"
        page = _page(self.get_company(), view)
        shown = {
            "view": view,
            "counts": page.counts,
            "amount": page.amount,
            "mark": page.mark,
            "approvable": [row.pk for row in page.approvable],
            "postings": page.rows,
        }
        return Response(ReviewSerializer(shown).data)


class ReviewApprove(TenantScoped):
    """The yes."""

    page: ClassVar[str] = "review"

    @extend_schema(
        summary="Approve bills to post",
        description="They go to Sage with the next batch.",
        tags=["review"],
        parameters=[COMPANY],
        request=ApproveSerializer,
        responses={
            200: DoneSerializer, 404: NOT_HERE,
            409: refusal("Nothing was approved: no bill was chosen.",
                         where="calder/bakery/review/"),
        },
        examples=examples("review.approve"),
    )  # fmt: skip
    def post(self, request: Request, company_slug: str) -> Response:
        """Approve them."""
        company, wanted = self.get_company(), asked(ApproveSerializer, request)
        outcome = approving.approve(
            company,
            _page(company, wanted["view"]),
            chosen=[str(key) for key in wanted["postings"]],
            is_all=wanted["all"],
            mark=wanted["mark"],
            actor=audit.actor_of(request),
            now=timezone.now(),
        )
        return Response({"sentence": settle(company, outcome)})


def _page(company: Company, view: str) -> ReviewPage:
    return review_page(tenant_id=company.tenant_id, company_id=company.pk, view=view)
