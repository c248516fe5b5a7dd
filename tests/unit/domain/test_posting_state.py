"""Which way a posting may go, and whose doing it is."""

from __future__ import annotations

import pytest

from sync.domain.posting_state import (
    BEFORE_SENDING,
    BEING_SENT,
    BY_MACHINE,
    BY_PERSON,
    PostingState,
    may_advance,
)

S = PostingState


@pytest.mark.parametrize("state", S)
def test_every_state_stands_in_both_tables_and_may_stay(state: PostingState) -> None:
    assert state in BY_MACHINE
    assert state in BY_PERSON
    assert may_advance(state, state)


@pytest.mark.parametrize("state", sorted(set(S) - {S.IN_FLIGHT}))
def test_no_state_is_terminal_for_a_person(state: PostingState) -> None:
    assert BY_PERSON[state]


@pytest.mark.parametrize("old", sorted(BEING_SENT))
@pytest.mark.parametrize("by_person", [False, True])
def test_what_is_being_sent_never_goes_straight_back_to_ready(
    old: PostingState, by_person: bool
) -> None:
    assert not may_advance(old, S.READY, by_person=by_person)


@pytest.mark.parametrize("new", sorted(set(S) - {S.IN_SAGE, S.ATTENTION}))
def test_the_machine_leaves_in_sage_only_for_attention(new: PostingState) -> None:
    assert not may_advance(S.IN_SAGE, new)
    assert may_advance(S.IN_SAGE, S.ATTENTION)


@pytest.mark.parametrize("old", sorted(BEFORE_SENDING))
def test_what_is_found_in_sage_unexpectedly_is_uncertain_first(old: PostingState) -> None:
    assert may_advance(old, S.UNCERTAIN)
    assert not may_advance(old, S.IN_SAGE)


@pytest.mark.parametrize("old", sorted(set(S) - {S.READY, S.UNCERTAIN, S.IN_FLIGHT}))
def test_only_what_is_ready_is_sent(old: PostingState) -> None:
    assert not may_advance(old, S.IN_FLIGHT)


@pytest.mark.parametrize("by_person", [False, True])
def test_uncertain_can_be_settled(by_person: bool) -> None:
    assert may_advance(S.UNCERTAIN, S.ATTENTION, by_person=by_person)
