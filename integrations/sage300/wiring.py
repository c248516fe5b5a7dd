"""Makes a Sage 300 client out of a connection row and the settings.

The client itself knows neither; this is the one place where a row and the knobs meet it.
"""

from __future__ import annotations

from django.conf import settings

from integrations.models import Sage300Connection
from integrations.sage300.client import Sage300Client
from integrations.sage300.door import Deadlines, SageAddress
from integrations.transport import Observe, Transport


def sage_address(connection: Sage300Connection) -> SageAddress:
    """Return where this connection leads; raises SecretUnreadable.

    Reads the row's secret, so call it inside the tenant's scope and the client outside.
    """
    return SageAddress(
        base_url=connection.base_url,
        company=connection.company_database,
        user=connection.user_name,
        password=connection.password.reveal(),
        password_case=connection.password_case,
        ca_pem=connection.ca_pem,
    )


def deadlines() -> Deadlines:
    """Return how long calls may take, as the knobs have it."""
    knobs = settings.CONNECTOR
    return Deadlines(
        read_seconds=knobs.sage_read_seconds,
        write_seconds=knobs.sage_write_seconds,
        post_seconds=knobs.sage_post_seconds,
    )


def sage_client(
    address: SageAddress, transport: Transport, *, observe: Observe | None = None
) -> Sage300Client:
    """Return a client for this address."""
    return Sage300Client(address, transport, deadlines=deadlines(), observe=observe)
