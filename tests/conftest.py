"""Fixtures for every test. The database is started only when a test asks for rows."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management.commands import flush
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from psycopg import sql

from connector_site import database
from tenants.models import User
from tests.people import Cast, a_cast

# Libraries that look for it warn when it is missing, and warnings are errors here.
os.environ.setdefault("XDG_RUNTIME_DIR", "/tmp")

_TEST_DATABASE = "test_connector_"


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Start the server the tests use, as the role the product works as.

    Each test process has a database of its own, so that runs side by side do not disturb each
    other; what killed runs left behind on the embedded server is dropped.
    """
    url = database.ensure_running()
    chosen = connections["default"].settings_dict
    chosen["TEST"]["NAME"] = f"{_TEST_DATABASE}{os.getpid()}"
    # A test database need not survive a power cut, and waiting for the disk is most of a commit.
    given = chosen["OPTIONS"].get("options", "")
    chosen["OPTIONS"]["options"] = f"{given} -c synchronous_commit=off".strip()
    _drop_left_behind(database.parse_url(url))


@pytest.fixture(autouse=True, scope="session")
def _quick_flush() -> Iterator[None]:
    """Empty only the tables a test has written to, and make no permissions anew.

    Django's own flush truncates every table after each transactional test and then fills content
    types and permissions again: a third of a second, several hundred times.
    """
    patches = pytest.MonkeyPatch()
    patches.setattr(DatabaseOperations, "sql_flush", _flush_written)
    patches.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
    yield
    patches.undo()


_KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def _flush_written(
    operations: Any, style: Any, tables: list[str], *, reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:  # fmt: skip
    with operations.connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)"
            " AND pg_relation_size(oid) > 0",
            [[table for table in tables if table not in _KEPT]],
        )
        written = [operations.quote_name(name) for (name,) in cursor.fetchall()]
    restart = " RESTART IDENTITY" if reset_sequences else ""
    return [f"TRUNCATE {', '.join(written)}{restart} CASCADE"] if written else []


def _drop_left_behind(address: database.Address) -> None:
    if not address.host.startswith(
        ("/var/lib/ml-connector", str(django_settings.DATA_DIR), "/tmp")
    ):
        return
    with address.connect(name="postgres") as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{_TEST_DATABASE}[0-9]+$"]
        ).fetchall()
        for (name,) in names:
            if not _is_alive(int(name.removeprefix(_TEST_DATABASE))):
                with suppress(psycopg.Error):
                    connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@pytest.fixture(autouse=True)
def _quick_passwords(settings: object) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]


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
