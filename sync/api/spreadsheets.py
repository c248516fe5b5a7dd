"""CSV for programs: streamed out, and mapping rules in as a file."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from sync.api.log import FILTERS as LOG_FILTERS
from sync.api.log import wanted_of
from sync.api.postings import FILTERS as POSTING_FILTERS
from sync.api.schema import COMPANY, NOT_HERE, examples
from sync.domain.mapping_csv import LARGEST_BYTES
from sync.queries import exports
from sync.queries.log import event_of
from sync.queries.postings import Filter
from sync.queries.spreadsheet import stream_csv
from tenants.api_access import TenantScoped
from tenants.models import Company
from tenants.scoping import tenant_scope

SHEET = {(200, "text/csv"): OpenApiTypes.STR, 404: NOT_HERE}


class CsvRenderer(BaseRenderer):
    """Lets a caller ask for text/csv; a refusal is still the one shape of refusals."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *rest: Any, **more: Any) -> bytes:
        """Only refusals come here; spreadsheets are streamed."""
        return json.dumps(data).encode()


class CsvParser(BaseParser):
    """Takes a file as it is."""

    media_type = "text/csv"

    def parse(self, stream: Any, *rest: Any, **more: Any) -> dict[str, bytes]:
        """The bytes as `file`, no more than one beyond what a file may have."""
        return {"file": stream.read(LARGEST_BYTES + 1)}


class Sheet(TenantScoped):
    """A spreadsheet opens its own scope, since it is read after the view has returned."""

    scoped = False
    renderer_classes = (JSONRenderer, CsvRenderer)

    def company(self) -> Company:
        """The company of the address."""
        with tenant_scope(self.tenant.pk):
            return self.get_company()


class LogSheet(Sheet):
    """The log."""

    @extend_schema(
        operation_id="log_csv", summary="Download the log", tags=["log"],
        parameters=[COMPANY, *LOG_FILTERS], responses=SHEET, examples=examples("log.csv"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> HttpResponseBase:
        """Every line of the filter, newest first."""
        company = self.company()
        lines = exports.log_lines(company, wanted_of(request), heading=event_of)
        return stream_csv(lines, f"log-{company.slug}.csv")


class PostingSheet(Sheet):
    """The bills."""

    @extend_schema(
        operation_id="postings_csv", summary="Download the postings", tags=["postings"],
        parameters=[COMPANY, *POSTING_FILTERS], responses=SHEET, examples=examples("postings.csv"),
    )  # fmt: skip
    def get(self, request: Request, company_slug: str) -> HttpResponseBase:
        """Every bill of the filter, newest change first."""
        company = self.company()
        lines = exports.posting_lines(company, Filter.from_query(request.query_params))
        return stream_csv(lines, f"postings-{company.slug}.csv")
