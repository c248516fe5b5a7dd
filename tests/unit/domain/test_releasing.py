"""Ready To Post, posting, and the proof of it entry by entry."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from integrations.sage300.types import BatchStatus, InvoiceBatch, InvoiceDetail, PostingError
from sync.domain import following
from sync.domain.commands import (
    Accepted,
    BatchRead,
    Created,
    ErrorsFound,
    FindPosted,
    Lost,
    NotSent,
    PostedFound,
    ProcessBatch,
    ReadBatch,
    ReadErrors,
    ReadPosted,
    RemoveEntries,
    Resumed,
    SetReady,
    Wait,
)
from sync.domain.landing import landing
from sync.domain.policy import Release
from tests.unit.domain.sage_model import (
    NONE_POSTED,
    RULES,
    Story,
    a_batch,
    a_document,
    a_foreign_invoice,
    a_header,
    an_entry,
    an_invoice,
    entries,
    headers,
    read,
    refused,
)

OPEN = a_batch(58, entries(2))
READY = a_batch(58, entries(2), status=BatchStatus.READY_TO_POST)
POSTED = a_batch(58, entries(2), status=BatchStatus.POSTED)
IN_PROGRESS = a_batch(58, entries(2), status=BatchStatus.POST_IN_PROGRESS)
BOTH = PostedFound(documents=tuple(a_document(e, 58, i) for i, e in enumerate(entries(2), 1)))
FIRST = PostedFound(documents=(a_document(an_entry(1), 58, 1),))


def landed(release: Release, batch: InvoiceBatch = OPEN, **overrides: object) -> Story:
    story = Story(2, release=release, **overrides).to_post()
    story.tell(Created(number=58), read(batch))
    return story


def processed() -> Story:
    story = landed(Release.POST)
    story.tell(Accepted(), read(READY))
    assert story.command == ProcessBatch(number=58)
    return story


# --- how far the company lets us go ---------------------------------------------------------------


def test_a_company_that_posts_by_hand_gets_an_open_batch() -> None:
    story = landed(Release.OPEN)

    assert story.kind == "Done"
    assert story.facts.release_notes == {}


def test_ready_to_post_ends_with_the_batch_read_as_ready() -> None:
    story = landed(Release.READY)

    assert story.command == SetReady(number=58)
    story.tell(Accepted(), read(READY))

    assert story.kind == "Done"
    assert story.facts.place("p1").status == BatchStatus.READY_TO_POST


def test_a_server_that_does_not_offer_posting_gets_ready_to_post() -> None:
    story = landed(Release.POST, can_post=False)

    story.tell(Accepted(), read(READY))

    assert story.kind == "Done"
    assert "ProcessBatch" not in story.kinds


def test_a_batch_in_a_second_group_is_read_before_it_is_released() -> None:
    story = Story(2, release=Release.READY).to_post()
    story.tell(refused(), headers(a_header(57)), NONE_POSTED)
    story.approve()
    story.tell(Created(number=58), read(a_batch(58, [an_entry(1)])))
    story.approve()

    story.tell(Created(number=59), read(a_batch(59, [an_entry(2)])))

    assert story.command == ReadBatch(number=58)
    assert story.facts.to_release == (58, 59)


# --- nothing is released that is not wholly ours --------------------------------------------------


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (a_batch(58, [*entries(2), a_foreign_invoice(3)]), "somebody added"),
        (
            a_batch(58, [an_entry(1), an_invoice(an_entry(2), 2, total=Decimal(9))]),
            "differs from what was sent",
        ),
    ],
)
def test_a_batch_with_more_or_other_than_ours_is_left_to_a_person(
    batch: InvoiceBatch, told: str
) -> None:
    story = landed(Release.POST, batch)

    assert story.kind == "Done"
    assert told in story.facts.release_notes[58]
    assert "SetReady" not in story.kinds


def test_a_batch_edited_between_the_read_and_ready_to_post_is_not_posted() -> None:
    story = landed(Release.POST)
    edited = a_batch(58, [*entries(2), a_foreign_invoice(3)], status=BatchStatus.READY_TO_POST)

    story.tell(Accepted(), read(edited))

    assert story.kind == "Done"
    assert "ProcessBatch" not in story.kinds
    assert "somebody added" in landing(story.facts, "p1").sentence


def test_a_copy_in_the_batch_is_removed_and_the_batch_not_released() -> None:
    story = landed(Release.READY)
    copy = an_invoice(an_entry(1), 3, document_number="INV-1C")
    with_copy = a_batch(58, [*entries(2), copy])

    story.tell(refused(transient=True))
    story.later(10).tell(Resumed(), read(with_copy), read(with_copy), NONE_POSTED, read(with_copy))

    assert story.command == RemoveEntries(number=58, entry_numbers=(3,))


# --- Ready To Post does not come ------------------------------------------------------------------


def test_an_old_release_that_refuses_ready_to_post_says_so_once() -> None:
    story = landed(Release.READY)

    story.tell(refused())

    assert story.kind == "Done"
    assert story.facts.release_notes[58] == "Sage left batch 58 Open: The account is inactive."


def test_a_batch_locked_by_a_person_is_tried_again_and_then_told() -> None:
    story = landed(Release.READY)
    tries = 0
    while story.kind != "Done":
        if story.kind == "SetReady":
            tries += 1
            story.tell(refused(transient=True))
        else:
            story.later(400).tell(Resumed(), read(OPEN))

    assert tries == RULES.lock_limit + 1
    assert 58 in story.facts.release_notes


def test_an_accepted_change_that_does_not_show_is_told_after_three_tries() -> None:
    story = landed(Release.READY)
    while story.kind != "Done":
        story.tell(Accepted(), read(OPEN))

    assert story.kinds.count("SetReady") == 3
    assert "still shows it Open" in story.facts.release_notes[58]


def test_what_was_never_sent_does_not_count_as_a_try() -> None:
    story = landed(Release.READY)
    for _ in range(5):
        story.tell(NotSent(why="Sage could not be reached."))
        assert isinstance(story.command, Wait)
        story.later(400).tell(Resumed(), read(OPEN))

    assert story.command == SetReady(number=58)
    assert story.facts.release_notes == {}


# --- posting --------------------------------------------------------------------------------------


def test_posting_that_reaches_sage_late_is_waited_for() -> None:
    story = processed()

    story.tell(Lost(why="Lost."), NONE_POSTED, read(IN_PROGRESS))
    assert isinstance(story.command, Wait)
    story.later(20).tell(Resumed(), BOTH)

    assert story.fates() == ["posted", "posted"]
    assert story.kind == "Done"


def test_posting_that_never_ends_is_told() -> None:
    story = processed()
    story.tell(Accepted(), NONE_POSTED)
    for _ in range(40):
        if story.kind == "Done":
            break
        story.tell(read(IN_PROGRESS))
        if story.kind == "Wait":
            story.later(20).tell(Resumed(), NONE_POSTED)

    assert story.kind == "Done"
    assert "for a long time" in story.facts.release_notes[58]


def test_a_batch_still_ready_after_posting_wants_its_listing_printed() -> None:
    story = processed()

    story.tell(Accepted(), NONE_POSTED, read(READY))
    assert story.command == ProcessBatch(number=58)
    story.tell(Accepted(), NONE_POSTED, read(READY))

    assert story.kind == "Done"
    assert "batch listing printed" in story.facts.release_notes[58]
    assert landing(story.facts, "p1").state == "IN_SAGE"


def test_sages_own_words_are_told_when_it_refuses_to_post() -> None:
    story = processed()

    story.tell(refused(), NONE_POSTED, read(READY), refused(), NONE_POSTED, read(READY))

    assert "The account is inactive." in story.facts.release_notes[58]


def test_posting_never_sent_does_not_count_as_a_try() -> None:
    story = processed()
    for _ in range(4):
        story.tell(NotSent(why="Sage could not be reached."))
        story.later(400).tell(Resumed(), NONE_POSTED, read(READY))

    assert story.command == ProcessBatch(number=58)


def test_an_entry_moved_to_an_error_batch_is_told_with_its_new_place() -> None:
    story = processed()
    error = PostingError(
        batch_number=58, entry_number=2, message="Account not defined.", error_batch=59,
        error_entry=1,
    )  # fmt: skip

    story.tell(Accepted(), FIRST, read(POSTED))
    assert story.command == ReadErrors(number=58)
    story.tell(ErrorsFound(errors=(error,)))
    assert isinstance(story.command, FindPosted)
    story.tell(NONE_POSTED)

    place = story.facts.place("p2")
    assert story.fates() == ["posted", "moved"]
    assert (place.batch_number, place.entry_number) == (59, 1)
    assert place.words == "Account not defined."
    assert "batch 59, entry 1" in place.note


def test_an_entry_sage_lost_track_of_is_told_as_such() -> None:
    story = processed()

    story.tell(Accepted(), FIRST, read(POSTED), ErrorsFound(errors=()), NONE_POSTED)

    assert story.kind == "Done"
    assert story.fate(2) == "moved"
    assert "does not say where" in story.facts.place("p2").note


def test_a_moved_entry_whose_other_copy_is_posted_is_a_stray() -> None:
    story = processed()
    error = PostingError(
        batch_number=58, entry_number=2, message="Exists.", error_batch=59, error_entry=1
    )
    twin = PostedFound(documents=(a_document(an_entry(2), 40, 1),))
    moved_to = a_batch(59, [an_entry(2)], description="Error batch")

    story.tell(Accepted(), FIRST, read(POSTED), ErrorsFound(errors=(error,)), twin)
    assert story.command == ReadBatch(number=59)
    story.tell(read(moved_to), twin, read(moved_to))

    assert story.command == RemoveEntries(number=59, entry_numbers=(1,))
    assert story.fate(2) == "posted"


def test_a_moved_entry_that_lost_its_number_to_a_clerk_names_the_clerks_document() -> None:
    story = processed()
    error = PostingError(
        batch_number=58, entry_number=2, message="Exists.", error_batch=59, error_entry=1
    )
    rival = PostedFound(documents=(a_document(an_entry(2, order_number=""), 40, 1),))

    story.tell(Accepted(), FIRST, read(POSTED), ErrorsFound(errors=(error,)), rival)

    assert story.fate(2) == "moved"
    assert "already posted by batch 40, entry 1" in story.facts.place("p2").note


def test_a_posted_amount_that_differs_is_told_with_both_figures() -> None:
    story = processed()
    documents = (
        a_document(an_entry(1), 58, 1),
        a_document(an_entry(2), 58, 2, amount=Decimal("1.02")),
    )

    story.tell(Accepted(), PostedFound(documents=documents))

    assert story.fate(2) == "differs"
    assert "102.00 sent, 1.02 posted" in story.facts.place("p2").note


# --- following until posted -----------------------------------------------------------------------


def followed(batch: InvoiceBatch | None) -> Story:
    story = landed(Release.OPEN)
    facts = following.follow(story.facts, (58,))
    again = Story(facts=facts)
    assert again.command == ReadBatch(number=58)
    again.tell(BatchRead(number=58, batch=batch))
    return again


def test_a_batch_unchanged_is_not_read_again() -> None:
    facts = landed(Release.OPEN).facts

    assert following.to_follow(facts) == (58,)
    assert following.changed(facts, following.listed([OPEN.header])) == ()


@pytest.mark.parametrize(
    "header",
    [
        replace(OPEN.header, status=BatchStatus.POSTED),
        replace(OPEN.header, entry_count=1),
        replace(OPEN.header, total=Decimal(1)),
        replace(OPEN.header, description="Renamed"),
        replace(OPEN.header, last_edited="2026-12-02"),
        replace(OPEN.header, number=59),
    ],
)
def test_a_batch_that_changed_or_is_gone_is_read_again(header: object) -> None:
    facts = landed(Release.OPEN).facts

    assert following.changed(facts, following.listed([header])) == (58,)  # type: ignore[list-item]


def test_a_batch_posted_by_a_person_is_proved_entry_by_entry() -> None:
    story = followed(POSTED)

    assert story.command == ReadPosted(number=58)
    story.tell(BOTH)

    assert story.fates() == ["posted", "posted"]
    assert following.to_follow(story.facts) == ()


def test_a_batch_set_ready_by_a_person_is_shown_and_left() -> None:
    story = followed(READY)

    assert story.kind == "Done"
    assert story.facts.place("p1").status == BatchStatus.READY_TO_POST


def test_following_never_releases_whatever_the_policy() -> None:
    story = landed(Release.READY)
    story.tell(refused())
    again = Story(facts=following.follow(story.facts, (58,)))

    again.tell(read(OPEN))

    assert again.kind == "Done"


def test_an_entry_removed_by_a_person_is_told() -> None:
    story = followed(a_batch(58, entries(1)))

    assert story.fates() == ["landed", "removed"]
    assert "Send it again" in story.facts.place("p2").note


@pytest.mark.parametrize("batch", [None, a_batch(58, entries(2), status=BatchStatus.DELETED)])
def test_a_batch_deleted_or_gone_is_told(batch: InvoiceBatch | None) -> None:
    story = followed(batch)

    assert story.fates() == ["removed", "removed"]
    assert story.kind == "Done"


def test_an_entry_edited_by_a_person_differs_and_once_mended_agrees_again() -> None:
    edited = a_batch(58, [an_entry(1), an_invoice(an_entry(2), 2, total=Decimal(9))])
    story = followed(edited)
    assert story.fate(2) == "differs"

    again = Story(facts=following.follow(story.facts, (58,)))
    again.tell(read(OPEN))

    assert again.fate(2) == "landed"


def test_a_moved_entry_is_followed_in_its_error_batch_until_posted() -> None:
    story = processed()
    error = PostingError(
        batch_number=58, entry_number=2, message="No account.", error_batch=59, error_entry=1
    )
    story.tell(Accepted(), FIRST, read(POSTED), ErrorsFound(errors=(error,)), NONE_POSTED)
    there = a_batch(59, [an_entry(2)], description="Error batch")

    assert following.to_follow(story.facts) == (59,)
    again = Story(facts=following.follow(story.facts, (59,)))
    again.tell(read(there))
    assert again.fate(2) == "moved"
    assert again.facts.place("p2").words == "No account."
    last = Story(facts=following.follow(again.facts, (59,)))
    last.tell(read(replace(there, header=replace(there.header, status=BatchStatus.POSTED))))
    last.tell(PostedFound(documents=(a_document(an_entry(2), 59, 1),)))

    assert last.fate(2) == "posted"


def test_a_status_unknown_to_us_is_left_as_it_is() -> None:
    story = landed(Release.READY)

    story.tell(Accepted(), read(a_batch(58, entries(2), status="Recurring")))

    assert story.kind == "Done"
    assert "Recurring" in story.facts.release_notes[58]


def test_an_entry_no_longer_listed_in_a_posted_batch_is_looked_for_as_a_document() -> None:
    story = followed(a_batch(58, [an_entry(1)], status=BatchStatus.POSTED))

    assert story.command == ReadPosted(number=58)
    story.tell(BOTH)

    assert story.fates() == ["posted", "posted"]


def test_an_entry_edited_and_posted_before_it_was_read_back_is_proved_posted() -> None:
    edited = an_invoice(an_entry(1), 1, total=Decimal(999))
    story = Story(1).to_post()
    story.tell(Created(number=58), read(a_batch(58, [edited], status=BatchStatus.POSTED)))
    assert story.command == ReadPosted(number=58)

    document = a_document(an_entry(1), 58, 1, amount=Decimal(999))
    story.tell(PostedFound(documents=(document,)))

    assert story.kind == "Done"
    assert story.fate(1) == "differs"
    assert story.facts.place("p1").is_posted
    assert "It is posted" in landing(story.facts, "p1").sentence


def test_an_entry_edited_and_then_posted_still_differs_though_its_total_agrees() -> None:
    other_account = replace(
        an_invoice(an_entry(1), 1), details=(InvoiceDetail(gl_account="7000", amount=Decimal(101)),)
    )
    story = landed(Release.OPEN, a_batch(58, [other_account, an_entry(2)]))
    assert story.fate(1) == "differs"
    again = Story(facts=following.follow(story.facts, (58,)))

    again.tell(read(a_batch(58, [other_account, an_entry(2)], status=BatchStatus.POSTED)), BOTH)

    assert again.fates() == ["differs", "posted"]
    assert again.facts.place("p1").is_posted
    assert "lines 6000" in again.facts.place("p1").note


def test_an_unrelated_document_among_the_answers_for_moved_entries_says_nothing() -> None:
    story = processed()
    story.tell(Accepted(), FIRST, read(POSTED), ErrorsFound(errors=()))

    story.tell(PostedFound(documents=(a_document(an_entry(77), 40, 1),)))

    assert story.fate(2) == "moved"
    assert "not by this bill" not in story.facts.place("p2").note


def test_copies_that_come_back_for_ever_are_left_to_a_person() -> None:
    story = landed(Release.OPEN)
    copy = an_invoice(an_entry(1), 3, document_number="INV-1C")
    with_copy = a_batch(58, [*entries(2), copy])
    facts = replace(following.follow(story.facts, (58,)), cleanings=3)
    again = Story(facts=facts)

    again.tell(read(with_copy))

    assert again.kind == "Done"
    assert "came back" in again.facts.stray_notes["p1"][0]
    assert again.facts.strays == ()
