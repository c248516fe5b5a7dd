"""The list of bills, one bill, and what a person does with it."""

from __future__ import annotations

import uuid
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sync import jobs
from sync.domain.deeds import Deed
from sync.domain.moments import Moments
from sync.domain.words import money
from sync.queries.posting_story import Compared, find_posting, story_of
from sync.queries.postings import VIEWS, WORDS, Filter, Page, Standing, find_page
from sync.services import acts, turns
from sync.views.frame import go, moments_of, show, zone_of
from sync.views.rows import rows_of
from sync.views.steps import days_of
from tenants import audit
from tenants.access import CompanyRequest, company_view


@require_safe
@company_view()
def postings(request: CompanyRequest) -> TemplateResponse:
    """List the bills that the query string asks for."""
    wanted = Filter.from_query(request.GET)
    page = find_page(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        wanted=wanted,
        size=settings.CONNECTOR.page_rows,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {
        "page": page,
        "rows": rows_of(page.rows),
        "wanted": wanted,
        "query": wanted.query(),
        "said": f"{len(page.rows)} of {page.total.count}, newest change first",
        "views": _views(page, wanted),
        "standings": [(standing.value, WORDS[standing]) for standing in Standing],
        "chips": _chips(wanted),
        "kept": {"view": wanted.view.value, "find": wanted.find, "cause": wanted.cause},
    }
    return show(request, "sync/postings.html", context, now=timezone.now())


def _views(page: Page, wanted: Filter) -> list[dict[str, object]]:
    return [
        {
            "label": label,
            "count": page.tally(standings).count,
            "query": wanted.query(view=view, standing=None),
            "is_current": wanted.view is view and wanted.standing is None,
        }
        for view, (label, standings) in VIEWS.items()
    ]


def _chips(wanted: Filter) -> list[tuple[str, str, str]]:
    """The set filters that have no field: name, value, and the query string without them."""
    set_ones = [
        ("Find", wanted.find, "find"),
        ("Cause", wanted.cause.partition(":")[0].replace("_", " "), "cause"),
        ("Approval", wanted.approval.lower(), "approval"),
        ("Batch", wanted.batch, "batch"),
        ("Changed in BILL", "after sending" if wanted.changed else "", "changed"),
    ]
    return [(name, value, wanted.query(**{key: ""})) for name, value, key in set_ones if value]


@require_safe
@company_view()
def posting(request: CompanyRequest, posting_id: uuid.UUID) -> TemplateResponse:
    """Show one bill with its story."""
    now = timezone.now()
    row = find_posting(
        tenant_id=request.tenant.pk, company_id=request.company.pk, posting_id=posting_id
    )
    if row is None:
        raise Http404
    story = story_of(row, zone=zone_of(request))
    moments = moments_of(request, now)
    context = {
        "story": story,
        "posting": row,
        "rows": [_side(one, row.currency, moments) for one in story.compared],
        "line_total": sum((line.amount or Decimal(0) for line in story.lines), Decimal(0)),
        "days": days_of(request, story.steps, now),
    }
    return show(request, "sync/posting.html", context, now=now)


def _side(one: Compared, currency: str, moments: Moments) -> dict[str, str]:
    """One compared field with both values in words."""

    def words(value: object) -> str:
        if isinstance(value, Decimal):
            return money(value, currency or "USD")
        if isinstance(value, date):
            return moments.civil_full(value)
        return str(value or "")

    return {
        "name": one.name,
        "bill": words(one.bill),
        "sage": words(one.sage),
        "verdict": one.verdict,
        "word": one.word,
    }


@require_http_methods(["POST"])
@company_view()
def act(request: CompanyRequest, posting_id: uuid.UUID) -> HttpResponseBase:
    """Do one deed with one bill, and say what became of it on the bill's page."""
    row = find_posting(
        tenant_id=request.tenant.pk, company_id=request.company.pk, posting_id=posting_id
    )
    if row is None:
        raise Http404
    try:
        deed = Deed(request.POST.get("deed", ""))
    except ValueError:
        messages.warning(request, "Nothing was done: the page you came from is of an older kind.")
        return go(request, "posting", posting_id=row.pk)
    outcome = acts.act(
        row,
        deed,
        seen_state=request.POST.get("seen", ""),
        actor=audit.actor_of(request),
        note=request.POST.get("note", ""),
        zone=zone_of(request),
        now=timezone.now(),
    )
    if isinstance(outcome, acts.Done):
        turns.ring(company_id=request.company.pk)
        jobs.ring_doorbell(
            tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="person"
        )
        messages.success(request, outcome.sentence)
    else:
        messages.warning(request, outcome.sentence)
    return go(request, "posting", posting_id=row.pk)
