"""Why a bill that is approved in BILL does not stand so in Sage: one reason, in words, for each.

What people did to an entry in Sage, and what our own posting says, each lead to a difference with
the amount it takes off its period's addition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sync.domain.posting_state import PostingState
from sync.domain.problems import CODES, Acts, Problem, ProblemCode
from sync.domain.reconciliation import Difference, Kind, Target

ZERO = Decimal(0)
GUESSED = "No line was guessed, and nothing was sent"
S = PostingState
_ABOUT_VENDOR = frozenset(
    {ProblemCode.VENDOR_NOT_LINKED, ProblemCode.VENDOR_AMBIGUOUS, ProblemCode.VENDOR_TAKEN,
     ProblemCode.VENDOR_MISSING_IN_SAGE}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One bill as BILL has it, with where our posting of it stands.

    `period` is that of the bill's own date ("" where it has none); `amount` is what BILL says now.
    `was_in_sage` where an entry of it was read back before; `who` left it out.
    """

    posting_id: str
    name: str
    state: PostingState
    amount: Decimal
    currency: str
    period: str
    is_approved: bool = True
    since: datetime | None = None
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    change_note: str = ""
    dealt_with: str = ""
    who: str = ""
    is_before_cutover: bool = False
    was_in_sage: bool = False
    batch_number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SageEntry:
    """One entry of ours as Sage showed it; `differences` are those to what we sent."""

    batch_number: int
    entry_number: int
    status: str
    amount: Decimal
    period: str
    currency: str
    differences: tuple[str, ...] = ()


def explain(
    claim: Claim, entries: Sequence[SageEntry], batches: Mapping[int, str]
) -> Iterator[Difference]:
    """Every difference between a bill and its entries; `batches` is the status of each batch listed."""
    if not entries:
        if claim.is_approved:
            yield _not_there(claim, batches)
        return
    own = next((one for one in entries if one.batch_number == claim.batch_number), entries[0])
    for extra in entries:
        if extra is not own:
            yield _twice(claim, extra, own)
    yield from _compare(claim, own)


def _compare(claim: Claim, entry: SageEntry) -> Iterator[Difference]:
    approved = claim.amount if claim.is_approved else ZERO
    apart = approved - entry.amount
    if (entry.period, entry.currency) != (claim.period, claim.currency):
        is_comparable = claim.is_approved and entry.currency == claim.currency
        yield from _elsewhere(claim, entry, entry.amount if is_comparable else approved)
        # What merely lies in another period is explained; what it differs by there is not.
        entry = replace(entry, period=claim.period) if is_comparable else entry
        apart = apart if is_comparable else ZERO
    amount = apart or None
    if claim.state is S.ATTENTION:
        yield _single(claim, Kind.ENTRY_STOPPED, entry, amount, do="Decide",
                      title=f"{claim.name} is not in Sage as it was sent", detail=claim.sentence)  # fmt: skip
    elif claim.who:
        if amount:
            yield _single(claim, Kind.LEFT_OUT, entry, amount,
                          title=f"{claim.name} is left as it lies in Sage",
                          detail=f"{_where(entry)}; handled outside, said {claim.who}")  # fmt: skip
    elif claim.state not in {S.IN_SAGE, S.IN_FLIGHT, S.UNCERTAIN}:
        yield _single(claim, Kind.ENTRY_TURNED_UP, entry, amount,
                      title=f"{claim.name} lies in Sage, and our records do not say so",
                      detail=f"{_where(entry)}; the next run looks at it")  # fmt: skip
    elif claim.dealt_with and amount and not entry.differences:
        yield _single(claim, Kind.DEALT_WITH, entry, amount, detail=claim.dealt_with,
                      title=f"{claim.name} stays in Sage as it was sent")  # fmt: skip
    elif not claim.is_approved:
        yield _single(claim, Kind.GONE_FROM_BILL, entry, amount, do="Reverse it in Sage, or restore it in BILL",
                      title=f"{claim.name} is no longer approved in BILL and stays in Sage",
                      detail=f"{_where(entry)}, {entry.status}. {claim.change_note}".strip())  # fmt: skip
    elif claim.change_note:
        both = f"{entry.amount:,.2f} in Sage, {claim.amount:,.2f} in BILL"
        yield _single(claim, Kind.CHANGED_IN_BILL, entry, amount, do="Look at the change",
                      title=f"{claim.name} changed in BILL after it was sent",
                      detail=f"{_where(entry)}, {entry.status}: {both if amount else claim.change_note}")  # fmt: skip
    elif entry.differences:
        yield _single(claim, Kind.ENTRY_CHANGED, entry, amount,
                      title=f"{claim.name} was changed in Sage",
                      detail=f"{_where(entry)}: {'; '.join(entry.differences)}")  # fmt: skip
    elif amount:
        yield _single(claim, Kind.UNEXPLAINED, entry, amount, do="Look at it",
                      title=f"{claim.name} differs, and nothing here says why",
                      detail=f"{_where(entry)}: {entry.amount:,.2f} in Sage, {claim.amount:,.2f} in BILL")  # fmt: skip


