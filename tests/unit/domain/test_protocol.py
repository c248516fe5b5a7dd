"""What the protocol does next, story by story."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from integrations.sage300.types import BatchStatus
from sync.domain.commands import (
    Accepted,
    Answer,
    BatchRead,
    Created,
    ErrorsFound,
    FindPosted,
    Headers,
    ListBatches,
    Lost,
    NotSent,
    Paused,
    PostBatch,
    PostedFound,
    ReadBatch,
    ReadFailed,
    Resumed,
    Standing,
    Stop,
    Wait,
)
from sync.domain.facts import Facts, Fate, Place, Stage
from sync.domain.policy import Release
from sync.domain.protocol import begin, next_step
from tests.unit.domain.sage_model import (
    NONE_POSTED,
    NOW,
    RULES,
    TAG,
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

LOST = Lost(why="Sage's answer was lost.")


# --- the clean path -------------------------------------------------------------------------------


def test_25_entries_with_a_fresh_look_take_six_calls() -> None:
    story = Story(25).to_post()

    story.tell(Created(number=58), read(a_batch(58, entries(25))))

    assert story.kinds == [
        "FindPosted", "FindPosted", "ReadApprovals", "PostBatch", "ReadBatch", "Done",
    ]  # fmt: skip
    assert set(story.fates()) == {"landed"}


def test_posting_takes_four_calls_more() -> None:
    story = Story(25, release=Release.POST).to_post()
    ready = a_batch(58, entries(25), status=BatchStatus.READY_TO_POST)

    story.tell(Created(number=58), read(a_batch(58, entries(25))))
    story.tell(Accepted(), read(ready), Accepted())
    story.tell(
        PostedFound(documents=tuple(a_document(e, 58, i) for i, e in enumerate(entries(25))))
    )

    assert story.kinds[4:] == [
        "ReadBatch", "SetReady", "ReadBatch", "ProcessBatch", "ReadPosted", "Done",
    ]  # fmt: skip
    assert set(story.fates()) == {"posted"}


def test_without_a_fresh_look_headers_are_listed_first() -> None:
    story = Story(1, is_look_fresh=False)

    assert story.command == ListBatches(after=56)


def test_a_batch_with_our_tag_is_read_before_anything_is_sent() -> None:
    story = Story(2, is_look_fresh=False)

    story.tell(headers(a_header(57), a_header(58), a_header(59, description="Clerk's own")))

    assert story.command == ReadBatch(number=58)


def test_what_the_first_look_finds_is_adopted_and_never_sent() -> None:
    story = Story(1, is_look_fresh=False)

    story.tell(headers(a_header(57), a_header(58)), read(a_batch(58, entries(1))), NONE_POSTED)

    assert story.kind == "Done"
    assert "PostBatch" not in story.kinds
    assert story.fate(1) == "landed"


def test_a_thorough_look_reads_batches_under_any_description() -> None:
    facts = begin(
        Facts(tag=TAG, entries=entries(1), watermark=57), is_look_fresh=True, is_thorough=True
    )
    story = Story(facts=facts)

    story.tell(headers(a_header(57), a_header(58, description="Renamed")))

    assert story.command == ReadBatch(number=58)


def test_fifteen_pairs_are_asked_for_at_a_time() -> None:
    story = Story(40)
    counts = []
    while isinstance(story.command, FindPosted):
        counts.append(len(story.command.pairs))
        story.tell(NONE_POSTED)

    assert counts == [15, 15, 10]


# --- somebody else's number, approvals ------------------------------------------------------------


def test_a_posted_document_of_somebody_else_takes_the_number() -> None:
    story = Story(2)
    theirs = a_document(an_entry(1, order_number="OTHER"), 12, 3)

    story.tell(PostedFound(documents=(theirs,)))
    story.approve()

    assert story.fate(1) == "taken"
    assert "batch 12, entry 3, posted" in story.facts.place("p1").note
    assert story.command == PostBatch(posting_ids=("p2",), tag=f"{TAG}.1")


def test_an_open_entry_of_somebody_else_takes_the_number() -> None:
    story = Story(1, is_look_fresh=False)
    batch = a_batch(58, [a_foreign_invoice(1, document="INV-1", vendor="v1")])

    story.tell(headers(a_header(57), batch), read(batch), NONE_POSTED)

    assert story.fate(1) == "taken"
    assert "not posted yet" in story.facts.place("p1").note


def test_our_own_copy_counts_for_more_than_a_rival() -> None:
    story = Story(1, is_look_fresh=False)
    batch = a_batch(58, [a_foreign_invoice(1, document="INV-1", vendor="V1"), *entries(1)])

    story.tell(headers(a_header(57), batch), read(batch), NONE_POSTED)

    assert story.fate(1) == "landed"


@pytest.mark.parametrize(
    "standing", [Standing.NOT_APPROVED, Standing.ARCHIVED, Standing.CHANGED, Standing.GONE]
)
def test_a_bill_no_longer_approved_as_mapped_leaves_the_batch(standing: Standing) -> None:
    story = Story(2)
    story.tell(NONE_POSTED)

    story.approve(bill1=standing)

    assert story.fate(1) == "withdrawn"
    assert story.command == PostBatch(posting_ids=("p2",), tag=f"{TAG}.1")


def test_a_batch_of_which_every_bill_left_is_done_without_a_post() -> None:
    story = Story(1)
    story.tell(NONE_POSTED)

    story.approve(bill1=Standing.GONE)

    assert story.kind == "Done"
    assert "PostBatch" not in story.kinds


# --- lost answers ---------------------------------------------------------------------------------


def test_a_lost_answer_is_looked_up_before_anything_else() -> None:
    story = Story(2).to_post()

    story.tell(LOST)

    assert story.command == ListBatches(after=56)
    assert story.facts.stage is Stage.SETTLE
    assert not story.facts.place("p1").is_clean


def test_a_lost_batch_that_is_there_is_adopted_even_when_renamed() -> None:
    story = Story(2).to_post()
    batch = a_batch(58, entries(2), description="Renamed by a clerk")

    story.tell(LOST, headers(a_header(57), batch), read(batch), NONE_POSTED)

    assert story.kind == "Done"
    assert story.fates() == ["landed", "landed"]
    assert story.kinds.count("PostBatch") == 1


def test_a_lost_answer_is_looked_up_again_until_the_wait_is_over() -> None:
    story = Story(1).to_post()
    story.tell(LOST)
    waits = []
    while story.facts.stage is Stage.SETTLE:
        story.tell(headers(a_header(57)), NONE_POSTED)
        if isinstance(story.command, Wait):
            waits.append(story.command.until)
            story.now = story.command.until
            story.tell(Resumed())

    assert waits[-1] == NOW + timedelta(seconds=180)
    assert len(waits) == 6
    story.approve()
    assert story.command == PostBatch(posting_ids=("p1",), tag=f"{TAG}.2")


def test_half_of_a_lost_batch_is_adopted_and_the_rest_sent_again() -> None:
    story = Story(3).to_post()
    batch = a_batch(58, entries(1))
    story.tell(LOST)
    story.later(200)

    story.tell(headers(a_header(57), batch), read(batch), NONE_POSTED)
    story.approve()

    assert story.fate(1) == "landed"
    assert story.command == PostBatch(posting_ids=("p2", "p3"), tag=f"{TAG}.2")


def test_a_crash_between_intent_and_answer_counts_as_lost() -> None:
    story = Story(1).to_post()

    story.tell(Resumed())

    assert story.kind == "ListBatches"
    assert story.facts.losses == 1


def test_a_second_loss_in_a_row_halves_the_batch() -> None:
    story = Story(4).to_post()
    for _ in range(2):
        story.tell(LOST)
        story.later(200).tell(headers(a_header(57)), NONE_POSTED)
        story.approve()

    assert isinstance(story.command, PostBatch)
    assert story.command.posting_ids == ("p1", "p2")


def test_losses_without_end_hand_the_bill_to_a_person() -> None:
    story = Story(1).to_post()
    for _ in range(RULES.loss_limit):
        story.tell(LOST)
        story.later(200).tell(headers(a_header(57)), NONE_POSTED)
        if story.kind == "ReadApprovals":
            story.approve()

    assert story.kind == "Done"
    assert story.fate(1) == "exceeded"
    assert "lost 5 times" in story.facts.place("p1").note
    assert story.kinds.count("PostBatch") == RULES.loss_limit


def test_nothing_is_sent_when_sage_was_restored() -> None:
    story = Story(1).to_post()

    story.tell(LOST, headers(a_header(40)))

    assert isinstance(story.command, Stop)
    assert "restored from a backup" in story.command.why
    assert story.facts.is_sage_restored


# --- read back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"total": Decimal("101.01")}, "total 101.00 sent, 101.01 in Sage"),
        ({"document_number": "INV-1X"}, "number INV-1 sent, INV-1X in Sage"),
        ({"vendor_number": "V2"}, "vendor V1 sent, V2 in Sage"),
        ({"undistributed_amount": Decimal("8.25")}, "8.25 is not distributed"),
    ],
)
def test_an_entry_that_differs_goes_to_a_person_with_both_figures(
    change: dict[str, object], told: str
) -> None:
    story = Story(1).to_post()
    batch = a_batch(58, [an_invoice(an_entry(1), 1, **change)])

    story.tell(Created(number=58), read(batch))

    assert story.fate(1) == "differs"
    assert told in story.facts.place("p1").note
    assert story.kind == "Done"


def test_a_batch_short_of_an_entry_is_looked_up_and_the_rest_sent_again() -> None:
    story = Story(2).to_post()
    batch = a_batch(58, entries(1))

    story.tell(Created(number=58), read(batch))
    assert story.kind == "ListBatches"
    story.tell(headers(a_header(57), batch), read(batch), NONE_POSTED)
    story.approve()

    assert story.command == PostBatch(posting_ids=("p2",), tag=f"{TAG}.2")


def test_a_created_batch_that_is_not_there_is_looked_up() -> None:
    story = Story(1).to_post()

    story.tell(Created(number=58), BatchRead(number=58, batch=None))

    assert story.kind == "ListBatches"


# --- refusals -------------------------------------------------------------------------------------


def test_a_refusal_that_names_an_entry_takes_out_only_that_entry() -> None:
    story = Story(3).to_post()

    story.tell(refused("INV-2"), headers(a_header(57)), NONE_POSTED)
    story.approve()

    assert story.fate(2) == "refused"
    assert story.facts.place("p2").words == "The account is inactive."
    assert story.command == PostBatch(posting_ids=("p1", "p3"), tag=f"{TAG}.2")


def test_a_refusal_naming_a_number_of_two_vendors_is_found_by_halving() -> None:
    two = (an_entry(1), an_entry(2, vendor_number="V2", document_number="INV-1"))
    story = Story(facts=begin(Facts(tag=TAG, entries=two, watermark=57), is_look_fresh=True))
    story.to_post()

    story.tell(refused("INV-1"), headers(a_header(57)), NONE_POSTED)
    story.approve()

    assert story.command == PostBatch(posting_ids=("p1",), tag=f"{TAG}.2")


def test_a_refused_number_that_is_taken_is_told_as_such() -> None:
    story = Story(1).to_post()

    story.tell(refused("INV-1", taken=True), headers(a_header(57)), NONE_POSTED)

    assert story.fate(1) == "taken"
    assert story.kind == "Done"


def test_a_number_taken_by_our_own_late_batch_is_adopted() -> None:
    story = Story(1).to_post()
    late = a_batch(58, entries(1))

    story.tell(refused("INV-1", taken=True), headers(a_header(57), late), read(late), NONE_POSTED)

    assert story.fate(1) == "landed"


def test_a_refusal_explained_by_a_clerks_entry_does_not_split_the_others() -> None:
    story = Story(3).to_post()
    theirs = a_batch(58, [a_foreign_invoice(1, document="INV-1", vendor="V1")], description="Own")

    story.tell(refused(taken=True), headers(a_header(57), theirs), read(theirs), NONE_POSTED)
    story.approve()

    assert story.fate(1) == "taken"
    assert "batch 58, entry 1, not posted yet" in story.facts.place("p1").note
    assert story.command == PostBatch(posting_ids=("p2", "p3"), tag=f"{TAG}.2")


def test_a_closed_period_meets_the_whole_batch_at_once() -> None:
    story = Story(4).to_post()

    story.tell(replace(refused(), is_period_closed=True), headers(a_header(57)), NONE_POSTED)

    assert story.kind == "Done"
    assert set(story.fates()) == {"refused"}
    assert story.kinds.count("PostBatch") == 1


def test_every_refusal_is_followed_by_a_look() -> None:
    story = Story(4).to_post()
    while story.kind != "Done":
        match story.kind:
            case "PostBatch":
                story.tell(refused())
                assert story.kind == "ListBatches"
            case "ListBatches":
                story.tell(headers(a_header(57)))
            case "FindPosted":
                story.tell(NONE_POSTED)
            case "ReadApprovals":
                story.approve()

    assert set(story.fates()) == {"refused"}


@pytest.mark.parametrize("mode", ["atomic", "header left", "entries left"])
@pytest.mark.parametrize("bad", [1, 2, 7, 13, 14, 24, 25])
def test_one_bad_entry_of_25_costs_12_posts_at_most(mode: str, bad: int) -> None:
    story, sage = Story(25).to_post(), {}
    number = 57
    while story.kind != "Done":
        match story.command:
            case PostBatch(posting_ids=ids):
                sent = [story.facts.entry(key) for key in ids]
                is_bad = f"p{bad}" in ids
                kept = sent[: ids.index(f"p{bad}")] if mode == "entries left" and is_bad else []
                kept = kept if is_bad else sent
                if not is_bad or mode != "atomic":
                    number += 1
                    sage[number] = a_batch(number, kept)
                story.tell(refused() if is_bad else Created(number=number))
            case ListBatches():
                story.tell(headers(a_header(57), *sage.values()))
            case ReadBatch(number=wanted):
                story.tell(BatchRead(number=wanted, batch=sage[wanted]))
            case FindPosted():
                story.tell(NONE_POSTED)
            case _:
                story.approve()

    assert story.kinds.count("PostBatch") <= 12
    assert [story.fate(i) for i in range(1, 26) if i != bad] == ["landed"] * 24
    assert story.fate(bad) == "refused"
    held = [i.order_number for batch in sage.values() for i in batch.invoices]
    assert len(held) == len(set(held)) == 24


# --- load, connection, credentials ----------------------------------------------------------------


def test_a_busy_sage_is_asked_again_later_after_a_look() -> None:
    story = Story(1).to_post()

    story.tell(refused(transient=True))
    assert isinstance(story.command, Wait)
    story.later(10).tell(Resumed(), headers(a_header(57)), NONE_POSTED)
    story.approve()

    assert story.command == PostBatch(posting_ids=("p1",), tag=f"{TAG}.2")
    assert story.facts.place("p1").is_clean


def test_a_sage_busy_for_ever_hands_over_to_a_person() -> None:
    story = Story(1).to_post()
    while story.kind != "Done":
        story.tell(refused(transient=True))
        story.later(400).tell(Resumed(), headers(a_header(57)), NONE_POSTED)
        if story.kind == "ReadApprovals":
            story.approve()

    assert story.fate(1) == "exceeded"
    assert story.kinds.count("PostBatch") == RULES.busy_limit


def test_what_was_never_sent_is_sent_again_after_a_fresh_look() -> None:
    story = Story(1).to_post()

    story.tell(NotSent(why="Sage could not be reached."))
    assert isinstance(story.command, Wait)
    story.later(10).tell(Resumed())

    assert story.kind == "ListBatches"
    assert story.facts.place("p1").is_clean


def test_the_wait_after_not_sent_grows() -> None:
    story = Story(1).to_post()
    pauses = []
    for _ in range(4):
        story.tell(NotSent(why="Sage could not be reached."))
        assert isinstance(story.command, Wait)
        pauses.append((story.command.until - story.now).total_seconds())
        story.later(pauses[-1]).tell(Resumed(), headers(a_header(57)), NONE_POSTED)
        story.approve()

    assert pauses == [5, 10, 20, 40]


def test_a_wait_asked_for_by_sage_is_kept_to_the_second() -> None:
    story = Story(1).to_post()

    story.tell(replace(refused(transient=True), retry_after_seconds=77))

    assert story.command == Wait(until=NOW + timedelta(seconds=77), why="Sage refuses it.")


@pytest.mark.parametrize("failures", [1, 3, 9])
def test_failed_reads_are_asked_again_ever_later(failures: int) -> None:
    story = Story(1)
    for _ in range(failures):
        story.tell(ReadFailed(why="Sage did not answer."))

    assert isinstance(story.command, Wait)
    seconds = (story.command.until - NOW).total_seconds()
    assert seconds == min(RULES.longest_retry_seconds, 5 * 2 ** (failures - 1))


@pytest.mark.parametrize("answers", [(), (NONE_POSTED,)])
def test_refused_credentials_stop_until_somebody_mends_them(answers: tuple[Answer, ...]) -> None:
    story = Story(1)
    story.tell(*answers)

    story.tell(Paused(why="Sage refuses the password."))

    assert story.command == Stop(why="Sage refuses the password.")


def test_a_post_refused_for_credentials_is_looked_up_and_sent_once_they_are_mended() -> None:
    story = Story(1).to_post()
    story.tell(Paused(why="Sage refuses the password."))

    story.tell(Resumed(), headers(a_header(57)), NONE_POSTED)
    story.approve()

    assert story.command == PostBatch(posting_ids=("p1",), tag=f"{TAG}.2")


# --- picked up again ------------------------------------------------------------------------------


def test_a_look_interrupted_is_made_anew() -> None:
    story = Story(1, is_look_fresh=False)
    story.tell(headers(a_header(57), a_header(58)))

    story.tell(Resumed())

    assert story.kind == "ListBatches"


def test_a_renamed_batch_read_before_a_crash_is_read_again_after_it() -> None:
    story = Story(1).to_post()
    batch = a_batch(58, entries(1), description="Renamed by a clerk")
    story.tell(LOST, headers(a_header(57), batch), read(batch))

    story.tell(Resumed(), headers(a_header(57), batch))

    assert story.command == ReadBatch(number=58)


def test_a_read_back_interrupted_is_made_again() -> None:
    story = Story(1).to_post()
    story.tell(Created(number=58))

    story.tell(Resumed())

    assert story.command == ReadBatch(number=58)


def test_a_batch_that_is_done_stays_done() -> None:
    story = Story(1).to_post()
    story.tell(Created(number=58), read(a_batch(58, entries(1))))

    assert type(story.tell(Resumed())).__name__ == "Done"


def test_an_unclean_identity_stays_unclean_when_the_entry_is_found() -> None:
    places = {"p1": Place(fate=Fate.PENDING, is_clean=False)}
    story = Story(1, places=places).to_post()

    story.tell(Created(number=58), read(a_batch(58, entries(1))))

    assert not story.facts.place("p1").is_clean


def test_an_answer_that_makes_no_sense_after_a_post_is_a_lost_one() -> None:
    story = Story(1).to_post()

    story.tell(Headers(headers=()))

    assert story.facts.losses == 1


def test_an_error_list_out_of_place_changes_nothing() -> None:
    story = Story(1)
    before = story.command

    story.tell(ErrorsFound(errors=()))

    assert story.command == before


def test_a_batch_put_down_just_before_its_post_looks_anew() -> None:
    story = Story(1).to_post()
    about_to_send = replace(story.facts, stage=Stage.SEND, groups=(("p1",),), sending=())
    again = Story(facts=about_to_send)

    assert again.kind == "PostBatch"
    resumed = next_step(about_to_send, Resumed(), NOW, RULES)
    assert resumed.command == ListBatches(after=56)


def test_an_early_visit_does_not_shorten_a_wait() -> None:
    story = Story(1).to_post()
    story.tell(NotSent(why="Sage could not be reached."))
    waiting = story.command

    story.later(1).tell(Resumed())

    assert story.command == waiting
