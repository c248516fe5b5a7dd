"""The attention page, and asking again for one cause or a whole filter with the count first."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.domain.deeds import Deed
from sync.domain.problems import Acts
from sync.queries.attention import attention_page
from sync.queries.posting_story import find_posting
from sync.queries.postings import Filter
from sync.services import acts, replaying
from sync.services.acts import NotOpen
from sync.services.vendor_acts import seen_mark
from sync.views.bench import tell
from sync.views.frame import go, show, zone_of
from tenants import audit
from tenants.access import CompanyRequest, company_view

SIDES = {"": "All", Acts.HERE: "Here", Acts.BILL: "In BILL", Acts.SAGE: "In Sage",
         Acts.IT: "Your IT"}  # fmt: skip


@require_safe
@company_view()
def attention(request: CompanyRequest) -> TemplateResponse:
    """Show every cause that keeps bills from Sage, with what mends it."""
    now = timezone.now()
    side = request.GET.get("who", "")
    page = attention_page(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        side=side if side in SIDES else "",
        zone=zone_of(request),
        now=now,
    )
    context = {
        "page": page,
        "boxes": [(box, seen_mark(box.link) if box.link else "") for box in page.shown],
        "sides": [
            {
                "label": label,
                "count": page.counts[key] if key else len(page.causes),
                "query": f"who={key}" if key else "",
                "is_current": key == side,
            }
            for key, label in SIDES.items()
        ],
    }
    return show(request, "sync/attention.html", context, now=now)


@require_POST
@company_view()
def deed(request: CompanyRequest, posting_id: uuid.UUID) -> HttpResponseBase:
    """Do one deed with one bill and come back to the workbench it was pressed on."""
    row = find_posting(
        tenant_id=request.tenant.pk, company_id=request.company.pk, posting_id=posting_id
    )
    if row is None:
        raise Http404
    try:
        wanted = Deed(request.POST.get("deed", ""))
    except ValueError:
        tell(
            request,
            NotOpen(sentence="Nothing was done: the page you came from is of an older kind."),
        )
        return go(request, "attention")
    outcome = acts.act(
        row,
        wanted,
        seen_state=request.POST.get("seen", ""),
        actor=audit.actor_of(request),
        note=request.POST.get("note", ""),
        zone=zone_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return _after(request)


def _after(request: CompanyRequest) -> HttpResponseBase:
    """Back to where it was pressed; in Review to the next bill, so that nobody looks for it."""
    if request.POST.get("next") != "review":
        return go(request, "attention")
    following = request.POST.get("then", "")
    try:
        return go(request, "review_bill", posting_id=uuid.UUID(following))
    except ValueError:
        return go(request, "review")


@require_http_methods(["GET", "HEAD", "POST"])
@company_view()
def replay(request: CompanyRequest) -> HttpResponseBase:
    """Show what asking again would do; on POST do it for exactly that set, with the reason."""
    wanted = Filter.from_query(request.GET)
    now = timezone.now()
    if request.method == "POST":
        outcome = replaying.replay(
            request.company,
            wanted,
            mark=request.POST.get("mark", ""),
            reason=request.POST.get("reason", ""),
            actor=audit.actor_of(request),
            zone=zone_of(request),
            now=now,
        )
        if tell(request, outcome):
            return go(request, "postings")
    planned = replaying.plan(request.company, wanted, zone=zone_of(request))
    context = {"plan": planned, "query": wanted.query(), "shown": planned.postings[:20]}
    return show(request, "sync/replay.html", context, now=now)
