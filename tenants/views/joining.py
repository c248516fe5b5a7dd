"""Where the link of an invitation leads."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tenants import audit
from tenants.forms import JoinForm
from tenants.inviting import find_invitation, join
from tenants.models import Invitation, User

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Let the invited person in: signed in as themselves, or with an account made here."""
    found = find_invitation(secret, now=timezone.now())
    if found is None:
        return TemplateResponse(request, "tenants/invitation_gone.html", {}, status=404)
    user = request.user if isinstance(request.user, User) else None
    is_known = User.objects.filter(email=found.email).exists()
    form = None if is_known or user else JoinForm(request.POST or None, email=found.email)
    if request.method == "POST":
        if user is not None and user.email == found.email:
            return _enter(request, found, name=user.name, password=None)
        if form is not None and form.is_valid():
            return _enter(request, found, **form.cleaned_data)
    context = {
        "invitation": found,
        "form": form,
        "is_known": is_known,
        "is_me": user is not None and user.email == found.email,
    }
    status = 422 if form is not None and form.errors else 200
    return TemplateResponse(request, "tenants/invitation.html", context, status=status)


def _enter(
    request: HttpRequest, found: Invitation, *, name: str, password: str | None
) -> HttpResponseBase:
    address = audit.actor_of(request).address
    user = join(found, name=name, password=password, address=address, now=timezone.now())
    if user is None:
        return TemplateResponse(request, "tenants/invitation_gone.html", {}, status=404)
    if password is not None:
        login(request, user, backend=BACKEND)
    messages.success(request, f"Welcome to {found.tenant}.")
    return redirect("tenant", tenant_slug=found.tenant.slug)
