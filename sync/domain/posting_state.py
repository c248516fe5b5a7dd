"""Where a posting can stand, and which way it may go from there.

One table for the machine and one for a person: no state is terminal for a person, and none is left
by the machine alone once it is IN_SAGE (unless Sage itself says the entry moved or vanished) or
SKIPPED by a person.
"""

from __future__ import annotations

from enum import StrEnum


class PostingState(StrEnum):
    """One posting's one state."""

    WAITING = "WAITING"
    BLOCKED = "BLOCKED"
    REVIEW = "REVIEW"
    READY = "READY"
    IN_FLIGHT = "IN_FLIGHT"
    UNCERTAIN = "UNCERTAIN"
    IN_SAGE = "IN_SAGE"
    ATTENTION = "ATTENTION"
    SKIPPED = "SKIPPED"


class AttentionMode(StrEnum):
    """Who must act on an ATTENTION posting: the data, a setting, the limits of patience, or us."""

    NONE = ""
    DATA = "data"
    CONFIG = "config"
    EXCEEDED = "exceeded"
    INTERNAL = "internal"


S = PostingState
BEFORE_SENDING = frozenset({S.WAITING, S.BLOCKED, S.REVIEW, S.READY, S.SKIPPED})
BEING_SENT = frozenset({S.IN_FLIGHT, S.UNCERTAIN})

# UNCERTAIN before anything was sent: an entry of ours was found in Sage that our rows do not know
# (our database was restored, or a lost POST was carried out late).
BY_MACHINE: dict[PostingState, frozenset[PostingState]] = {
    S.WAITING: frozenset({S.BLOCKED, S.REVIEW, S.READY, S.SKIPPED, S.UNCERTAIN}),
    S.BLOCKED: frozenset({S.WAITING, S.REVIEW, S.READY, S.SKIPPED, S.UNCERTAIN}),
    S.REVIEW: frozenset({S.WAITING, S.BLOCKED, S.READY, S.SKIPPED, S.UNCERTAIN}),
    S.READY: frozenset({S.WAITING, S.BLOCKED, S.REVIEW, S.IN_FLIGHT, S.SKIPPED, S.UNCERTAIN}),
    # A stale IN_FLIGHT goes to UNCERTAIN, never straight back to READY.
    S.IN_FLIGHT: frozenset({S.UNCERTAIN, S.IN_SAGE, S.ATTENTION, S.WAITING}),
    S.UNCERTAIN: frozenset({S.IN_FLIGHT, S.IN_SAGE, S.ATTENTION, S.WAITING}),
    S.IN_SAGE: frozenset({S.ATTENTION}),
    S.ATTENTION: frozenset({S.WAITING, S.IN_SAGE}),
    # Only a rule's SKIPPED comes back; a person's is kept by `Posting.is_skipped_by_person`.
    S.SKIPPED: frozenset({S.WAITING, S.BLOCKED, S.REVIEW, S.READY, S.UNCERTAIN}),
}

BY_PERSON: dict[PostingState, frozenset[PostingState]] = {
    S.WAITING: frozenset({S.READY, S.SKIPPED}),
    S.BLOCKED: frozenset({S.WAITING, S.SKIPPED}),
    S.REVIEW: frozenset({S.WAITING, S.READY, S.SKIPPED}),
    S.READY: frozenset({S.WAITING, S.REVIEW, S.SKIPPED}),
    S.IN_FLIGHT: frozenset(),
    S.UNCERTAIN: frozenset({S.ATTENTION}),
    S.IN_SAGE: frozenset({S.ATTENTION}),
    S.ATTENTION: frozenset({S.WAITING, S.READY, S.IN_SAGE, S.SKIPPED}),
    S.SKIPPED: frozenset({S.WAITING}),
}


def may_advance(old: PostingState, new: PostingState, *, by_person: bool = False) -> bool:
    """Tell whether the way from `old` to `new` exists (staying in place always does)."""
    table = BY_PERSON if by_person else BY_MACHINE
    return new == old or new in table[old]
