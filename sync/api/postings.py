"""Postings: every bill and where it stands, and one bill's story."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, RetrieveAPIView

from sync.api.log import EXAMPLE as LOG_EXAMPLE
from sync.api.paging import NewestChange
from sync.api.posting_shapes import PostingDetailSerializer, PostingSerializer
from sync.api.schema import COMPANY, NOT_HERE, answered
from sync.domain.posting_state import PostingState
from sync.models import Posting
from tenants.api_access import TenantScoped

PROBLEM = {
    "code": "account_unmapped",
    "sentence": "BILL's account “Trade Shows” leads to no account in Sage. Map it under Mapping.",
    "acts": "here",
    "severity": "holds",
    "subject": "0caCbkTradeShows0001",
    "subject_name": "Trade Shows",
}
EXAMPLE = {
    "id": "0f5a1c7e-3f4d-4e4f-a8d5-2f5c7f0e9b21",
    "bill_id": "00nCbkBill0000000001",
    "invoice_number": "10442",
    "vendor_name": "Novak",
    "bill_vendor_id": "009CbkNovak000000001",
    "amount": "742.900",
    "currency": "USD",
    "invoice_date": "2026-11-20",
    "due_date": "2026-12-20",
    "state": "IN_SAGE",
    "mode": "",
    "sentence": "In Sage, batch 118, entry 3: Open.",
    "problems": [],
    "since": "2026-12-01T14:42:19Z",
    "changed_at": "2026-12-01T14:42:19Z",
    "vendor_number": "NOVAK",
    "document_number": "10442",
    "sage_batch_number": 118,
    "sage_entry_number": 3,
    "sage_status": "Open",
}
LINE = {
    "line_id": "00lCbkLine0000000001",
    "gl_account": "5060100",
    "formatted": "5060-100",
    "account_name": "Freight in",
    "amount": "742.90",
    "description": "Pallets to the plant",
    "source": "same_number",
    "reason": "The BILL account “Freight in” has this number in Sage.",
    "rule_id": "",
    "not_carried": [],
}
ATTEMPT = {
    "id": "c0a0f0d1-6d1f-4b5e-9d0e-1b2a3c4d5e6f",
    "operation": "PostBatch",
    "tag": "ML-0A1B2C3D4E5F60718",
    "started_at": "2026-12-01T14:42:17Z",
    "outcome": "ok",
    "http_status": 201,
    "vendor_code": "",
    "text": "",
    "batch_number": 118,
    "ended_at": "2026-12-01T14:42:18Z",
}
DETAIL = {
    **EXAMPLE,
    "words": "",
    "warnings": [PROBLEM],
    "lines": [LINE],
    "posting_date": "2026-11-20",
    "fiscal_year": "2026",
    "fiscal_period": "11",
    "order_number": "00NCBKBILL0000000001",
    "sage_document_number": "10442",
    "sage_amount": "742.900",
    "posting_sequence": None,
    "read_back_at": "2026-12-01T14:42:19Z",
    "in_sage_at": "2026-12-01T14:42:19Z",
    "posted_at": None,
    "approval_seen_at": "2026-12-01T14:40:02Z",
    "changed_in_bill_at": None,
    "change_note": "",
    "attempts": [ATTEMPT],
    "log": [LOG_EXAMPLE],
}


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
        examples=[answered("Postings", EXAMPLE)],
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
        examples=[answered("A posting", DETAIL)],
    )
)
class PostingDetail(CompanyPostings, RetrieveAPIView[Posting]):
    """One bill: its lines and why each account, what stopped it, every write, every log line."""

    serializer_class = PostingDetailSerializer
    lookup_url_kwarg = "posting_id"
