"""Many postings moved in one statement stand exactly as if each had been moved alone."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sync.domain.posting_state import PostingState
from sync.models import Bill, Posting
from sync.models.many_rows import insert_rows
from sync.models.posting import Move, WayNotAllowed
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import builders

pytestmark = pytest.mark.django_db

NOW = builders.NOW
LATER = NOW + timedelta(hours=1)
VALUES: dict[str, Any] = {
    "sentence": "Goes with “the next” batch; 100 % sure.",
    "amount": Decimal("1234.567"),
    "problems": [{"code": "x", "sentence": "A \\ backslash, a ' quote"}],
    "lines": [{"gl_account": "5010100", "amount": "1.20"}],
    "invoice": {"vendor_number": "V1"},
    "posting_date": date(2026, 11, 30),
    "fiscal_year": "2026",
    "is_dirty": False,
    "approval_seen_at": NOW,
    "posting_sequence": 7,
}


def a_posting(company: Company, number: int, **values: Any) -> Posting:
    bill = Bill.objects.create(
        tenant_id=company.tenant_id, company=company, bill_id=f"00n{number}", snapshot={},
        content_hash="", read_at=NOW, checked_at=NOW,
    )  # fmt: skip
    return Posting.objects.create(
        tenant_id=company.tenant_id, company=company, bill=bill, source_id=bill.bill_id,
        since=NOW, created_at=NOW, changed_at=NOW, **values,
    )  # fmt: skip


def columns(posting: Posting) -> dict[str, Any]:
    own = {"id", "bill_id", "source_id"}
    names = [field.attname for field in Posting._meta.concrete_fields]
    return {name: getattr(posting, name) for name in names if name not in own}


def test_moved_together_stands_as_moved_alone() -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        alone, together = a_posting(company, 1), a_posting(company, 2)

        alone.advance(PostingState.READY, now=LATER, **VALUES)
        won = Posting.advance_all([(together, PostingState.READY, VALUES)], now=LATER)

        assert won == {together.pk}
        read = {row.pk: columns(row) for row in Posting.objects.for_tenant(company.tenant_id)}
        assert read[together.pk] == read[alone.pk]
        assert columns(together) == columns(alone)


def test_a_column_only_some_change_stays_on_the_others() -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        first = a_posting(company, 1, invoice={"kept": 1}, amount=Decimal("5.500"), words="Kept")
        second = a_posting(company, 2, invoice={"gone": 1}, vendor_number="V1")
        moves: list[Move] = [
            (first, PostingState.WAITING, {"sentence": "Same state"}),
            (second, PostingState.BLOCKED, {"invoice": None, "vendor_number": ""}),
        ]

        Posting.advance_all(moves, now=LATER)

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.invoice, first.amount, first.words) == ({"kept": 1}, Decimal("5.5"), "Kept")
        assert (first.since, first.changed_at, first.sentence) == (NOW, LATER, "Same state")
        assert Posting.objects.filter(invoice__isnull=True).get().pk == second.pk
        assert (second.vendor_number, second.since, second.state) == ("", LATER, "BLOCKED")


def test_a_row_that_moved_meanwhile_is_left_alone() -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        stale, other = a_posting(company, 1), a_posting(company, 2)
        Posting.objects.get(pk=stale.pk).advance(PostingState.SKIPPED, now=NOW)

        won = Posting.advance_all(
            [(stale, PostingState.READY, {}), (other, PostingState.READY, {})], now=LATER
        )

        stale_state = Posting.objects.get(pk=stale.pk).state
        assert won == {other.pk}
        assert (stale_state, stale.state) == (PostingState.SKIPPED, PostingState.WAITING)


def test_a_way_the_table_does_not_know_moves_nobody() -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        first, second = a_posting(company, 1), a_posting(company, 2, state=PostingState.SKIPPED)

        with pytest.raises(WayNotAllowed):
            Posting.advance_all(
                [(first, PostingState.READY, {}), (second, PostingState.IN_FLIGHT, {})], now=LATER
            )

        assert Posting.objects.get(pk=first.pk).state == PostingState.WAITING


@pytest.mark.parametrize("state", [PostingState.IN_FLIGHT, PostingState.UNCERTAIN])
def test_none_is_being_sent_without_the_number_it_would_be_known_by(state: PostingState) -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        known = a_posting(company, 1, state=PostingState.READY, order_number="00N1")
        nameless = a_posting(company, 2, state=PostingState.READY)

        for move in (
            lambda: nameless.advance(state, now=LATER),
            lambda: Posting.advance_all([(known, state, {}), (nameless, state, {})], now=LATER),
        ):
            with pytest.raises(IntegrityError, match="order_number"), transaction.atomic():
                move()

        states = Posting.objects.for_tenant(company.tenant_id).values_list("state", flat=True)
        assert list(states) == [PostingState.READY, PostingState.READY]
        assert known.advance(state, now=LATER)


def test_inserted_together_are_as_inserted_alone() -> None:
    company = builders.a_company()
    with tenant_scope(company.tenant_id):
        common: dict[str, Any] = {
            "tenant_id": company.tenant_id,
            "company": company,
            "read_at": NOW,
            "checked_at": LATER,
            "content_hash": "h",
            "snapshot": {"amount": "12.50", "note": "\u201cquoted\u201d", "lines": [1, None]},
        }
        alone = Bill.objects.create(bill_id="00na", **common)

        insert_rows([Bill(bill_id="00nb", **common), Bill(bill_id="00nc", **common)])

        rows = list(Bill.objects.for_tenant(company.tenant_id).exclude(pk=alone.pk))
        own = {"id", "bill_id"}
        names = [f.attname for f in Bill._meta.concrete_fields if f.attname not in own]
        alone.refresh_from_db()
        assert {row.bill_id for row in rows} == {"00nb", "00nc"}
        for row in rows:
            assert {n: getattr(row, n) for n in names} == {n: getattr(alone, n) for n in names}
