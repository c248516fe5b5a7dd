"""What the OpenAPI document says of sign-in, refusals and company addresses."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

COMPANY = OpenApiParameter(
    name="company_slug",
    type=OpenApiTypes.STR,
    location=OpenApiParameter.PATH,
    description="The company's short name in addresses.",
)


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer mlc_…`; a token is made by `manage.py provision`."""

    target_class = "tenants.tokens.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "mlc_…"}


class RefusalSerializer(serializers.Serializer[Any]):
    """Why it was not done, in a sentence."""

    detail = serializers.CharField()


def refusal(sentence: str) -> OpenApiResponse:
    """A refusal with its sentence as description and example."""
    return OpenApiResponse(
        RefusalSerializer,
        description=sentence,
        examples=[OpenApiExample("Refused", value={"detail": sentence})],
    )


NOT_HERE = refusal("There is no company of this name here.")


def sent(name: str, value: object) -> OpenApiExample:
    """An example of what to send."""
    return OpenApiExample(name, value=value, request_only=True)


def answered(name: str, value: object, *, status: str = "200") -> OpenApiExample:
    """An example of a good answer."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=[status])
