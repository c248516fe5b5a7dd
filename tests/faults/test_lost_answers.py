"""A POST whose answer is lost, late, cut or nonsense: looked up, never believed, never sent blind."""

import json
from copy import deepcopy
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from integrations.models import Sage300Connection
from integrations.standins.sage300 import batches
from integrations.standins.sage300.company import Batch
from sync.models import Attempt
from tenants.scoping import tenant_scope
from tests.faults.office import (
    POST_BATCH,
    a_bill,
    agrees,
    all_in_sage,
    an_office,
    entries,
    heal,
    later,
    posts,
    quick,
    told,
    wait_for,
)
from tests.faults.wire import Cut, a_wire
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def looked_up_first(desk: Desk) -> None:
    """One sync: the bills stay UNCERTAIN with a sentence, and nothing is sent a second time."""
    before = posts(desk)
    desk.sync()
    assert posts(desk) <= before + 1
    for posting in desk.postings():
        assert posting.state == "UNCERTAIN", told(posting)
        assert "will not send it again until" in posting.sentence


def test_f09_a_time_out_that_never_ran_is_sent_again_after_the_wait(desk: Desk) -> None:
    desk.sage_server.faults.add("refuse", POST_BATCH)
    looked_up_first(desk)
    later(desk, 100)
    looked_up_first(desk)
    assert posts(desk) == 1

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 2


def test_f10_a_time_out_that_ran_is_found_and_not_sent_again(settings: Any, desk: Desk) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, sage_write_seconds=1)
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=1.3)
    desk.sync()
    wait_for(lambda: posts(desk))

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


@pytest.mark.parametrize("name", ["desk", "posting_desk"])
def test_f11_a_post_that_runs_beside_its_resend_leaves_one_of_each(
    request: pytest.FixtureRequest, name: str
) -> None:
    desk = request.getfixturevalue(name)
    resend_beside_a_late_one(desk)
    assert len({entry["BatchNumber"] for entry in entries(desk)}) == 2

    heal(desk)

    all_in_sage(desk, 3, status="Open" if name == "desk" else "Posted")


def resend_beside_a_late_one(desk: Desk) -> None:
    """Both POSTs pass Sage's check of the number; the first one's entry is written after all."""
    desk.sage_server.faults.add("refuse", POST_BATCH)
    desk.sync()
    late = begin_late_batch(desk)
    later(desk)
    desk.sync()
    copy_into(desk, late, entries(desk)[0])


def begin_late_batch(desk: Desk) -> Batch:
    """Sage has drawn a number for the request whose answer is lost, and written its header."""
    with tenant_scope(desk.company.tenant_id):
        attempts = Attempt.objects.for_tenant(desk.company.tenant_id)
        body = attempts.get(operation="PostBatch").request
    db = desk.sage.company("CALBAK")
    with db.lock:
        description = json.loads(body)["Description"]
        return batches.new_batch(db, desk.sage.session("MLCONN"), Description=description)


def write_first_entry(desk: Desk, late: Batch) -> None:
    with tenant_scope(desk.company.tenant_id):
        attempts = Attempt.objects.for_tenant(desk.company.tenant_id)
        body = json.loads(attempts.get(operation="PostBatch").request, parse_float=Decimal)
    db = desk.sage.company("CALBAK")
    with db.lock:
        batches.add_entry(db, late, body["Invoices"][0], desk.sage.session("MLCONN"))


def copy_into(desk: Desk, late: Batch, entry: dict[str, Any]) -> None:
    """The late request writes this entry too, having passed the check of the number before."""
    db = desk.sage.company("CALBAK")
    with db.lock:
        row = db.get_batch(entry["BatchNumber"]).entries[entry["EntryNumber"]]
        batches.put_entry(db, late, deepcopy(row), len(late.entries) + 1)


def test_f12_a_commit_after_everything_was_posted_is_swept_and_never_posted(
    posting_desk: Desk,
) -> None:
    resend_beside_a_late_one(posting_desk)
    assert len(posting_desk.ledger()["posted"]) == 4
    assert len(entries(posting_desk, status="Open")) == 1

    heal(posting_desk)

    all_in_sage(posting_desk, 3, status="Posted")
    assert entries(posting_desk, status="Open") == []


