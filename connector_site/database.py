"""Which PostgreSQL we use, and as whom.

PostgreSQL is the only engine: row-level security is half of the promise that no customer sees
another's books. ``DATABASE_URL`` names a server of 15 or later; without it an embedded one is used.
Settings only *compute* the address. The doors (``manage.py``, the web server's entry, the tests)
call ``ensure_running`` first, which starts what has to run and makes sure that we do not work as a
role that row-level security does not bind: a superuser steps down to the role ``connector``, any
other powerful role is refused with the SQL that mends it.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import psycopg
from psycopg import sql

from connector_site import embedded_postgres

ROLE = "connector"
OLDEST_SERVER = 15
_SCHEMES = frozenset({"postgres", "postgresql"})


class DatabaseRefused(Exception):
    """We will not work with this database; the sentence says why and what mends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A database address: who signs in where, and which role is taken on after that."""

    user: str
    password: str
    host: str
    port: str
    name: str
    options: tuple[tuple[str, str], ...] = ()
    role: str = ""

    @property
    def url(self) -> str:
        """The address as DATABASE_URL."""
        who = quote(self.user, safe="")
        if self.password:
            who += f":{quote(self.password, safe='')}"
        is_socket = self.host.startswith("/")
        where = "" if is_socket else self.host + (f":{self.port}" if self.port else "")
        query = [*self.options]
        if is_socket:
            query.append(("host", self.host))
            if self.port:
                query.append(("port", self.port))
        if self.role:
            query.append(("assume_role", self.role))
        tail = f"?{urlencode(query)}" if query else ""
        return f"postgresql://{who}@{where}/{quote(self.name, safe='')}{tail}"

    def connect(self, *, name: str = "") -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection of our own, outside Django, as the user that signs in."""
        parameters: dict[str, Any] = {
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "dbname": name or self.name,
            **dict(self.options),
        }
        given = {key: value for key, value in parameters.items() if value}
        return psycopg.connect(autocommit=True, connect_timeout=10, **given)


def parse_url(url: str) -> Address:
    """Return the address of a DATABASE_URL; raises DatabaseRefused when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise DatabaseRefused(
            f"DATABASE_URL begins with {parts.scheme or 'nothing'}:. Only PostgreSQL is supported:"
            " postgresql://user:password@host:port/name."
        )
    query = dict(parse_qsl(parts.query))
    try:
        port = str(parts.port or query.pop("port", ""))
    except ValueError as error:
        raise DatabaseRefused("DATABASE_URL has a port that is no number.") from error
    host = unquote(parts.hostname or "") or query.pop("host", "")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise DatabaseRefused("DATABASE_URL names no database. Write its name after the last /.")
    role = query.pop("assume_role", "")
    return Address(
        user=unquote(parts.username or "") or query.pop("user", ""),
        password=unquote(parts.password or "") or query.pop("password", ""),
        host=host,
        port=port,
        name=name,
        options=tuple(query.items()),
        role=role,
    )


def embedded_address(place: embedded_postgres.Place) -> Address:
    """Return the address of the embedded server."""
    return Address(
        user=embedded_postgres.SUPERUSER,
        password="",
        host=str(place.sockets),
        port="",
        name="connector",
        role=ROLE,
    )


def database_settings(
    url: str, *, data_directory: Path, statement_timeout_seconds: int, connection_seconds: int
) -> dict[str, Any]:
    """Return Django's settings for the database; opens nothing and starts nothing."""
    address = parse_url(url) if url else embedded_address(_place(data_directory))
    options: dict[str, Any] = {
        **dict(address.options),
        "options": f"-c statement_timeout={statement_timeout_seconds * 1000}",
        "connect_timeout": 10,
    }
    if address.role:
        options["assume_role"] = address.role
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.name,
        "USER": address.user,
        "PASSWORD": address.password,
        "HOST": address.host,
        "PORT": address.port,
        "CONN_MAX_AGE": connection_seconds,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def ensure_running() -> str:
    """Make the database usable and return its URL; harmless when called again.

    Starts the embedded server when it is ours, creates what is missing, takes on a role that
    row-level security binds, and exports DATABASE_URL so that child processes find the same one.
    Raises DatabaseRefused or embedded_postgres.ServerRefused with a sentence for the operator.
    """
    from django.conf import settings  # noqa: PLC0415 (settings import this module)

    place = _place(settings.DATA_DIR)
    url = os.environ.get("DATABASE_URL", "")
    address = parse_url(url) if url else embedded_address(place)
    if address.host == str(place.sockets):
        embedded_postgres.start(place)
    address = _with_bound_role(address)
    os.environ["DATABASE_URL"] = address.url
    if address.role:
        settings.DATABASES["default"]["OPTIONS"]["assume_role"] = address.role
    return address.url


