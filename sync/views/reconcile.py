"""The Reconcile page: the addition by period, every difference, and comparing now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from sync import jobs
from sync.domain.moments import age_in_words
from sync.domain.reconciliation import KINDS, Kind, Part
from sync.models import Discrepancy
from sync.queries.differences import (
    MOST_SHOWN,
    DifferencesPage,
    Group,
    Wanted,
    Who,
    differences_page,
    find_comparison,
    iter_differences,
    who_moves,
)
from sync.queries.postings import Standing
from sync.queries.runs import steps_of
from sync.queries.spreadsheet import figure, stream_csv
from sync.services import reconcile
from sync.views.frame import go, moments_of, show
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.scoping import tenant_scope

HEAD = (
    "Part", "Period", "Difference", "Detail", "State", "Whose move", "First seen (UTC)",
    "Settled (UTC)", "Bills", "Currency", "Amount", "Do",
)  # fmt: skip
PARTS = {
    Part.INVOICES: ("Invoices", "every approved bill is in Sage, to the cent"),
    Part.ACCOUNTS: ("GL accounts", "all are there, active and postable"),
    Part.VENDORS: ("Vendors", "none differs, vanished, or is inactive or on hold"),
    Part.BATCHES: ("Our batches in Sage", "none changed, moved or deleted"),
}
MOVES = {Who.PERSON: "a person", Who.ITSELF: "by itself", Who.SETTLED: "settled"}
VIEWS = {Who.PERSON: "For a person", Who.ITSELF: "By itself", Who.SETTLED: "Settled"}
#: Differences that are a posting's own state wear its chip.
CHIPS: Mapping[Kind, Standing] = {
    Kind.BLOCKED: Standing.BLOCKED,
    Kind.REVIEW: Standing.REVIEW,
    Kind.REFUSED: Standing.ATTENTION,
    Kind.ENTRY_STOPPED: Standing.ATTENTION,
    Kind.UNCERTAIN: Standing.UNCERTAIN,
    Kind.IN_FLIGHT: Standing.IN_FLIGHT,
    Kind.READY: Standing.READY,
    Kind.WAITING: Standing.WAITING,
    Kind.BEFORE_CUTOVER: Standing.WAITING,
    Kind.LEFT_OUT: Standing.SKIPPED,
    Kind.RULED_OUT: Standing.SKIPPED,
}
#: whose move → glyph and dress of the others
MARKS = {
    Who.PERSON: ("i-noteq", "differs"),
    Who.ITSELF: ("s-ready", "soft"),
    Who.SETTLED: ("i-person", "soft"),
}
LESS_LOUD = frozenset(
    {Kind.ACCOUNT_INACTIVE, Kind.ACCOUNT_NOT_POSTABLE, Kind.VENDOR_INACTIVE, Kind.VENDOR_ON_HOLD}
)
OUTCOMES = {"paused": "i-pause", "failed": "i-slow", "broke": "i-slow"}


@require_safe
@company_view()
def reconcile_page(request: CompanyRequest) -> TemplateResponse:
    """Show the addition by period and the differences of the filter."""
    now = timezone.now()
    wanted = Wanted.from_query(request.GET)
    page = differences_page(
        tenant_id=request.tenant.pk, company_id=request.company.pk, wanted=wanted, now=now
    )
    context = {
        "page": page,
        "wanted": wanted,
        "query": wanted.query(),
        "parts": _part_views(page, wanted),
        "whos": [
            {"label": label, "count": page.by_who[who], "query": wanted.query(who=who),
             "is_set": wanted.who is who}
            for who, label in VIEWS.items()
        ],
        "anybody": wanted.query(who=Who.ALL),
        "any_period": wanted.query(period=""),
        "groups": [_group(request, group, page, now) for group in page.groups],
        "counts": {who.value: page.by_who[who] for who in VIEWS},
        "most": MOST_SHOWN,
        "trouble": OUTCOMES.get(page.last.outcome, "") if page.last else "",
        **_progress(page),
    }  # fmt: skip
    return show(request, "sync/reconcile.html", context, now=now)


@require_safe
@company_view()
def reconcile_progress(request: CompanyRequest, run_id: uuid.UUID) -> HttpResponseBase:
    """Only the steps, for an open page that follows; once it is over the page reads itself anew."""
    found = find_comparison(
        tenant_id=request.tenant.pk, company_id=request.company.pk, run_id=run_id
    )
    if found is None:
        raise Http404
    if found.ended_at is not None and request.headers.get("HX-Request") == "true":
        return HttpResponseClientRefresh()
    context = {
        "running": found,
        "steps": steps_of(found.steps, found.ended_at),
        "moments": moments_of(request, timezone.now()),
    }
    return TemplateResponse(request, "sync/_comparing.html", context)


@require_POST
@company_view()
def reconcile_now(request: CompanyRequest) -> HttpResponseBase:
    """Ask for a comparison; a worker begins it within seconds."""
    if request.company.is_paused:
        messages.warning(
            request, f"Nothing was started: {request.company} is paused. An owner can resume it."
        )
        return go(request, "reconcile")
    actor = audit.actor_of(request)
    reconcile.ask(request.company, actor, trigger="person", now=timezone.now())
    jobs.ring_comparison(tenant_id=request.tenant.pk, company_id=request.company.pk)
    return go(request, "reconcile")


@require_safe
@company_view(unscoped=True)
def reconcile_csv(request: CompanyRequest) -> HttpResponseBase:
    """Every difference of the filter as CSV, streamed; it opens its own scope."""
    wanted, now = Wanted.from_query(request.GET), timezone.now()

    def lines() -> Iterator[Iterable[object]]:
        yield HEAD
        with tenant_scope(request.tenant.pk):
            for row in iter_differences(
                tenant_id=request.tenant.pk, company_id=request.company.pk, wanted=wanted, now=now
            ):
                yield _cells(row)

    return stream_csv(lines(), f"reconcile-{request.company.slug}.csv")


def _cells(row: Discrepancy) -> tuple[object, ...]:
    return (
        PARTS[Part(row.part)][0],
        row.period,
        row.title,
        row.detail,
        KINDS[Kind(row.kind)].state,
        MOVES[who_moves(row)],
        row.first_seen_at.isoformat(timespec="seconds"),
        row.settled_at.isoformat(timespec="seconds") if row.settled_at else "",
        row.bills or "",
        row.currency,
        figure(row.amount),
        row.do or "nothing to do",
    )


def _progress(page: DifferencesPage) -> dict[str, object]:
    return {"running": page.running, "steps": page.steps}


def _part_views(page: DifferencesPage, wanted: Wanted) -> list[dict[str, object]]:
    every = [{"label": "All", "count": page.total, "query": wanted.query(part=None),
              "is_current": wanted.part is None}]  # fmt: skip
    return every + [
        {"label": label.removesuffix(" in Sage"), "count": page.by_part[part],
         "query": wanted.query(part=part), "is_current": wanted.part is part}
        for part, (label, _) in PARTS.items()
    ]  # fmt: skip


def _group(
    request: CompanyRequest, group: Group, page: DifferencesPage, now: datetime
) -> dict[str, object]:
    heading, none = PARTS[group.part]
    if group.period or group.currency:
        heading = f"Invoices of {group.period or 'no period'}"
    return {
        "heading": heading,
        "row": group,
        "none": none,
        "rows": [_row(request, row, page, now) for row in group.rows],
    }


def _row(
    request: CompanyRequest, row: Discrepancy, page: DifferencesPage, now: datetime
) -> dict[str, object]:
    kind, who = Kind(row.kind), who_moves(row)
    glyph, dress = ("i-slow", "lost") if kind in LESS_LOUD else MARKS[who]
    is_over = row.settled_at is not None
    return {
        "row": row,
        "chip": None if is_over else CHIPS.get(kind),
        "state": "settled" if is_over else KINDS[kind].state,
        "glyph": "i-equal" if is_over else glyph,
        "dress": "soft" if is_over else dress,
        "age": "settled" if who is Who.SETTLED else age_in_words(now - row.first_seen_at),
        "since": row.settled_at or row.first_seen_at,
        "do": "" if is_over else row.do,
        "address": "" if is_over else _address(request, row, page),
    }


def _address(request: CompanyRequest, row: Discrepancy, page: DifferencesPage) -> str:
    """Where the one thing is done, "" where there is nothing to open."""
    slugs = {"tenant_slug": request.tenant.slug, "company_slug": request.company.slug}

    def page_of(name: str, query: Mapping[str, object] | None = None, **parts: object) -> str:
        address = reverse(f"sync:{name}", kwargs={**slugs, **parts})
        return f"{address}?{urlencode(query)}" if query else address

    match row.target:
        case "posting":
            return page_of("posting", posting_id=row.target_id)
        case "bill_account":
            return page_of("mapping", {"open": row.target_id}) + "#edit"
        case "rules":
            return page_of("mapping", {"view": "rules", "rule": row.target_id}) + "#edit"
        case "vendor":
            link = page.vendors.get(row.target_id)
            return page_of("vendors", {"open": link} if link else None)
        case "vendor_defaults":
            return page_of("vendors", {"view": "defaults"})
        case "batch":
            return page_of("postings", {"batch": row.target_id})
        case "review" | "attention" | "policy":
            return page_of(row.target)
    return ""
