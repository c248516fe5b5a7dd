"""From an entry's fate to the posting's state and the sentence people read."""

from __future__ import annotations

import pytest

from sync.domain.facts import Facts, Fate, Outcome, Place, Stage
from sync.domain.landing import landing
from sync.domain.posting_state import AttentionMode, PostingState
from tests.unit.domain.sage_model import TAG, an_entry, entries

S = PostingState


def facts_with(place: Place, **overrides: object) -> Facts:
    return Facts(
        tag=TAG,
        entries=entries(2),
        watermark=57,
        places={"p1": place},
        **overrides,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("fate", "state", "mode"),
    [
        (Fate.WITHDRAWN, S.WAITING, AttentionMode.NONE),
        (Fate.LANDED, S.IN_SAGE, AttentionMode.NONE),
        (Fate.POSTED, S.IN_SAGE, AttentionMode.NONE),
        (Fate.OUTSIDE, S.SKIPPED, AttentionMode.NONE),
        (Fate.TAKEN, S.ATTENTION, AttentionMode.DATA),
        (Fate.REFUSED, S.ATTENTION, AttentionMode.DATA),
        (Fate.DIFFERS, S.ATTENTION, AttentionMode.DATA),
        (Fate.MOVED, S.ATTENTION, AttentionMode.DATA),
        (Fate.REMOVED, S.ATTENTION, AttentionMode.DATA),
        (Fate.EXCEEDED, S.ATTENTION, AttentionMode.EXCEEDED),
    ],
)
def test_every_fate_has_its_state(fate: Fate, state: PostingState, mode: AttentionMode) -> None:
    landed = landing(facts_with(Place(fate=fate, note="Why.", words="Sage's words.")), "p1")

    assert (landed.state, landed.mode) == (state, mode)


@pytest.mark.parametrize(
    "fate", [Fate.TAKEN, Fate.REFUSED, Fate.DIFFERS, Fate.MOVED, Fate.REMOVED, Fate.EXCEEDED]
)
def test_attention_carries_our_sentence_and_sages_words(fate: Fate) -> None:
    landed = landing(facts_with(Place(fate=fate, note="Why.", words="Sage's words.")), "p1")

    assert (landed.sentence, landed.words) == ("Why.", "Sage's words.")


def test_every_fate_but_pending_is_covered_by_the_table() -> None:
    states = {fate: landing(facts_with(Place(fate=fate)), "p1").state for fate in Fate}

    assert {fate for fate, state in states.items() if state is S.IN_SAGE} == {
        Fate.LANDED, Fate.POSTED
    }  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "state", "told"),
    [
        ({}, S.IN_FLIGHT, "Being sent to Sage."),
        ({"why": "Sage is busy."}, S.IN_FLIGHT, "It goes on by itself."),
        ({"why": "No password.", "is_stopped": True}, S.IN_FLIGHT, "paused until the connection"),
        (
            {"why": "Sage was restored.", "is_stopped": True, "is_sage_restored": True},
            S.IN_FLIGHT,
            "Sage was restored.",
        ),
        (
            {"stage": Stage.SETTLE, "sending": ("p1",), "outcome": Outcome.LOST},
            S.UNCERTAIN,
            "will not send it again until",
        ),
        (
            {"stage": Stage.SETTLE, "sending": ("p1",), "outcome": Outcome.REFUSED},
            S.IN_FLIGHT,
            "Being sent",
        ),
        (
            {"stage": Stage.SETTLE, "sending": ("p2",), "outcome": Outcome.LOST},
            S.IN_FLIGHT,
            "Being sent",
        ),
        ({"stage": Stage.CLEAN, "cleaning": ("p1",)}, S.UNCERTAIN, "Found in Sage"),
        ({"stage": Stage.DONE}, S.WAITING, "decided anew"),
    ],
)
def test_what_is_under_way_says_how_it_stands(
    overrides: dict[str, object], state: PostingState, told: str
) -> None:
    landed = landing(facts_with(Place(), **overrides), "p1")

    assert landed.state is state
    assert told in landed.sentence


def test_an_open_entry_says_why_its_batch_was_not_released() -> None:
    place = Place(fate=Fate.LANDED, batch_number=58)
    notes = {58: "Batch 58 waits.", 59: "Another."}

    assert landing(facts_with(place, release_notes=notes), "p1").sentence == "Batch 58 waits."


def test_a_posted_entry_no_longer_tells_why_it_waited() -> None:
    place = Place(fate=Fate.POSTED, batch_number=58)

    assert landing(facts_with(place, release_notes={58: "Batch 58 waits."}), "p1").sentence == ""


@pytest.mark.parametrize("fate", [Fate.LANDED, Fate.POSTED, Fate.DIFFERS, Fate.OUTSIDE])
def test_a_second_copy_is_told_on_its_own_bill_only(fate: Fate) -> None:
    facts = facts_with(Place(fate=fate), stray_notes={"p1": ("Delete the copy.",)})

    assert "Delete the copy." in landing(facts, "p1").sentence
    assert "Delete the copy." not in landing(facts, an_entry(2).posting_id).sentence
