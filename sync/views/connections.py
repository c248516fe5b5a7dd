"""The two systems of a company: what is stored, the ladder of checks, and changing it.

These views call BILL and Sage, so none of them holds a transaction while it does: each opens the
tenant's scope for its rows and lets go of it around the call.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from integrations.ping.ladder import is_well
from sync import jobs
from sync.queries.set_up import Window, set_up_of
from sync.services import trying
from sync.services.entering import enter, form_of
from sync.services.listening import listen
from sync.services.trying import NAMES, Side, Tried
from sync.views import it_letter, practice
from sync.views.frame import go, show
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.models import Role
from tenants.scoping import tenant_scope

OWNERS = frozenset({Role.OWNER})


@require_safe
@company_view()
def connections(request: CompanyRequest) -> HttpResponseBase:
    """Show both systems, their last ladders, and how BILL reaches us."""
    now = timezone.now()
    return show(request, "integrations/connections.html", page_of(request), now=now)


def page_of(request: CompanyRequest) -> dict[str, Any]:
    """What the connections page shows; needs the open scope."""
    found = set_up_of(tenant_id=request.tenant.pk, company_id=request.company.pk)
    return {
        "set_up": found,
        "names": NAMES,
        "is_owner": request.membership.role == Role.OWNER,
        "letter": it_letter.letter_for(request, found) if found.sage.row else "",
        "practice": practice.offered(),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "developer_key")
@company_view(roles=OWNERS, write_roles=OWNERS, unscoped=True)
def change(request: CompanyRequest, side: str) -> HttpResponseBase:
    """Ask for credentials, try them, and store them if nothing better is stored."""
    which, now = side_of(side), timezone.now()
    with tenant_scope(request.tenant.pk):
        stored = trying.row_of(request.company, which)
    kind = form_of(which)
    is_sent = request.method == "POST"
    form = kind(*([request.POST] if is_sent else []), stored=stored)
    if not is_sent and practice.may_fill_in(stored) and "practice" in request.GET:
        practice.fill_in(form, which)
    tried = Tried()
    if is_sent and form.is_valid():
        actor = audit.actor_of(request)
        tried = enter(request.company, which, form.cleaned_data, actor=actor, now=now)
        if tried.is_stored:
            return _connected(request, which, tried, now)
        for name, sentence in tried.errors.items():
            form.add_error(name if name in form.fields else None, sentence)
    return _form_page(request, which, form, tried, stored, now)


def _form_page(
    request: CompanyRequest,
    side: Side,
    form: forms.Form,
    tried: Tried,
    stored: trying.Row | None,
    now: datetime,
) -> HttpResponseBase:
    window = Window(side=side, row=stored, steps=tried.steps)
    with tenant_scope(request.tenant.pk):
        context = {
            "form": form,
            "side": side,
            "name": NAMES[side],
            "stored": stored,
            "window": window,
            "practice": practice.may_fill_in(stored),
        }
        status = 422 if form.errors or tried.steps else 200
        answer = show(request, "integrations/connect.html", context, now=now, status=status)
        return answer.render()


def _connected(
    request: CompanyRequest, side: Side, tried: Tried, now: datetime
) -> HttpResponseBase:
    """Say what came of it, have BILL tell us of changes, wake a worker."""
    if not tried.is_well:
        messages.warning(
            request,
            f"Saved, and not in use yet: {NAMES[side]} stops at one of the checks below. If what you"
            " typed is right, test from there once it is mended; if not, change it.",
        )
        return go(request, "connections")
    said = f"{NAMES[side]} is connected."
    if side is Side.BILL:
        said = f"{said} {_listen(request, now)}"
    messages.success(request, said)
    _wake(request)
    with tenant_scope(request.tenant.pk):
        found = set_up_of(tenant_id=request.tenant.pk, company_id=request.company.pk)
    return go(request, "connections" if found.has_started else "setup")


@require_POST
@company_view(unscoped=True)
def test(request: CompanyRequest, side: str) -> HttpResponseBase:
    """Climb the ladder of the stored connection again, from the failed step where asked."""
    which, now = side_of(side), timezone.now()
    tried = trying.try_again(
        request.company,
        which,
        is_from_failed=request.POST.get("from") == "failed",
        actor=audit.actor_of(request),
        now=now,
    )
    if not tried.steps:
        messages.info(request, f"{NAMES[which]} is not connected yet.")
    elif is_well(tried.steps):
        messages.success(request, f"{NAMES[which]} works: every needed check passed.")
        if which is Side.BILL:
            _listen(request, now)
        _wake(request)
    else:
        messages.warning(request, f"{NAMES[which]} does not work yet; the ladder says what to do.")
    return go(request, "setup" if request.POST.get("back") == "setup" else "connections")


@require_POST
@company_view(write_roles=OWNERS)
def pause(request: CompanyRequest, side: str) -> HttpResponseBase:
    """Take one connection out of use."""
    which = side_of(side)
    actor = audit.actor_of(request)
    if trying.pause(request.company, which, actor=actor, now=timezone.now()):
        messages.success(
            request, f"{NAMES[which]} is paused. Nothing is asked of it until somebody tests it."
        )
    else:
        messages.info(request, f"{NAMES[which]} is not in use, so there is nothing to pause.")
    return go(request, "connections")


def side_of(text: str) -> Side:
    """The side named in an address, or Http404."""
    if text not in Side.values:
        raise Http404
    return Side(text)


def _listen(request: CompanyRequest, now: datetime) -> str:
    return listen(request.company, actor=audit.actor_of(request).name, now=now)


def _wake(request: CompanyRequest) -> None:
    jobs.ring_doorbell(tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="person")
