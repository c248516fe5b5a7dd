"""What turns up in Sage finds its bill, however that bill stands by then, and none is left hanging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.sage300.types import BatchHeader, BatchStatus, Invoice, InvoiceBatch
from sync.domain import facts_json
from sync.domain.facts import Facts, Fate, Place, Stage
from sync.domain.packing import unpack
from sync.domain.policy import Policy
from sync.models import Batch, Posting
from sync.services import identities, settling
from sync.services.assembling import Outset, assemble, entry_of
from sync.services.lease import release_lease, take_lease
from sync.services.looks import Look
from sync.services.work import Work
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 12, 1, 14, 42, tzinfo=UTC)
KEY = "sage.example.com/MODEL"
TAG = "MLC1-AAAAAAAAAAAAAAAA"


class Sage:
    """A window behind which batches are as the test says, one reading after the other."""

    def __init__(self, *readings: InvoiceBatch | None) -> None:
        self._readings = list(readings)

    def find_batch(self, number: int) -> InvoiceBatch | None:
        return self._readings.pop(0) if len(self._readings) > 1 else self._readings[0]

    def find_posted(self, pairs: Sequence[tuple[str, str]]) -> tuple[()]:
        return ()

    def posted_in_batch(self, number: int) -> tuple[()]:
        return ()

    def posting_errors(self, number: int) -> tuple[()]:
        return ()


def header(number: int, *, entries: int = 1, status: str = BatchStatus.OPEN) -> BatchHeader:
    return BatchHeader(
        number=number,
        description=f"{TAG}.1",
        status=status,
        entry_count=entries,
        total=Decimal(100),
    )


def a_sent_posting(company: Company, place: Place, tag: str = TAG, **columns: Any) -> Posting:
    """A posting whose batch is settled and says `place` of it."""
    bill = builders.a_bill()
    columns = {**builders.in_sage(bill, batch=58, entry=1, status="Open"), **columns}
    posting = builders.a_posting(company, bill=bill, database_key=KEY, **columns)
    key = str(posting.pk)
    facts = Facts(
        tag=tag, entries=(entry_of(posting),), watermark=50, stage=Stage.DONE, places={key: place}
    )
    with tenant_scope(company.tenant_id):
        posting.batch = Batch.objects.create(
            tenant_id=company.tenant_id, company=company, database_key=KEY, tag=tag,
            description=tag, invoices={key: posting.invoice}, facts=facts_json.to_json(facts),
            stage=facts.stage, lease_epoch=1, entry_count=1, total_amount=100, made_at=NOW,
            settled_at=NOW,
        )  # fmt: skip
        posting.save(update_fields=["batch"])
    return posting


def a_work(company: Company, sage: Sage) -> Work:
    return Work(
        tenant_id=company.tenant_id, company_id=company.pk, company_name=company.name,
        zone=ZoneInfo("UTC"), policy=Policy(), policy_version=1, database_key=KEY, bill=None,  # type: ignore[arg-type]
        sage=sage, clock=lambda: NOW, worker="test",  # type: ignore[arg-type]
    )  # fmt: skip


def sweep(company: Company, sage: Sage, *headers: BatchHeader, **more: Any) -> int:
    """One look at these headers, and what follows from it; how many batches were driven."""
    work = a_work(company, sage)
    lease = take_lease(KEY, owner="test", seconds=300)
    assert lease is not None
    found = Look(headers=headers, highest=60, low_mark=50, **more)
    try:
        return settling.follow_up(work, lease, found, process=None)
    finally:
        release_lease(lease)


def again(posting: Posting) -> Posting:
    with tenant_scope(posting.tenant_id):
        return Posting.objects.for_tenant(posting.tenant_id).get(pk=posting.pk)


def lying(posting: Posting) -> InvoiceBatch:
    invoice = replace(unpack(Invoice, posting.invoice), entry_number=1)
    return InvoiceBatch(header=header(60), invoices=(invoice,))


REMOVED = Place(fate=Fate.REMOVED, note="Somebody removed it in Sage.")
NOWHERE: dict[str, Any] = {
    "sage_batch_number": None, "sage_entry_number": None, "sage_status": "", "in_sage_at": None,
}  # fmt: skip


def test_an_entry_that_is_gone_again_leaves_its_bill_to_be_decided(db: None) -> None:
    company = builders.a_company()
    posting = a_sent_posting(company, REMOVED, state="WAITING", **NOWHERE)

    sweep(company, Sage(lying(posting), None), header(60))

    assert (again(posting).state, again(posting).is_dirty) == ("WAITING", True)


def test_a_bill_that_gave_its_number_back_is_known_when_its_entry_comes_back(db: None) -> None:
    company = builders.a_company()
    posting = a_sent_posting(company, REMOVED, state="SKIPPED", **NOWHERE)
    number = posting.document_number
    freed = identities.given_back(posting)
    with tenant_scope(company.tenant_id):
        Posting.objects.for_tenant(company.tenant_id).filter(pk=posting.pk).update(**freed)

    sweep(company, Sage(lying(posting)), header(60))

    found = again(posting)
    assert (found.state, found.sage_batch_number) == ("IN_SAGE", 60)
    assert found.document_number == number


def test_a_number_given_back_is_free_for_another_bill(db: None) -> None:
    company = builders.a_company()
    posting = a_sent_posting(company, REMOVED, state="SKIPPED", **NOWHERE)

    freed = identities.given_back(posting)

    assert freed == {"vendor_number": "", "document_number": ""}


def test_an_entry_of_a_posted_batch_is_followed_until_its_document_is_found(db: None) -> None:
    company = builders.a_company()
    place = Place(
        fate=Fate.DIFFERS, batch_number=58, entry_number=1, status=BatchStatus.POSTED,
        differences=("total",), note="It differs.",
    )  # fmt: skip
    posting = a_sent_posting(company, place, state="ATTENTION", sage_status="Posted")

    driven = sweep(company, Sage(None))

    assert (driven, again(posting).sage_batch_number) == (1, None)
    assert "no longer in Sage" in again(posting).sentence


def test_what_was_posted_is_not_followed(db: None) -> None:
    company = builders.a_company()
    place = Place(fate=Fate.POSTED, batch_number=58, entry_number=1, is_posted=True)
    a_sent_posting(company, place, sage_status="Posted", posted_at=NOW)

    assert sweep(company, Sage(None)) == 0


def test_a_batch_mate_under_way_does_not_keep_a_bill_from_being_found(db: None) -> None:
    company = builders.a_company()
    settled = a_sent_posting(company, REMOVED, state="READY", **NOWHERE)
    under_way = a_sent_posting(company, Place(), tag=f"{TAG[:-1]}B", state="IN_FLIGHT", **NOWHERE)
    with tenant_scope(company.tenant_id):
        Batch.objects.for_tenant(company.tenant_id).filter(pk=under_way.batch_id).update(
            settled_at=None
        )
    both = tuple(
        replace(unpack(Invoice, one.invoice), entry_number=entry)
        for entry, one in enumerate((settled, under_way), start=1)
    )

    sweep(company, Sage(InvoiceBatch(header=header(60, entries=2), invoices=both)), header(60))

    assert (again(settled).state, again(settled).sage_batch_number) == ("IN_SAGE", 60)
    assert (again(under_way).state, again(under_way).batch_id) == ("IN_FLIGHT", under_way.batch_id)


@pytest.mark.parametrize(("is_thorough", "state"), [(True, "IN_SAGE"), (False, "READY")])
def test_after_a_restore_a_followed_batch_is_read_for_what_came_back_into_it(
    db: None, is_thorough: bool, state: str
) -> None:
    company = builders.a_company()
    lying_there = Place(
        fate=Fate.LANDED, batch_number=58, entry_number=1, status=BatchStatus.OPEN,
        document_number="INV",
    )  # fmt: skip
    followed = a_sent_posting(company, lying_there)
    came_back = a_sent_posting(company, REMOVED, tag=f"{TAG[:-1]}B", state="READY", **NOWHERE)
    both = tuple(
        replace(unpack(Invoice, one.invoice), entry_number=entry)
        for entry, one in enumerate((followed, came_back), start=1)
    )
    batch = InvoiceBatch(header=header(58, entries=2), invoices=both)

    sweep(company, Sage(batch), batch.header, is_thorough=is_thorough)

    assert again(came_back).state == state


# --- bills whose identity was forgotten with our database -----------------------------------------


def a_bare_posting(company: Company, **columns: Any) -> Posting:
    """A bill that was decided and is not approved: it has no identity now."""
    bare: dict[str, Any] = {
        "state": "WAITING", "is_dirty": False, "order_number": "", "vendor_number": "",
        "document_number": "", "invoice": None, "identity_frozen_at": None,
    }  # fmt: skip
    return builders.a_posting(company, database_key=KEY, **NOWHERE | bare | columns)


def ours_in_sage(posting: Posting, **more: Any) -> InvoiceBatch:
    """A batch with an entry under this bill's order number, as BILL has the bill."""
    any_bill = builders.in_sage(builders.a_bill(), batch=60, entry=1, status="Open")
    shown = {
        "order_number": identities.order_of(posting), "total": posting.amount,
        "document_number": posting.invoice_number.upper(), "entry_number": 1,
    } | more  # fmt: skip
    invoice = replace(unpack(Invoice, any_bill["invoice"]), **shown)
    return InvoiceBatch(header=header(60), invoices=(invoice,))


