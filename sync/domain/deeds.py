"""What a person may do with one posting as it stands, each deed with its consequence in words.

Pages show what is offered and the write side refuses what is not, by the same rule, so nobody
presses a button that leads nowhere. While a posting is being sent or looked up nothing is offered:
the machine must find out first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode


class Deed(StrEnum):
    """One thing a person does with one posting."""

    APPROVE = "approve"
    ACCEPT_DUPLICATE = "accept_duplicate"
    ALLOW_OLDER = "allow_older"
    LOOKED_IN_SAGE = "looked_in_sage"
    REPLAY = "replay"
    HANDLED_OUTSIDE = "handled_outside"
    LEAVE_OUT = "leave_out"
    TAKE_BACK = "take_back"
    DEALT_WITH = "dealt_with"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the rule looks at.

    `lies_in_sage`: an entry of ours is known to be there; `was_in_sage`: one once was.
    `is_changed`: BILL changed it after it was sent, and nobody has dealt with that.
    `is_before_cutover`: only the company's
    first day keeps it. `codes` are the codes of its problems.
    """

    state: PostingState
    codes: Collection[str] = ()
    lies_in_sage: bool = False
    was_in_sage: bool = False
    is_changed: bool = False
    is_before_cutover: bool = False
    is_skipped_by_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A button: what it says, what it will do, and the note it asks for ("" asks none)."""

    deed: Deed
    label: str
    consequence: str
    note_label: str = ""
    is_primary: bool = False


_APPROVE = Offer(
    deed=Deed.APPROVE,
    label="Approve to post",
    consequence="It goes to Sage with the next batch.",
    is_primary=True,
)
_ACCEPT_DUPLICATE = Offer(
    deed=Deed.ACCEPT_DUPLICATE,
    label="It is another invoice, send it",
    consequence="Its document number gets a suffix, since Sage takes a number once per vendor.",
    note_label="How you know",
    is_primary=True,
)
_ALLOW_OLDER = Offer(
    deed=Deed.ALLOW_OLDER,
    label="Send this older bill",
    consequence="Only this one; other bills from before your first day stay where they are.",
    note_label="Why",
)
_LOOKED = Offer(
    deed=Deed.LOOKED_IN_SAGE,
    label="I looked in Sage, it is not there",
    consequence="We trust your word and may send it under its new number. If it is there after all,"
    " Sage would hold it twice.",
    note_label="Where you looked",
    is_primary=True,
)
_REPLAY = Offer(
    deed=Deed.REPLAY,
    label="Check again",
    consequence="It is decided anew, and looked up in Sage before anything is sent.",
    is_primary=True,
)
_SEND_AGAIN = replace(
    _REPLAY,
    label="Send again",
    consequence="It is decided anew, looked up in Sage, and sent once more only if it is not there.",
)
_DEALT_WITH = Offer(
    deed=Deed.DEALT_WITH,
    label="Mark as dealt with",
    consequence="It leaves Attention, and nothing is written to Sage. Another change in BILL brings it"
    " back. Your name and this note stay with it.",
    note_label="What was done in Sage, or why nothing was",
    is_primary=True,
)
_HANDLED = Offer(
    deed=Deed.HANDLED_OUTSIDE,
    label="Mark as handled outside",
    consequence="We leave it alone and never send it. Your name and this note stay with it.",
    note_label="Sage batch and entry, or how it was handled",
)
_LEAVE_OUT = Offer(
    deed=Deed.LEAVE_OUT,
    label="Leave it out",
    consequence="It is not sent until somebody takes it back. Your name and this note stay with"
    " it.",
    note_label="Reason",
)
_TAKE_BACK = Offer(
    deed=Deed.TAKE_BACK,
    label="Take it back",
    consequence="It is decided anew, as if it had just come from BILL.",
    is_primary=True,
)


def offers(standing: Standing) -> tuple[Offer, ...]:
    """The deeds a person may do now, the likeliest first."""
    match standing.state:
        case PostingState.WAITING:
            older = (_ALLOW_OLDER,) if standing.is_before_cutover else ()
            return (*older, _LEAVE_OUT)
        case PostingState.BLOCKED:
            looked = ProblemCode.SENT_UNDER_OTHER_NUMBER in standing.codes
            return (_LOOKED if looked else _REPLAY, _HANDLED, _LEAVE_OUT)
        case PostingState.REVIEW:
            is_duplicate = ProblemCode.POSSIBLE_DUPLICATE in standing.codes
            return (_ACCEPT_DUPLICATE if is_duplicate else _APPROVE, _HANDLED, _LEAVE_OUT)
        case PostingState.READY:
            return (_LEAVE_OUT,)
        case PostingState.ATTENTION:
            # An entry of ours is mended or removed in Sage, never sent a second time beside it.
            if standing.lies_in_sage:
                return (_HANDLED,)
            return (_SEND_AGAIN if standing.was_in_sage else _REPLAY, _HANDLED)
        case PostingState.SKIPPED:
            # What lies in Sage is not sent a second time, under whatever number.
            may_return = standing.is_skipped_by_person and not standing.lies_in_sage
            return (_TAKE_BACK,) if may_return else ()
        case PostingState.IN_SAGE:
            return (_DEALT_WITH,) if standing.is_changed else ()
        case PostingState.IN_FLIGHT | PostingState.UNCERTAIN:
            return ()


def find_offer(standing: Standing, deed: Deed) -> Offer | None:
    """The offer of this deed, or None where it is not open now."""
    return next((offer for offer in offers(standing) if offer.deed is deed), None)


def mark_of(bills: Iterable[tuple[object, Decimal | None]]) -> str:
    """A short name for exactly these bills, each with its amount.

    A count and a sum would be the same where one bill has taken the place of another.
    """
    told = sorted(f"{key}:{amount}" for key, amount in bills)
    return hashlib.sha256("|".join(told).encode()).hexdigest()[:24]
