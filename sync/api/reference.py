"""The API's reference as a page: the OpenAPI document, read by a person."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from sync.api.errors import anchor_of

METHODS = ("get", "post", "put", "patch", "delete")
LONGEST = 2400
#: Tags in the order a program meets them, with their headings; others come after, as they are.
HEADINGS: Mapping[str, str] = {
    "companies": "Companies",
    "policy": "Policy",
    "bill-connection": "BILL connection",
    "sage300-connection": "Sage 300 connection",
    "ping": "Ping",
    "webhook-subscription": "Webhook subscription",
    "runs": "Runs",
    "today": "Today",
    "attention": "Attention",
    "review": "Review",
    "postings": "Postings",
    "replay": "Replay",
    "vendors": "Vendors",
    "vendor defaults": "Default accounts of vendors",
    "mapping rules": "Mapping rules",
    "lists": "Lists of both systems",
    "reconciliations": "Reconcile",
    "log": "Log",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One example: what is sent ("" sends nothing) and what is answered."""

    name: str
    curl: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation as the page shows it."""

    method: str
    path: str
    anchor: str
    is_first_of_path: bool
    summary: str
    description: str
    query: Sequence[tuple[str, str]]
    examples: Sequence[Example]
    status: int
    refusals: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The operations of one tag."""

    name: str
    anchor: str
    operations: Sequence[Operation]


@require_safe
def reference(request: HttpRequest) -> TemplateResponse:
    """Every operation with its examples, ready to be copied."""
    host = f"{request.scheme}://{request.get_host()}"
    return TemplateResponse(request, "sync/api.html", {"groups": groups(host), "host": host})


@cache
def document() -> Mapping[str, Any]:
    """The OpenAPI document; it changes only with the code."""
    made: Mapping[str, Any] = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return made


@lru_cache(maxsize=4)
def groups(host: str) -> Sequence[Group]:
    """The document by tag."""
    found: dict[str, list[Operation]] = {tag: [] for tag in HEADINGS}
    for path, methods in document()["paths"].items():
        for method in METHODS:
            if method in methods and path.startswith("/api/v1/"):
                tag = methods[method].get("tags", [""])[0]
                is_first = method == next(one for one in METHODS if one in methods)
                made = _operation(method, path, methods[method], host, is_first=is_first)
                found.setdefault(tag, []).append(made)
    return [
        Group(
            name=HEADINGS.get(name, name[:1].upper() + name[1:]),
            anchor=f"of-{name.replace(' ', '-')}",
            operations=operations,
        )
        for name, operations in found.items()
        if operations
    ]


def _operation(
    method: str, path: str, operation: Mapping[str, Any], host: str, *, is_first: bool
) -> Operation:
    responses = operation["responses"]
    good = min(int(status) for status in responses)
    return Operation(
        method=method.upper(),
        path=path,
        anchor=anchor_of(path),
        is_first_of_path=is_first,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        query=[
            (one["name"], one.get("description", ""))
            for one in operation.get("parameters", ())
            if one["in"] == "query"
        ],
        examples=_examples(method, path, operation, responses[str(good)], host),
        status=good,
        refusals=[
            (int(status), told.get("description", ""))
            for status, told in responses.items()
            if int(status) >= 400
        ],
    )


def _examples(
    method: str, path: str, operation: Mapping[str, Any], good: Mapping[str, Any], host: str
) -> list[Example]:
    sent, kind = _shown(operation.get("requestBody", {}))
    answers, _ = _shown(good)
    made = []
    for key, answer in answers.items():
        body = sent.get(key, {}).get("value")
        name = str(answer.get("summary", ""))
        curl = _curl(method, f"{host}{path}", body, kind)
        made.append(Example(name=name, curl=curl, answer=_text(answer["value"])))
    return made


def _shown(part: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The examples of a body or an answer, and its media type."""
    for kind, content in part.get("content", {}).items():
        if content.get("examples"):
            return content["examples"], kind
    return {}, "application/json"


def _curl(method: str, address: str, body: object, kind: str) -> str:
    address = address.replace("{company_slug}", "bakery")
    address = re.sub(r"{(\w+)}", lambda part: f"${part[1].upper()}", address)
    verb = "" if method == "get" else f"-X {method.upper()} "
    parts = [f'curl {verb}"{address}"', '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        parts.append(f'-H "Content-Type: {kind}"')
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        flag = "--data-binary" if isinstance(body, str) else "-d"
        parts.append(f"{flag} {shlex.quote(text.replace(chr(13), ''))}")
    return " \\\n  ".join(parts)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(chr(10), 1)[0]}\n…"
