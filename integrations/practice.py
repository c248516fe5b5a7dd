"""Which addresses this installation may call, from its settings.

The two practice addresses are the only way to a service on this machine: the stand-ins, or any
other implementation of the two APIs. They count only where practice is switched on.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from integrations.errors import AddressRefused
from integrations.guard import AddressPolicy, PolicyMode, origin_of
from integrations.transport import Transport

BILL_HOSTS = frozenset({"gateway.prod.bill.com", "gateway.stage.bill.com"})


def address_policy() -> AddressPolicy:
    """The operator's policy; raises ImproperlyConfigured naming the setting that makes no sense."""
    mode = PolicyMode(settings.SAGE_EGRESS_POLICY)
    ports = frozenset(settings.SAGE_EGRESS_PORTS)
    return AddressPolicy(
        mode=mode,
        networks=tuple(_network(text) for text in settings.SAGE_EGRESS_ALLOW),
        ports=ports,
        practice_origins=practice_origins(),
        trusted_hosts=BILL_HOSTS,
        forbidden_hosts=frozenset(_own_hosts()),
        allow_http=mode is PolicyMode.PRIVATE_OK and 80 in ports,
    )


def practice_origins() -> frozenset[str]:
    """The exact origins of the practice addresses, none where practice is off."""
    if not settings.PRACTICE:
        return frozenset()
    given = {
        "CONNECTOR_PRACTICE_BILL_URL": settings.PRACTICE_BILL_URL,
        "CONNECTOR_PRACTICE_SAGE_URL": settings.PRACTICE_SAGE_URL,
    }
    return frozenset(_origin(name, url) for name, url in given.items() if url)


def open_transport() -> Transport:
    """A transport under this installation's policy and knobs."""
    knobs = settings.CONNECTOR
    return Transport(
        address_policy(),
        connect_seconds=knobs.connect_seconds,
        max_bytes=knobs.answer_bytes,
        read_attempts=knobs.read_attempts,
        patience_seconds=knobs.patience_seconds,
    )


def _origin(name: str, url: str) -> str:
    try:
        return origin_of(url)
    except AddressRefused as error:
        raise ImproperlyConfigured(f"{name} is {url!r}. {error.sentence}") from error


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"SAGE_EGRESS_ALLOW holds {text!r}, which is no network. Write it like 10.1.0.0/16."
        ) from error


def _own_hosts() -> set[str]:
    database = str(settings.DATABASES["default"].get("HOST") or "")
    public = urlsplit(settings.PUBLIC_URL).hostname or ""
    return {host.lower() for host in (database, public) if host and not host.startswith("/")}
