"""The operators' admin: reads every tenant, writes only inside one.

Every admin page opens the operator's scope and is rendered within it, because rows behind
row-level security can be read nowhere else. The scope cannot write tenant rows; an action that
changes something opens the row's own tenant. A view that must not hold a transaction, because it
mails or does one row after the other, is marked ``@opens_own_scopes`` and answers with
``OperatorSite.show``. Operators sign in where everybody does, so that the second step and the
limits on guessing hold for them too; their pages tell times in their own zone.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast
from zoneinfo import ZoneInfo

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.utils import timezone

from tenants.audit import Actor, actor_of
from tenants.models import User
from tenants.scoping import operator_scope

#: Apps whose own admin pages would show secrets (second factors) or pickled arguments (the queue).
_HIDDEN_APPS = frozenset({"mfa", "django_q"})
_OWN_SCOPES = "opens_own_scopes"

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])
Teller = Callable[[HttpRequest], object]


def opens_own_scopes(view: _View) -> _View:
    """Mark an admin view that opens a scope for each phase by itself."""
    setattr(view, _OWN_SCOPES, True)
    return view


def operator_of(request: HttpRequest) -> Actor:
    """Who acts, as the customer reads it: a person of ours, not of theirs."""
    actor = actor_of(request)
    return Actor(name=f"{actor.name}, operator", id=actor.id, address=actor.address)


class OperatorSite(AdminSite):
    """Django's admin site inside the operator's scope."""

    site_header = "ml-connector operators"
    site_title = "ml-connector"
    index_title = "State of the house"
    # Django's script opens it after the first paint, and the whole page jumps aside. Operators come
    # to every table by the index.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self._tellers: dict[str, Teller] = {}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, except those of apps that are not for eyes."""
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        shown = [model for model in models if model._meta.app_label not in _HIDDEN_APPS]
        super().register(shown, admin_class, **options)

    def tell_on_index(self, name: str, teller: Teller) -> None:
        """Show what `teller` returns on the first page, under this name in its template."""
        self._tellers[name] = teller

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show the state of the house above the list of tables."""
        told = {name: teller(request) for name, teller in self._tellers.items()}
        second_step = Authenticator.objects.filter(
            user=request.user, type=Authenticator.Type.TOTP
        ).exists()
        context = {**told, "has_second_step": second_step, **(extra_context or {})}
        return super().index(request, context)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send whoever is not signed in to the one sign-in page."""
        guarded = secure_admin_login(super().login)
        return cast(HttpResponse, guarded(request, extra_context=extra_context))

    def admin_view(self, view: _View, cacheable: bool = False) -> _View:
        """Return the view wrapped in the scope, its page rendered inside."""

        @wraps(view)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with timezone.override(_zone_of(request)):
                if getattr(view, _OWN_SCOPES, False):
                    return view(request, *args, **kwargs)
                with operator_scope():
                    return _rendered(view(request, *args, **kwargs))

        return cast(_View, super().admin_view(scoped, cacheable))

    def show(
        self, request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """Render a page of the admin inside the operator's scope; for views without one."""
        with operator_scope():
            around = {**self.each_context(request), **context}
            return TemplateResponse(request, template, around, status=status).render()


def _zone_of(request: HttpRequest) -> ZoneInfo:
    return ZoneInfo(request.user.time_zone if isinstance(request.user, User) else "UTC")


def _rendered(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
        response.render()
    return response
