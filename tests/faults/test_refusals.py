"""Sage refuses a batch: the bad bill goes to a person with Sage's words, the others go on."""

from decimal import Decimal
from typing import Any

import pytest

from sync.domain.policy import Release
from sync.services import periods
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
    start_worker,
    told,
    wait_for,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("names_entry", [True, False])
def test_f22_a_batch_kept_in_part_is_completed_without_a_second_copy(
    synced_desk: Desk, names_entry: bool
) -> None:
    desk = synced_desk
    for round_, mode in enumerate(["atomic", "header_left", "entries_left"]):
        for number in range(5):
            a_bill(desk, f"R-{round_}-{number}")
        desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", f"R-{round_}-3", "75.00", "5010100")
        desk.sage.set_switches({"batch_failure_mode": mode, "refusal_names_entry": names_entry})
        before = posts(desk)

        heal(desk)

        agrees(desk)
        refused = sorted(posting.invoice_number for posting in desk.postings(state="ATTENTION"))
        assert refused == [f"R-{number}-3" for number in range(round_ + 1)]
        assert len(desk.postings(state="IN_SAGE")) == 3 + 4 * (round_ + 1)
        assert posts(desk) - before <= 2 * 3 + 2


@pytest.mark.parametrize("name", ["desk", "posting_desk"])
def test_f23_an_entry_a_cent_off_is_never_posted_and_both_figures_are_told(
    request: pytest.FixtureRequest, name: str
) -> None:
    """Rounding, tax of its own, a person: the invoice Sage holds is not the one that was sent."""
    desk = request.getfixturevalue(name)
    desk.sage_server.faults.add("delay_answer", POST_BATCH, seconds=0.4)
    edit_while_answering(desk, amount="100.02")

    heal(desk)

    agrees(desk)
    wrong = desk.postings(state="ATTENTION")
    assert [posting.invoice_number for posting in wrong] == ["B-1"]
    assert "100.01 sent, 100.02 in Sage" in wrong[0].sentence
    assert "B-1" not in {document["DocumentNumber"] for document in desk.ledger()["posted"]}


def edit_while_answering(desk: Desk, **fields: Any) -> None:
    """A person changes entry B-1 after Sage wrote it and before we read it back."""
    worker = start_worker(desk.sync)
    wait_for(lambda: len(entries(desk)) == 3)
    entry = next(e for e in entries(desk) if e["DocumentNumber"] == "B-1")
    desk.sage.edit_entry("CALBAK", entry["BatchNumber"], entry["EntryNumber"], **fields)
    assert worker.ended() == 0


def test_f25_a_batch_somebody_has_open_is_tried_again_and_then_told(posting_desk: Desk) -> None:
    desk = posting_desk
    desk.sage_server.faults.add(
        "status", "PATCH /APInvoiceBatches", status=409, times=2,
        body='{"error":{"code":"General","message":{"lang":"en-US",'
        '"value":"Batch 59 is in use by DANA. Try again later."}}}',
    )  # fmt: skip

    heal(desk)

    all_in_sage(desk, 3, status="Posted")
    booked = [document["DocumentNumber"] for document in desk.ledger()["posted"]]
    assert [booked.count(number) for number in ("B-1", "B-2", "B-3")] == [1, 1, 1]
    assert posts(desk) == 1


def test_f25_a_lock_that_stays_leaves_the_batch_open_and_says_so(
    settings: Any, transactional_db: None
) -> None:
    with an_office(settings, release=Release.POST) as desk:
        desk.sage_server.faults.add(
            "status", "PATCH /APInvoiceBatches", status=409, times=0,
            body='{"error":{"code":"General","message":{"lang":"en-US",'
            '"value":"Batch 59 is in use by DANA. Try again later."}}}',
        )  # fmt: skip
        for _ in range(10):
            desk.sync()
            later(desk)

        all_in_sage(desk, 3)
        assert all("in use by DANA" in posting.sentence for posting in desk.postings())


def test_f25_a_period_locked_meanwhile_holds_those_bills_with_sages_words(
    synced_desk: Desk,
) -> None:
    desk = synced_desk
    later(desk)
    a_bill(desk, "L-1")
    now = desk.clock()
    desk.sage.lock_period("CALBAK", str(now.year), str(now.month))

    heal(desk)

    agrees(desk)
    [held] = [p for p in desk.postings() if p.state != "IN_SAGE"]
    assert held.invoice_number == "L-1"
    assert held.state in {"ATTENTION", "BLOCKED"}
    assert "closed in Sage" in told(held)

    desk.sage.open_period("CALBAK", str(now.year), str(now.month))
    with tenant_scope(desk.company.tenant_id):
        periods.forget_refused(
            tenant_id=desk.company.tenant_id, company_id=desk.company.pk, now=desk.clock()
        )
    heal(desk)
    all_in_sage(desk, 4)


