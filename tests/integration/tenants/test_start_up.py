"""The command line as an operator meets it: what starts, what is refused, with which sentence.

Run against the tests' own server and, where its programs are on this machine, against an older
PostgreSQL, as real processes.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings as django_settings

from connector_site import database, embedded_postgres

ROOT = Path(django_settings.BASE_DIR)
EXAMPLE = ROOT / "docs" / "production.env.example"


def test_example_of_production_passes_every_check_for_deployment() -> None:
    answer = _manage("check", "--deploy", "--fail-level", "WARNING", **_example())

    assert answer.returncode == 0, answer.stderr


def test_setting_that_makes_no_sense_is_one_sentence_and_no_traceback() -> None:
    answer = _manage("check", CONNECTOR_QUEUE_WORKERS="many")

    assert answer.returncode == 2
    assert answer.stderr.strip() == "CONNECTOR_QUEUE_WORKERS is 'many'. Write a whole number."


def test_settings_are_listed_with_meaning_and_without_secrets() -> None:
    answer = _manage("settings", **_example())

    assert "CONNECTOR_QUEUE_TIMEOUT_SECONDS" in answer.stdout
    assert "A job that runs longer is ended. (seconds)" in answer.stdout
    assert "replace-this" not in answer.stdout


@pytest.fixture(scope="module")
def server() -> database.Address:
    """The address of the tests' own server, as its superuser."""
    address = database.parse_url(database.ensure_running())
    if not address.host.startswith("/"):
        pytest.skip("needs the embedded server, DATABASE_URL names another")
    return address


@pytest.fixture
def books(server: database.Address) -> Iterator[database.Address]:
    """The address of a database that does not exist yet, as superuser without a role."""
    name = f"start_up_{os.getpid()}"
    yield database.Address(
        user=server.user, password="", host=server.host, port=server.port, name=name
    )
    with server.connect(name="postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        with suppress(psycopg.errors.UndefinedObject):
            connection.execute(f"DROP ROLE {name}")


def test_superuser_steps_down_and_makes_what_is_missing(books: database.Address) -> None:
    answer = _manage("check", "--database", "default", DATABASE_URL=books.url)

    assert answer.returncode == 0, answer.stderr
    assert _owner(books) == "connector"


def test_role_that_bypasses_row_security_is_refused_and_the_two_lines_mend_it(
    books: database.Address,
) -> None:
    role = books.name
    with books.connect(name="postgres") as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN BYPASSRLS")
        connection.execute(f"CREATE DATABASE {role}")
    address = database.Address(
        user=role, password="", host=books.host, port=books.port, name=books.name
    )

    refused = _manage("check", "--database", "default", DATABASE_URL=address.url)

    assert refused.returncode == 2
    assert "BYPASSRLS" in refused.stderr
    assert "Traceback" not in refused.stderr

    with books.connect() as connection:
        for line in refused.stderr.strip().splitlines()[-2:]:
            connection.execute(line.strip())
    mended = _manage("check", "--database", "default", DATABASE_URL=address.url)
    assert mended.returncode == 0, mended.stderr
    assert _owner(books) == role


def test_database_that_does_not_answer_is_one_sentence() -> None:
    answer = _manage("migrate", DATABASE_URL="postgresql://a@127.0.0.1:1/books")

    assert answer.returncode == 2
    assert "does not answer" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.long
def test_older_postgresql_works_and_keeps_tenants_apart(old_server: database.Address) -> None:
    migrated = _manage("migrate", DATABASE_URL=old_server.url)

    assert migrated.returncode == 0, migrated.stderr
    with old_server.connect() as connection:
        connection.execute("SET ROLE connector")
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT * FROM tenants_company")
    again = _manage("check", "--database", "default", DATABASE_URL=old_server.url)
    assert again.returncode == 0, again.stderr


@pytest.fixture
def old_server() -> Iterator[database.Address]:
    """A throw-away server of the oldest PostgreSQL on this machine that we support."""
    programs = _old_programs()
    if programs is None:
        pytest.skip("LEFT OUT: no PostgreSQL 15 to 17 on this machine (initdb not found)")
    home = Path(tempfile.mkdtemp(prefix="connector-pg-", dir="/tmp"))
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)
    data = home / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(programs / program), "-D", str(data), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )

    run("initdb", "--auth=trust", "--encoding=UTF8", "--no-locale", "-U", "postgres", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
    run("pg_ctl", "-w", "-o", options, "-l", str(home / "log"), "start")
    try:
        yield database.Address(
            user="postgres", password="", host=str(home), port="", name="connector"
        )
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(home)


def _old_programs() -> Path | None:
    for version in (15, 16, 17):
        for folder in (f"/usr/lib/postgresql/{version}/bin", f"/usr/pgsql-{version}/bin"):
            if Path(folder, "initdb").exists():
                return Path(folder)
    return None


def _owner(address: database.Address) -> str:
    with address.connect() as connection:
        row = connection.execute(
            "SELECT r.rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"
            " WHERE d.datname = current_database()"
        ).fetchone()
    assert row is not None
    return str(row[0])


def test_two_processes_share_the_embedded_server_and_the_last_one_stops_it(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    place = embedded_postgres.place_for(data, is_root=os.geteuid() == 0)
    stay = "from connector_site import database as d; d.ensure_running(); print('up', flush=True); input()"
    processes = [_python(stay, data) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "up"

        processes[0].kill()
        processes[0].wait()
        assert embedded_postgres.is_running(place)

        assert processes[1].stdin is not None
        processes[1].stdin.write("\n")
        processes[1].stdin.flush()
        processes[1].wait(timeout=30)
        assert not embedded_postgres.is_running(place)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        embedded_postgres.stop(place)
        shutil.rmtree(place.root, ignore_errors=True)


def _python(code: str, data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "CONNECTOR_DATA_DIR": str(data),
            "DJANGO_SETTINGS_MODULE": "connector_site.settings",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _example() -> dict[str, str]:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def _manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
