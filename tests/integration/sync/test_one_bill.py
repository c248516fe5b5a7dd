"""The main job on real HTTP: approved bills become AP invoices in Sage, and are read back."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sync.domain.words import count_of
from sync.models import LogEntry, Run
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import a_synced_desk
from tests.integration.sync.world import (
    BAKERY_NUMBERS,
    CATERING,
    CATERING_NUMBERS,
    Desk,
    a_desk,
    a_policy,
    invoices_of_ours,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_approved_bills_are_in_sage_to_the_cent_and_left_open(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        report = desk.sync()

        assert (report.outcome, report.sentence) == ("ok", "")
        assert Counter(posting.state for posting in desk.postings()) == {
            "IN_SAGE": 14,
            "BLOCKED": 12,
            "WAITING": 10,
            "REVIEW": 1,
            "ATTENTION": 1,
            "SKIPPED": 1,
        }
        assert {posting.sage_status for posting in desk.postings(state="IN_SAGE")} == {"Open"}
        assert shown(desk) == invoices_of_ours(desk.ledger())


def test_a_company_that_posts_shows_each_entry_posted_in_sage(settings: Any) -> None:
    policy = a_policy(CATERING_NUMBERS, release="post")
    with a_desk(settings, policy=policy, organization=CATERING, database="CALCAT") as desk:
        desk.sync()

        in_sage = desk.postings(state="IN_SAGE")
        assert {posting.sage_status for posting in in_sage} == {"Posted"}
        posted = {row["OrderNumber"]: row for row in desk.ledger("CALCAT")["posted"]}
        assert {posting.order_number for posting in in_sage} <= set(posted)
        assert all(posting.posted_at and posting.posting_sequence for posting in in_sage)


def test_ids_that_differ_only_in_capitals_get_order_numbers_of_their_own(settings: Any) -> None:
    policy = a_policy(CATERING_NUMBERS)
    with a_desk(settings, policy=policy, organization=CATERING, database="CALCAT") as desk:
        desk.sync()

        twins = [p for p in desk.postings() if p.source_id.lower() == "00ncct0000000000008a"]
        assert [posting.state for posting in twins] == ["IN_SAGE", "IN_SAGE"]
        assert len({posting.order_number for posting in twins}) == 2


def test_a_second_sync_of_an_unchanged_world_writes_nothing_to_sage(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        before = desk.ledger()
        desk.bill_server.requests.clear()
        desk.sage_server.requests.clear()

        desk.sync()

        assert desk.ledger() == before
        assert desk.sage_server.requests.counts() == {
            "GET /Sage300WebApi/v1.0/-/CALBAK/AP/APInvoiceBatches": 1
        }
        # Bills, the five that wait for approval, and vendors.
        assert desk.bill_server.requests.counts() == {
            "GET /connect/v3/bills": 2,
            "GET /connect/v3/vendors": 1,
        }


def test_an_unchanged_pass_decides_only_what_another_bill_may_have_freed(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        duplicates = len(desk.postings(state="REVIEW"))

        report = desk.sync()

        with tenant_scope(desk.company.tenant_id):
            steps = Run.objects.for_tenant(desk.company.tenant_id).get(pk=report.run_id).steps
        decide = next(step for step in steps if step["name"] == "Decide")
        assert decide["sentence"] == f"0 of {count_of(duplicates, 'bill')} moved."


def test_every_stopped_bill_says_why_and_who_must_act(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        stopped = [p for p in desk.postings() if p.state in {"BLOCKED", "REVIEW", "ATTENTION"}]
        assert all(len(posting.sentence) > 20 for posting in stopped)
        assert all(
            problem["acts"] in {"here", "bill", "sage", "it"}
            for posting in stopped
            for problem in posting.problems
        )


def test_an_invoice_a_clerk_has_keyed_is_never_sent_beside_it(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        (novak,) = desk.postings(invoice_number="10442")
        assert novak.state == "ATTENTION"
        assert "already" in novak.sentence
        keyed = [
            invoice
            for batch in desk.ledger()["batches"]
            for invoice in batch["Invoices"]
            if invoice["DocumentNumber"] == "10442"
        ]
        assert len(keyed) == 1


def test_a_bill_approved_later_goes_with_the_next_sync(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        (waiting,) = desk.postings(invoice_number="SR-4410")
        desk.bill.approve_bill(waiting.source_id, steps="all")

        desk.sync()

        (went,) = desk.postings(invoice_number="SR-4410")
        assert (went.state, went.sage_status) == ("IN_SAGE", "Open")
        assert shown(desk) == invoices_of_ours(desk.ledger())


def test_the_log_tells_what_happened_to_each_invoice(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        (posting,) = desk.postings(invoice_number="PM-48190")
        with tenant_scope(desk.company.tenant_id):
            rows = LogEntry.objects.for_tenant(desk.company.tenant_id).filter(posting=posting)
            lines = [(row.event, row.amount, row.batch_number) for row in rows.order_by("at")]
        assert lines == [
            ("posting.ready", Decimal("5204.000"), None),
            ("posting.batched", Decimal("5204.000"), None),
            ("posting.landed", Decimal("5204.000"), posting.sage_batch_number),
        ]


def test_a_run_tells_its_steps(settings: Any) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
        report = desk.sync()

        with tenant_scope(desk.company.tenant_id):
            run = Run.objects.for_tenant(desk.company.tenant_id).get(pk=report.run_id)
        assert [step["name"] for step in run.steps] == [
            "Read BILL's events",
            "Read vendors from BILL",
            "Refresh lists",
            "Match vendors",
            "Read bills from BILL",
            "Look after webhooks",
            "Decide",
            "Send to Sage and read back",
        ]
        assert all(step["ended_at"] and step["sentence"] for step in run.steps)
        assert run.outcome == "ok"


def shown(desk: Desk) -> dict[str, tuple[object, ...]]:
    """What the product says lies in Sage, in the form of `invoices_of_ours`."""
    return {
        posting.order_number: (
            posting.sage_batch_number,
            posting.sage_entry_number,
            posting.vendor_number,
            posting.document_number,
            posting.sage_amount,
            sorted((line["gl_account"], Decimal(line["amount"])) for line in posting.lines),
        )
        for posting in desk.postings(state="IN_SAGE")
    }


@pytest.mark.parametrize(("rule", "state"), [("hold", "BLOCKED"), ("next_open", "IN_SAGE")])
def test_a_period_sage_refuses_is_held_or_moved_as_the_company_says(
    settings: Any, rule: str, state: str
) -> None:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS, closed_period_rule=rule)) as desk:
        today = desk.clock().date()
        desk.sage.lock_period("CALBAK", str(today.year), f"{today.month:02}")

        desk.sync()
        desk.sync()

        moved = [p for p in desk.postings() if f"{today:%Y-%m}" in (p.sentence + str(p.warnings))]
        # A possible duplicate and the number a clerk has used stay with a person whatever the day.
        assert {p.state for p in moved} - {"REVIEW", "ATTENTION"} == {state}
        assert shown(desk) == invoices_of_ours(desk.ledger())
