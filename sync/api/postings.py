"""Postings: every bill and where it stands, and one bill's story."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from sync.api.paging import NewestChange
from sync.api.posting_shapes import PostingDetailSerializer, PostingSerializer
from sync.api.schema import COMPANY, NOT_HERE, examples
from sync.domain.posting_state import PostingState
from sync.models import Posting
from tenants.api_access import TenantScoped

FILTERS = [
    OpenApiParameter(name, str, description=text)
    for name, text in (
        ("view", "all, with-us, stopped, in-sage or skipped."),
        ("state", "waiting, blocked, review, ready, flight, uncertain, open, rtp, posted, attention"
                  " or skipped."),
        ("cause", "A cause as `code:subject`, for example account_unmapped:0caCbkTradeShows0001."),
        ("vendor", "Part of the vendor's name."),
        ("invoice", "Part of the invoice number."),
        ("find", "Invoice number, vendor, amount or BILL id."),
        ("approval", "A word of BILL's such as UNASSIGNED, or pending."),
        ("batch", "A batch number of Sage's."),
        ("changed", "1: only what BILL changed after it was sent."),
    )
]  # fmt: skip


class PostingFilterSet(filters.FilterSet):  # type: ignore[misc]
    """What the list may be narrowed by."""

    state = filters.MultipleChoiceFilter(
        choices=[(state.value, state.value) for state in PostingState],
        label="One of these states; give it several times for several.",
    )
    sage_status = filters.CharFilter(lookup_expr="iexact", label="Open, Ready To Post, Posted.")
    invoice_number = filters.CharFilter(lookup_expr="iexact", label="Exactly, capitals or not.")
    vendor = filters.CharFilter(
        field_name="vendor_name", lookup_expr="icontains", label="Part of the vendor's name."
    )
    bill_vendor_id = filters.CharFilter(label="BILL's id of the vendor.")
    batch = filters.NumberFilter(field_name="sage_batch_number", label="A batch of Sage's.")
    bill_id = filters.CharFilter(field_name="source_id", label="BILL's id of the bill.")
    changed_since = filters.IsoDateTimeFilter(
        field_name="changed_at", lookup_expr="gte", label="Not changed before."
    )

    class Meta:
        model = Posting
        fields: ClassVar[list[str]] = []


class CompanyPostings(TenantScoped):
    """Postings of the company in the address."""

    def get_queryset(self) -> QuerySet[Posting]:
        """The company's postings."""
        if getattr(self, "swagger_fake_view", False):
            return Posting.objects.none()
        return Posting.objects.for_tenant(self.tenant).of_company(self.get_company().pk)


@extend_schema_view(
    get=extend_schema(
        summary="List postings, newest change first",
        tags=["postings"],
        parameters=[COMPANY],
        responses={200: PostingSerializer(many=True), 404: NOT_HERE},
        examples=examples("postings.list"),
    )
)
class Postings(CompanyPostings, ListAPIView[Posting]):
    """Every bill and where it stands."""

    serializer_class = PostingSerializer
    pagination_class = NewestChange
    filterset_class = PostingFilterSet


@extend_schema_view(
    get=extend_schema(
        summary="Read a posting and its story",
        tags=["postings"],
        parameters=[COMPANY],
        responses={200: PostingDetailSerializer, 404: NOT_HERE},
        examples=examples("postings.read"),
    )
)
class PostingDetail(CompanyPostings, RetrieveAPIView[Posting]):
    """One bill: its lines and why each account, what stopped it, every write, every log line."""

    serializer_class = PostingDetailSerializer
    lookup_url_kwarg = "posting_id"
