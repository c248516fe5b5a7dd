"""What a person says of themselves: name, time zone, and light or dark."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from tenants.forms import YouForm
from tenants.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def you(request: HttpRequest) -> HttpResponseBase:
    """Show what is known of the person signed in, and change it."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    known = {"name": user.name, "time_zone": user.time_zone, "theme": user.theme}
    form = YouForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        for field, value in form.cleaned_data.items():
            setattr(user, field, value)
        user.save(update_fields=list(known))
        messages.success(request, "Saved. Pages follow from now on.")
        return redirect("you")
    status = 422 if form.errors else 200
    return TemplateResponse(request, "tenants/you.html", {"form": form}, status=status)