def _elsewhere(claim: Claim, entry: SageEntry, moved: Decimal) -> Iterator[Difference]:
    """It counts in one period of BILL's side and in another of Sage's: one item in each.

    `moved` is what it takes from BILL's period.
    """
    common = {
        "kind": Kind.OTHER_PERIOD,
        "target": Target.POSTING,
        "target_id": claim.posting_id,
        "since": claim.since,
    }
    there = entry.period if entry.period != claim.period else entry.currency
    here = claim.period if entry.period != claim.period else claim.currency
    if moved:
        yield Difference(
            **common,  # type: ignore[arg-type]
            key=f"other_period:{claim.posting_id}:out",
            title=f"{claim.name} is in {there or 'no period'} in Sage",
            detail=f"{_where(entry)}, {entry.status}",
            period=claim.period,
            currency=claim.currency,
            bills=1,
            amount=moved,
        )
    yield Difference(
        **common,  # type: ignore[arg-type]
        key=f"other_period:{claim.posting_id}:in",
        title=f"{claim.name} belongs to {here or 'no period'} in BILL",
        detail=f"{_where(entry)}, {entry.status}",
        period=entry.period,
        currency=entry.currency,
        bills=1,
        amount=-entry.amount,
    )


def _twice(claim: Claim, extra: SageEntry, own: SageEntry) -> Difference:
    return Difference(
        kind=Kind.ENTRY_TWICE,
        key=f"entry_twice:{claim.posting_id}:{extra.batch_number}:{extra.entry_number}",
        title=f"{claim.name} stands twice in Sage",
        detail=f"{_where(own)}, and {_where(extra)}",
        do="Remove one of them in Sage",
        target=Target.POSTING,
        target_id=claim.posting_id,
        period=extra.period,
        currency=extra.currency,
        bills=1,
        amount=-extra.amount,
    )


def _single(
    claim: Claim,
    kind: Kind,
    entry: SageEntry,
    amount: Decimal | None,
    *,
    title: str,
    detail: str = "",
    do: str = "",
) -> Difference:
    return Difference(
        kind=kind,
        key=f"{kind}:{claim.posting_id}",
        title=title,
        detail=detail,
        do=do,
        target=Target.POSTING,
        target_id=claim.posting_id,
        period=entry.period,
        currency=entry.currency,
        bills=1,
        amount=amount,
        since=claim.since,
    )


# --- approved in BILL, and no entry in Sage -------------------------------------------------------


def _not_there(claim: Claim, batches: Mapping[int, str]) -> Difference:
    """Why an approved bill has no entry in Sage."""
    match claim.state:
        case S.IN_SAGE:
            return _vanished(claim, batches)
        case S.BLOCKED:
            return _blocked(claim)
        case S.ATTENTION:
            return _stopped(claim)
        case S.REVIEW:
            return _group(claim, Kind.REVIEW, "", title="Approved in BILL, waits for your yes",
                          target=Target.REVIEW)  # fmt: skip
        case S.UNCERTAIN:
            return _group(claim, Kind.UNCERTAIN, claim.posting_id, title=claim.name,
                          detail=claim.sentence, target=Target.POSTING)  # fmt: skip
        case S.IN_FLIGHT:
            return _group(claim, Kind.IN_FLIGHT, "", title="Being sent to Sage")
        case S.READY:
            return _group(claim, Kind.READY, "", title="Goes with the next batch")
        case S.SKIPPED:
            return _left_out(claim)
        case S.WAITING:
            return _waiting(claim)


