# ruff: noqa: RUF009 (`declare` makes a dataclass field, nothing is shared)
"""What a provision file says: a customer, its people, companies, connections, rules and tokens.

Nothing is removed by leaving it out; what is named is made, or brought to what the file says.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from sync.services.provisioning.company import NAME, SLUG, CompanyEntry
from sync.services.provisioning.shape import Json, Part, Parts, Reading, declare, example_of
from sync.services.provisioning.values import Choice, SecretText, Text
from tenants.models import RESERVED_SLUGS

ROLES = Choice("owner", "accountant", "viewer")


def _email_fault(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return f"“{text[:60]}” is not an e-mail address."
    return ""


def _slug_fault(text: str) -> str:
    taken = text in RESERVED_SLUGS
    return f"“{text}” is taken by our own pages. Choose another." if taken else ""


EMAIL = Text(longest=254, check=_email_fault)
TENANT_SLUG = Text(longest=50, pattern=SLUG.pattern, why=SLUG.why, check=_slug_fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantEntry:
    """One customer."""

    slug: str = declare(TENANT_SLUG, "Its name in addresses.", example="calder")
    name: str = declare(NAME, "Its name on pages.", example="Calder Foods")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonEntry:
    """A member of the tenant."""

    email: str = declare(EMAIL, "Signs in with it.", example="dana@calder.example")
    name: str = declare(NAME, "The person's name.", example="Dana Whitfield", default="")
    role: str = declare(ROLES, "What the person may do.", example="owner")
    password: str | None = declare(
        SecretText(),
        "For a new person; who exists keeps theirs. Without one they set it by a link.",
        example={"env": "DANA_PASSWORD"},
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorEntry:
    """A person who runs this installation and sees every tenant in the admin."""

    email: str = declare(EMAIL, "Signs in with it.", example="operator@connector.example")
    name: str = declare(NAME, "The person's name.", example="Ola Petersen", default="")
    password: str | None = declare(
        SecretText(),
        "For a new person; who exists keeps theirs.",
        example={"env": "OPERATOR_PASSWORD"},
        default=None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEntry:
    """A machine's key to the API; known by its label."""

    label: str = declare(Text(longest=80), "What it is for.", example="Monitoring")
    role: str = declare(ROLES, "What it may do.", example="viewer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole file."""

    tenant: TenantEntry = declare(Part(TenantEntry), "The customer.", example=None)
    people: tuple[PersonEntry, ...] = declare(
        Parts(Part(PersonEntry)), "Its people.", example=None, default=()
    )
    operators: tuple[OperatorEntry, ...] = declare(
        Parts(Part(OperatorEntry)), "Who runs this installation.", example=None, default=()
    )
    companies: tuple[CompanyEntry, ...] = declare(
        Parts(Part(CompanyEntry)), "Its companies.", example=None, default=()
    )
    api_tokens: tuple[TokenEntry, ...] = declare(
        Parts(Part(TokenEntry)), "Its API tokens.", example=None, default=()
    )


_WHOLE = Part(Document)


def read_document(value: object, reading: Reading) -> Document | None:
    """The file's content, or None where `reading` has found faults."""
    document = _WHOLE.read(value, "", reading)
    if not isinstance(document, Document):
        return None
    for key, names in (
        ("companies", [one.slug for one in document.companies]),
        ("people", [one.email.lower() for one in document.people]),
        ("api_tokens", [one.label for one in document.api_tokens]),
    ):
        for place, name in enumerate(names):
            if name in names[:place]:
                reading.add(f"/{key}/{place}", f"“{name}” is named twice in this file.")
    return None if reading.found else document


def document_schema() -> Json:
    """The JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ml-connector provision file",
        **_WHOLE.schema(),
    }


def document_example() -> Json:
    """A complete file with every key."""
    return example_of(Document)
