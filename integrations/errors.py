"""What can go wrong at a window, and who must act on it.

Each class has one disposition, so that nobody above has to look at a status or a code again.
The tables that map a vendor's codes to these classes live beside each client.
Every error carries two messages: `sentence` for the bookkeeper (what, why, what to do) and
`str(error)` for the log.
"""

from __future__ import annotations

from enum import StrEnum


class Disposition(StrEnum):
    """What the caller does next with an error."""

    RETRY_LATER = "retry_later"
    LOOK_FIRST = "look_first"
    FIX_CONNECTION = "fix_connection"
    FIX_DATA = "fix_data"
    BUG = "bug"


class IntegrationError(Exception):
    """Root of everything a window raises.

    `request_id` is ours, `http_status` is 0 where no answer came, `vendor_code` is BILL's `BDC_n`
    or Sage's `error.code`, `vendor_message` is the vendor's own text, cut to 300 characters. `system`
    is BILL where its window raised it, "" elsewhere: work in Sage reads in BILL meanwhile, and the
    one that refused must be the one that is paused.
    """

    disposition = Disposition.BUG
    system = ""

    def __init__(
        self,
        message: str,
        *,
        sentence: str = "",
        request_id: str = "",
        http_status: int = 0,
        vendor_code: str = "",
        vendor_message: str = "",
    ) -> None:
        super().__init__(message)
        self.sentence = sentence or message
        self.request_id = request_id
        self.http_status = http_status
        self.vendor_code = vendor_code
        self.vendor_message = vendor_message[:300]


class Unreachable(IntegrationError):
    """No byte of the request can have been acted on: name, connect, TLS, or our own guard."""

    disposition = Disposition.RETRY_LATER


class AddressRefused(IntegrationError):
    """The address guard does not allow this host; somebody must correct the address."""

    disposition = Disposition.FIX_CONNECTION


class RateLimited(IntegrationError):
    """The vendor, or our own governor for it, asks for patience; `retry_after_seconds` from now."""

    disposition = Disposition.RETRY_LATER

    def __init__(self, message: str, *, retry_after_seconds: float, **rest: object) -> None:
        super().__init__(message, **rest)  # type: ignore[arg-type]
        self.retry_after_seconds = retry_after_seconds


class ServerFault(IntegrationError):
    """A read was answered by a fault of theirs (5xx, cut answer); reading again later is harmless."""

    disposition = Disposition.RETRY_LATER


class OutcomeUnknown(IntegrationError):
    """A write was sent and its answer is lost, cut or unreadable: it may have happened."""

    disposition = Disposition.LOOK_FIRST


class AuthRefused(IntegrationError):
    """The credentials or rights are refused; the connection pauses so that no account is locked."""

    disposition = Disposition.FIX_CONNECTION


class Rejected(IntegrationError):
    """Understood and refused for what the request says."""

    disposition = Disposition.FIX_DATA


class NotFound(IntegrationError):
    """The thing asked for is not there."""

    disposition = Disposition.FIX_DATA


class Busy(IntegrationError):
    """A person holds the record (Sage answers 409 `General` while a batch is open on a screen)."""

    disposition = Disposition.RETRY_LATER


class UnexpectedAnswer(IntegrationError):
    """An answer this product does not understand; on a write it counts as OutcomeUnknown."""

    disposition = Disposition.BUG
