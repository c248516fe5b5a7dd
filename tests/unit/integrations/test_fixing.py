"""Which books a company may be pointed at once bills have gone."""

from types import SimpleNamespace
from typing import Any

import pytest

from integrations.fixing import (
    are_same_books,
    needs_proof,
    sage_database_key,
    sage_host,
    why_not_database,
    why_not_organization,
)
from integrations.models import BillConnection, Sage300Connection


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Sage.Example.com./Sage300WebApi", "sage.example.com"),
        ("https://sage.example.com:443", "sage.example.com"),
        ("http://sage.example.com:80/", "sage.example.com"),
        ("https://sage.example.com:8443", "sage.example.com:8443"),
        ("http://127.0.0.1:8101", "127.0.0.1:8101"),
    ],
)
def test_a_host_has_one_spelling(url: str, host: str) -> None:
    assert sage_host(url) == host


def test_a_database_has_one_name_over_all_tenants() -> None:
    first = sage_database_key("https://SAGE.example.com/Sage300WebApi", "calbak")

    assert first == sage_database_key("https://sage.example.com:443", " CALBAK ")
    assert first == "sage.example.com/CALBAK"


def a_sage_connection(**changes: str) -> Sage300Connection:
    values = {
        "base_url": "https://old.example.com",
        "company_database": "CALBAK",
        "fixed_database": "CALBAK",
        "fixed_host": "old.example.com",
    }
    return Sage300Connection(**(values | changes))


@pytest.mark.parametrize(
    ("fixed", "url", "database", "are_same", "words"),
    [
        ({"fixed_database": "", "fixed_host": ""}, "https://new.example.com", "OTHER", False, ""),
        ({}, "https://old.example.com/Sage300WebApi", "calbak", False, ""),
        ({}, "https://old.example.com", "CALCAT", True, "already been sent to the Sage 300"),
        ({}, "https://new.example.com", "CALBAK", False, "these are other books"),
        ({}, "https://new.example.com", "CALBAK", True, ""),
    ],
)
def test_a_company_keeps_its_books(
    fixed: dict[str, str], url: str, database: str, are_same: bool, words: str
) -> None:
    sentence = why_not_database(
        a_sage_connection(**fixed),
        base_url=url,
        company_database=database,
        are_books_the_same=are_same,
    )

    assert words in (sentence or "")
    assert bool(sentence) == bool(words)


def test_only_another_host_needs_proof() -> None:
    connection = a_sage_connection()

    assert needs_proof(connection, base_url="https://new.example.com")
    assert not needs_proof(connection, base_url="https://OLD.example.com:443/x")


@pytest.mark.parametrize(("fixed", "is_allowed"), [("", True), ("ORG2", True), ("ORG1", False)])
def test_a_company_keeps_its_organization(fixed: str, is_allowed: bool) -> None:
    connection = BillConnection(organization_id="ORG1", fixed_organization_id=fixed)

    assert (why_not_organization(connection, "ORG2") is None) == is_allowed


@pytest.mark.parametrize(
    ("there", "are_same"),
    [
        ({7: "MLC1-A x", 9: "MLC1-B"}, True),
        ({7: "renamed by a person", 9: "MLC1-B"}, True),
        ({7: "renamed", 9: "renamed too"}, False),
        ({9: "MLC1-B"}, False),
        ({}, False),
    ],
)
def test_books_are_the_same_when_our_batches_lie_there(
    there: dict[int, str], are_same: bool
) -> None:
    headers = [SimpleNamespace(number=number, description=text) for number, text in there.items()]
    client: Any = SimpleNamespace(list_batches=lambda after: iter(headers))

    assert are_same_books(client, [(7, "MLC1-A"), (9, "MLC1-B")]) is are_same


def test_without_batches_of_ours_nothing_is_proved() -> None:
    client: Any = SimpleNamespace(list_batches=lambda after: iter(()))

    assert not are_same_books(client, [])