def test_f25_an_account_gone_inactive_holds_that_bill_and_the_others_go(
    settings: Any, transactional_db: None
) -> None:
    with an_office(settings, bills=2) as desk:
        desk.sync()
        a_bill(desk, "F-1", vendor="009CbkMarlowFreig001")
        a_bill(desk, "B-9")
        desk.sage.set_account("CALBAK", "5060-100", Status="Inactive")

        heal(desk)

        agrees(desk)
        [held] = [p for p in desk.postings() if p.state != "IN_SAGE"]
        assert held.invoice_number == "F-1"
        assert "5060" in told(held)
        assert "inactive" in told(held).lower()


@pytest.mark.parametrize("is_posted", [False, True])
def test_f27_an_invoice_a_clerk_has_entered_is_never_sent_beside_it(
    desk: Desk, is_posted: bool
) -> None:
    there = desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "B-2", "200.02", "5010100")
    if is_posted:
        desk.sage.post_batch("CALBAK", there["batch"])

    heal(desk)

    agrees(desk)
    [theirs] = desk.postings(state="ATTENTION")
    assert theirs.invoice_number == "B-2"
    assert "handled outside" in theirs.sentence
    assert len(desk.postings(state="IN_SAGE")) == 2


def test_f27_a_clerk_who_enters_it_between_look_and_post_keeps_it(desk: Desk) -> None:
    desk.sage_server.faults.add("delay", POST_BATCH, seconds=0.4)
    worker = start_worker(desk.sync)
    wait_for(lambda: desk.sage_server.faults.hits)
    desk.sage.clerk_enters_invoice("CALBAK", "PRAMIL", "B-2", "200.02", "5010100")
    assert worker.ended() == 0

    heal(desk)

    agrees(desk)
    assert [p.invoice_number for p in desk.postings(state="ATTENTION")] == ["B-2"]
    assert len([e for b in desk.ledger()["batches"] for e in b["Invoices"]
                if e["DocumentNumber"] == "B-2"]) == 1  # fmt: skip


POISON: dict[str, dict[str, Any]] = {
    "no-lines": {"billLineItems": []},
    "zero": {"amount": "0.00"},
    "long-" + "9" * 61: {},
    "emoji-\U0001f9fe": {},
    "rtl-\u202e\u05d0": {},
    "half-cent": {"amount": "10.005"},
    "no-date": {"invoice": {"invoiceNumber": "no-date"}},
    "no-number": {"invoice": {"invoiceDate": "-0d"}},
    "lines-differ": {
        "total": Decimal("99.00"),
        "billLineItems": [
            {
                "amount": Decimal("98.00"),
                "classifications": {"chartOfAccountId": "0caCbkFlour000000001"},
            }
        ],
    },
}


def test_f50_a_poisonous_bill_is_held_with_its_reason_and_the_others_go_on(desk: Desk) -> None:
    ids = {}
    for number, fields in POISON.items():
        more = {**fields}
        amount = more.pop("amount", "75.00")
        ids[a_bill(desk, number, amount=amount, **more)] = number
    big = [
        {"amount": Decimal("1.00"), "classifications": {"chartOfAccountId": "0caCbkFlour000000001"}}
    ] * 500
    a_bill(desk, "many-lines", billLineItems=big)

    heal(desk)

    agrees(desk)
    poisoned = {ids[p.source_id]: p for p in desk.postings() if p.source_id in ids}
    for number, posting in poisoned.items():
        is_told = (
            posting.state in {"BLOCKED", "REVIEW", "ATTENTION", "SKIPPED"} and posting.sentence
        )
        assert is_told or posting.state == "IN_SAGE", f"{number!r}: {told(posting)}"
    held = {number for number, posting in poisoned.items() if posting.state != "IN_SAGE"}
    assert {"no-lines", "no-date", "lines-differ", "half-cent"} <= held
    good = {p.invoice_number for p in desk.postings(state="IN_SAGE")}
    assert {"B-1", "B-2", "B-3", "many-lines"} <= good
