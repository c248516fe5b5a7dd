"""Both sides compared over real HTTP: what people did in Sage is found, aged, and said once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from integrations.models import Sage300Connection
from sync import jobs
from sync.domain.packing import unpack
from sync.domain.reconciliation import PeriodSum
from sync.models import BatchReading, Discrepancy, DueWork, Posting, Reconciliation
from sync.services import comparison_turns, reconcile
from tenants.models import AuditEvent, Company, Role, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.workbench import a_synced_desk
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
BATCH = 59  # The first one we send: the practice ledger ends with 58.


def compare(desk: Desk) -> Reconciliation:
    report = reconcile.compare(
        tenant_id=desk.company.tenant_id,
        company_id=desk.company.pk,
        clock=desk.clock,
        worker="test",
    )
    with tenant_scope(desk.company.tenant_id):
        return Reconciliation.objects.get(pk=report.run_id)


def found(desk: Desk, part: str, *, settled: bool = False) -> dict[str, Discrepancy]:
    """The open differences of one part by kind, or those that have settled."""
    with tenant_scope(desk.company.tenant_id):
        rows = Discrepancy.objects.for_tenant(desk.company.tenant_id).filter(company=desk.company)
        rows = rows.filter(part=part, settled_at__isnull=not settled).order_by("first_seen_at")
        return {row.kind: row for row in rows}


def the_sum(run: Reconciliation, currency: str = "USD") -> PeriodSum:
    (one,) = [unpack(PeriodSum, s) for s in run.sums if s["currency"] == currency]
    return one


def made(desk: Desk) -> list[Reconciliation]:
    with tenant_scope(desk.company.tenant_id):
        rows = Reconciliation.objects.for_tenant(desk.company.tenant_id)
        return list(rows.filter(company=desk.company).order_by("started_at"))


def read(answer: Any) -> str:
    """The page's words, white space folded."""
    return " ".join(answer.content.decode().split())


def base(desk: Desk) -> str:
    return f"/{desk.company.tenant.slug}/{desk.company.slug}"


