"""The database of the tests: real PostgreSQL, arranged for many short lives.

Tests have an embedded server of their own below the data directory, which does not wait for the
disk: its rows need not survive a power cut, and that wait was most of a commit, of making a
database and of dropping it. A DATABASE_URL that is given is used as it is.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from connector_site import database, embedded_postgres

NAME = "test_connector_"
_CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "checkpoint_timeout": "1h",
}
# Django fills these when it makes the database, and a test leaves them as they are.
_KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def start() -> database.Address:
    """Start the server and make its address the one in use; drop what killed runs left behind."""
    if not os.environ.get("DATABASE_URL"):
        place = embedded_postgres.place_for(
            Path(settings.DATA_DIR) / "tests", is_root=os.geteuid() == 0
        )
        embedded_postgres.start(place)
        address = database.embedded_address(place)
        _make_careless(address)
        _drop_left_behind(address)
        os.environ["DATABASE_URL"] = address.url
    return database.parse_url(database.ensure_running())


def _make_careless(address: database.Address) -> None:
    with address.connect(name="postgres") as connection:
        if connection.execute("SHOW fsync").fetchone() == ("off",):
            return
        for name, value in _CARELESS.items():
            connection.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            )
        connection.execute("SELECT pg_reload_conf()")


def _drop_left_behind(address: database.Address) -> None:
    with address.connect(name="postgres") as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE datname ~ %s", [f"^{NAME}[0-9]+$"]
        ).fetchall()
        for (name,) in names:
            if not _is_alive(int(name.removeprefix(NAME))):
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


def flush_written(
    operations: Any, style: Any, tables: list[str], *, reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:  # fmt: skip
    """Return the SQL that empties the tables a test has written to, in the place of Django's own."""
    with operations.connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(%s)"
            " AND pg_relation_size(oid) > 0",
            [[table for table in tables if table not in _KEPT]],
        )
        written = [operations.quote_name(name) for (name,) in cursor.fetchall()]
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        is_super = cursor.fetchone() == (True,)
    if not written:
        return []
    if is_super and not reset_sequences:
        return _deletes(operations, written)
    restart = " RESTART IDENTITY" if reset_sequences else ""
    return [f"TRUNCATE {', '.join(written)}{restart} CASCADE"]


def _deletes(operations: Any, tables: list[str]) -> list[str]:
    """Delete in any order, past row security: for a few rows a tenth of what TRUNCATE costs."""
    role = operations.connection.settings_dict["OPTIONS"].get("assume_role")
    return [
        "RESET ROLE",
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in tables),
        *([f"SET ROLE {operations.quote_name(role)}"] if role else []),
    ]
