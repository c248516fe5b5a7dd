"""The database of the tests: real PostgreSQL, arranged for many short lives.

Tests have an embedded server of their own below the data directory, which does not wait for the
disk: its rows need not survive a power cut, and that wait was most of a commit, of making a
database and of dropping it. A DATABASE_URL that is given is used as it is.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from psycopg import sql

from connector_site import database, embedded_postgres

NAME = "test_connector_"
_TEMPLATE = "ready_for_tests_"
_CARELESS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "checkpoint_timeout": "1h",
}
# Django fills these when it makes the database, and a test leaves them as they are.
_KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def start() -> None:
    """Start the server, make its address the one in use, and say what Django shall make there.

    Each test process has a database of its own, so that runs side by side do not disturb each
    other; what killed runs left behind is dropped.
    """
    place = _place("tests")
    own = database.embedded_address(place)
    if not os.environ.get("DATABASE_URL"):
        embedded_postgres.start(place)
        _make_careless(own)
        _drop_left_behind(own)
        os.environ["DATABASE_URL"] = own.url
    address = database.parse_url(database.ensure_running())
    chosen = connections["default"].settings_dict
    chosen["TEST"]["NAME"] = f"{NAME}{os.getpid()}"
    chosen |= {
        "HOST": address.host,
        "PORT": address.port,
        "USER": address.user,
        "PASSWORD": address.password,
    }
    if address.host == own.host:
        chosen["TEST"]["TEMPLATE"] = _template(address)


def lay_out(place: embedded_postgres.Place) -> None:
    """Give a site of its own a database that is migrated already, as on any but its first start."""
    ready = _ready_made()
    place.root.mkdir(mode=0o755, parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(ready.data), str(place.data)], check=True)


def _ready_made() -> embedded_postgres.Place:
    """Return a data directory at rest that `manage.py migrate` made, until a migration changes."""
    home = Path(settings.DATA_DIR) / "tests_ready"
    home.mkdir(parents=True, exist_ok=True)
    place, made_for, wanted = _place(home.name), home / "made-for", _fingerprint()
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made_for.exists() or made_for.read_text() != wanted:
            shutil.rmtree(place.root, ignore_errors=True)
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity=0"],
                cwd=settings.BASE_DIR,
                env={"PATH": os.environ["PATH"], "CONNECTOR_DATA_DIR": str(home)},
                check=True,
            )
            with (place.data / "postgresql.auto.conf").open("a") as file:
                file.writelines(f"{name} = {value}\n" for name, value in _CARELESS.items())
            made_for.write_text(wanted)
    return place


def _place(name: str) -> embedded_postgres.Place:
    return embedded_postgres.place_for(Path(settings.DATA_DIR) / name, is_root=os.geteuid() == 0)


def _template(address: database.Address) -> str:
    """Return the name of a database for Django to copy: migrated once, until a migration changes.

    A copy takes a tenth of a second and migrating more than two. Django migrates the copy all the
    same, so one that lacks something is completed.
    """
    name = f"{_TEMPLATE}{_fingerprint()}"
    with address.connect(name="postgres") as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [_TEMPLATE])
        names = {row[0] for row in server.execute("SELECT datname FROM pg_database")}
        if name not in names:
            for old in (each for each in names if each.startswith(_TEMPLATE)):
                server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(old)))
            _make_template(server, f"{_TEMPLATE}draft", owner=address.role or address.user)
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(f"{_TEMPLATE}draft"), sql.Identifier(name)
                )
            )
    return name


def _make_template(server: psycopg.Connection[Any], name: str, *, owner: str) -> None:
    server.execute(
        sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner))
    )
    chosen = connections["default"].settings_dict
    usual = chosen["NAME"]
    connections["default"].close()
    chosen["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connections["default"].close()
        chosen["NAME"] = usual


def _fingerprint() -> str:
    """Return what changes with any migration, ours or of a pinned library."""
    files = [*Path(settings.BASE_DIR).glob("*/migrations/*.py")]
    given = hashlib.sha256((Path(settings.BASE_DIR) / "requirements.lock").read_bytes())
    for path in sorted(files):
        given.update(f"{path}\0".encode() + path.read_bytes())
    return given.hexdigest()[:12]


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


def can_copy_rows() -> bool:
    """Whether who signed in may read and write rows past row security."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        return bool(cursor.fetchone() == (True,))


def copy_out() -> dict[str, bytes]:
    """Return every row that tests have written, of all tenants, by table."""
    with _past_row_security() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0"
            " AND relnamespace = 'public'::regnamespace"
        )
        names = [name for (name,) in cursor.fetchall() if name not in _KEPT]
        rows: dict[str, bytes] = {}
        for name in names:
            with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))) as out:
                rows[name] = b"".join(map(bytes, out))
    return {name: text for name, text in rows.items() if text}


def copy_in(rows: dict[str, bytes]) -> None:
    """Write rows that were copied out."""
    with _past_row_security() as cursor:
        for name, text in rows.items():
            with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as into:
                into.write(text)


@contextmanager
def _past_row_security() -> Iterator[Any]:
    """A transaction as who signed in, without triggers and references; put back at its end."""
    connection = connections["default"]
    role = connection.settings_dict["OPTIONS"].get("assume_role")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")
        if role:
            cursor.execute(f"SET LOCAL ROLE {connection.ops.quote_name(role)}")
