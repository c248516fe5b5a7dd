"""What BILL leaves open, or does one way today and another tomorrow, as named switches.

Each default is what BILL documents; where nothing is documented it is the case that is harder for a
client. A switch changes how the pretended BILL behaves and never what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from integrations.standins.messages import ActionError


@dataclass(slots=True, kw_only=True)
class Switches:
    """The switches; each comment says what the settings mean."""

    # Signing in, sessions, limits.
    credential_status: int = (
        401  # 400 | 401: status of BDC_1101, 1102, 1103, 1110 and 1123 at login
    )
    failed_logins_before_lock: int = 5  # wrong passwords in a row until BDC_1110; 0 = never
    lost_session_as_untrusted: bool = False  # 403 BDC_1361 instead of 401 BDC_1109
    session_seconds: int = 35 * 60
    token_session_seconds: int = 48 * 3600
    limit_status: int = 422  # 422 | 429: status of the refusals below
    max_concurrent: int = 3  # requests at a time for one key and organization
    max_requests_per_hour: int = 20_000  # for one key, in a clock hour
    max_logins_per_hour: int = 200
    max_logins_per_minute: int = 5
    seconds_per_call: float = 0.0  # how long each call takes, so that calls overlap
    forbidden_operations: list[str] = field(default_factory=list)  # "GET /v3/bills/{billId}" …
    permission_status: int = 403

    # Lists and the shape of answers.
    last_page: str = "omitted"  # "omitted" | "null" | "empty": nextPage on the last page
    cursor_kind: str = "key"  # "key" | "offset": with offsets, rows that move shift the others
    empty_page_with_cursor: bool = False  # every other page holds no rows, and a cursor
    repeat_cursor: bool = False  # a page names itself as the next
    thin_list_rows: bool = False  # list rows lack payment details and approvers
    approval_status_filter: bool = False  # approvalStatus as a filter (not documented)
    archived_in_default_lists: bool = True
    money_as_text: bool = False
    approvers_in_plain_reads: bool = True

    # Bills, vendors, approvals.
    duplicate_invoice_numbers: bool = True  # off: 422 BDC_1171
    edit_after_approval: str = "never"  # "never" | "until_approved" | "always" (through the API)
    edit_resets_approval: bool = False  # an edited approved bill waits for approval again
    approval_moves_updated_time: bool = False
    approval_sends_event: bool = False
    merge_moves_updated_time: bool = True
    merged_vendor_vanishes: bool = False  # off: the lost vendor is archived; on: 404
    partial_payment_status: str = "PARTIALLY_PAID"

    # Notifications.
    allow_http_loopback: bool = True  # http:// is taken for 127.0.0.1 and localhost
    updated_events: str = "select"  # "select": only for the fields BILL names | "all"
    webhooks_lost: bool = False  # nothing is sent
    webhook_body: str = "minified"  # "minified" | "pretty" (signed minified) | "text" (JSON string)
    webhook_signature: str = "right"  # "right" | "wrong" | "old_key" | "none"
    webhook_version_as_number: bool = False
    webhook_copies: int = 1
    webhook_reorder: bool = False  # every other notification overtakes the one before it
    webhook_delay_seconds: float = 0.0
    history_while_disabled: bool = True  # events of a switched-off subscription stay in its history
    retry_scale: float = 1.0  # 0.01 makes the waits of 2, 4, 8, 16 s a hundredth
    answer_seconds: float = 10.0  # how long a receiver may take

    def as_dict(self) -> dict[str, object]:
        """All switches with their present values."""
        return asdict(self)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set several switches at once, or none where one of them cannot be."""
        known = {each.name for each in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ActionError(f"There is no switch {name!r}.")
            self._refuse_unfit(name, value)
        for name, value in changes.items():
            present = getattr(self, name)
            setattr(self, name, float(value) if isinstance(present, float) else value)

    def _refuse_unfit(self, name: str, value: object) -> None:
        present = getattr(self, name)
        numbers = isinstance(present, float) and not isinstance(value, bool)
        fits = type(value) is type(present) or (numbers and _is_number(value))
        if not fits:
            raise ActionError(f"The switch {name!r} takes {type(present).__name__}, not {value!r}.")
        if name in CHOICES and value not in CHOICES[name]:
            raise ActionError(f"The switch {name!r} takes one of {CHOICES[name]}, not {value!r}.")


CHOICES: dict[str, tuple[object, ...]] = {
    "credential_status": (400, 401),
    "limit_status": (422, 429),
    "last_page": ("omitted", "null", "empty"),
    "cursor_kind": ("key", "offset"),
    "edit_after_approval": ("never", "until_approved", "always"),
    "updated_events": ("select", "all"),
    "webhook_body": ("minified", "pretty", "text"),
    "webhook_signature": ("right", "wrong", "old_key", "none"),
}


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True
