"""The people at Calder: what they do is drawn from a seed, and nobody does the impossible."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connector_site.demo.living import OPENING, Deed, Living
from connector_site.demo.scenario import LiveApproval, read_scenario

TODAY = date(2026, 12, 1)


class Systems:
    """A BILL and a Sage that only remember what they were told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.approved: list[LiveApproval] = []
        self.batches: dict[int, str] = {59: "Open", 60: "ReadyToPost"}

    def get(self, path: str, **query: str) -> Any:
        assert path == "/_standin/ledger"
        batches = [
            {"BatchNumber": number, "BatchStatus": state, "Invoices": [_entry()]}
            for number, state in self.batches.items()
        ]
        return {"CALBAK": {"batches": batches}, "CALCAT": {"batches": []}}

    def post(self, path: str, **words: Any) -> Any:
        assert path == "/_standin/do"
        self.told.append(words)
        if words["action"] == "post_batch":
            self.batches[words["batch"]] = "Posted"
        if words["action"] == "set_ready":
            self.batches[words["batch"]] = "ReadyToPost"
        return {"result": f"id{len(self.told)}"}


def _entry() -> dict[str, Any]:
    return {
        "EntryNumber": 1, "VendorNumber": "NOVAK", "DocumentNumber": "1", "EnteredBy": "MLCONN",
        "DocumentTotalIncludingTax": "1.00", "UndistributedAmount": "0", "InvoiceDetails": [],
    }  # fmt: skip


def play(deeds: int, *, seed: int = 2026) -> tuple[list[tuple[Deed, str]], Systems]:
    systems = Systems()
    living = Living(
        read_scenario(sage_url="http://127.0.0.1:4301", today=TODAY),
        bill=systems,  # type: ignore[arg-type]
        sage=systems,  # type: ignore[arg-type]
        approve=systems.approved.append,
        today=TODAY,
        seed=seed,
    )
    done = []
    for _ in range(deeds):
        deed, desk = living.next_deed()
        living.do(deed, desk)
        done.append((deed, desk.slug))
    return done, systems


def test_the_first_seconds_bring_every_state_onto_the_page() -> None:
    done, systems = play(len(OPENING))

    assert [deed for deed, _ in done] == list(OPENING)
    assert systems.batches[60] == "Posted"
    assert {words["action"] for words in systems.told} == {"post_batch", "add_bill", "add_vendor"}


def test_a_long_day_has_everything_in_it_and_each_seed_its_own_story() -> None:
    done, systems = play(600)

    assert {deed for deed, _ in done} == set(Deed)
    assert {slug for _, slug in done} == {"bakery", "catering"}
    assert {each.told_by for each in systems.approved} == {"webhook", "poll"}
    assert play(600)[0] == done
    assert play(600, seed=1)[0] != done


def test_a_bill_is_approved_once_and_never_after_it_was_archived_or_denied() -> None:
    _, systems = play(600)

    approved = Counter(each.bill_id for each in systems.approved)
    gone = {w["bill_id"] for w in systems.told if w["action"] == "deny_bill"}
    assert max(approved.values()) == 1
    assert not gone & approved.keys()


def test_every_bill_has_a_number_of_its_own_and_a_total_of_its_line() -> None:
    _, systems = play(600)

    bills = [words for words in systems.told if words["action"] == "add_bill"]
    numbers = [(bill["vendorId"], bill["invoice"]["invoiceNumber"]) for bill in bills]
    assert len(bills) > 100
    assert len(set(numbers)) == len(numbers)
    assert all(Decimal(bill["billLineItems"][0]["amount"]) >= 500 for bill in bills)


@pytest.mark.parametrize(("elapsed", "least", "most"), [(0, 2.5, 6.0), (5000, 15.0, 36.0)])
def test_a_demo_left_alone_becomes_a_quiet_office(elapsed: int, least: float, most: float) -> None:
    living = Living(
        read_scenario(sage_url="", today=TODAY),
        bill=Systems(),  # type: ignore[arg-type]
        sage=Systems(),  # type: ignore[arg-type]
        approve=lambda approval: None,
        today=TODAY,
    )

    pauses = [living.pause_seconds(elapsed) for _ in range(200)]

    assert least <= min(pauses)
    assert max(pauses) <= most
