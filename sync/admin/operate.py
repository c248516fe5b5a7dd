"""The page between choosing an action and doing it: the plan, the reason, Go.

The plan is shown in the operator's reading scope. Go does one row after the other, each in its own
tenant's scope and transaction, so that one row's trouble takes nothing back of another's; what a
worker must do is rung for. Nothing here waits for BILL or Sage.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from sync import jobs
from sync.services import operating
from sync.services.operating import OperatorDeed, Plan, Result, Target
from tenants.audit import Actor
from tenants.models import Company, Tenant
from tenants.operator_site import OperatorSite, operator_of
from tenants.scoping import operator_scope

TITLES: Mapping[OperatorDeed, str] = {
    OperatorDeed.PING: "Ping both systems?",
    OperatorDeed.RUN: "Run now?",
    OperatorDeed.REPLAY: "Replay refused bills?",
    OperatorDeed.SUSPEND: "Suspend?",
    OperatorDeed.RESUME: "Resume?",
}
BUTTONS: Mapping[OperatorDeed, str] = {
    OperatorDeed.PING: "Ping",
    OperatorDeed.RUN: "Run now",
    OperatorDeed.REPLAY: "Replay",
    OperatorDeed.SUSPEND: "Suspend",
    OperatorDeed.RESUME: "Resume",
}
LISTS = {
    "tenants": "admin:tenants_tenant_changelist",
    "companies": "admin:tenants_company_changelist",
}
NO_REASON = "Nothing was done yet. Please say why: the reason is kept, and owners can read it."


def site() -> OperatorSite:
    """The one site of the operators."""
    return cast(OperatorSite, admin.site)


def begin(
    request: HttpRequest, deed: OperatorDeed, rows: QuerySet[Any], *, back: str
) -> HttpResponse:
    """Answer an action of a list with its plan; `rows` are tenants or companies as the list has them."""
    _refuse_others(request)
    return _ask(
        request, deed, [row.pk for row in rows], is_of_tenants=rows.model is Tenant, back=back
    )


def operate(request: HttpRequest) -> HttpResponseBase:
    """Show the plan for the rows named in the address, or do what was agreed to."""
    _refuse_others(request)
    said = request.POST if request.method == "POST" else request.GET
    deed, back = _deed(said.get("deed", "")), said.get("back", "tenants")
    ids = [_uuid(text) for text in said.getlist("id")]
    is_of_tenants = said.get("of", "tenants") == "tenants"
    reason = said.get("reason", "").replace("\x00", "").strip()
    if request.method != "POST" or not reason:
        error = NO_REASON if request.method == "POST" else ""
        return _ask(request, deed, ids, is_of_tenants=is_of_tenants, back=back, error=error)
    reason = reason[: operating.LONGEST_REASON]
    with operator_scope():
        targets = list(_targets(deed, ids, is_of_tenants=is_of_tenants))
    for target in targets:
        mark = request.POST.get(f"mark-{target.pk}", "")
        _do(request, deed, target, mark=mark, reason=reason, actor=operator_of(request))
    return redirect(LISTS.get(back, LISTS["tenants"]))


def _ask(
    request: HttpRequest,
    deed: OperatorDeed,
    ids: list[uuid.UUID],
    *,
    is_of_tenants: bool,
    back: str,
    error: str = "",
) -> HttpResponse:
    with operator_scope():
        plan = operating.plan(deed, _targets(deed, ids, is_of_tenants=is_of_tenants))
    context = {
        "title": TITLES[deed],
        "plan": plan,
        "rows": _rows(plan),
        "button": BUTTONS[deed],
        "back": back,
        "back_to": LISTS.get(back, LISTS["tenants"]),
        "error": error,
        "longest": operating.LONGEST_REASON,
    }
    return site().show(request, "admin/operate.html", context, status=422 if error else 200)


def _rows(plan: Plan) -> list[dict[str, object]]:
    return [
        {
            "line": line,
            "name": line.target.name,
            "of": line.target.tenant.name if isinstance(line.target, Company) else "",
        }
        for line in plan.lines
    ]


def _targets(deed: OperatorDeed, ids: Iterable[uuid.UUID], *, is_of_tenants: bool) -> QuerySet[Any]:
    """What the deed is done to: a company's deed on a tenant is done to all its companies."""
    if deed.is_on_tenants:
        return Tenant.objects.filter(pk__in=list(ids)).order_by("name", "pk")
    rows = Company.objects.select_related("tenant").order_by("tenant__name", "name", "pk")
    return rows.filter(tenant__in=list(ids)) if is_of_tenants else rows.filter(pk__in=list(ids))


def _do(
    request: HttpRequest,
    deed: OperatorDeed,
    target: Target,
    *,
    mark: str,
    reason: str,
    actor: Actor,
) -> None:
    now = timezone.now()
    result = operating.do(deed, target, mark=mark, reason=reason, actor=actor, now=now)
    for company in result.wakes:
        if deed is OperatorDeed.PING and actor.id is not None:
            jobs.ring_ping(
                tenant_id=company.tenant_id, company_id=company.pk, user_id=actor.id, asked_at=now
            )
        else:
            jobs.ring_doorbell(
                tenant_id=company.tenant_id, company_id=company.pk, trigger="person",
                run_id=result.run_id,
            )  # fmt: skip
    _tell(request, result)


def _tell(request: HttpRequest, result: Result) -> None:
    level = messages.SUCCESS if result.is_done else messages.WARNING
    messages.add_message(request, level, f"{result.target.name}: {result.sentence}")


def _refuse_others(request: HttpRequest) -> None:
    if not request.user.has_perm("tenants.change_tenant"):
        raise PermissionDenied


def _deed(text: str) -> OperatorDeed:
    try:
        return OperatorDeed(text)
    except ValueError:
        raise Http404 from None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
