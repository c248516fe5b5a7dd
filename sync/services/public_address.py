"""Where BILL reaches this installation, and why it cannot where it cannot."""

from __future__ import annotations

import ipaddress
import uuid
from urllib.parse import urlsplit

from django.conf import settings


def why_polling_only() -> str:
    """Why BILL cannot reach this installation, or "" where it can."""
    url = settings.PUBLIC_URL
    if not url:
        return (
            "Polling only: this installation has no public address. Its operator sets PUBLIC_URL "
            "to the https address that BILL can reach."
        )
    if url.startswith("https://") or (settings.PRACTICE and _is_loopback(url)):
        return ""
    return (
        f"Polling only: BILL sends to https addresses and PUBLIC_URL is {url}. Its operator puts "
        "https before it."
    )


def notification_url(address_id: uuid.UUID) -> str:
    """Where BILL sends a company's notifications."""
    return f"{settings.PUBLIC_URL}/webhooks/bill/{address_id}/"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