def thoroughly(company: Company, batch: InvoiceBatch) -> None:
    sweep(company, Sage(batch), batch.header, is_thorough=True)


def test_a_bare_bill_takes_the_identity_that_sage_shows(db: None) -> None:
    company = builders.a_company()
    posting = a_bare_posting(company)

    thoroughly(company, ours_in_sage(posting))

    found = again(posting)
    assert (found.state, found.sage_batch_number, found.sentence) == ("IN_SAGE", 60, "")
    assert (found.changed_in_bill_at, found.change_note) == (None, "")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"total": Decimal("22.00")}, "22.00 in Sage"),
        ({"document_number": "ANOTHER"}, "ANOTHER in Sage"),
    ],
)
def test_an_entry_that_does_not_agree_with_a_bare_bill_is_told_with_both_figures(
    db: None, shown: dict[str, Any], told: str
) -> None:
    company = builders.a_company()
    posting = a_bare_posting(company)

    thoroughly(company, ours_in_sage(posting, **shown))

    found = again(posting)
    assert found.state == "ATTENTION"
    assert told in found.sentence


def test_a_bill_that_a_person_left_out_takes_nothing_and_nothing_is_removed(db: None) -> None:
    company = builders.a_company()
    posting = a_bare_posting(company, state="SKIPPED", is_skipped_by_person=True)

    thoroughly(company, ours_in_sage(posting))

    assert (again(posting).state, again(posting).batch_id) == ("SKIPPED", None)


