"""What a person may do with a posting, by where it stands."""

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
    ],
)
def test_what_is_offered_follows_from_where_it_stands(
    standing: dict[str, Any], deeds: list[Deed]
) -> None:
    assert [offer.deed for offer in offers(Standing(**standing))] == deeds


LEADS_TO = {
    Deed.HANDLED_OUTSIDE: S.SKIPPED,
    Deed.LEAVE_OUT: S.SKIPPED,
    Deed.APPROVE: S.READY,
}


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("codes", [(), ("possible_duplicate",), ("sent_under_other_number",)])
@pytest.mark.parametrize("flag", [False, True])
def test_every_offer_is_a_way_the_state_table_has_for_a_person(
    state: S, codes: tuple[str, ...], flag: bool
) -> None:
    standing = Standing(state=state, codes=codes, is_before_cutover=flag, is_skipped_by_person=flag)

    for offer in offers(standing):
        assert may_advance(state, LEADS_TO.get(offer.deed, S.WAITING), by_person=True)


def test_nothing_that_may_be_in_sage_is_sent_again_beside_itself() -> None:
    lying = Standing(state=S.ATTENTION, lies_in_sage=True)

    assert find_offer(lying, Deed.REPLAY) is None
