"""What a person may do with a posting, by where it stands."""

from itertools import product
from typing import Any

import pytest

from sync.domain.deeds import Deed, Standing, find_offer, offers
from sync.domain.posting_state import PostingState as S
from sync.domain.posting_state import may_advance


@pytest.mark.parametrize(
    ("standing", "deeds"),
    [
        ({"state": S.WAITING}, [Deed.LEAVE_OUT]),
        ({"state": S.WAITING, "is_before_cutover": True}, [Deed.ALLOW_OLDER, Deed.LEAVE_OUT]),
        ({"state": S.BLOCKED}, [Deed.REPLAY, Deed.HANDLED_OUTSIDE, Deed.LEAVE_OUT]),
        (
            {"state": S.BLOCKED, "codes": ["sent_under_other_number"]},
            [Deed.LOOKED_IN_SAGE, Deed.HANDLED_OUTSIDE, Deed.LEAVE_OUT],
        ),
        ({"state": S.REVIEW}, [Deed.APPROVE, Deed.HANDLED_OUTSIDE, Deed.LEAVE_OUT]),
        (
            {"state": S.REVIEW, "codes": ["possible_duplicate"]},
            [Deed.ACCEPT_DUPLICATE, Deed.HANDLED_OUTSIDE, Deed.LEAVE_OUT],
        ),
        ({"state": S.READY}, [Deed.LEAVE_OUT]),
        ({"state": S.ATTENTION}, [Deed.REPLAY, Deed.HANDLED_OUTSIDE]),
        ({"state": S.ATTENTION, "lies_in_sage": True}, [Deed.HANDLED_OUTSIDE]),
        ({"state": S.SKIPPED}, []),
        ({"state": S.SKIPPED, "is_skipped_by_person": True}, [Deed.TAKE_BACK]),
        ({"state": S.IN_FLIGHT}, []),
        ({"state": S.UNCERTAIN}, []),
        ({"state": S.IN_SAGE}, []),
        ({"state": S.IN_SAGE, "lies_in_sage": True, "is_changed": True}, [Deed.DEALT_WITH]),
    ],
)
def test_what_is_offered_follows_from_where_it_stands(
    standing: dict[str, Any], deeds: list[Deed]
) -> None:
    assert [offer.deed for offer in offers(Standing(**standing))] == deeds


def test_what_somebody_removed_in_sage_is_sent_again_and_not_checked() -> None:
    removed = Standing(state=S.ATTENTION, was_in_sage=True)

    assert [offer.label for offer in offers(removed)] == ["Send again", "Mark as handled outside"]


LEADS_TO = {
    Deed.HANDLED_OUTSIDE: S.SKIPPED,
    Deed.LEAVE_OUT: S.SKIPPED,
    Deed.APPROVE: S.READY,
    Deed.DEALT_WITH: S.IN_SAGE,
}


@pytest.mark.parametrize("state", list(S))
def test_every_offer_is_a_way_the_state_table_has_for_a_person(state: S) -> None:
    codes = [(), ("possible_duplicate",), ("sent_under_other_number",)]
    for given, flag in product(codes, [False, True]):
        standing = Standing(
            state=state,
            codes=given,
            is_before_cutover=flag,
            is_skipped_by_person=flag,
            is_changed=flag,
        )
        ways = {offer.deed: LEADS_TO.get(offer.deed, S.WAITING) for offer in offers(standing)}
        barred = {deed for deed, to in ways.items() if not may_advance(state, to, by_person=True)}
        assert barred == set(), standing


def test_nothing_that_may_be_in_sage_is_sent_again_beside_itself() -> None:
    lying = Standing(state=S.ATTENTION, lies_in_sage=True)

    assert find_offer(lying, Deed.REPLAY) is None
