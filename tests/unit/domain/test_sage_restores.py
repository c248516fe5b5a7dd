"""Sage put back: how it shows, and what of ours then counts as gone, as open again, or as it was."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integrations.sage300.types import BatchHeader, BatchStatus
from sync.domain import sage_restores
from sync.domain.comparison import fingerprint
from sync.domain.facts import Facts, Fate, Place
from tests.unit.domain.sage_model import (
    a_header,
    entries,
)

HERE = Place(fate=Fate.LANDED, batch_number=58, entry_number=1, document_number="INV-1",
             status=BatchStatus.OPEN)  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "highest", "posted", "told"),
    [
        ([a_header(58)], 58, {}, ""),
        ([a_header(59)], 58, {}, ""),
        ([a_header(40)], 58, {}, "restored from a backup"),
        ([], 58, {}, "restored from a backup"),
        ([], 0, {}, ""),
        ([a_header(58)], 58, {58: 7}, "was Posted and is Open now"),
        ([a_header(58, status=BatchStatus.POSTED)], 58, {58: 7}, ""),
        ([a_header(58, status=BatchStatus.DELETED)], 58, {58: 7}, "is another batch now"),
        ([a_header(58, status=BatchStatus.DELETED)], 58, {}, ""),
    ],
)
def test_a_restored_sage_is_recognised(
    headers: list[object], highest: int, posted: dict[int, int], told: str
) -> None:
    why = sage_restores.sage_restored(headers, highest=highest, posted=posted)  # type: ignore[arg-type]

    assert told in why
    assert bool(why) == bool(told)


@pytest.mark.parametrize("final", [BatchStatus.POSTED, BatchStatus.DELETED])
def test_a_batch_that_was_final_and_is_open_again_shows_a_restore(final: str) -> None:
    prints = {58: fingerprint(a_header(58, status=final))}

    why = sage_restores.sage_restored([a_header(58)], highest=58, prints=[prints])

    assert f"was {final} and is Open now" in why
    assert not sage_restores.sage_restored(
        [a_header(58, status=final)], highest=58, prints=[prints]
    )


READ_POSTED = a_header(58, status=BatchStatus.POSTED, posting_sequence=7)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (READ_POSTED, {"description": "Keyed in"}),
        (READ_POSTED, {"posting_sequence": 8}),
    ],
)
def test_a_posted_number_that_is_another_batch_now_shows_a_restore(
    was: BatchHeader, now: dict[str, Any]
) -> None:
    header = replace(READ_POSTED, **now)
    facts = Facts(
        tag="T", entries=entries(1), watermark=50, highest=60, prints={58: fingerprint(was)},
        places={"p1": replace(HERE, fate=Fate.POSTED, is_posted=True, status=BatchStatus.POSTED)},
    )  # fmt: skip

    why = sage_restores.sage_restored([header], highest=58, posted={58: 0}, prints=[facts.prints])
    after = sage_restores.after_sage_restore(facts, [header])
    before = {58: fingerprint(a_header(58, description="Renamed", total=Decimal(9)))}

    assert "Batch 58 was posted and is another batch now" in why
    assert after.place("p1").fate is Fate.REMOVED
    assert sage_restores.after_sage_restore(facts, [READ_POSTED]).place("p1").is_posted
    assert not sage_restores.sage_restored(
        [READ_POSTED], highest=58, posted={58: 7}, prints=[facts.prints]
    )
    # What was read before it was posted proves nothing: a person may have renamed and edited it.
    assert not sage_restores.sage_restored(
        [READ_POSTED], highest=58, posted={58: 7}, prints=[before]
    )


@pytest.mark.parametrize(
    ("sequence", "is_trusted", "is_restored"),
    [(7, True, False), (8, True, True), (8, False, False), (0, True, False)],
)
def test_documents_of_another_posting_run_show_a_number_given_out_again(
    sequence: int, is_trusted: bool, is_restored: bool
) -> None:
    why = sage_restores.sage_restored(
        [READ_POSTED], highest=58, posted={58: sequence}, trusts_sequences=is_trusted
    )

    assert ("is another batch now" in why) == is_restored


@pytest.mark.parametrize(
    ("header", "posted", "is_told"),
    [
        (READ_POSTED, {57: 6, 58: 7}, True),
        (READ_POSTED, {57: 6, 58: 8}, False),
        (READ_POSTED, {57: 6, 58: 0}, False),
        (READ_POSTED, {57: 6}, False),
        (READ_POSTED, {58: 7}, False),
        (a_header(58, status=BatchStatus.POSTED), {57: 6, 58: 0}, False),
        (a_header(58, posting_sequence=7), {57: 6, 58: 7}, False),
    ],
)
def test_a_server_tells_posting_sequences_once_two_batches_showed_their_documents(
    header: BatchHeader, posted: dict[int, int], is_told: bool
) -> None:
    other = replace(READ_POSTED, number=57, posting_sequence=6)

    assert sage_restores.tells_sequences([other, header], posted) is is_told


def test_a_clerks_batch_that_is_another_one_shows_a_restore() -> None:
    old = a_header(258 - sage_restores.WATCHED_BATCHES - 200)
    seen = sage_restores.newest([READ_POSTED, old], highest=58 + sage_restores.WATCHED_BATCHES - 1)

    why = sage_restores.sage_restored(
        [replace(READ_POSTED, description="Keyed in")], highest=58, prints=[{}, seen]
    )

    assert seen.keys() == {58}
    assert "Batch 58 was posted and is another batch now" in why


POSTED_HERE = replace(
    HERE, fate=Fate.POSTED, is_posted=True, status=BatchStatus.POSTED, posting_sequence=7
)


@pytest.mark.parametrize(
    ("place", "now", "is_trusted", "fate"),
    [
        (POSTED_HERE, {}, True, Fate.POSTED),
        (POSTED_HERE, {"status": BatchStatus.DELETED}, True, Fate.REMOVED),
        (POSTED_HERE, {"status": BatchStatus.OPEN, "posting_sequence": 0}, True, Fate.LANDED),
        (POSTED_HERE, {"posting_sequence": 8}, True, Fate.REMOVED),
        (POSTED_HERE, {"posting_sequence": 8}, False, Fate.POSTED),
        (POSTED_HERE, {"description": "Renamed"}, True, Fate.POSTED),
        (POSTED_HERE, {"total": Decimal(9)}, True, Fate.POSTED),
        (POSTED_HERE, {"description": "Keyed in", "total": Decimal(9)}, True, Fate.REMOVED),
        (HERE, {"description": "Keyed in", "total": Decimal(9)}, True, Fate.LANDED),
    ],
)
def test_after_a_restore_a_batch_we_posted_is_told_from_another_of_its_number(
    place: Place, now: dict[str, Any], is_trusted: bool, fate: Fate
) -> None:
    read_before_posting = a_header(58, status=BatchStatus.READY_TO_POST)
    facts = Facts(
        tag="T", entries=entries(1), watermark=50, highest=60, places={"p1": place},
        prints={58: fingerprint(read_before_posting)},
    )  # fmt: skip

    after = sage_restores.after_sage_restore(
        facts, [replace(READ_POSTED, **now), a_header(60)], trusts_sequences=is_trusted
    )

    assert after.place("p1").fate is fate


def test_after_a_restore_a_batch_that_is_open_again_is_followed_and_not_gone() -> None:
    facts = Facts(
        tag="T", entries=entries(1), watermark=50, highest=58, places={"p1": POSTED_HERE},
        prints={58: fingerprint(READ_POSTED)},
    )  # fmt: skip

    after = sage_restores.after_sage_restore(facts, [a_header(58)], trusts_sequences=True)

    assert after.place("p1").fate is Fate.LANDED


def test_after_a_restore_what_sage_no_longer_has_is_removed_and_the_rest_followed() -> None:
    posted = replace(HERE, fate=Fate.POSTED, is_posted=True, status=BatchStatus.POSTED)
    gone = replace(HERE, batch_number=90)
    facts = Facts(
        tag="T", entries=entries(3), watermark=80, highest=90,
        places={"p1": posted, "p2": gone, "p3": replace(posted, batch_number=57)},
    )  # fmt: skip

    after = sage_restores.after_sage_restore(
        facts, [a_header(58), a_header(57, status=BatchStatus.POSTED)]
    )

    assert after.place("p1").fate is Fate.LANDED
    assert after.place("p2").fate is Fate.REMOVED
    assert after.place("p3").fate is Fate.POSTED
    assert (after.watermark, after.highest, after.is_thorough) == (58, 58, True)


@pytest.mark.parametrize(
    ("fate", "then"), [(Fate.MOVED, Fate.LANDED), (Fate.DIFFERS, Fate.DIFFERS)]
)
def test_a_batch_that_a_restore_opened_is_posted_for_none_of_its_entries(
    fate: Fate, then: Fate
) -> None:
    left_behind = replace(HERE, fate=fate, status=BatchStatus.POSTED, posting_sequence=7)
    facts = Facts(tag="T", entries=entries(1), watermark=50, places={"p1": left_behind})

    after = sage_restores.after_sage_restore(facts, [a_header(58)])

    place = after.place("p1")
    assert (place.fate, place.status, place.posting_sequence) == (then, BatchStatus.OPEN, 0)


def test_a_cleared_history_moves_the_highest_number_only() -> None:
    facts = Facts(tag="T", entries=entries(1), watermark=50, highest=60, places={"p1": HERE})

    after = sage_restores.history_cleared(facts, highest=55)

    assert after == replace(facts, highest=55)


def test_after_a_restore_of_sage_only_what_came_back_of_ours_is_read_below_the_mark() -> None:
    headers = [a_header(number) for number in (3, 4, 5, 6, 9)]
    posted = replace(headers[0], status=BatchStatus.POSTED)
    deleted = replace(headers[1], status=BatchStatus.DELETED)
    theirs = replace(headers[2], description="Keyed by hand")
    posted_too = replace(headers[3], status=BatchStatus.POSTED)

    low, prints = sage_restores.look_back(
        [posted, headers[1], theirs, posted_too, headers[4]],
        low=6,
        known={3: fingerprint(posted), 4: fingerprint(deleted), 6: fingerprint(posted_too)},
    )

    assert low == 3
    assert prints == {5: fingerprint(theirs), 6: fingerprint(posted_too)}


def test_an_old_batch_that_looks_otherwise_than_in_the_last_list_is_looked_at() -> None:
    old, new = a_header(5), a_header(8)
    seen = {5: fingerprint(old), 8: fingerprint(new)}
    now = [replace(old, entry_count=2), a_header(6, entry_count=2), replace(new, entry_count=2)]

    assert sage_restores.changed_below(now, seen, after=7) == (now[0],)
    assert sage_restores.changed_below([old, new], seen, after=9) == ()


def test_after_a_restore_of_sage_what_is_not_posted_is_read_though_it_looks_as_it_did() -> None:
    as_once = a_header(5)

    low, prints = sage_restores.look_back(
        [as_once, a_header(6)], low=6, known={5: fingerprint(as_once)}
    )

    assert (low, prints) == (4, {})
