"""The address of the database is computed; nothing is opened for it."""

import os
from pathlib import Path

import pytest

from connector_site.database import (
    Address,
    DatabaseRefused,
    database_settings,
    parse_url,
    powerful_role_sentence,
)
from connector_site.embedded_postgres import place_for


def settings_of(url: str, data: Path = Path("/nowhere")) -> dict[str, object]:
    return database_settings(
        url, data_directory=data, statement_timeout_seconds=30, connection_seconds=60
    )


def test_url_is_taken_apart() -> None:
    settings = settings_of("postgresql://us%40er:p%2Fw@db.example.com:6432/books?sslmode=require")

    assert settings["USER"] == "us@er"
    assert settings["PASSWORD"] == "p/w"
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == (
        "db.example.com",
        "6432",
        "books",
    )
    assert settings["OPTIONS"]["sslmode"] == "require"  # type: ignore[index]


def test_assumed_role_travels_in_the_url_to_child_processes() -> None:
    address = parse_url("postgresql://postgres@/books?host=/run/pg&assume_role=connector")

    assert address.role == "connector"
    assert settings_of(address.url)["OPTIONS"]["assume_role"] == "connector"  # type: ignore[index]


@pytest.mark.parametrize(
    "address",
    [
        Address(user="a", password="", host="/run/pg", port="", name="books", role="connector"),
        Address(user="a@b", password="p/:@", host="db.example.com", port="6432", name="bo oks"),
        Address(user="", password="", host="", port="", name="books"),
        Address(
            user="a",
            password="",
            host="/run/pg",
            port="5433",
            name="b",
            options=(("sslmode", "disable"),),
        ),
    ],
)
def test_url_of_an_address_reads_back_as_the_same_address(address: Address) -> None:
    assert parse_url(address.url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://a@b/c", "PostgreSQL"),
        ("sqlite:///db.sqlite3", "PostgreSQL"),
        ("nonsense", "PostgreSQL"),
        ("postgresql://a@b", "names no database"),
        ("postgresql://a@b:port/c", "port"),
    ],
)
def test_address_that_cannot_be_meant_is_refused(url: str, said: str) -> None:
    with pytest.raises(DatabaseRefused, match=said):
        parse_url(url)


def test_without_a_url_the_embedded_address_is_computed_and_nothing_is_touched(
    tmp_path: Path,
) -> None:
    settings = settings_of("", tmp_path / "data")

    assert settings["OPTIONS"]["assume_role"] == "connector"  # type: ignore[index]
    assert not (tmp_path / "data").exists()


def test_roots_database_does_not_lie_in_the_checkout() -> None:
    place = place_for(Path("/root/checkout/.data"), is_root=True)

    assert place.runs_as == "nobody"
    assert str(place.root).startswith("/var/lib/ml-connector/")


def test_two_checkouts_have_two_servers() -> None:
    first = place_for(Path("/root/one/.data"), is_root=True)
    second = place_for(Path("/root/two/.data"), is_root=True)

    assert first.root != second.root


def test_socket_of_a_deep_checkout_is_still_short_enough() -> None:
    place = place_for(Path("/home/me") / ("deep/" * 30) / ".data", is_root=False)

    assert len(os.fsencode(place.sockets / ".s.PGSQL.5432")) < 107


def test_refusal_of_a_powerful_role_ends_with_the_two_lines_that_mend_it() -> None:
    lines = powerful_role_sentence('ap"p', "books").splitlines()

    assert [line.strip() for line in lines[-2:]] == [
        'ALTER ROLE "ap""p" NOSUPERUSER NOBYPASSRLS;',
        'ALTER DATABASE "books" OWNER TO "ap""p";',
    ]
