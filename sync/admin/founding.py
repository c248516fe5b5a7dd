"""Making a tenant and asking its owner in, by the services that sign-up and the people page use.

A mail may be sent on the way, so no transaction is held while it is. Where mail is not set up the
link is shown once, to be passed on.
"""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminEmailInputWidget, AdminTextInputWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from sync.admin.operate import site
from tenants.inviting import NotInvited, found_and_invite, invite, mail_invitation
from tenants.models import SLUG_RULE, Invitation, Role, Tenant, User, refuse_reserved_slug
from tenants.operator_site import operator_of
from tenants.scoping import tenant_scope
from tenants.zones import zone_choices


class OwnerForm(forms.Form):
    """Who is asked in as an owner."""

    email = forms.EmailField(
        label="Owner's e-mail",
        help_text="The invitation goes there. Its link works once, for 7 days.",
        widget=AdminEmailInputWidget(attrs={"autocomplete": "off"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        initial="America/Chicago",
        help_text="For dates on the owner's pages and mails; they can change it.",
    )

    def clean_email(self) -> str:
        """Fold: an e-mail is the same in any capitals."""
        return str(self.cleaned_data["email"]).lower()


class FoundForm(OwnerForm):
    """A new tenant and its first owner."""

    field_order = ("name", "slug", "email", "time_zone")

    name = forms.CharField(
        label="Name", max_length=120, help_text="As its people say it.", widget=AdminTextInputWidget
    )
    slug = forms.CharField(
        label="Short name",
        max_length=50,
        required=False,
        validators=[SLUG_RULE, refuse_reserved_slug],
        help_text="In the addresses of its pages. Empty: one is made of the name.",
        widget=AdminTextInputWidget,
    )


def found(request: HttpRequest) -> HttpResponse:
    """Make a tenant and invite its owner."""
    user = _operator(request, "tenants.add_tenant")
    form = FoundForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invitation, secret = found_and_invite(
                **form.cleaned_data, by=user, actor=operator_of(request), now=timezone.now()
            )
        except (NotInvited, ValidationError) as refusal:
            form.add_error("slug", str(refusal))
        else:
            return _sent(request, invitation, secret)
    return _form(request, form, title="Add a tenant", button="Add tenant and invite the owner")


def invite_owner(request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
    """Ask another owner in, or the first one again."""
    user = _operator(request, "tenants.change_tenant")
    tenant = Tenant.objects.filter(pk=object_id).first()
    if tenant is None:
        raise Http404
    form = OwnerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with tenant_scope(tenant.pk):
                invitation, secret = invite(
                    tenant=tenant, role=Role.OWNER, by=user, actor=operator_of(request),
                    now=timezone.now(), **form.cleaned_data,
                )  # fmt: skip
        except NotInvited as refusal:
            form.add_error("email", str(refusal))
        else:
            return _sent(request, invitation, secret)
    return _form(request, form, title=f"Invite an owner of {tenant}", button="Invite")


def _sent(request: HttpRequest, invitation: Invitation, secret: str) -> HttpResponse:
    """Mail the link; show it where it could not be mailed."""
    link = request.build_absolute_uri(reverse("invitation", kwargs={"secret": secret}))
    why_not_mailed = mail_invitation(invitation, link)
    tenant = reverse("admin:tenants_tenant_change", args=[invitation.tenant_id])
    if not why_not_mailed:
        messages.success(request, f"The invitation went to {invitation.email}.")
        return redirect(tenant)
    context = {
        "title": f"The link for {invitation.email}",
        "invitation": invitation,
        "link": link,
        "why": why_not_mailed,
        "back": tenant,
    }
    answer = site().show(request, "admin/invitation_link.html", context)
    add_never_cache_headers(answer)
    return answer


def _form(request: HttpRequest, form: forms.Form, *, title: str, button: str) -> HttpResponse:
    context = {"title": title, "form": form, "button": button}
    status = 422 if form.errors else 200
    return site().show(request, "admin/found.html", context, status=status)


def _operator(request: HttpRequest, permission: str) -> User:
    user: object = request.user
    if not (isinstance(user, User) and user.has_perm(permission)):
        raise PermissionDenied
    return user
