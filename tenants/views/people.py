"""The people of a tenant, what each may do, who is invited, and the tokens of machines."""

from __future__ import annotations

import uuid
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tenants import audit, team
from tenants.access import TenantRequest, render_scoped, tenant_view
from tenants.forms import InviteForm, RoleForm, TokenForm
from tenants.inviting import NotInvited, invite, mail_invitation, open_invitations, take_back
from tenants.models import ApiToken, AuditEvent, Invitation, Membership, Role
from tenants.rights import RIGHTS, deed_of
from tenants.scoping import tenant_scope
from tenants.zones import zone_words

OWNERS = frozenset({Role.OWNER})


@require_safe
@tenant_view()
def people(request: TenantRequest) -> HttpResponseBase:
    """Show who belongs to the tenant; an owner may change it."""
    return TemplateResponse(request, "tenants/people.html", _page(request))


def _page(
    request: TenantRequest,
    *,
    invite_form: forms.Form | None = None,
    token_form: forms.Form | None = None,
) -> dict[str, object]:
    now = timezone.now()
    members = list(
        request.tenant.memberships.select_related("user").order_by("user__name", "user__email")
    )
    tokens = ApiToken.objects.filter(tenant=request.tenant, revoked_at=None)
    return {
        "members": members,
        "with_second_step": set(
            Authenticator.objects.filter(
                user__in=[member.user_id for member in members], type=Authenticator.Type.TOTP
            ).values_list("user_id", flat=True)
        ),
        "invitations": open_invitations(request.tenant),
        "tokens": list(tokens.select_related("created_by").order_by("-created_at")),
        "changes": [
            {
                "row": row,
                "said": f"{row.actor_name} {deed_of(row.action)}",
                "why": row.details.get("reason", ""),
            }
            for row in AuditEvent.objects.for_tenant(request.tenant).order_by("-at", "-id")[:12]
        ],
        "rights": RIGHTS,
        "invite_form": invite_form or InviteForm(),
        "token_form": token_form or TokenForm(),
        "is_owner": request.membership.role == Role.OWNER,
        "now": now,
        "zone": ZoneInfo(request.user.time_zone),
        "zone_words": zone_words(request.user.time_zone),
    }


@require_POST
@tenant_view(write_roles=OWNERS, unscoped=True)
def send_invitation(request: TenantRequest) -> HttpResponseBase:
    """Ask a person in by mail, or show the link where mail is not set up."""
    form = InviteForm(request.POST)
    if form.is_valid():
        answer = _invite(request, form, form.cleaned_data["email"], form.cleaned_data["role"])
        if answer is not None:
            return answer
    with tenant_scope(request.tenant.pk):
        context = _page(request, invite_form=form)
    return render_scoped(request, "tenants/people.html", context, status=422)


@require_POST
@tenant_view(write_roles=OWNERS, unscoped=True)
def invite_again(request: TenantRequest, invitation_id: uuid.UUID) -> HttpResponseBase:
    """Send a new link; the one before stops working."""
    invitation = _invitation(request, invitation_id)
    form = InviteForm({"email": invitation.email, "role": invitation.role})
    answer = _invite(request, form, invitation.email, invitation.role)
    return answer or _back(request)


def _invite(
    request: TenantRequest, form: InviteForm, email: str, role: str
) -> HttpResponseBase | None:
    """Make and mail it; None after a refusal was written onto the form."""
    try:
        with tenant_scope(request.tenant.pk):
            invitation, secret = invite(
                tenant=request.tenant,
                email=email,
                role=role,
                by=request.user,
                actor=audit.actor_of(request),
                now=timezone.now(),
                time_zone=request.user.time_zone,
            )
    except NotInvited as refusal:
        form.add_error("email", str(refusal))
        messages.error(request, str(refusal))
        return None
    link = request.build_absolute_uri(reverse("invitation", kwargs={"secret": secret}))
    why_not_mailed = mail_invitation(invitation, link)
    if not why_not_mailed:
        messages.success(request, f"The invitation went to {email}. Its link works for 7 days.")
        return _back(request)
    context = {"invitation": invitation, "link": link, "why": why_not_mailed}
    answer = render_scoped(request, "tenants/invitation_link.html", context)
    return _unkept(answer)


