"""What passed over the line in one write, as text for people: no headers, so no secrets.

Of a batch only the entry in question is shown in full; the others are one line each.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.domain.words import count_of
from sync.models import Answer, Attempt

CALLS = {
    "PostBatch": "POST AP/APInvoiceBatches",
    "SetReady": "PATCH AP/APInvoiceBatches({number})",
    "RenameBatch": "PATCH AP/APInvoiceBatches({number})",
    "RemoveEntries": "PATCH AP/APInvoiceBatches({number})",
    "ProcessBatch": "POST AP/APPostInvoices('$process')",
}
SUMMARIES = {
    "PostBatch": "Asked Sage to create the batch",
    "SetReady": "Asked Sage to set batch {number} Ready To Post",
    "RenameBatch": "Asked Sage to rename batch {number}",
    "RemoveEntries": "Asked Sage to remove a second copy from batch {number}",
    "ProcessBatch": "Asked Sage to post batch {number}",
}
LONGEST = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class WireText:
    """One write: `outcome` is ok, rejected, unknown, not_sent, or "" while no answer is known."""

    summary: str
    request: str
    answer: str
    outcome: str
    sent_at: datetime
    seconds: float | None


def wire_text(attempt: Attempt, *, order_number: str = "") -> WireText:
    """The request and answer of an attempt, with the entry of `order_number` in full."""
    answer = _answer_of(attempt)
    ended = answer.ended_at if answer else None
    summary = SUMMARIES.get(attempt.operation, attempt.operation).format(number=attempt.tag)
    return WireText(
        summary=summary,
        request=_request(attempt, order_number)[:LONGEST],
        answer=_answer(answer)[:LONGEST],
        outcome=answer.outcome if answer else "",
        sent_at=attempt.started_at,
        seconds=(ended - attempt.started_at).total_seconds() if ended else None,
    )


def _answer_of(attempt: Attempt) -> Answer | None:
    try:
        return attempt.answer
    except Answer.DoesNotExist:
        return None


def _request(attempt: Attempt, order_number: str) -> str:
    call = CALLS.get(attempt.operation, attempt.operation).format(number=attempt.tag)
    try:
        body = json.loads(attempt.request)
    except ValueError:
        return f"{call}\n{attempt.request}" if attempt.request else call
    if isinstance(body, dict) and isinstance(body.get("Invoices"), list):
        body = _only(body, order_number)
    return f"{call}\n\n{json.dumps(body, indent=2, ensure_ascii=False)}"


def _only(body: dict[str, Any], order_number: str) -> dict[str, Any]:
    """The batch with the other entries counted instead of shown."""
    invoices = body["Invoices"]
    ours = [one for one in invoices if order_number and one.get("OrderNumber") == order_number]
    rest = len(invoices) - len(ours)
    if not ours or not rest:
        return body
    others = count_of(rest, "other entry", "other entries")
    return {**body, "Invoices": [*ours, f"… and {others}"]}


def _answer(answer: Answer | None) -> str:
    if answer is None:
        return "No answer is known yet."
    parts = [
        f"{answer.http_status}" if answer.http_status else "",
        answer.vendor_code,
        f"BatchNumber {answer.batch_number}" if answer.batch_number else "",
    ]
    head = " · ".join(part for part in parts if part)
    words = {
        "ok": "Answered",
        "rejected": "Refused",
        "unknown": "The answer was lost",
        "not_sent": "Nothing was sent",
    }.get(answer.outcome, answer.outcome)
    reference = f"Request {answer.request_id}" if answer.request_id else ""
    lines = [f"{words}{': ' + head if head else ''}", answer.text, reference]
    return "\n".join(line for line in lines if line)
