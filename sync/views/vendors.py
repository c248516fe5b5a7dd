"""The vendors page and what a person decides there."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from integrations.errors import IntegrationError
from sync.domain.account_targets import usable
from sync.domain.gl_accounts import SageAccounts
from sync.models import VendorLink
from sync.queries.vendors import VIEWS, VendorsPage, View, bench_of, vendors_page
from sync.services import looking_up, vendor_acts, vendor_defaults
from sync.services.acts import NotOpen, Outcome
from sync.services.clients import NotReady
from sync.views.bench import tell
from sync.views.frame import go, show
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.scoping import tenant_scope


@require_safe
@company_view()
def vendors(request: CompanyRequest) -> TemplateResponse:
    """Show one view; those to decide open beside their candidates."""
    view = _view(request.GET.get("view", ""))
    find = request.GET.get("find", "")
    page = vendors_page(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        view=view,
        find=find,
        after=request.GET.get("after", ""),
    )
    opened = _opened(request, view, page)
    bench = None
    if opened is not None:
        bench = bench_of(opened, page, tenant_id=request.tenant.pk, company_id=request.company.pk)
    context = {
        "page": page,
        "view": view.value,
        "views": [
            {"key": one.value, "label": label, "count": page.counts.get(one)}
            for one, label in VIEWS.items()
        ],
        "total": sum(page.counts[one] for one in (View.DECIDE, View.LINKED, View.MAKING)),
        "bench": bench,
        "seen": vendor_acts.seen_mark(opened) if opened else "",
        "find": find,
        **(_defaults(request, page) if view is View.DEFAULTS else {}),
    }
    return show(request, "sync/vendors.html", context, now=timezone.now())


def _view(text: str) -> View:
    try:
        return View(text)
    except ValueError:
        return View.DECIDE


def _opened(request: CompanyRequest, view: View, page: VendorsPage) -> VendorLink | None:
    """The vendor the address opens; of those to decide the first one by itself."""
    asked = request.GET.get("open", "")
    if asked:
        try:
            link = vendor_acts.find_link(company=request.company, link_id=uuid.UUID(asked))
        except ValueError:
            link = None
        if link is None:
            raise Http404
        return link
    return page.rows[0].link if view is View.DECIDE and page.rows else None


def _defaults(request: CompanyRequest, page: VendorsPage) -> dict[str, object]:
    accounts = SageAccounts.of(page.lists.accounts() if page.lists else [])
    links = VendorLink.objects.for_tenant(request.tenant.pk).filter(company=request.company)
    names = dict(links.order_by("name").values_list("bill_vendor_id", "name"))
    groups = page.lists.groups() if page.lists else []
    plan = vendor_defaults.plan_update(request.company)
    return {
        "accounts": usable(accounts),
        "groups": [(group, page.group_accounts.get(group.code, "")) for group in groups],
        "chosen": [
            (key, names.get(key, key), account) for key, account in page.vendor_accounts.items()
        ],
        "names": list(names.items()),
        "plan": plan,
    }


@require_POST
@company_view(unscoped=True)
def vendor_decide(request: CompanyRequest, link_id: uuid.UUID) -> HttpResponseBase:
    """Link, create, leave out or take back one vendor; a number typed by hand is asked in Sage."""
    number = _number(request)
    if request.POST.get("deed") == "link" and number:
        _ask_sage(request, number)
    with tenant_scope(request.tenant.pk):
        link = vendor_acts.find_link(company=request.company, link_id=link_id)
        if link is None:
            raise Http404
        tell(request, _decide(request, link, number))
    if request.POST.get("next") == "attention":
        return go(request, "attention")
    return back(request, "vendors", f"view={_view(request.POST.get('view', '')).value}")


def _number(request: CompanyRequest) -> str:
    other = request.POST.get("other", "").strip()
    return (other or request.POST.get("number", "").strip())[:40]


def _decide(request: CompanyRequest, link: VendorLink, number: str) -> Outcome:
    seen, actor, now = request.POST.get("seen", ""), audit.actor_of(request), timezone.now()
    note = request.POST.get("note", "")
    deed = request.POST.get("deed", "")
    if deed == "link" and number == "new":
        deed = "create"
        number = ""
    match deed:
        case "link":
            return vendor_acts.link(link, number, seen=seen, actor=actor, now=now)
        case "create":
            number = request.POST.get("new_number", "").strip()[:40]
            group = request.POST.get("group", "")
            return vendor_acts.create(
                link, number=number, group_code=group, seen=seen, actor=actor, now=now
            )
        case "ignore":
            return vendor_acts.ignore(link, note=note, seen=seen, actor=actor, now=now)
        case "restore":
            return vendor_acts.restore(link, seen=seen, actor=actor, now=now)
        case _:
            return NotOpen(sentence="Nothing was done: the page you came from is of an older kind.")


def _ask_sage(request: CompanyRequest, number: str) -> None:
    """Read a vendor we do not know yet from Sage, for somebody who has just added it there."""
    if number == "new":
        return
    try:
        looking_up.read_vendor(request.company, number, clock=timezone.now)
    except (NotReady, IntegrationError) as error:
        said = error.sentence if isinstance(error, IntegrationError) else str(error)
        messages.warning(request, f"Sage could not be asked for {number}: {said}")


@require_POST
@company_view()
def vendor_default(request: CompanyRequest) -> HttpResponseBase:
    """Give a vendor or a group a default account, or take it away."""
    outcome = vendor_defaults.set_default(
        request.company,
        request.POST.get("kind", ""),
        request.POST.get("key", "")[:60],
        request.POST.get("gl_account", "")[:45],
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return back(request, "vendors", "view=defaults")


@require_POST
@company_view()
def vendor_update(request: CompanyRequest) -> HttpResponseBase:
    """Have the defaults kept here written into Sage's own vendors, as counted and with a reason."""
    outcome = vendor_defaults.ask_update(
        request.company,
        mark=request.POST.get("mark", ""),
        reason=request.POST.get("reason", ""),
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    tell(request, outcome)
    return back(request, "vendors", "view=defaults")


def back(request: CompanyRequest, name: str, query: str) -> HttpResponse:
    """Send the browser to a page of this company with a query."""
    slugs = {"tenant_slug": request.tenant.slug, "company_slug": request.company.slug}
    return redirect(f"{reverse(f'sync:{name}', kwargs=slugs)}?{query}")
