"""A company's two systems are fixed by its first send.

After bills of one BILL organization have gone into one set of books, another organization or
another database under the same company would mix two ledgers, and no rule of ours could tell the
bills apart. The database refuses it too (check constraints); here are the sentences, and the one
change that is allowed: the same books at another address.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from integrations.guard import DEFAULT_PORTS
from integrations.models import BillConnection, Sage300Connection
from integrations.sage300.client import Sage300Client


def sage_host(base_url: str) -> str:
    """The host of a Sage address in one spelling, with its port where that is not the usual one."""
    parts = urlsplit(base_url.strip())
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.port is None or parts.port == DEFAULT_PORTS.get(parts.scheme):
        return host
    return f"{host}:{parts.port}"


def sage_database_key(base_url: str, company: str) -> str:
    """What names one set of books over all tenants: "sage.example.com/CALBAK"."""
    return f"{sage_host(base_url)}/{company.strip().upper()}"


def fix_organization(connection: BillConnection) -> None:
    """Bind the company to this BILL organization; nothing happens when it is bound already."""
    if not connection.fixed_organization_id:
        connection.fixed_organization_id = connection.organization_id
        connection.save(update_fields=["fixed_organization_id"])


def fix_database(connection: Sage300Connection) -> None:
    """Bind the company to this Sage database and host; nothing happens when it is bound already."""
    if not connection.fixed_database:
        connection.fixed_database = connection.company_database
        connection.fixed_host = sage_host(connection.base_url)
        connection.save(update_fields=["fixed_database", "fixed_host"])


def why_not_organization(connection: BillConnection, organization_id: str) -> str | None:
    """Why this organization may not be entered now, or None."""
    fixed = connection.fixed_organization_id
    if not fixed or fixed == organization_id:
        return None
    return (
        f"Bills of the BILL organization {fixed} have already been sent to Sage 300 for this "
        "company, so it stays with that organization. Add a second company for another one."
    )


def why_not_database(
    connection: Sage300Connection,
    *,
    base_url: str,
    company_database: str,
    are_books_the_same: bool = False,
) -> str | None:
    """Why this Sage address may not be entered now, or None.

    `are_books_the_same` is the answer of `are_same_books` at the new address; it is needed only
    when `needs_proof` says so.
    """
    fixed = connection.fixed_database
    if fixed and fixed != company_database.strip().upper():
        return (
            f"Bills have already been sent to the Sage 300 database {fixed} for this company, so "
            "it stays with that database, also if it was a test copy. Add a second company for "
            "another one."
        )
    if needs_proof(connection, base_url=base_url) and not are_books_the_same:
        return (
            f"The batches this company sent to {connection.fixed_host} were not found at "
            f"{sage_host(base_url)}, so these are other books. The address stays as it was; check "
            "that the server was moved together with its data."
        )
    return None


def needs_proof(connection: Sage300Connection, *, base_url: str) -> bool:
    """Whether this address names another host than the one the first send went to."""
    return bool(connection.fixed_host) and connection.fixed_host != sage_host(base_url)


def are_same_books(client: Sage300Client, sent: Sequence[tuple[int, str]]) -> bool:
    """Whether our last batches, as (number, tag), lie at this address under their tags.

    At least one must be found under its tag and none may be missing; a description that somebody
    changed proves nothing either way.
    """
    if not sent:
        return False
    lowest = min(number for number, _ in sent)
    found = {header.number: header.description for header in client.list_batches(lowest - 1)}
    if any(number not in found for number, _ in sent):
        return False
    return any(tag in found[number] for number, tag in sent)


def move_host(connection: Sage300Connection) -> None:
    """Bind the company to the new host, after the books there were proved to be the same."""
    connection.fixed_host = sage_host(connection.base_url)
    connection.save(update_fields=["fixed_host"])
