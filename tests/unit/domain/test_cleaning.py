"""Second copies of ours: which one is kept, how the others go, and what is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.sage300.types import BatchStatus, InvoiceBatch
from sync.domain import sweeping
from sync.domain.cleaning import EMPTIED
from sync.domain.commands import (
    Accepted,
    BatchRead,
    FindPosted,
    NotSent,
    PostedFound,
    ReadBatch,
    RemoveEntries,
    RenameBatch,
    Resumed,
    Wait,
)
from sync.domain.comparison import fingerprint
from sync.domain.facts import Fate, Place
from sync.domain.landing import landing
from tests.unit.domain.sage_model import (
    NONE_POSTED,
    NOW,
    Story,
    a_batch,
    a_document,
    a_foreign_invoice,
    a_header,
    an_entry,
    an_invoice,
    entries,
    read,
    refused,
)

HERE = Place(fate=Fate.LANDED, batch_number=58, entry_number=1, document_number="INV-1",
             status=BatchStatus.OPEN)  # fmt: skip
KEPT = a_batch(58, entries(1))
STRAY = a_batch(60, entries(1), description="MLC1-ABCDEFGHIJKLMNOP.2")
EMPTY = a_batch(60, ())


def sweep(place: Place = HERE, *, number: int = 60) -> Story:
    facts = sweeping.begin_sweep(
        tag="MLC1-SWEEPSWEEPSWEEPS", entries=entries(1), places={"p1": place}, numbers=(number,),
        watermark=57,
    )  # fmt: skip
    return Story(facts=facts)


def found(kept: InvoiceBatch | None, stray: InvoiceBatch | None) -> Story:
    """A sweep that has read both batches and no posted document."""
    story = sweep()
    assert story.command == ReadBatch(number=58)
    story.tell(BatchRead(number=58, batch=kept), BatchRead(number=60, batch=stray))
    assert isinstance(story.command, FindPosted)
    story.tell(NONE_POSTED)
    return story


# --- the usual second copy ------------------------------------------------------------------------


def test_a_second_copy_is_read_removed_read_back_and_its_shell_renamed() -> None:
    story = found(KEPT, STRAY)

    assert story.command == ReadBatch(number=60)
    story.tell(read(STRAY))
    assert story.command == RemoveEntries(number=60, entry_numbers=(1,))
    story.tell(Accepted())
    assert story.command == ReadBatch(number=60)
    story.tell(read(EMPTY))
    assert story.command == RenameBatch(number=60, description=EMPTIED)
    story.tell(Accepted())

    assert story.kind == "Done"
    assert story.facts.emptied == (60,)
    assert story.facts.place("p1").batch_number == 58
    assert story.facts.stray_notes == {}


def test_entries_of_others_in_the_batch_are_never_named() -> None:
    mixed = a_batch(60, [a_foreign_invoice(1), *entries(1), a_foreign_invoice(3)])
    story = found(KEPT, mixed)

    story.tell(read(mixed))

    assert story.command == RemoveEntries(number=60, entry_numbers=(2,))
    story.tell(Accepted(), read(a_batch(60, [a_foreign_invoice(1)])))
    assert story.kind == "Done"


def test_a_shell_that_cannot_be_renamed_is_told() -> None:
    story = found(KEPT, STRAY)

    story.tell(read(STRAY), Accepted(), read(EMPTY), refused())

    assert "Batch 60 is empty now" in story.facts.stray_notes["p1"][0]


def test_a_renaming_never_sent_is_made_later() -> None:
    story = found(KEPT, STRAY)
    story.tell(read(STRAY), Accepted(), read(EMPTY))

    story.tell(NotSent(why="Sage could not be reached."))

    assert isinstance(story.command, Wait)


def test_a_batch_deleted_meanwhile_needs_no_removal() -> None:
    story = found(KEPT, STRAY)

    story.tell(BatchRead(number=60, batch=None))

    assert story.kind == "Done"


# --- which copy is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "kept"),
    [
        (BatchStatus.OPEN, BatchStatus.OPEN, 58),
        (BatchStatus.OPEN, BatchStatus.READY_TO_POST, 60),
        (BatchStatus.READY_TO_POST, BatchStatus.OPEN, 58),
        (BatchStatus.READY_TO_POST, BatchStatus.POST_IN_PROGRESS, 60),
    ],
)
def test_the_copy_nearest_to_the_ledger_is_kept(here: str, there: str, kept: int) -> None:
    story = found(a_batch(58, entries(1), status=here), a_batch(60, entries(1), status=there))

    assert story.facts.place("p1").batch_number == kept


def test_a_posted_document_is_kept_whatever_else_is_open() -> None:
    story = sweep()
    story.tell(read(KEPT), read(a_batch(60, entries(1), status=BatchStatus.POSTED)))

    story.tell(PostedFound(documents=(a_document(an_entry(1), 60, 1),)))

    assert story.fate(1) == "posted"
    assert story.command == ReadBatch(number=58)


def test_an_entry_listed_in_a_posted_batch_without_a_document_was_moved_away() -> None:
    story = found(KEPT, a_batch(60, entries(1), status=BatchStatus.POSTED))

    assert story.facts.place("p1").batch_number == 58
    assert story.facts.strays == ()


def test_a_posted_place_stays_posted_when_history_is_cleared() -> None:
    posted = replace(HERE, fate=Fate.POSTED, status=BatchStatus.POSTED, is_posted=True)
    story = sweep(posted)

    story.tell(read(STRAY), NONE_POSTED)

    assert story.fate(1) == "posted"
    assert story.command == ReadBatch(number=60)


def test_the_only_copy_left_is_adopted_and_not_removed() -> None:
    story = found(a_batch(58, ()), STRAY)

    assert story.kind == "Done"
    assert story.facts.place("p1").batch_number == 60
    assert "RemoveEntries" not in story.kinds


def test_a_number_changed_before_posting_is_asked_for_too() -> None:
    story = sweep()
    changed = an_invoice(an_entry(1), 1, document_number="INV-1X")

    story.tell(read(KEPT), read(a_batch(60, [changed], status=BatchStatus.POSTED)))

    assert story.command == FindPosted(pairs=(("V1", "INV-1"), ("V1", "INV-1X")))


# --- Sage or people get in the way ----------------------------------------------------------------


def test_a_copy_that_sage_does_not_let_go_is_told_with_batch_entry_and_amount() -> None:
    story = found(KEPT, STRAY)
    story.tell(read(STRAY))
    while story.kind != "Done":
        story.tell(refused() if story.kind == "RemoveEntries" else read(STRAY))

    note = story.facts.stray_notes["p1"][0]
    assert "Batch 60, entry 1 is a second copy of document INV-1 (101.00)" in note
    assert "Sage did not let it be removed" in note
    assert note in landing(story.facts, "p1").sentence


def test_a_copy_in_a_batch_ready_to_post_is_told_and_not_touched() -> None:
    ready = a_batch(60, entries(1), status=BatchStatus.READY_TO_POST)
    story = found(a_batch(58, entries(1), status=BatchStatus.READY_TO_POST), ready)

    story.tell(read(ready))

    assert story.kind == "Done"
    assert "its batch is ReadyToPost" in story.facts.stray_notes["p1"][0]


def test_a_copy_that_becomes_ready_meanwhile_is_judged_anew() -> None:
    story = found(KEPT, STRAY)
    ready = replace(STRAY, header=replace(STRAY.header, status=BatchStatus.READY_TO_POST))

    story.tell(read(ready))

    assert story.command == ReadBatch(number=58)
    story.tell(read(KEPT), read(ready), NONE_POSTED)
    assert story.facts.place("p1").batch_number == 60


def test_a_copy_gone_by_itself_needs_no_removal() -> None:
    story = found(KEPT, STRAY)

    story.tell(read(EMPTY))

    assert story.kind == "Done"
    assert "RemoveEntries" not in story.kinds


def test_a_document_posted_twice_is_told() -> None:
    story = sweep()
    documents = (
        a_document(an_entry(1), 58, 1),
        a_document(an_entry(1), 60, 1, document_number="INV-1X"),
    )

    story.tell(read(KEPT), read(STRAY), PostedFound(documents=documents))

    landed = landing(story.facts, "p1")
    assert landed.state == "ATTENTION"
    assert "stands twice in the ledger: batch 58, entry 1 (INV-1), and batch 60" in landed.sentence


def test_what_was_shown_as_posted_stays_the_one_beside_a_second_document() -> None:
    posted = replace(
        HERE, fate=Fate.POSTED, status=BatchStatus.POSTED, is_posted=True, batch_number=70
    )
    story = sweep(posted)
    documents = (a_document(an_entry(1), 60, 1, document_number="INV-1X"),)

    story.tell(read(a_batch(60, entries(1), status=BatchStatus.POSTED)))
    story.tell(PostedFound(documents=documents))

    assert story.facts.place("p1").batch_number == 70
    assert "stands twice" in landing(story.facts, "p1").sentence


def test_a_batch_locked_by_a_person_is_tried_again_later() -> None:
    story = found(KEPT, STRAY)
    story.tell(read(STRAY))

    story.tell(refused(transient=True))
    assert isinstance(story.command, Wait)
    story.later(60).tell(Resumed())

    assert story.command == ReadBatch(number=58)


def test_a_removal_never_sent_is_made_later() -> None:
    story = found(KEPT, STRAY)
    story.tell(read(STRAY), NotSent(why="Sage could not be reached."))

    assert isinstance(story.command, Wait)


def test_cleaning_picked_up_again_starts_by_looking_at_all_copies() -> None:
    story = found(KEPT, STRAY)
    story.tell(read(STRAY))

    story.tell(Resumed())

    assert story.command == ReadBatch(number=58)
    assert story.facts.look.to_read == (58, 60)


# --- sweeping -------------------------------------------------------------------------------------


def test_a_late_entry_of_a_posting_that_is_nowhere_is_adopted() -> None:
    story = sweep(Place(fate=Fate.EXCEEDED, note="Given up.", is_clean=False))

    story.tell(read(STRAY), NONE_POSTED)

    assert story.kind == "Done"
    assert story.fate(1) == "landed"
    assert landing(story.facts, "p1").state == "IN_SAGE"


def test_while_a_sweep_looks_an_unknown_posting_is_uncertain() -> None:
    story = sweep(Place())

    assert landing(story.facts, "p1").state == "UNCERTAIN"


def test_a_posting_that_a_sweep_does_not_find_after_all_is_decided_anew() -> None:
    story = sweep(Place())

    story.tell(read(EMPTY), NONE_POSTED)

    assert story.kind == "Done"
    assert landing(story.facts, "p1").state == "WAITING"


def test_a_copy_of_a_bill_handled_outside_is_removed() -> None:
    story = sweep(Place(fate=Fate.OUTSIDE))

    story.tell(read(STRAY), NONE_POSTED, read(STRAY))

    assert story.command == RemoveEntries(number=60, entry_numbers=(1,))
    assert landing(story.facts, "p1").state == "SKIPPED"


def test_a_moved_entry_found_in_a_new_batch_stays_moved() -> None:
    moved = replace(HERE, fate=Fate.MOVED, status=BatchStatus.POSTED, words="No account.")
    story = sweep(moved)
    listed = a_batch(58, entries(1), status=BatchStatus.POSTED)

    story.tell(read(listed), read(STRAY), NONE_POSTED)

    place = story.facts.place("p1")
    assert (place.fate, place.batch_number, place.words) == (Fate.MOVED, 60, "No account.")


@pytest.mark.parametrize(
    ("header", "known", "is_thorough", "is_suspect"),
    [
        (a_header(58), "", False, True),
        (a_header(58, description="Clerk's"), "", False, False),
        (a_header(58, description="Clerk's"), "", True, True),
        (a_header(58, status=BatchStatus.DELETED), "", True, False),
        (a_header(58), fingerprint(a_header(58)), False, False),
        (a_header(58, description="Renamed"), fingerprint(a_header(58)), False, True),
        (a_header(58, entry_count=2), fingerprint(a_header(58)), False, True),
        (a_header(58, status=BatchStatus.POSTED), fingerprint(a_header(58)), False, False),
        (
            a_header(58, status=BatchStatus.POSTED, entry_count=3),
            fingerprint(a_header(58)),
            False,
            True,
        ),
    ],
)
def test_which_batches_are_suspect(
    header: object, known: str, is_thorough: bool, is_suspect: bool
) -> None:
    numbers = sweeping.suspects(
        [header],  # type: ignore[list-item]
        known={58: known} if known else {},
        looked_at={},
        is_thorough=is_thorough,
    )

    assert numbers == ((58,) if is_suspect else ())


def test_a_watched_batch_posted_with_errors_makes_every_new_batch_suspect() -> None:
    open_before, clerks = a_header(58), a_header(60, description="Error batch")
    posted = a_header(58, status=BatchStatus.POSTED, error_count=1)

    headers, known = [posted, clerks], {58: fingerprint(open_before)}
    swept = {58: fingerprint(posted)}

    assert sweeping.suspects(headers, known=known, looked_at={}) == (60, 58)
    assert sweeping.suspects(headers, known=swept, looked_at=swept) == ()
    assert sweeping.suspects(headers, known=known, looked_at={}, followed=[58]) == ()


def test_a_batch_that_could_not_be_judged_is_read_again_though_it_is_followed() -> None:
    header = a_header(58, description="Clerk's")
    known = sweeping.known_prints(
        {58: fingerprint(header), 59: "judged"}, {58: sweeping.UNJUDGED, 59: "older", 60: "ours"}
    )

    assert known == {58: sweeping.UNJUDGED, 59: "judged", 60: "ours"}
    assert sweeping.suspects([header], known=known, looked_at=known, followed=[58]) == (58,)
    assert sweeping.suspects([header], known={}, looked_at={}, followed=[58]) == ()


def test_only_entries_elsewhere_than_known_are_news() -> None:
    by_order = {"BILL1": "p1", "BILL2": "p2"}
    batch = a_batch(58, entries(2))

    assert sweeping.owners(batch, by_order, {"p1": HERE}) == ("p2",)


def test_an_order_number_of_no_posting_is_remembered_until_its_bill_is_known() -> None:
    batches = [a_batch(58, entries(2)), a_batch(59, entries(1))]

    apart = sweeping.strangers(batches, {"BILL1"})
    kept = sweeping.still_apart({57: ("X",), 59: ("Y",)}, [58, 59], apart, is_thorough=True)

    assert apart == {58: ("BILL2",)}
    assert kept == {57: ("X",), 58: ("BILL2",)}
    assert sweeping.still_apart({}, [58], apart, is_thorough=False) == {}
    assert sweeping.still_apart({58: ("BILL2", "Z")}, [58], apart, is_thorough=False) == apart
    assert sweeping.recognised(kept, {"BILL2"}) == (58,)
    assert sweeping.recognised(kept, {"BILL3"}) == ()


def test_what_sage_shows_best_of_an_order_number_is_what_was_posted() -> None:
    posted = a_batch(60, entries(1), status=BatchStatus.POSTED)
    cheaper = replace(posted, invoices=tuple(replace(i, total=Decimal(1)) for i in posted.invoices))

    shown = sweeping.shown_best([KEPT, cheaper])

    assert shown.keys() == {"BILL1"}
    assert (shown["BILL1"].total, shown["BILL1"].entry_number) == (Decimal(1), 0)


def test_the_low_mark_trails_and_never_passes_an_unsettled_batch() -> None:
    seen = {50: NOW - timedelta(hours=3), 55: NOW - timedelta(hours=2), 60: NOW}

    assert sweeping.low_mark(seen, old=10, unsettled_watermarks=(), now=NOW) == 55
    assert sweeping.low_mark(seen, old=10, unsettled_watermarks=(52,), now=NOW) == 52
    assert sweeping.low_mark(seen, old=56, unsettled_watermarks=(52,), now=NOW) == 56


def test_an_entry_moved_nobody_knows_where_makes_every_new_batch_suspect() -> None:
    unknown = replace(HERE, fate=Fate.MOVED, status=BatchStatus.POSTED)

    assert sweeping.is_search_due([unknown])
    assert not sweeping.is_search_due([HERE, replace(unknown, status=BatchStatus.OPEN)])


def test_totals_are_told_in_full() -> None:
    big = an_entry(1, total=Decimal("12345.6"))

    assert f"{big.total:,.2f}" == "12,345.60"
