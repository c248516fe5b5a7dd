"""Makes a BILL client out of a connection row and the settings.

The client itself knows neither; this is the one place where a row, the knobs and the practice
address meet it.
"""

from __future__ import annotations

from django.conf import settings

from integrations.bill.caller import Sender
from integrations.bill.client import BillClient
from integrations.bill.queries import BillAddress, base_urls
from integrations.bill.quota import SharedQuota
from integrations.bill.session import SharedSessions
from integrations.bill.sharing import BillLimits
from integrations.models import BillConnection
from integrations.transport import Observe


def bill_address(connection: BillConnection) -> BillAddress:
    """Return where this connection leads; raises AddressRefused, and SecretUnreadable.

    Reads the row's secrets, so call it inside the tenant's scope and the client outside.
    """
    api_url, events_url = base_urls(
        connection.environment, practice_origin=settings.PRACTICE_BILL_URL
    )
    return BillAddress(
        api_url=api_url,
        events_url=events_url,
        environment=connection.environment,
        user_name=connection.user_name,
        password=connection.password.reveal(),
        organization_id=connection.organization_id,
        developer_key=connection.developer_key.reveal(),
        credential_version=connection.credential_version,
    )


def bill_limits() -> BillLimits:
    """Return BILL's limits as the knobs have them."""
    knobs = settings.CONNECTOR
    return BillLimits(
        concurrency=knobs.bill_concurrency,
        calls_per_hour=knobs.bill_calls_per_hour,
        logins_per_hour=knobs.bill_logins_per_hour,
        logins_per_minute=knobs.bill_logins_per_minute,
        call_seconds=knobs.bill_call_seconds,
        wait_seconds=knobs.bill_wait_seconds,
        refusal_seconds=knobs.bill_refusal_seconds,
        busy_tries=knobs.bill_busy_tries,
        busy_pause_seconds=knobs.bill_busy_pause_seconds,
    )


def bill_client(
    address: BillAddress, transport: Sender, *, observe: Observe | None = None
) -> BillClient:
    """Return a client that shares session and quota with every other process."""
    limits = bill_limits()
    return BillClient(
        address,
        transport,
        SharedSessions(address, limits),
        SharedQuota(address, limits),
        limits=limits,
        observe=observe,
    )
