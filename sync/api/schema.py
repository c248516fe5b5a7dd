"""What the OpenAPI document says of sign-in, refusals, company addresses and examples.

An operation's examples lie in `examples/<name>.json`: a list of what to send (where anything is
sent) and what is answered. They are run as tests, so the document cannot tell what is not so.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from sync.api.errors import Mends

FOLDER = Path(__file__).parent / "examples"
COMPANY = OpenApiParameter(
    name="company_slug",
    type=OpenApiTypes.STR,
    location=OpenApiParameter.PATH,
    description="The company's short name in addresses.",
)


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer mlc_…`; an owner makes a token under People."""

    target_class = "tenants.tokens.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "mlc_…"}


class ErrorSerializer(serializers.Serializer[Any]):
    """`sentence` says what was not done and why, `acts` who can mend it, `where` the place to.

    `acts` is caller (the request must change), here (a person of the company, on the page in
    `where`), owner, bill, sage, it, operator, or nobody (it mends itself; ask again later).
    `fields` has the sentences of each field at fault.
    """

    code = serializers.CharField()
    sentence = serializers.CharField()
    acts = serializers.ChoiceField(choices=[one.value for one in Mends])
    where = serializers.CharField()
    # `fields` is a name of the serializer's own, so it is declared under another.

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the field called fields."""
        own = super().get_fields()
        texts = serializers.ListField(child=serializers.CharField())
        return {**own, "fields": serializers.DictField(child=texts)}


class RefusalSerializer(serializers.Serializer[Any]):
    """Why it was not done."""

    error = ErrorSerializer()


def refusal(
    sentence: str, *, acts: Mends = Mends.HERE, where: str = "", code: str = "conflict"
) -> OpenApiResponse:
    """A refusal with its sentence as description and example."""
    error: dict[str, object] = {
        "code": code,
        "sentence": sentence,
        "acts": acts.value,
        "where": f"https://connector.example/{where or 'calder/bakery/'}",
        "fields": {},
    }
    return OpenApiResponse(
        RefusalSerializer,
        description=sentence,
        examples=[OpenApiExample("Refused", value={"error": error})],
    )


NOT_HERE = refusal(
    "There is no company of this name here.", acts=Mends.CALLER, where="api/", code="not_found"
)


def at_fault(sentence: str) -> OpenApiResponse:
    """A refusal of what was sent."""
    return refusal(sentence, acts=Mends.CALLER, where="api/", code="refused")


@cache
def examples(name: str) -> list[OpenApiExample]:
    """The examples of an operation, from its file."""
    made = []
    for one in json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")):
        title = f"{name} {one['name']}"
        media = {"media_type": one["media_type"]} if "media_type" in one else {}
        if "request" in one:
            made.append(
                OpenApiExample(
                    title, value=one["request"], summary=one["name"], request_only=True, **media
                )
            )
        made.append(
            OpenApiExample(
                title,
                value=one["answer"],
                summary=one["name"],
                response_only=True,
                status_codes=[str(one.get("status", 200))],
                **(media if isinstance(one["answer"], str) else {}),
            )
        )
    return made
