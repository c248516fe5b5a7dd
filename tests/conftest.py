"""Fixtures for every test. The database is started only when a test asks for rows."""

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management.commands import flush
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client, override_settings
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from tenants.models import User
from tests import database
from tests.people import Cast, a_cast

# Libraries that look for it warn when it is missing, and warnings are errors here.
os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")

_LONG = ("cluster", "journey", "long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, after all shuffling: else the last one is waited for alone.

    xdist deals the list out in equal parts. Each kind of long test begins another part, so that one
    process waits for browsers while another one works; short ones are left for all at the end.
    """
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    parts: list[list[pytest.Item]] = [[] for _ in range(count)]
    short: list[pytest.Item] = []
    for item in items:
        kind = next((name for name in _LONG if item.get_closest_marker(name)), None)
        (short if kind is None else parts[_LONG.index(kind) % count]).append(item)
    ordered: list[pytest.Item] = []
    for number, part in enumerate(parts):
        size = (len(items) - len(ordered)) // (count - number)
        missing = max(0, size - len(part))
        ordered += part + short[:missing]
        del short[:missing]
    items[:] = ordered + short


def pytest_collection_finish() -> None:
    """What is imported and collected stays to the end: the collector need not walk it again.

    And of what a test makes, nearly all is gone without it: at Python's own pace it was a twelfth of
    all work.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_blocker: Any) -> None:
    """Start the server the tests use, as the role the product works as."""
    with django_db_blocker.unblock():
        database.start()


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Empty only the tables a test has written to, and make no permissions anew.

    Django's own flush truncates every table after each transactional test and then fills content
    types and permissions again: a third of a second, several hundred times.
    """
    patches = pytest.MonkeyPatch()
    patches.setattr(DatabaseOperations, "sql_flush", database.flush_written)
    patches.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
    yield
    patches.undo()


@pytest.fixture(autouse=True, scope="session")
def _quick_static_files() -> Iterator[None]:
    """Look for the static files once in a process, not once in every browser a test opens."""
    found: dict[str, StaticFile] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def look_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    patches = pytest.MonkeyPatch()
    patches.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
    yield
    patches.undo()


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords(django_test_environment: None) -> Iterator[None]:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def cast(db: None) -> Cast:
    """A tenant with every role and a company, and a stranger's tenant beside it."""
    return a_cast()


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Return a function that gives a browser in which this person is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in