def make_anew() -> None:
    """Drop the database in use with everything in it, and make it again, empty.

    For the demo, whose database is its own (see ``connector_site.demo.environment``).
    """
    address = parse_url(ensure_running())
    with address.connect(name="postgres") as connection:
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(address.name))
        )
    ensure_running()


def is_embedded() -> bool:
    """Return whether the database in use is the embedded one; needs no connection."""
    from django.conf import settings  # noqa: PLC0415 (settings import this module)

    url = os.environ.get("DATABASE_URL", "")
    return not url or parse_url(url).host == str(_place(settings.DATA_DIR).sockets)


def stop() -> None:
    """Stop the embedded server, whoever still uses it; an external one is left alone."""
    from django.conf import settings  # noqa: PLC0415 (settings import this module)

    embedded_postgres.stop(_place(settings.DATA_DIR))


def powerful_role_sentence(role: str, database_name: str) -> str:
    """Return why a role is refused, with the two SQL lines that mend it."""
    quoted_role = '"' + role.replace('"', '""') + '"'
    quoted_name = '"' + database_name.replace('"', '""') + '"'
    return (
        f"The database role {role} is a superuser or has BYPASSRLS, so row-level security would"
        " not keep one customer's rows from another. We do not start like this."
        " Run these two lines as a superuser, then start again:\n"
        f"  ALTER ROLE {quoted_role} NOSUPERUSER NOBYPASSRLS;\n"
        f"  ALTER DATABASE {quoted_name} OWNER TO {quoted_role};"
    )


def _place(data_directory: Path) -> embedded_postgres.Place:
    return embedded_postgres.place_for(data_directory, is_root=os.geteuid() == 0)


def _with_bound_role(address: Address) -> Address:
    """Return the address with a role that row-level security binds; steps down where it must."""
    with _connect_making_database(address) as connection:
        _refuse_old_server(connection)
        signed_in = _who(connection)
        role = address.role
        if not role and (
            signed_in.is_super or (signed_in.bypasses and _may_become_role(connection))
        ):
            role = ROLE
        if role and signed_in.is_super and not _owns_database(connection, role):
            _hand_over(connection, database_name=address.name, role=role)
        if role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        effective = _who(connection)
        if effective.is_super or effective.bypasses:
            raise DatabaseRefused(powerful_role_sentence(effective.name, address.name))
    return replace(address, role=role)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Who:
    name: str
    is_super: bool
    bypasses: bool


def _who(connection: psycopg.Connection[tuple[Any, ...]]) -> _Who:
    row = connection.execute(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    assert row is not None  # noqa: S101 (the current user always has a row)
    return _Who(name=row[0], is_super=row[1], bypasses=row[2])


def _connect_making_database(address: Address) -> psycopg.Connection[tuple[Any, ...]]:
    """Connect, and make the database first when only it is missing."""
    try:
        return address.connect()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise DatabaseRefused(f"The database does not answer: {str(error).strip()}") from error
        missing = error
    try:
        with address.connect(name="postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                    sql.Identifier(address.name)
                )
            )
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        pass  # Another process was quicker.
    except psycopg.Error as error:
        raise DatabaseRefused(f"The database does not answer: {str(missing).strip()}") from error
    return address.connect()


def _refuse_old_server(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise DatabaseRefused(
            f"The database server is PostgreSQL {version}. We need {OLDEST_SERVER} or later."
        )


def _may_become_role(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    row = connection.execute(
        "SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles"
        " WHERE rolname = %s AND NOT rolsuper AND NOT rolbypassrls",
        [ROLE],
    ).fetchone()
    return bool(row and row[0])


def _owns_database(connection: psycopg.Connection[tuple[Any, ...]], role: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"
        " WHERE d.datname = current_database() AND r.rolname = %s"
        " AND has_schema_privilege(r.oid, 'public', 'CREATE')",
        [role],
    ).fetchone()
    return row is not None


def _hand_over(
    connection: psycopg.Connection[tuple[Any, ...]], *, database_name: str, role: str
) -> None:
    """Create the role, let us become it, and give it the database. Needs a superuser."""
    name = sql.Identifier(role)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('connector.hand_over'))")
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if known is None:
            connection.execute(
                sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOBYPASSRLS CREATEDB").format(name)
            )
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        connection.execute(
            sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(database_name), name)
        )
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(name))