def test_master_data_changed_in_sage_is_found_ages_and_settles(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        assert compare(desk).outcome == "ok"
        assert found(desk, "vendors") == {}
        assert (
            found(desk, "accounts")["account_inactive"].title == "6320-300 Fuel is inactive in Sage"
        )
        desk.sage.set_vendor("CALBAK", "CASCAD", OnHold="OnHold")
        desk.sage.set_vendor("CALBAK", "LAKESH", Status="Inactive")
        desk.sage.set_vendor("CALBAK", "PARKWA", VendorName="Quicksilver Holdings")
        desk.sage.delete_vendor("CALBAK", "MARLOW")
        desk.sage.set_account("CALBAK", "6210-100", PostToAccount="Prohibited")

        first = compare(desk)
        vendors = found(desk, "vendors")
        account = found(desk, "accounts")["account_not_postable"]
        desk.moved = timedelta(days=3)
        compare(desk)
        later = found(desk, "vendors")
        desk.sage.set_vendor("CALBAK", "CASCAD", OnHold="NotOnHold")
        compare(desk)
        open_now, settled = found(desk, "vendors"), found(desk, "vendors", settled=True)
        desk.sage.set_vendor("CALBAK", "CASCAD", OnHold="OnHold")
        compare(desk)

        assert {kind: (row.title, row.do) for kind, row in vendors.items()} == {
            "vendor_on_hold": ("Cascade Oven Works is on hold in Sage", "Take the hold off in Sage"),
            "vendor_inactive": ("Lakeshore Packaging is inactive in Sage",
                                "Reactivate it in Sage, or link another"),
            "vendor_differs": ("Parkway Printing is called Quicksilver Holdings in Sage", "Check the link"),
            "vendor_gone": ("Marlow Freight Lines: Sage has no vendor MARLOW", "Link it anew"),
        }  # fmt: skip
        assert account.title.endswith("is closed to posting in Sage")
        assert account.target == "bill_account"
        assert first.parts["vendors"]["sentence"] == "18 linked vendors"
        assert later["vendor_gone"].first_seen_at == vendors["vendor_gone"].first_seen_at
        assert later["vendor_gone"].last_seen_at > vendors["vendor_gone"].last_seen_at
        assert "vendor_on_hold" not in open_now
        assert settled["vendor_on_hold"].settled_at is not None
        again = found(desk, "vendors")["vendor_on_hold"]
        assert again.first_seen_at > vendors["vendor_on_hold"].first_seen_at, "it begins anew"


def test_a_period_ties_and_every_difference_of_it_has_a_reason(settings: Any) -> None:
    with a_synced_desk(settings, batch_size=5) as desk:
        patience = settings.CONNECTOR
        settings.CONNECTOR = replace(patience, reconcile_seconds=0)
        company = {"tenant_id": desk.company.tenant_id, "company_id": desk.company.pk}
        parts = [
            reconcile.compare(**company, clock=desk.clock, worker="test").has_more for _ in range(3)
        ]
        settings.CONNECTOR = patience
        (run,) = made(desk)
        before = the_sum(run)
        for number in (BATCH, BATCH + 1, BATCH + 2):
            desk.sage.post_batch("CALBAK", number)
        desk.sync()

        posted = compare(desk)
        again = compare(desk)
        with tenant_scope(desk.company.tenant_id):
            BatchReading.objects.filter(number=BATCH).update(entries=[])
        bare = the_sum(compare(desk))
        with tenant_scope(desk.company.tenant_id):
            Posting.objects.filter(invoice_number="PM-48190").update(amount=Decimal("5205.00"))
        odd = the_sum(compare(desk))

        ours = sum((p.amount or 0 for p in desk.postings(state="IN_SAGE")), Decimal(0)) - 1
        assert parts == [True, True, False], "a long reading goes on in a next job"
        assert (before.open, before.posted, before.in_sage) == (ours, 0, 14)
        assert before.apart == before.approved - ours
        assert before.apart == before.named != 0
        assert before.unexplained == 0
        assert (the_sum(posted).open, the_sum(posted).posted) == (0, ours)
        assert the_sum(posted).unexplained == 0
        assert again.sage_calls == posted.sage_calls - 3, "what looks as it did is not read again"
        assert (bare.posted, bare.unexplained) == (ours, 0), "what was posted is there for good"
        assert odd.unexplained == Decimal("1.00")
        assert found(desk, "invoices")["unexplained"].amount == Decimal("1.00")
        assert the_sum(run, "CAD").approved == Decimal("1862.35"), "currencies are kept apart"


def test_what_clerks_did_to_our_batches_is_found_and_then_told_by_the_posting(
    settings: Any,
) -> None:
    with a_synced_desk(settings) as desk:
        compare(desk)
        where = {p.invoice_number: p.sage_entry_number for p in desk.postings(state="IN_SAGE")}
        desk.sage.edit_entry("CALBAK", BATCH, where["PM-48190"], amount="5200.00")
        desk.sage.delete_entry("CALBAK", BATCH, where["SP-1204"])
        desk.sage.clerk_enters_invoice(
            "CALBAK", "CASCAD", "BY-HAND", "10.00", "6210100", batch=BATCH
        )

        run = compare(desk)
        first, rung = found(desk, "batches"), DueWork.objects.get().rung_at
        desk.sync()
        compare(desk)
        told = found(desk, "batches")
        desk.sage.delete_batch("CALBAK", BATCH)
        gone = compare(desk)
        deleted = found(desk, "batches")["batch_deleted"]

        assert rung is not None, "the next run looks at it without anybody asking"
        assert the_sum(run).unexplained == the_sum(gone).unexplained == 0
        assert {kind: (row.mover, row.bills, row.amount) for kind, row in first.items()} == {
            "entry_changed": ("itself", 1, Decimal("4.000")),
            "entry_gone": ("itself", 1, Decimal("1318.200")),
            "entries_added": ("explained", 0, None),
        }
        assert "total 5,204.00 sent, 5,200.00 in Sage" in first["entry_changed"].detail
        assert told.keys() == {"entry_stopped", "entries_added"}
        assert told["entry_stopped"].target == "posting"
        assert deleted.title == f"Batch {BATCH} was deleted in Sage, 12 entries of ours"
        assert the_sum(gone).in_sage == 0


def test_a_side_that_fails_gives_a_sentence_and_what_was_found_stays(
    settings: Any, signed_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    with a_synced_desk(settings) as desk:
        first = compare(desk)
        before = found(desk, "invoices").keys()
        planned = {turn.company_id for turn in comparison_turns.due(limit=5)}
        with django_capture_on_commit_callbacks(execute=True):
            jobs.tick()
        desk.sage.set_rights("MLCONN", "CALBAK", ["AP", "CS"])
        partly = compare(desk)
        desk.sage.set_user_password("MLCONN", "changed")
        refused = compare(desk)
        paused = compare(desk)
        tenant = desk.company.tenant
        owner = signed_in(builders.a_member(tenant, Role.OWNER))
        page = read(owner.get(f"{base(desk)}/reconcile/"))
        with tenant_scope(tenant.pk):
            Company.objects.filter(pk=desk.company.pk).update(is_paused=True)
        pressed = read(owner.post(f"{base(desk)}/reconcile/now/", follow=True))
        asked = owner.post(
            f"/api/v1/companies/{desk.company.slug}/reconciliations/",
            headers={"Authorization": f"Bearer {builders.an_api_token(tenant)}"},
        )

        assert "The last comparison did not get through. " in page.replace("</b>", "")
        assert "Nothing was started" in pressed
        assert asked.status_code == 409
        assert len(made(desk)) == 4
        assert planned == {desk.company.pk}, "the first comparison follows the first run"
        assert "sync.jobs.compare_company" in {task.func() for task in OrmQ.objects.all()}
        assert partly.outcome == "failed"
        assert partly.parts["accounts"] == first.parts["accounts"]
        assert partly.parts["vendors"]["at"] > first.parts["vendors"]["at"]
        assert (refused.outcome, paused.outcome) == ("paused", "paused")
        assert "password" in refused.sentence
        assert paused.sage_calls == 0
        assert paused.sums == partly.sums
        assert found(desk, "invoices").keys() == before
        with tenant_scope(desk.company.tenant_id):
            assert Sage300Connection.objects.get(company=desk.company).is_paused


def test_the_page_and_its_button_as_people_meet_them(
    settings: Any, signed_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    with a_synced_desk(settings) as desk:
        tenant = desk.company.tenant
        priya = signed_in(builders.a_member(tenant, Role.ACCOUNTANT, name="Priya Raman"))
        viewer = signed_in(builders.a_member(tenant, Role.VIEWER, name="Marcus Ortiz"))
        empty = read(priya.get(f"{base(desk)}/reconcile/"))
        refused = viewer.post(f"{base(desk)}/reconcile/now/")
        with django_capture_on_commit_callbacks(execute=True):
            priya.post(f"{base(desk)}/reconcile/now/")
        running = read(priya.get(f"{base(desk)}/reconcile/"))
        rung = OrmQ.objects.count()
        waiting = read(priya.get(f"{base(desk)}/reconcile/{made(desk)[0].pk}/progress/"))
        for _ in range(2):  # a doorbell may ring twice
            jobs.compare_company(tenant_id=str(tenant.pk), company_id=str(desk.company.pk))
        due, run = DueWork.objects.get(), made(desk)[0]
        desk.sage.set_vendor("CALBAK", "CASCAD", OnHold="OnHold")
        compare(desk)
        page = read(priya.get(f"{base(desk)}/reconcile/"))
        vendors = read(priya.get(f"{base(desk)}/reconcile/?part=vendors"))
        seen = read(viewer.get(f"{base(desk)}/reconcile/"))
        over = priya.get(
            f"{base(desk)}/reconcile/{run.pk}/progress/", headers={"HX-Request": "true"}
        )
        csv = b"".join(priya.get(f"{base(desk)}/reconcile.csv?part=accounts").streaming_content)  # type: ignore[attr-defined]

        assert "Nothing was compared yet" in empty
        assert "It waits for a worker" in running
        assert "asked by Priya Raman" in running
        assert rung == 1
        assert 'hx-trigger="every 2s"' in waiting, "the box follows by itself"
        assert (run.trigger, run.outcome, run.asked_by) == ("person", "ok", "Priya Raman")
        assert due.compare_until is None
        assert due.compare_at is not None
        assert due.compare_at > desk.clock(), "the next one is planned"
        assert over["HX-Refresh"] == "true"
        assert '<span class="ties">0.00</span>' in page
        assert "Trade Shows has no Sage account" in page
        assert f'{base(desk)}/mapping/?open=0caCbkTradeShows0001#edit">Map it</a>' in page
        assert "Cascade Oven Works is on hold in Sage" in page
        assert '2<span class="vh"> for a person, counted on no other page' in page
        assert "1 batch of ours, read" in page
        assert "none changed, moved or deleted" in page
        assert "Trade Shows" not in vendors
        assert "Take the hold off in Sage" in seen
        assert "Compare now" not in seen
        assert refused.status_code == 403
        assert (
            csv.decode()
            .splitlines()[1]
            .startswith("GL accounts,,6320-300 Fuel is inactive in Sage,")
        )
        assert len(csv.decode().splitlines()) == 2
        with tenant_scope(tenant.pk):
            assert AuditEvent.objects.get(action="reconcile.asked").actor_name == "Priya Raman"