def test_a_bare_bill_does_not_take_what_another_company_sent(db: None) -> None:
    mine, theirs = builders.a_company(), builders.a_company()
    posting = a_bare_posting(mine)
    bill = builders.a_bill()
    columns = builders.in_sage(bill, batch=60, entry=1, status="Open")
    columns["order_number"] = identities.order_of(posting)
    builders.a_posting(theirs, bill=bill, database_key=KEY, **columns)

    thoroughly(mine, ours_in_sage(posting))

    assert (again(posting).state, again(posting).order_number) == ("WAITING", "")


def test_of_two_bills_that_sage_cannot_tell_apart_neither_takes_the_entry(db: None) -> None:
    company = builders.a_company()
    one = a_bare_posting(company)
    other = a_bare_posting(company)
    with tenant_scope(company.tenant_id):
        rows = Posting.objects.for_tenant(company.tenant_id)
        rows.filter(pk=one.pk).update(source_id="00n01ABCDEFGHIJKLMaB")
        rows.filter(pk=other.pk).update(source_id="00n01ABCDEFGHIJKLMAb")

    thoroughly(company, ours_in_sage(again(one)))

    assert [again(row).state for row in (one, other)] == ["WAITING", "WAITING"]


def test_one_look_reads_so_many_batches_and_the_next_goes_on(db: None) -> None:
    company = builders.a_company()
    posting = a_bare_posting(company)
    many = [replace(header(number), number=number) for number in range(100, 160)]
    sage = Sage(replace(ours_in_sage(posting), invoices=()))
    reads: list[int] = []
    find = sage.find_batch
    sage.find_batch = lambda number: reads.append(number) or find(number)  # type: ignore[assignment,func-returns-value]

    sweep(company, sage, *many, is_thorough=True)

    assert reads == list(range(100, 150))


@pytest.mark.parametrize(("apart", "is_sent"), [(False, True), (True, False)])
def test_a_bill_whose_order_number_lies_in_sage_unjudged_waits(
    db: None, apart: bool, is_sent: bool
) -> None:
    company = builders.a_company()
    bill = builders.a_bill()
    columns = builders.in_sage(bill, batch=60, entry=1, status="Open") | NOWHERE
    posting = builders.a_posting(
        company, bill=bill, database_key=KEY, **columns | {"state": "READY"}
    )
    lease = take_lease(KEY, owner="test", seconds=300)
    assert lease is not None
    outset = Outset(
        watermark=50, highest=60, can_post=False, is_look_fresh=True, is_thorough=True,
        orders_apart={posting.order_number} if apart else set(),
    )  # fmt: skip

    made = assemble(
        a_work(company, Sage(None)), lease, size=5, outset=outset, is_full=False, now=NOW
    )

    assert (made is not None) is is_sent
    assert again(posting).state == ("IN_FLIGHT" if is_sent else "READY")
