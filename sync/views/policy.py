"""The policy page: every choice with what follows from it, and what it touches before it is saved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from integrations.models import BillConnection
from sync import jobs
from sync.domain.policy import Policy, PolicyRefused, ReviewRule
from sync.domain.policy_document import BY_NAME, policy_from_dict, policy_to_dict
from sync.domain.words import count_of
from sync.models import CompanyPolicy
from sync.queries.policy_touch import touches_of, vendor_groups
from sync.services import setup
from sync.services.choosing import ChangedMeanwhile, changes_between, save_policy
from sync.views.frame import go, moments_of, show, zone_of
from sync.views.policy_form import (
    PRESETS,
    Document,
    nearest_preset,
    own_choices,
    read_document,
    sections,
)
from tenants import audit
from tenants.access import CompanyRequest, company_view
from tenants.models import AuditEvent

HISTORY = 6


@require_http_methods(["GET", "HEAD", "POST"])
@company_view()
def policy(request: CompanyRequest) -> HttpResponseBase:
    """Show the policy; show what a change would touch; save it."""
    now = timezone.now()
    row = _row(request)
    before = row.policy() if row else None
    if request.method != "POST":
        document = policy_to_dict(before or _beginning(request, now))
        preset = next((each for each in PRESETS if each.key == request.GET.get("preset")), None)
        return _page(request, row, {**document, **(preset.values if preset else {})}, {}, now)
    document, errors = read_document(request.POST)
    document["currency"] = request.company.currency
    if not errors:
        try:
            policy_from_dict(document, base=before)
        except PolicyRefused as refused:
            errors = refused.errors
    if errors or request.POST.get("act") != "save":
        return _page(request, row, document, errors, now)
    return _save(request, row, document, now)


def _save(
    request: CompanyRequest, row: CompanyPolicy | None, document: Document, now: datetime
) -> HttpResponseBase:
    try:
        saved, changed = save_policy(
            request.company,
            document,
            version_seen=_version_seen(request),
            actor=audit.actor_of(request),
            now=now,
        )
    except ChangedMeanwhile:
        messages.error(
            request,
            f"{_last_word(request, now)} while you were deciding. Below are your answers beside"
            " the new ones; look again and save.",
        )
        return _page(request, row, document, {}, now, status=409)
    jobs.ring_doorbell(tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="person")
    if not changed:
        messages.info(request, "Nothing was changed, so nothing was saved.")
    elif row is None:
        messages.success(request, "The policy is saved.")
        return go(request, "setup")
    else:
        labels = ", ".join(BY_NAME[name].label.lower() for name in changed)
        messages.success(
            request,
            f"Saved as version {saved.version}: {labels}. Bills that have not left are decided"
            " anew now; what is in Sage stays as it is.",
        )
    return go(request, "policy")


@require_POST
@company_view()
def pause(request: CompanyRequest) -> HttpResponseBase:
    """Pause or resume all work of the company."""
    is_paused = request.POST.get("act") != "resume"
    changed = setup.set_paused(
        request.company,
        is_paused=is_paused,
        reason=request.POST.get("reason", "")[:250],
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    if not changed:
        messages.info(request, f"{request.company} was {'paused' if is_paused else 'on'} already.")
    elif is_paused:
        messages.success(request, f"{request.company} is paused. Nothing is lost.")
    else:
        jobs.ring_doorbell(
            tenant_id=request.tenant.pk, company_id=request.company.pk, trigger="person"
        )
        messages.success(request, f"{request.company} goes on; BILL is read now.")
    return go(request, "policy")


def _page(
    request: CompanyRequest,
    row: CompanyPolicy | None,
    document: Document,
    errors: dict[str, str],
    now: datetime,
    *,
    status: int = 0,
) -> TemplateResponse:
    before = row.policy() if row else None
    changed = _changed(before, document, errors)
    touches = touches_of(
        tenant_id=request.tenant.pk,
        company_id=request.company.pk,
        zone=zone_of(request),
        policy=before or Policy(),
        currency=request.company.currency,
    )
    history = list(_history(request)[:HISTORY])
    context: dict[str, Any] = {
        "row": row,
        "sections": sections(
            document, before=before, changed=changed, errors=errors, touches=touches.by_field
        ),
        "presets": PRESETS,
        "nearest": nearest_preset(document),
        "own": len(own_choices(document)),
        "changed": len(changed) if before else 0,
        "errors": len(errors),
        "touches": touches,
        "version": row.version if row else 0,
        "vendor_groups": vendor_groups(tenant_id=request.tenant.pk, company_id=request.company.pk),
        "history": [_said(event) for event in history],
        "last": history[0] if history else None,
        "to_decide": count_of(touches.unsent, "bill"),
    }
    answer = show(request, "sync/policy.html", context, now=now)
    answer.status_code = status or (422 if errors else 200)
    return answer


def _changed(before: Policy | None, document: Document, errors: dict[str, str]) -> dict[str, Any]:
    """What differs from what is stored; where it cannot be read whole, key by key."""
    if before is None:
        return {}
    if not errors:
        try:
            return dict(changes_between(before, policy_from_dict(document, base=before)))
        except PolicyRefused:
            pass
    stored = policy_to_dict(before)
    return {name: value for name, value in document.items() if stored.get(name) != value}


def _beginning(request: CompanyRequest, now: datetime) -> Policy:
    """What is filled in before a policy is saved once: careful, from today on.

    The practice systems hold only older bills, so there all of them are let through to Review.
    """
    rows = BillConnection.objects.for_tenant(request.tenant).filter(company=request.company)
    is_practice = rows.filter(environment=BillConnection.Environment.PRACTICE).exists()
    return Policy(
        review=ReviewRule.REVIEW_ALL,
        currency=request.company.currency,
        cutover_date=None if is_practice else now.astimezone(zone_of(request)).date(),
    )


def _row(request: CompanyRequest) -> CompanyPolicy | None:
    rows = CompanyPolicy.objects.for_tenant(request.tenant)
    return rows.filter(company=request.company).first()


def _version_seen(request: CompanyRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _history(request: CompanyRequest) -> Any:
    return (
        AuditEvent.objects.for_tenant(request.tenant)
        .filter(action="policy.changed", subject_id=str(request.company.pk))
        .order_by("-at", "-id")
    )


def _said(event: AuditEvent) -> dict[str, Any]:
    known = [BY_NAME[name].label for name in event.details if name in BY_NAME]
    fields = "set for the first time" if len(known) > len(BY_NAME) - 2 else ", ".join(known)
    return {"at": event.at, "by": event.actor_name, "what": event.subject, "fields": fields}


def _last_word(request: CompanyRequest, now: datetime) -> str:
    event = _history(request).first()
    if event is None:
        return "Somebody changed the policy"
    at = moments_of(request, now).short(event.at)
    return f"{event.actor_name} changed the policy at {at}"
