"""What a caller is told when something was not done: a sentence, who acts, and the place to act.

Every refusal of the API has one shape, `{"error": {…}}`, and every sentence leads somewhere: to the
page on which a person mends it, or, where the request itself must change, to this API's reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

from django.urls import reverse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from integrations.errors import Disposition, IntegrationError
from integrations.secrets import SecretUnreadable
from sync.services.clients import NotReady
from tenants.models import ApiToken


class Mends(StrEnum):
    """Who can change what is in the way."""

    CALLER = "caller"
    HERE = "here"
    OWNER = "owner"
    BILL = "bill"
    SAGE = "sage"
    IT = "it"
    OPERATOR = "operator"
    NOBODY = "nobody"


class Told(exceptions.APIException):
    """A refusal that knows who acts; `page` names the page, "" the one of the view."""

    def __init__(self, sentence: str, *, acts: Mends = Mends.HERE, page: str = "") -> None:
        super().__init__(sentence)
        self.acts, self.page = acts, page


class Conflict(Told):
    """The company cannot do this now; somebody must act first."""

    status_code = 409
    default_code = "conflict"


class BadGateway(Told):
    """BILL or Sage 300 refused or did not answer."""

    status_code = 502
    default_code = "bad_gateway"


UNSIGNED = (
    "Send a token with the request: Authorization: Bearer mlc_… An owner makes one under People."
)
_ACTS_ON: Mapping[Disposition, Mends] = {
    Disposition.RETRY_LATER: Mends.NOBODY,
    Disposition.LOOK_FIRST: Mends.NOBODY,
    Disposition.FIX_CONNECTION: Mends.HERE,
    Disposition.BUG: Mends.OPERATOR,
}


@contextmanager
def told(system: Mends = Mends.BILL, *, page: str = "connections") -> Iterator[None]:
    """Turn what the services raise when they call `system` into answers with their sentence."""
    try:
        yield
    except (NotReady, SecretUnreadable) as error:
        raise Conflict(str(error), page=page) from error
    except IntegrationError as error:
        acts = _ACTS_ON.get(error.disposition, system)
        raise BadGateway(error.sentence, acts=acts, page="connections") from error


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Write a refusal in the one shape; what nobody expected goes on as a fault of ours."""
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    fields = _fields(response.data)
    acts, where = _mend(error, context)
    response.data = {
        "error": {
            "code": _code(error),
            "sentence": _sentence(error, response.data, fields),
            "acts": acts.value,
            "where": where,
            "fields": fields,
        }
    }
    return response


def anchor_of(path: str) -> str:
    """The place of an address in the reference: `/api/v1/companies/{a}/` is `companies-a`."""
    plain = re.sub(r"[<{](?:\w+:)?(\w+)[>}]", r"\1", path)
    return plain.strip("/").removeprefix("api/v1/").replace("/", "-").replace(".", "-")


def _code(error: Exception) -> str:
    """A word for programs; Django's own refusals have none."""
    if isinstance(error, exceptions.ValidationError):
        return "refused"
    return str(getattr(error, "default_code", "not_found"))


def _fields(data: object) -> dict[str, list[str]]:
    """The sentences of each field at fault; {} where the whole request is meant."""
    if not isinstance(data, Mapping) or set(data) <= {"detail"}:
        return {}
    return {str(name): _texts(value) for name, value in data.items()}


def _texts(value: object) -> list[str]:
    """Every text in what a serializer says of one field, however deep."""
    if isinstance(value, Mapping):
        return [f"{name}: {text}" for name, inner in value.items() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)]


def _sentence(error: Exception, data: object, fields: Mapping[str, list[str]]) -> str:
    if isinstance(error, exceptions.NotAuthenticated):
        return UNSIGNED
    if fields:
        whole = {"non_field_errors", "conditions"}
        return " ".join(
            text if name in whole else f"{name}: {text}"
            for name, texts in fields.items()
            for text in texts
        )
    return " ".join(_texts(data["detail"] if isinstance(data, Mapping) else data))


def _mend(error: Exception, context: Mapping[str, Any]) -> tuple[Mends, str]:
    request = context["request"]
    token = request.auth if isinstance(request.auth, ApiToken) else None
    if isinstance(error, Told) and token is not None:
        page = error.page or getattr(context["view"], "page", "today")
        return error.acts, request.build_absolute_uri(_page(page, token, context["kwargs"]))
    if isinstance(error, exceptions.PermissionDenied) and token is not None:
        acts = Mends.OPERATOR if token.tenant.is_suspended else Mends.OWNER
        people = reverse("people", kwargs={"tenant_slug": token.tenant.slug})
        return acts, request.build_absolute_uri(people)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Mends.OWNER, request.build_absolute_uri(reverse("home"))
    return Mends.CALLER, _reference(request)


def _page(name: str, token: ApiToken, kwargs: Mapping[str, Any]) -> str:
    """A page's address; a posting's own page needs its id, a firm's page no company."""
    parts = {"tenant_slug": token.tenant.slug}
    if "company_slug" not in kwargs:
        return reverse("tenant", kwargs=parts)
    parts["company_slug"] = kwargs["company_slug"]
    if name == "posting":
        parts["posting_id"] = kwargs["posting_id"]
    return reverse(f"sync:{name}", kwargs=parts)


def _reference(request: Request) -> str:
    match = request.resolver_match
    anchor = anchor_of(match.route) if match else ""
    return str(request.build_absolute_uri(f"{reverse('api_reference')}#{anchor}"))