def _vanished(claim: Claim, batches: Mapping[int, str]) -> Difference:
    number = claim.batch_number
    status = batches.get(number)
    kind, title = Kind.ENTRY_GONE, f"Batch {number} no longer holds what we sent"
    if status is None:
        kind, title = Kind.BATCH_GONE, f"Sage does not list batch {number} any more"
    elif status == "Deleted":
        kind, title = Kind.BATCH_DELETED, f"Batch {number} was deleted in Sage"
    return _group(claim, kind, str(number), title=title, target=Target.BATCH, target_id=str(number),
                  detail="The next run looks for what became of it", is_dated=False)  # fmt: skip


def _blocked(claim: Claim) -> Difference:
    holding = [found for found in claim.problems if found.holds]
    if not holding:
        return _group(claim, Kind.BLOCKED, claim.posting_id, title=claim.name,
                      detail=claim.sentence, do="Look at it", target=Target.POSTING)  # fmt: skip
    cause = holding[0]
    target, target_id, do = _mend(cause)
    subject = cause.subject or claim.posting_id
    return _group(
        claim,
        Kind.BLOCKED,
        f"{cause.code}:{subject}",
        title=_titled(cause, claim),
        detail=GUESSED if cause.code is ProblemCode.ACCOUNT_UNMAPPED else cause.sentence,
        do=do,
        target=target if cause.subject else Target.POSTING,
        target_id=target_id if cause.subject else claim.posting_id,
    )


def _titled(cause: Problem, claim: Claim) -> str:
    if cause.code is ProblemCode.ACCOUNT_UNMAPPED:
        return f"{cause.subject_name} has no Sage account"
    if cause.code in _ABOUT_VENDOR and cause.subject_name:
        return f"Which vendor is {cause.subject_name}?"
    return f"{CODES[cause.code].title}: {cause.subject_name if cause.subject else claim.name}"


def _mend(cause: Problem) -> tuple[Target, str, str]:
    if cause.code is ProblemCode.ACCOUNT_UNMAPPED:
        return Target.BILL_ACCOUNT, cause.subject, "Map it"
    if cause.code in _ABOUT_VENDOR:
        return Target.VENDOR, cause.subject, "Decide"
    do = {Acts.HERE: "Mend it here", Acts.BILL: "Mend it in BILL", Acts.SAGE: "Mend it in Sage",
          Acts.IT: "Ask your IT"}[cause.acts]  # fmt: skip
    return Target.ATTENTION, "", do


def _stopped(claim: Claim) -> Difference:
    kind, title = Kind.REFUSED, f"Sage did not take {claim.name}"
    if claim.was_in_sage:
        kind, title = Kind.ENTRY_STOPPED, f"{claim.name} is not in Sage any more"
    return _group(claim, kind, claim.posting_id, title=title, detail=claim.sentence,
                  do="Decide", target=Target.POSTING)  # fmt: skip


def _left_out(claim: Claim) -> Difference:
    if claim.who:
        return _group(claim, Kind.LEFT_OUT, claim.who, detail=claim.who,
                      title="Left out, or handled outside, by a person")  # fmt: skip
    return _group(claim, Kind.RULED_OUT, _mark(claim.sentence), title=claim.sentence.rstrip("."))


def _waiting(claim: Claim) -> Difference:
    if claim.is_before_cutover:
        return _group(claim, Kind.BEFORE_CUTOVER, "", title="Entered in BILL before your first day",
                      detail="Your policy leaves them in BILL; one may be sent by itself")  # fmt: skip
    return _group(claim, Kind.WAITING, _mark(claim.sentence), title="Approved in BILL, and waits",
                  detail=claim.sentence)  # fmt: skip


def _group(
    claim: Claim,
    kind: Kind,
    subject: str,
    *,
    title: str,
    detail: str = "",
    do: str = "",
    target: Target = Target.NONE,
    target_id: str = "",
    is_dated: bool = True,
) -> Difference:
    """One bill's share of a difference that others of its period may have too."""
    return Difference(
        kind=kind,
        key=f"{kind}:{claim.period}:{claim.currency}:{subject}"[:200],
        title=title,
        detail=detail,
        do=do,
        target=target,
        target_id=target_id or (claim.posting_id if target is Target.POSTING else ""),
        period=claim.period,
        currency=claim.currency,
        bills=1,
        amount=claim.amount,
        since=claim.since if is_dated else None,
    )


def _where(entry: SageEntry) -> str:
    return f"batch {entry.batch_number}, entry {entry.entry_number}"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
