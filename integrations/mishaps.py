"""What a failure on the wire means, in words.

The transport knows how far a request got; this room turns that into the error that says whether a
write may have happened, with a sentence for the person who reads it.
"""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

from integrations.errors import (
    AddressRefused,
    IntegrationError,
    OutcomeUnknown,
    ServerFault,
    UnexpectedAnswer,
)

MEBIBYTE = 1024 * 1024


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret replaced by ***."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def lost(what: str, *, system: str, is_write: bool, is_late: bool) -> IntegrationError:
    """The answer never came, or not whole; `what` is for the log and already redacted."""
    how = "took too long to answer" if is_late else "broke off its answer"
    if not is_write:
        return ServerFault(
            f"answer lost: {what}", sentence=f"{system} {how}. It will be asked again."
        )
    sentence = (
        f"{system} {how} while something was being written, so it may or may not have been "
        "done. The connector looks before it sends anything again."
    )
    return OutcomeUnknown(f"answer to a write lost: {what}", sentence=sentence)


def too_large(max_bytes: int, *, system: str, is_write: bool, status: int) -> IntegrationError:
    """The answer passed the cap and was dropped."""
    sentence = (
        f"{system} sent an answer of more than {max_bytes // MEBIBYTE} MB, which is not what "
        "was asked for. Check that the address leads to the right server."
    )
    kind = OutcomeUnknown if is_write else UnexpectedAnswer
    return kind("answer too large", sentence=sentence, http_status=status)


def redirected(location: str, *, system: str, status: int) -> AddressRefused:
    """The server sends us elsewhere; the host it names is all that is said of it."""
    host = urlsplit(location).hostname or ""
    elsewhere = f" to {host}" if host else ""
    sentence = (
        f"{system} sends us on{elsewhere} instead of answering. Enter the address it really "
        "answers at under Connections; the connector does not follow, as it would carry the "
        "password along."
    )
    return AddressRefused("redirect refused", sentence=sentence, http_status=status)


def authority_unreadable(error: ssl.SSLError | ValueError) -> AddressRefused:
    """The stored certificate authority is not a certificate."""
    sentence = (
        "The stored certificate authority cannot be read. Paste it again under Connections, "
        "from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----."
    )
    return AddressRefused(f"CA not readable: {error}", sentence=sentence)
