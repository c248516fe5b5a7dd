"""How one posting reads as a row: its second line, and what stands in Sage's column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from sync.domain.problems import CODES, ProblemCode
from sync.domain.words import count_of, shown
from sync.models import Posting
from sync.queries.postings import Standing, standing_of

APPROVAL_WORDS = {
    "ASSIGNED": "for approval in BILL",
    "APPROVING": "approved by some in BILL, not all",
    "UNASSIGNED": "has no approver in BILL",
    "DENIED": "denied in BILL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A posting as plain values; `query` makes its second line a link to all bills of the cause."""

    posting: Posting
    standing: Standing
    second: str
    query: str
    in_bill: Decimal | None
    in_sage: Decimal | None
    sage_word: str
    ties: bool
    warning: str

    @property
    def difference(self) -> Decimal | None:
        """BILL less Sage, where both are known and differ."""
        if self.in_sage is None or self.in_bill is None or self.in_bill == self.in_sage:
            return None
        return self.in_bill - self.in_sage


def rows_of(postings: Iterable[Posting]) -> list[Row]:
    """Every posting of a page as a row; no query."""
    return [_row(posting) for posting in postings]


def _row(posting: Posting) -> Row:
    standing = standing_of(posting.state, posting.sage_status)
    second, query = _second(posting, standing)
    in_bill = getattr(posting, "bill_amount", posting.amount)
    in_sage = posting.sage_amount if posting.sage_batch_number is not None else None
    changed = posting.changed_in_bill_at is not None
    return Row(
        posting=posting,
        standing=standing,
        second=second,
        query=query,
        in_bill=in_bill,
        in_sage=in_sage,
        sage_word="" if in_sage is not None else _sage_word(posting, standing),
        ties=posting.state == "IN_SAGE" and in_sage == posting.amount == in_bill and not changed,
        warning="Changed in BILL after it was sent" if changed else "",
    )


def _second(posting: Posting, standing: Standing) -> tuple[str, str]:
    match standing:
        case Standing.WAITING:
            word = APPROVAL_WORDS.get(getattr(posting, "approval", ""), "")
            return word or shown(posting.sentence, 90), ""
        case Standing.BLOCKED:
            return _cause(posting)
        case Standing.REVIEW:
            if any(item["code"] == ProblemCode.POSSIBLE_DUPLICATE for item in posting.problems):
                return "possible duplicate", ""
            number = len(posting.warnings)
            return (count_of(number, "warning") if number else "no warning"), ""
        case Standing.READY:
            return "goes with the next batch", ""
        case Standing.IN_FLIGHT:
            return "sent, waits for the answer", ""
        case Standing.UNCERTAIN:
            return "answer lost, never resent blind", ""
        case Standing.POSTED:
            sequence = posting.posting_sequence
            return (f"sequence {sequence}" if sequence else ""), ""
        case Standing.ATTENTION | Standing.SKIPPED:
            return shown(posting.sentence, 70), ""
        case _:
            return shown(posting.sentence, 60), ""


def _cause(posting: Posting) -> tuple[str, str]:
    holds = [item for item in posting.problems if item["severity"] == "holds"]
    if not holds:
        return shown(posting.sentence, 60), ""
    first = holds[0]
    text = CODES[ProblemCode(first["code"])].title
    if first["subject_name"]:
        text = f"{text}: {first['subject_name']}"
    if len(holds) > 1:
        text = f"{text}, and {len(holds) - 1} more"
    query = urlencode({"cause": f"{first['code']}:{first['subject']}"}) if first["subject"] else ""
    return shown(text, 90), query


def _sage_word(posting: Posting, standing: Standing) -> str:
    match standing:
        case Standing.IN_FLIGHT | Standing.UNCERTAIN:
            return "not seen"
        case Standing.ATTENTION if posting.sage_batch_number is not None:
            return "not as sent"
        case Standing.ATTENTION:
            return "not there"
        case Standing.SKIPPED:
            return "never sent" if posting.is_identity_clean else "not seen"
        case _:
            return "not sent" if posting.is_identity_clean else "not seen"
