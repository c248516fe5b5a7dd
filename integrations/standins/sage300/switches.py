"""The choices a real installation makes for itself, each a switch.

Where the reference marks a behaviour unknown, the stand-in can behave either way, so that the
product is tried against both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from integrations.standins.messages import ActionError

_CHOICES = {
    "password_case": {"upper", "sensitive"},
    "batch_failure_mode": {"atomic", "header_left", "entries_left"},
    "over_length": {"refuse", "truncate"},
    "undistributed": {"accept", "refuse"},
    "zero_total": {"accept", "refuse"},
    "last_entry_delete": {"allow", "refuse"},
    "account_echo": {"formatted", "unformatted", "as_sent"},
    "default_posting_date": {"document", "session"},
    "names": {"rule", "sister"},
}


@dataclass
class Switches:
    """Every switch with its usual position."""

    password_case: str = "upper"  # noqa: S105 - the name of a choice
    admin_allowed: bool = False
    session_cookies: bool = False  # a cookie stands in for credentials, even wrong ones
    companies_list: bool = False  # v1.0/-/Companies answers
    page_size: int = 100
    allow_ge: bool = False
    allow_contains: bool = False
    allow_orderby: bool = False
    max_query_length: int = 2048  # IIS; 0 = no limit
    max_body_bytes: int = 30_000_000  # IIS; 0 = no limit
    strict_paths: bool = True  # ASP.NET refuses some characters in a path, even encoded
    batch_failure_mode: str = "atomic"
    refusal_names_entry: bool = True
    number_check_race: float = 0.0  # seconds between checking a document number and writing it
    seconds_per_entry: float = 0.0
    posting_seconds: float = 0.0
    over_length: str = "refuse"
    undistributed: str = "accept"  # at insert; it is never postable
    zero_total: str = "accept"
    last_entry_delete: str = "allow"
    force_listing: bool = False
    release_before_2021: bool = False
    account_echo: str = "formatted"
    default_posting_date: str = "document"
    decimal_keys: bool = False  # batch numbers are written 58.0
    names: str = "rule"  # spelling of posted documents and of the posting process
    language: str = "en-US"
    code_page: str = "cp1252"  # "" keeps every character

    def as_dict(self) -> dict[str, object]:
        """The present positions."""
        return asdict(self)

    def change(self, changes: Mapping[str, Any]) -> None:
        """Set switches, all or none; raises ActionError naming the first that does not fit."""
        known: dict[str, type] = {
            field.name: type(getattr(Switches(), field.name)) for field in fields(self)
        }
        for name, value in changes.items():
            if name not in known:
                raise ActionError(f"There is no switch {name!r}.")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ActionError(f"{name} is one of {', '.join(sorted(_CHOICES[name]))}.")
            fits = isinstance(value, known[name]) and (known[name] is bool or value is not True)
            if not fits and not (known[name] is float and str(value).replace(".", "").isdigit()):
                raise ActionError(f"{name} must be a {known[name].__name__}.")
        for name, value in changes.items():
            setattr(self, name, known[name](value))