def test_f12_a_copy_that_comes_late_is_found_though_a_clerk_has_renamed_its_batch(
    desk: Desk,
) -> None:
    desk.sage_server.faults.add("refuse", POST_BATCH)
    heal(desk)
    all_in_sage(desk, 3)
    ours = entries(desk)[0]
    db = desk.sage.company("CALBAK")
    with db.lock:
        late = batches.new_batch(db, desk.sage.session("MLCONN"), Description="AP November")
    copy_into(desk, late, ours)
    assert len(entries(desk)) == 4

    heal(desk)

    all_in_sage(desk, 3)
    assert {entry["BatchNumber"] for entry in entries(desk)} == {ours["BatchNumber"]}


def test_f13_f14_a_5xx_for_a_post_is_unknown_whether_it_ran_or_not(desk: Desk) -> None:
    for number, (kind, status) in enumerate(product(["status", "status_after"], [500, 502, 504])):
        if number:
            a_bill(desk, f"N-{number}")
        desk.sage_server.faults.add(kind, POST_BATCH, status=status)
        before = posts(desk)
        desk.sync()
        assert posts(desk) == before + 1
        heal(desk)
        assert posts(desk) - before == (2 if kind == "status" else 1), (kind, status)

    all_in_sage(desk, 8)


def test_f14_a_503_for_a_read_is_asked_again_within_the_call(settings: Any, desk: Desk) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, read_attempts=3)
    desk.sage_server.faults.add("status", "GET /APInvoiceBatches", status=503)

    report = desk.sync()

    assert desk.sage_server.faults.hits
    assert report.outcome == "ok"
    all_in_sage(desk, 3)


@pytest.mark.parametrize(("retry_after", "too_early", "due"), [("120", 100, 25), ("", 20, 15)])
def test_f15_a_429_is_waited_out_and_changes_nothing(
    desk: Desk, retry_after: str, too_early: float, due: float
) -> None:
    desk.sage_server.faults.add("status", POST_BATCH, status=429, retry_after=retry_after)
    desk.sync()
    assert {posting.state for posting in desk.postings()} == {"IN_FLIGHT"}
    assert all("goes on by itself" in posting.sentence for posting in desk.postings())

    later(desk, too_early)
    desk.sync()
    assert posts(desk) == 1

    later(desk, due)
    heal(desk)
    all_in_sage(desk, 3)
    assert posts(desk) == 2


def test_f18_a_server_that_is_not_there_is_told_and_nothing_is_uncertain(desk: Desk) -> None:
    desk.sage_server.stop()

    report = desk.sync()

    assert report.outcome == "failed"
    assert "Sage 300" in report.sentence
    desk.sage_server.start()
    heal(desk)
    all_in_sage(desk, 3)


def test_f18_a_refused_connection_at_the_post_is_sent_at_the_next_try(
    settings: Any, desk: Desk
) -> None:
    with a_wire(settings, desk) as wire:
        wire.cut = Cut(begins=b"POST", after_bytes=0)
        desk.sync()
        assert wire.was_cut.is_set()
        heal(desk)

    all_in_sage(desk, 3)


def test_f18_a_certificate_of_another_name_is_told_and_never_ignored(
    settings: Any, desk: Desk
) -> None:
    secure = desk.sage_server.url.replace("http://", "https://")
    settings.PRACTICE_SAGE_URL = secure
    with tenant_scope(desk.company.tenant_id):
        Sage300Connection.objects.for_tenant(desk.company.tenant_id).update(base_url=secure)

    report = desk.sync()

    assert report.outcome == "failed"
    assert "certificate" in report.sentence.lower() or "secure" in report.sentence.lower()
    assert entries(desk) == []


@pytest.mark.parametrize("sent_bytes", [30, 700])
def test_f19_a_connection_reset_while_sending_is_unknown(
    settings: Any, desk: Desk, sent_bytes: int
) -> None:
    with a_wire(settings, desk) as wire:
        wire.cut = Cut(begins=b"POST", after_bytes=sent_bytes)
        looked_up_first(desk)
        assert {posting.state for posting in desk.postings()} == {"UNCERTAIN"}
        assert entries(desk) == []
        heal(desk)

    all_in_sage(desk, 3)
    assert sorted(entry["DocumentNumber"] for entry in entries(desk)) == ["B-1", "B-2", "B-3"]