@require_POST
@tenant_view(write_roles=OWNERS)
def take_invitation_back(request: TenantRequest, invitation_id: uuid.UUID) -> HttpResponseBase:
    """Make a link worthless."""
    invitation = _invitation(request, invitation_id)
    take_back(invitation, actor=audit.actor_of(request), now=timezone.now())
    messages.success(request, f"The link to {invitation.email} does not work any more.")
    return _back(request)


@require_http_methods(["GET", "HEAD", "POST"])
@tenant_view(roles=OWNERS, write_roles=OWNERS)
def person(request: TenantRequest, user_id: uuid.UUID) -> HttpResponseBase:
    """Show one person; change the role, or remove them."""
    rows = request.tenant.memberships.select_related("user", "tenant")
    member = rows.filter(user_id=user_id).first()
    if member is None:
        raise Http404
    if request.method == "POST":
        return _change(request, member)
    form = RoleForm(initial={"role": member.role})
    tokens = ApiToken.objects.filter(
        tenant=request.tenant, created_by=member.user, revoked_at=None
    ).count()
    return TemplateResponse(
        request, "tenants/person.html", {"member": member, "form": form, "tokens": tokens}
    )


def _change(request: TenantRequest, member: Membership) -> HttpResponseBase:
    actor, now = audit.actor_of(request), timezone.now()
    name = member.user.get_full_name()
    try:
        if request.POST.get("act") == "remove":
            revoked = team.remove(member, actor=actor, now=now)
            said = f"{name} does not belong to {request.tenant} any more."
        else:
            form = RoleForm(request.POST)
            if not form.is_valid():
                return TemplateResponse(
                    request, "tenants/person.html", {"member": member, "form": form}, status=422
                )
            role = Role(form.cleaned_data["role"])
            revoked = team.change_role(member, role, actor=actor, now=now)
            said = f"{name} is {role.label.lower()} now."
    except team.LastOwner as refusal:
        messages.error(request, str(refusal))
        return redirect("person", tenant_slug=request.tenant.slug, user_id=member.user_id)
    if revoked:
        said += f" {revoked} of their API tokens {'was' if revoked == 1 else 'were'} revoked."
    messages.success(request, said)
    if member.user_id == request.user.pk:
        return redirect("home")
    return _back(request)


@require_POST
@never_cache
@tenant_view(write_roles=OWNERS)
def make_token(request: TenantRequest) -> HttpResponseBase:
    """Make an API token and show its text this once."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        context = _page(request, token_form=form)
        return TemplateResponse(request, "tenants/people.html", context, status=422)
    token, text = team.issue_token(
        tenant=request.tenant,
        label=form.cleaned_data["label"],
        role=form.cleaned_data["role"],
        by=request.user,
        actor=audit.actor_of(request),
        now=timezone.now(),
    )
    may = dict(form.fields["role"].choices)[token.role]  # type: ignore[attr-defined]
    address = request.build_absolute_uri("/api/v1/companies")
    context = {"token": token, "text": text, "may": may, "address": address}
    return _unkept(TemplateResponse(request, "tenants/token_once.html", context))


@require_POST
@tenant_view(write_roles=OWNERS)
def revoke_token(request: TenantRequest, token_id: uuid.UUID) -> HttpResponseBase:
    """Refuse a token from now on."""
    token = ApiToken.objects.filter(tenant=request.tenant, pk=token_id).first()
    if token is None:
        raise Http404
    team.revoke_token(token, actor=audit.actor_of(request), now=timezone.now())
    messages.success(request, f"{token} is refused from now on.")
    return _back(request)


def _invitation(request: TenantRequest, invitation_id: uuid.UUID) -> Invitation:
    rows = Invitation.objects.filter(tenant=request.tenant, accepted_at=None)
    found = rows.filter(pk=invitation_id).first()
    if found is None:
        raise Http404
    return found


def _back(request: TenantRequest) -> HttpResponseBase:
    return redirect("people", tenant_slug=request.tenant.slug)


def _unkept(answer: HttpResponse) -> HttpResponse:
    """A page with a secret: nobody's cache keeps it."""
    answer["Cache-Control"] = "no-store"
    return answer
