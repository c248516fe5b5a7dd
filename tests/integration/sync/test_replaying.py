"""Asking again, for one filter at a time: counted first, with a reason, recorded with each bill."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.models import LogEntry, Posting
from sync.queries.postings import Filter
from sync.services import replaying
from sync.services.acts import Done, NotOpen, Overtaken
from tenants.models import AuditEvent
from tenants.scoping import tenant_scope
from tests.integration.sync.workbench import PRIYA, a_synced_desk, now
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)

ZONE = ZoneInfo("America/Chicago")
STOPPED = Filter.from_query({"view": "stopped"})


def plan(desk: Desk, wanted: Filter = STOPPED) -> replaying.Plan:
    with tenant_scope(desk.company.tenant_id):
        return replaying.plan(desk.company, wanted, zone=ZONE)


def replay(desk: Desk, wanted: Filter = STOPPED, **more: Any) -> Done | NotOpen | Overtaken:
    with tenant_scope(desk.company.tenant_id):
        return replaying.replay(
            desk.company, wanted, **({"actor": PRIYA, "zone": ZONE, "now": now()} | more)
        )


def test_a_plan_counts_and_adds_up_and_writes_nothing(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        everything = plan(desk, Filter())

        own = desk.postings(state__in=["BLOCKED", "ATTENTION"])
        assert everything.count == len(own) == 13
        foreign = next(p for p in own if p.vendor_name == "Moulins Lafleur")
        assert (foreign.currency, everything.elsewhere) == ("CAD", 1)
        total = sum((p.amount or Decimal(0) for p in own), Decimal(0))
        assert everything.amount == total - (foreign.amount or 0)
        assert everything.left == {"not stopped": len(desk.postings()) - 13}
        assert [p.is_dirty for p in desk.postings()] == [False] * len(desk.postings())


def test_a_bill_decided_anew_as_before_does_not_count_as_changed(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        before = {p.pk: p.changed_at for p in desk.postings(state="BLOCKED")}
        with tenant_scope(desk.company.tenant_id):
            marked = Posting.objects.for_tenant(desk.company.tenant_id).filter(pk__in=before)
            marked.update(is_dirty=True)

        desk.sync()

        after = desk.postings(state="BLOCKED")
        assert {p.pk: p.changed_at for p in after} == before
        assert not any(p.is_dirty for p in after)


def test_a_replay_needs_a_reason_and_the_set_that_was_agreed_to(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        agreed = plan(desk)

        silent = replay(desk, mark=agreed.mark, reason=" ")
        stale = replay(desk, mark="2:10.00", reason="Again")

        assert isinstance(silent, NotOpen)
        assert isinstance(stale, Overtaken)
        assert "13 bills" in stale.sentence
        assert {p.state for p in desk.postings(state__in=["BLOCKED", "ATTENTION"])} == {
            "BLOCKED",
            "ATTENTION",
        }


def test_a_refused_bill_asked_again_goes_once_sage_takes_it(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        wanted = Filter.from_query({"find": "10442"})
        before = len(desk.ledger()["batches"])

        done = replay(desk, wanted, mark=plan(desk, wanted).mark, reason="Dana took hers out")
        waiting = desk.postings(invoice_number="10442")[0]
        desk.sync()

        assert isinstance(done, Done)
        assert (waiting.state, waiting.is_dirty) == ("WAITING", True)
        # Dana's invoice still stands in her batch, so Sage refuses ours again: never twice.
        again = desk.postings(invoice_number="10442")[0]
        assert again.state == "ATTENTION"
        assert len(desk.ledger()["batches"]) >= before


def test_every_replayed_bill_keeps_who_asked_and_why(settings: Any) -> None:
    with a_synced_desk(settings) as desk:
        replay(desk, mark=plan(desk).mark, reason="After the outage")

        with tenant_scope(desk.company.tenant_id):
            told = LogEntry.objects.for_tenant(desk.company.tenant_id).filter(
                event="person.replay", actor="Priya Raman", sentence__contains="After the outage"
            )
            whole = AuditEvent.objects.for_tenant(desk.company.tenant_id).filter(
                action="postings.replay"
            )
            assert told.count() == 13
            assert [event.details["reason"] for event in whole] == ["After the outage"]
