"""The operators' admin: reads every tenant, writes only inside one.

Every admin page opens the operator's scope and is rendered within it, because rows behind
row-level security can be read nowhere else. The scope cannot write tenant rows; an action that
changes something opens the row's own tenant.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from tenants.scoping import operator_scope


class OperatorSite(AdminSite):
    """Django's admin site inside the operator's scope."""

    site_header = "ml-connector operations"
    site_title = "ml-connector"
    index_title = "Operations"

    def admin_view(
        self, view: Callable[..., HttpResponseBase], cacheable: bool = False
    ) -> Callable[..., HttpResponseBase]:
        """Return the view wrapped in the scope, its page rendered inside."""

        @wraps(view)
        def scoped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with operator_scope():
                response = view(request, *args, **kwargs)
                if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                    response.render()
                return response

        return super().admin_view(scoped, cacheable)
