"""The operators' admin: reads every tenant, writes only inside one.

Every admin page opens the operator's scope and is rendered within it, because rows behind
row-level security can be read nowhere else. The scope cannot write tenant rows; an action that
changes something opens the row's own tenant. Operators sign in where everybody does, so that the
second step and the limits on guessing hold for them too.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar, cast

from allauth.account.decorators import secure_admin_login
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from tenants.scoping import operator_scope

#: Apps whose own admin pages would show secrets (second factors) or pickled arguments (the queue).
_HIDDEN_APPS = frozenset({"mfa", "django_q"})

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


class OperatorSite(AdminSite):
    """Django's admin site inside the operator's scope."""

    site_header = "ml-connector operations"
    site_title = "ml-connector"
    index_title = "Operations"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, except those of apps that are not for eyes."""
        models: Iterable[type[Model]] = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        )
        shown = [model for model in models if model._meta.app_label not in _HIDDEN_APPS]
        super().register(shown, admin_class, **options)

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
            with operator_scope():
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
                return response

        return cast(_View, super().admin_view(scoped, cacheable))
