"""BILL's notifications over real HTTP: lost, doubled, late, forged, and a web server that dies."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django_q.models import OrmQ

from sync.models import DueWork, WebhookEvent
from sync.services import subscriptions, turns
from sync.services.clients import open_work
from sync.services.work import Work
from tenants.scoping import tenant_scope
from tests.faults.office import (
    FLOUR,
    Worker,
    a_bill,
    agrees,
    all_in_sage,
    heal,
    later,
    start_worker,
    wait_for,
)
from tests.integration.sync.world import Desk

pytestmark = pytest.mark.django_db(transaction=True)


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def port(settings: Any) -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = int(listener.getsockname()[1])
    settings.PUBLIC_URL = f"http://127.0.0.1:{number}"
    return number


@contextmanager
def a_web_server(port: int, *, crash_at: str = "") -> Iterator[Worker]:
    """Our own web server, in a process of its own."""

    def serve() -> None:
        make_server(
            "127.0.0.1", port, get_wsgi_application(), handler_class=_Silent
        ).serve_forever()

    worker = start_worker(serve, crash_at=crash_at)
    wait_for(lambda: _answers(port))
    try:
        yield worker
    finally:
        if not crash_at:
            worker.kill()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def work_of(desk: Desk) -> Work:
    return open_work(
        tenant_id=desk.company.tenant_id,
        company_id=desk.company.pk,
        clock=desk.clock,
        worker="test",
    )


def register(desk: Desk) -> None:
    desk.bill.switches.retry_scale = 0.15
    assert subscriptions.check_subscription(work_of(desk)) == "Webhooks registered."


def events(desk: Desk) -> list[WebhookEvent]:
    with tenant_scope(desk.company.tenant_id):
        return list(WebhookEvent.objects.for_tenant(desk.company.tenant_id).order_by("event_id"))


@pytest.mark.parametrize(("point", "kept"), [("letter_read", 0), ("letter_kept", 1)])
def test_f01_f02_death_at_the_letter_box_leaves_exactly_one_event(
    desk: Desk, port: int, point: str, kept: int
) -> None:
    register(desk)
    with a_web_server(port, crash_at=point) as dying:
        a_bill(desk, "W-1")
        assert dying.ended() == 137
    assert len(events(desk)) == kept

    with a_web_server(port):
        assert desk.bill.wait_for_post()

    assert len(events(desk)) == 1
    heal(desk)
    all_in_sage(desk, 4)
    assert OrmQ.objects.count() <= 1


def test_f30_the_same_notification_many_times_at_once_is_one_event_and_one_read(
    desk: Desk, port: int
) -> None:
    register(desk)
    heal(desk)
    desk.bill.switches.webhook_copies = 60
    with a_web_server(port):
        a_bill(desk, "W-1")
        assert desk.bill.wait_for_post(30)

    assert len(events(desk)) == 1
    assert OrmQ.objects.count() == 1
    before = desk.bill_server.requests.counts()["GET /connect/v3/bills"]
    desk.sync(is_poll_due=False)
    assert desk.bill_server.requests.counts()["GET /connect/v3/bills"] - before <= 2
    all_in_sage(desk, 4)


def test_f31_notifications_out_of_order_never_turn_a_bill_back(desk: Desk, port: int) -> None:
    register(desk)
    heal(desk)
    desk.bill.switches.webhook_reorder = True
    with a_web_server(port):
        bill = a_bill(desk, "W-1")
        line = {"amount": "80.00", "classifications": {"chartOfAccountId": FLOUR}}
        desk.bill.edit_bill(bill, billLineItems=[line])
        assert desk.bill.wait_for_post()
    desk.sync(is_poll_due=False)
    seen = {p.source_id: p for p in desk.postings()}[bill]
    assert str(seen.amount) == "80.000"

    with a_web_server(port):
        desk.bill.deliver("bill.created", bill)
        assert desk.bill.wait_for_post()
    heal(desk)

    all_in_sage(desk, 4)
    assert str({p.source_id: p for p in desk.postings()}[bill].amount) == "80.000"


def test_f32_a_delivery_repeated_after_a_hundred_days_is_no_work(desk: Desk, port: int) -> None:
    register(desk)
    with a_web_server(port):
        a_bill(desk, "W-1")
        assert desk.bill.wait_for_post()
        heal(desk)
        with tenant_scope(desk.company.tenant_id):
            rows = WebhookEvent.objects.for_tenant(desk.company.tenant_id)
            rows.update(received_at=desk.clock() - timedelta(days=100), taken_in_at=desk.clock())
        DueWork.objects.update(rung_at=None)
        OrmQ.objects.all().delete()
        [subscription] = [s for o in desk.bill.organizations.values()
                          for s in o.subscriptions.values()]  # fmt: skip
        [notice] = [n for o in desk.bill.organizations.values() for n in o.notices]
        status = desk.bill.office.post.send_now(notice, subscription)

    assert status == 200
    assert len(events(desk)) == 1
    assert DueWork.objects.get().rung_at is None
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("signature", ["wrong", "none"])
def test_f33_a_forged_or_missing_signature_is_refused_and_nothing_is_kept(
    desk: Desk, port: int, signature: str
) -> None:
    register(desk)
    desk.bill.switches.webhook_signature = signature
    desk.bill.switches.retry_scale = 0.01
    with a_web_server(port):
        a_bill(desk, "W-1")
        assert desk.bill.wait_for_post()

    assert events(desk) == []
    heal(desk)
    all_in_sage(desk, 4)


def test_f33_the_old_key_is_good_for_what_was_signed_before_the_new_one(
    desk: Desk, port: int
) -> None:
    register(desk)
    subscriptions.rekey(
        subscriptions.open_desk(
            tenant_id=desk.company.tenant_id, company_id=desk.company.pk, now=desk.clock()
        )
    )
    with a_web_server(port):
        for number, signature in enumerate(["old_key", "right"]):
            desk.bill.switches.webhook_signature = signature
            a_bill(desk, f"W-{number}")
            assert desk.bill.wait_for_post()

    assert len(events(desk)) == 2


def test_f34_a_storm_for_one_company_is_one_doorbell_and_no_read_each(
    desk: Desk, port: int
) -> None:
    register(desk)
    heal(desk)
    DueWork.objects.update(rung_at=None)
    with a_web_server(port):
        for number in range(120):
            a_bill(desk, f"S-{number}", approvalStatus="ASSIGNED")
        assert desk.bill.wait_for_post(60)

    assert len(events(desk)) == 120
    assert OrmQ.objects.count() == 1
    before = desk.bill_server.requests.counts()["GET /connect/v3/bills"]
    desk.sync(is_poll_due=False)
    assert desk.bill_server.requests.counts()["GET /connect/v3/bills"] - before <= 120 // 50 + 1
    assert len(desk.postings()) == 123


def test_f35_a_day_without_notifications_is_found_by_the_poll_and_the_history(
    desk: Desk, port: int
) -> None:
    register(desk)
    heal(desk)
    desk.bill.switches.webhooks_lost = True
    for number in range(3):
        a_bill(desk, f"LOST-{number}")
    desk.bill.switches.webhooks_lost = False
    assert events(desk) == []
    later(desk, 90_000)

    told = subscriptions.check_subscription(work_of(desk))

    assert "3 notifications that never reached us" in told
    assert len(events(desk)) == 3
    assert DueWork.objects.get().rung_at is not None
    desk.sync(is_poll_due=False)
    all_in_sage(desk, 6)


def test_f35_a_subscription_bill_switched_off_is_on_again_and_nothing_was_missed(
    desk: Desk, port: int
) -> None:
    register(desk)
    heal(desk)
    desk.bill.switches.retry_scale = 0.001
    a_bill(desk, "OFF-1")  # nobody listens: five tries, then BILL switches it off
    assert desk.bill.wait_for_post()
    a_bill(desk, "OFF-2")
    later(desk, 90_000)

    told = subscriptions.check_subscription(work_of(desk))

    assert "it is on again" in told
    assert len(events(desk)) == 2
    turns.poll_now(company_id=desk.company.pk)
    heal(desk)
    agrees(desk)
    all_in_sage(desk, 5)
