"""Brings a company's two connections to what a provision file says.

A connection is written only where something differs, so that a second run does not make sessions
and refusals of the first one stale. Once bills have gone into a set of books, another organization
or database is refused; another host is accepted when our last batches are found there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from integrations.bill.client import BillClient
from integrations.bill.queries import BillAddress
from integrations.bill.wiring import bill_address, bill_client
from integrations.errors import AddressRefused, IntegrationError
from integrations.fixing import (
    are_same_books,
    move_host,
    needs_proof,
    sage_database_key,
    why_not_database,
    why_not_organization,
)
from integrations.models import BillConnection, Sage300Connection
from integrations.practice import address_policy, open_transport
from integrations.sage300.wiring import sage_address, sage_client
from integrations.secrets import Secret, SecretUnreadable
from sync.models import Batch, Posting
from sync.services.provisioning.company import BillEntry, SageEntry
from sync.services.provisioning.shape import Reading
from tenants.models import Company
from tenants.scoping import tenant_scope

BATCHES_TO_FIND = 5


def open_bill(entry: BillEntry | None, company: Company | None) -> BillClient | None:
    """A client with the file's credentials, else the stored ones; None where there are none."""
    if company is None:
        return _client(bill_address(_candidate(entry, uuid.uuid4(), None))) if entry else None
    with tenant_scope(company.tenant_id):
        stored = _bill_of(company)
        if entry is not None and (stored is None or _differs(stored, _bill_values(entry))):
            stored = _candidate(entry, company.tenant_id, stored)
        address = bill_address(stored) if stored else None
    return _client(address) if address else None


def _candidate(
    entry: BillEntry, tenant_id: uuid.UUID, stored: BillConnection | None
) -> BillConnection:
    """The connection as it will be; its version too, so that its session serves afterwards."""
    version = stored.credential_version + 1 if stored else 1
    candidate = BillConnection(tenant_id=tenant_id, credential_version=version)
    _set(candidate, _bill_values(entry))
    return candidate


def _client(address: BillAddress) -> BillClient:
    return bill_client(address, open_transport())


def is_proved(entry: SageEntry, company: Company, pointer: str, reading: Reading) -> bool:
    """Whether the books at another host were found to be the same; True where it is not asked."""
    with tenant_scope(company.tenant_id):
        stored = _sage_of(company)
        if stored is None or not needs_proof(stored, base_url=entry.base_url):
            return True
        sent = [
            (int(number), str(tag))
            for tag, numbers in Batch.objects.for_tenant(company.tenant_id)
            .filter(company=company)
            .exclude(sage_numbers=[])
            .order_by("-made_at")
            .values_list("tag", "sage_numbers")[:BATCHES_TO_FIND]
            for number in numbers
        ]
    candidate = Sage300Connection(tenant_id=company.tenant_id)
    _set(candidate, _sage_values(entry))
    try:
        return are_same_books(sage_client(sage_address(candidate), open_transport()), sent)
    except IntegrationError as error:
        reading.add(
            f"{pointer}/base_url",
            "Bills have been sent to another address before, so our last batches are looked for "
            f"at this one first: {error.sentence}",
        )
        return False


def write_bill(
    entry: BillEntry, company: Company, pointer: str, reading: Reading, now: datetime
) -> bool:
    """Make or change the connection; tell whether anything differed. Needs the open scope."""
    connection = _bill_of(company)
    values = _bill_values(entry)
    if connection is None:
        connection = BillConnection(tenant_id=company.tenant_id, company=company)
        return _make(connection, values, now)
    why_not = why_not_organization(connection, entry.organization_id)
    if why_not:
        reading.add(f"{pointer}/organization_id", why_not)
        return False
    return _change(connection, values, now)


def write_sage(
    entry: SageEntry,
    company: Company,
    pointer: str,
    reading: Reading,
    *,
    is_proved: bool,
    now: datetime,
) -> bool:
    """Make or change the connection; tell whether anything differed. Needs the open scope."""
    connection = _sage_of(company)
    values = _sage_values(entry)
    if connection is None:
        connection = Sage300Connection(tenant_id=company.tenant_id, company=company)
        return _make(connection, values, now)
    why_not = why_not_database(
        connection,
        base_url=entry.base_url,
        company_database=entry.company_database,
        are_books_the_same=is_proved,
    )
    if why_not:
        reading.add(f"{pointer}/base_url", why_not)
        return False
    has_moved = needs_proof(connection, base_url=entry.base_url)
    is_changed = _change(connection, values, now)
    if has_moved:
        _carry_over(connection)
        move_host(connection)
    return is_changed


def _carry_over(connection: Sage300Connection) -> None:
    """The same books at another host: what was sent there keeps its place under the new name.

    Else the bills sent before would no longer be seen when a number is given out.
    """
    key = sage_database_key(connection.base_url, connection.company_database)
    for rows in (Posting.objects, Batch.objects):
        owned = rows.for_tenant(connection.tenant_id).filter(company_id=connection.company_id)
        owned.exclude(database_key="").update(database_key=key)


def address_warning(entry: SageEntry) -> str:
    """Why calls to this address will be refused by this installation, or ""."""
    try:
        address_policy().check_url(entry.base_url, is_base=True)
    except AddressRefused as error:
        return error.sentence
    return ""


def _bill_values(entry: BillEntry) -> dict[str, object]:
    return {
        "environment": entry.environment,
        "user_name": entry.user_name,
        "password": entry.password,
        "organization_id": entry.organization_id,
        "developer_key": entry.developer_key,
        "is_token": entry.is_token,
    }


def _sage_values(entry: SageEntry) -> dict[str, object]:
    return {
        "base_url": entry.base_url.rstrip("/"),
        "company_database": entry.company_database.upper(),
        "user_name": entry.user_name,
        "password": entry.password,
        "password_case": entry.password_case,
        "ca_pem": entry.ca_pem,
    }


def _make(
    connection: BillConnection | Sage300Connection, values: Mapping[str, object], now: datetime
) -> bool:
    _set(connection, values)
    connection.credentials_set_at = now
    connection.save(force_insert=True)
    return True


def _change(
    connection: BillConnection | Sage300Connection, values: Mapping[str, object], now: datetime
) -> bool:
    if not _differs(connection, values):
        return False
    _set(connection, values)
    connection.renew(now=now)
    return True


def _set(connection: BillConnection | Sage300Connection, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(connection, name, value)


def _differs(connection: BillConnection | Sage300Connection, values: Mapping[str, object]) -> bool:
    return any(_text(getattr(connection, name)) != value for name, value in values.items())


def _text(value: object) -> object:
    """A secret's text; one that cannot be opened differs from everything."""
    if not isinstance(value, Secret):
        return value
    try:
        return value.reveal()
    except SecretUnreadable:
        return None


def _bill_of(company: Company) -> BillConnection | None:
    rows = BillConnection.objects.for_tenant(company.tenant_id)
    return rows.filter(company=company).first()


def _sage_of(company: Company) -> Sage300Connection | None:
    rows = Sage300Connection.objects.for_tenant(company.tenant_id)
    return rows.filter(company=company).first()
