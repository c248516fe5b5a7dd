"""How BILL says no, and how it writes JSON.

The body of every refusal is a bare JSON array of objects with timestamp, code, severity, category and
message (developer.bill.com, common API error codes, 2026-06-15).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.standins.messages import ActionError, Reply

Json = dict[str, Any]
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of a refusal."""

    code: str
    message: str
    category: str = "REQUEST"


class Refusal(ActionError):
    """Ends a call, or a person's action, with one of BILL's error answers."""

    def __init__(self, status: int, *complaints: Complaint) -> None:
        super().__init__(f"{status} {[complaint.message for complaint in complaints]}")
        self.status = status
        self.complaints = complaints


def refuse(status: int, code: str, message: str, category: str = "REQUEST") -> Refusal:
    """A refusal with one entry."""
    return Refusal(status, Complaint(code, message, category))


def bad_fields(problems: Sequence[str]) -> Refusal:
    """Field validation: one entry for each problem, as `field.path: problem`."""
    return Refusal(400, *(Complaint("BDC_1143", problem) for problem in problems))


def bad_field(problem: str) -> Refusal:
    """Field validation with one problem."""
    return bad_fields([problem])


def unknown_record(record_id: str) -> Refusal:
    """There is no such record, or not in this organization."""
    return refuse(404, "BDC_1205", f"No record found for id {record_id}.")


def unknown_path() -> Refusal:
    """There is no such path or method; BILL minds capitals."""
    return refuse(404, "BDC_1121", "API not supported.")


def refusal_reply(refusal: Refusal, timestamp: str) -> Reply:
    """The error answer on the wire."""
    entries = [
        {
            "timestamp": timestamp,
            "code": complaint.code,
            "severity": "ERROR",
            "category": complaint.category,
            "message": complaint.message,
        }
        for complaint in refusal.complaints
    ]
    return Reply(status=refusal.status, body=minified(entries), headers=dict(JSON_TYPE))


def minified(content: object, *, money_as_text: bool = False) -> bytes:
    """JSON without a needless byte. Amounts are numbers, as doubles like BILL's own, or texts."""
    default = str if money_as_text else _as_double
    text = json.dumps(content, default=default, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _as_double(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON.")


def ok(content: bytes, status: int = 200) -> Reply:
    """A JSON answer from ready bytes."""
    return Reply(status=status, body=content, headers=dict(JSON_TYPE))
