"""The OpenAPI document is what the API does: every example of it is sent, and answered as it says.

An operation needs only its example, in `sync/api/examples/`. After a change of what is answered,
`RECORD_EXAMPLES=1 pytest` on this file writes the answers anew, to be read in the diff.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jsonschema
import pytest
from django.db import transaction
from django.test import Client
from django.utils.html import escape
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from sync.api.errors import anchor_of
from sync.api.reference import document
from sync.api.schema import FOLDER
from tenants.models import Role
from tests.integration.sync import api_refusals
from tests.integration.sync.api_comparing import differences
from tests.integration.sync.api_recording import record
from tests.integration.sync.api_world import (
    PREPARED,
    ApiWorld,
    Example,
    an_api_world,
    an_empty_world,
)
from tests.integration.sync.world import KEY, SECRET

WRITES = {"post", "put", "patch", "delete"}
SECRETS = (SECRET, KEY, "practice-sage", "mlc_")


def _files() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every example in the files, by the letters of its title."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        for one in json.loads(path.read_text(encoding="utf-8")):
            title = f"{path.stem} {one['name']}"
            found[_letters(title)] = (title, one)
    return found


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _examples() -> list[Example]:
    """Every good answer of the served document with what is sent for it."""
    titles = _files()
    found = []
    for method, path, operation in _operations():
        bodies, kind = _shown(operation.get("requestBody", {}))
        for status, told in operation["responses"].items():
            if int(status) >= 300:
                continue
            for key, one in _shown(told)[0].items():
                body = bodies.get(key) or next(iter(bodies.values()), {})
                found.append(
                    Example(
                        name=titles.get(_letters(key), ("", {}))[0],
                        method=method,
                        path=path,
                        status=int(status),
                        request=body.get("value"),
                        kind=kind,
                        answer=one["value"],
                    )
                )
    return found


def _shown(part: dict[str, Any]) -> tuple[dict[str, Any], str]:
    for kind, content in part.get("content", {}).items():
        if content.get("examples"):
            return content["examples"], kind
    return {}, "application/json"


def _answers(operation: dict[str, Any]) -> dict[str, Any]:
    good = [told for status, told in operation["responses"].items() if int(status) < 300]
    return {key: one for told in good for key, one in _shown(told)[0].items()}


def _schema_of(example: Example) -> dict[str, Any]:
    told = document()["paths"][example.path][example.method]["responses"][str(example.status)]
    content = next(iter(told["content"].values()))
    return {**content["schema"], "components": document()["components"]}


# --- the document ---------------------------------------------------------------------------------


def test_document_is_valid_and_made_without_a_warning() -> None:
    document.cache_clear()
    GENERATOR_STATS.reset()

    validate_schema(document())

    assert not GENERATOR_STATS


def test_every_operation_has_a_summary_and_examples_of_both_ways() -> None:
    shown = {(one.method, one.path) for one in _examples()}

    for method, path, operation in _operations():
        assert operation.get("summary"), path
        assert (method, path) in shown, f"{method} {path} needs an example of its answer"
        bodies = _shown(operation.get("requestBody", {}))[0]
        assert bodies or "requestBody" not in operation, f"{method} {path} needs one of its body"
        unsent = bodies.keys() - _answers(operation).keys()
        assert not unsent, f"{method} {path}: nobody says what {unsent} is answered"


def test_every_example_of_the_files_is_in_the_document() -> None:
    served = {one.name for one in _examples()}

    assert {title for title, _ in _files().values()} <= served


def test_the_reference_shows_every_operation_where_refusals_lead() -> None:
    page = Client().get("/api/").content.decode()

    for _, path, operation in _operations():
        if path.startswith("/api/v1/"):
            assert page.count(f'id="{anchor_of(path)}"') == 1, path
            assert escape(operation["summary"]) in page


# --- the examples ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_example_is_answered_as_it_says(settings: Any) -> None:
    problems: list[str] = []
    with an_api_world(settings) as world:
        for example in _examples():
            problems += _run(world, example)
        for method, path, operation in _operations():
            for status in map(int, operation["responses"]):
                if status >= 400 and status != 404:
                    problems += _provoke(world, settings, method, path, status)

    assert not problems, "\n".join(problems)


def _run(world: ApiWorld, example: Example) -> Iterator[str]:
    """Prepare, send, compare; what it wrote is taken back."""
    place = f"{example.method.upper()} {example.path} ({example.name})"
    with _taken_back():
        for start, prepare in PREPARED.items():
            if example.name.startswith(start):
                prepare(world)
        answer = world.ask(
            example.method, world.address(example), world.body(example), kind=example.kind
        )
        text = b"".join(answer).decode() if answer.streaming else answer.content.decode()
    if answer.status_code != example.status:
        yield f"{place} answered {answer.status_code}: {text[:600]}"
        return
    if any(secret in text for secret in SECRETS):
        yield f"{place} told a secret"
    if "csv" in answer["Content-Type"]:
        if os.environ.get("RECORD_EXAMPLES"):
            record(world, example, text)
        elif text.splitlines()[0].lstrip("\ufeff") != str(example.answer).splitlines()[0]:
            yield f"{place} has other columns: {text.splitlines()[0]}"
        return
    told = json.loads(text)
    if os.environ.get("RECORD_EXAMPLES"):
        record(world, example, told)
        return
    for error in jsonschema.Draft202012Validator(_schema_of(example)).iter_errors(told):
        yield f"{place} does not fit its schema: {error.message[:300]}"
    for error in jsonschema.Draft202012Validator(_schema_of(example)).iter_errors(example.answer):
        yield f"{place}: the example does not fit the schema: {error.message[:300]}"
    yield from (f"{place}: {told}" for told in differences(example.answer, told, example.name))


def _provoke(world: ApiWorld, settings: Any, method: str, path: str, status: int) -> Iterator[str]:
    """Bring a documented refusal about, and look for its sentence and place."""
    place = f"{method.upper()} {path} {status}"
    provoked = api_refusals.find(method, path, status)
    if provoked is None:
        yield f"{place} is documented; say in tests/…/api_refusals.py how it is brought about"
        return
    example = Example(
        name="", method=method, path=path, status=status, request=None, kind="", answer=None
    )
    knobs, bill_url = settings.CONNECTOR, settings.PRACTICE_BILL_URL
    with _taken_back():
        address = world.address(example, posting=provoked.posting)
        body = api_refusals.body_of(world, provoked)
        if provoked.prepare is not None:
            provoked.prepare(world, settings)
        answer = world.ask(method, address + provoked.query, body, kind=provoked.kind)
    settings.CONNECTOR, settings.PRACTICE_BILL_URL = knobs, bill_url
    told = answer.json()
    if answer.status_code != status:
        yield f"{place} answered {answer.status_code}: {str(told)[:400]}"
    elif provoked.says not in told["error"]["sentence"]:
        yield f"{place} says {told['error']['sentence']}"
    else:
        yield from api_refusals.faults_of(place, told)


@contextmanager
def _taken_back() -> Iterator[None]:
    """A transaction like the test's own: it hides from `durable` blocks, and nothing of it stays."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        yield
        transaction.set_rollback(True)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_operation_refuses_in_the_one_shape() -> None:
    """No token, a viewer's, a stranger's, and a body nobody asked for: each told with a place."""
    problems: list[str] = []
    world = an_empty_world()
    for method, path, operation in _operations():
        problems += _refusals(world, method, path, operation)

    assert not problems, "\n".join(problems)


def _refusals(world: ApiWorld, method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    nothing = re.sub(r"{\w+_id}", str(uuid.UUID(int=0)), path)
    address = nothing.replace("{company_slug}", world.company.slug)
    odd = {"colour": "red"}
    tries = [(401, "none", None)]
    if "{company_slug}" in path:
        tries.append((404, world.stranger, None))
    if method in WRITES:
        tries.append((403, world.tokens[Role.VIEWER], None))
    is_json = "application/json" in operation.get("requestBody", {}).get("content", {})
    if is_json and "_id}" not in path:
        tries.append((400, world.tokens[Role.OWNER], odd))
    for status, token, body in tries:
        with _taken_back():
            answer = world.ask(method, address, body, token=token)
        place = f"{method.upper()} {path} {status}"
        if answer.status_code != status:
            yield f"{place}: {answer.status_code} {answer.content[:200]!r}"
            continue
        yield from api_refusals.faults_of(place, answer.json())