def test_f19_a_connection_reset_after_the_work_is_found(desk: Desk) -> None:
    desk.sage_server.faults.add("lose_answer", POST_BATCH)

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


def test_f20_nonsense_for_a_post_is_unknown_and_looked_up(settings: Any, desk: Desk) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, answer_bytes=1_000_000)
    kinds = ["truncate", "html", "html_after", "empty", "empty_after", "huge", "gzip_bomb"]
    for number, kind in enumerate(kinds):
        a_bill(desk, f"N-{number}")
        before = posts(desk)
        desk.sage_server.faults.add(kind, POST_BATCH, size_mib=2)
        desk.sync()
        assert posts(desk) == before + 1, kind
        heal(desk)
        all_in_sage(desk, 4 + number)


def test_f20_nonsense_for_a_read_is_an_error_and_nothing_is_sent_on_it(
    settings: Any, desk: Desk
) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, answer_bytes=1_000_000)
    for kind in ["html", "empty", "huge", "gzip_bomb", "truncate"]:
        desk.sage_server.faults.add(kind, "GET /APInvoiceBatches", size_mib=2)
        report = desk.sync()
        assert report.outcome == "failed", kind
        assert posts(desk) == 0

    heal(desk)

    all_in_sage(desk, 3)


def test_f21_an_answer_in_drops_ends_at_the_deadline(settings: Any, desk: Desk) -> None:
    settings.CONNECTOR = quick(settings.CONNECTOR, sage_write_seconds=1)
    desk.sage_server.faults.add("drip", POST_BATCH, seconds=0.2)
    desk.sync()

    heal(desk)

    all_in_sage(desk, 3)
    assert posts(desk) == 1


@pytest.mark.parametrize("name", ["desk", "posting_desk"])
def test_f24_a_pool_still_writing_while_we_look_and_send_the_rest_leaves_one_of_each(
    request: pytest.FixtureRequest, name: str
) -> None:
    """A recycled pool goes on with the old request after its first entry was found and kept."""
    desk = request.getfixturevalue(name)
    desk.sage_server.faults.add("refuse", POST_BATCH)
    desk.sync()
    late = begin_late_batch(desk)
    write_first_entry(desk, late)
    later(desk)
    desk.sync()  # one is found, the others are sent; then the old request writes its second one
    assert len(entries(desk)) == 3
    if name == "desk":  # a Posted batch takes no entry any more
        copy_into(desk, late, entries(desk)[-1])

    heal(desk)

    all_in_sage(desk, 3, status="Open" if name == "desk" else "Posted")


def test_a_second_copy_sage_will_not_let_go_is_told_with_batch_and_entry(
    settings: Any, transactional_db: None
) -> None:
    with an_office(settings, bills=1) as desk:
        desk.sage.set_switches({"last_entry_delete": "refuse"})
        resend_beside_a_late_one(desk)

        heal(desk)

        agrees(desk, told_strays=1)
        posting = desk.postings()[0]
        assert "is a second copy of document B-1" in posting.sentence
        assert "do not post it" in posting.sentence


def test_a_told_second_copy_that_posting_moves_is_told_where_it_lies_now(
    settings: Any, transactional_db: None
) -> None:
    with an_office(settings, bills=1) as desk:
        desk.sage.set_switches({"last_entry_delete": "refuse"})
        resend_beside_a_late_one(desk)
        heal(desk)
        kept = desk.postings()[0].sage_batch_number
        [copy] = [entry for entry in entries(desk) if entry["BatchNumber"] != kept]
        desk.sage.mark_entry_bad(
            "CALBAK", copy["BatchNumber"], copy["EntryNumber"], reason="The account is closed."
        )
        desk.sage.post_batch("CALBAK", copy["BatchNumber"])

        heal(desk)

        agrees(desk, told_strays=1)
        [moved] = [entry for entry in entries(desk, status="Open") if entry["BatchNumber"] != kept]
        assert f"Batch {moved['BatchNumber']}, entry {moved['EntryNumber']} is a second copy" in (
            desk.postings()[0].sentence
        )
