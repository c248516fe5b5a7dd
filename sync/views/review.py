"""The review page: approve, leave out, change an account; one bill or all that are shown."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.models import Posting
from sync.queries.posting_story import find_posting
from sync.queries.review import VIEWS, ReviewPage, is_duplicate, panel_of, review_page
from sync.services import approving, line_choices
from sync.services.line_choices import Choice
from sync.views.bench import tell
from sync.views.frame import go, show, zone_of
from tenants import audit
from tenants.access import CompanyRequest, company_view


@require_safe
@company_view()
def review(request: CompanyRequest) -> TemplateResponse:
    """List the bills that wait for a yes."""
    return _page(request, None)


@require_safe
@company_view()
def review_bill(request: CompanyRequest, posting_id: uuid.UUID) -> HttpResponseBase:
    """Open one bill beside the list; a bill that stands elsewhere is shown all the same."""
    return _page(request, _posting(request, posting_id))


def _posting(request: CompanyRequest, posting_id: uuid.UUID) -> Posting:
    row = find_posting(
        tenant_id=request.tenant.pk, company_id=request.company.pk, posting_id=posting_id
    )
    if row is None:
        raise Http404
    return row


def _list(request: CompanyRequest) -> tuple[str, ReviewPage]:
    asked = request.POST.get("view", "") or request.GET.get("view", "")
    view = asked if asked in VIEWS else "all"
    page = review_page(tenant_id=request.tenant.pk, company_id=request.company.pk, view=view)
    return view, page


def _page(
    request: CompanyRequest,
    opened: Posting | None,
    *,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> TemplateResponse:
    view, page = _list(request)
    panel = panel_of(opened, page, zone=zone_of(request)) if opened else None
    context: dict[str, Any] = {
        "page": page,
        "rows": [{"posting": row, "is_duplicate": is_duplicate(row)} for row in page.rows],
        "view": view,
        "views": [
            {"key": key, "label": label, "count": page.counts[key]} for key, label in VIEWS.items()
        ],
        "panel": panel,
        "errors": errors or {},
        "approvable": len(page.approvable),
        "change": request.GET.get("change", ""),
    }
    return show(request, "sync/review.html", context, now=timezone.now(), status=status)


@require_POST
@company_view()
def review_approve(request: CompanyRequest) -> HttpResponseBase:
    """Approve the bills that were ticked, or all of the view as it was counted."""
    _, page = _list(request)
    outcome = approving.approve(
        request.company,
        page,
        chosen=request.POST.getlist("bill"),
        is_all=request.POST.get("all") == "1",
        mark=request.POST.get("mark", ""),
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return go(request, "review")


@require_POST
@company_view()
def review_account(request: CompanyRequest, posting_id: uuid.UUID) -> HttpResponseBase:
    """Send one line of a bill elsewhere, for this bill only or remembered as a rule."""
    row = _posting(request, posting_id)
    remember = [name for name in request.POST.getlist("remember") if name in MOST_TELLING_FIRST]
    outcome = line_choices.choose(
        row,
        Choice(
            line_id=request.POST.get("line", "")[:60],
            gl_account=request.POST.get("gl_account", "").strip()[:45],
            reason=request.POST.get("reason", ""),
            remember=remember,
        ),
        company=request.company,
        seen_state=request.POST.get("seen", ""),
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return go(request, "review_bill", posting_id=row.pk)
