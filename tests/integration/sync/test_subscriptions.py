"""The webhook subscription against the stand-in: keys kept, switched on again, gaps filled."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integrations.errors import OutcomeUnknown
from integrations.models import BillConnection, WebhookKey, WebhookSubscription
from sync.domain.policy import Policy
from sync.models import DueWork, LogEntry, WebhookEvent
from sync.services import subscriptions, turns
from sync.services.work import Work
from tenants.models import Company
from tenants.scoping import tenant_scope
from tests.builders import NOW, a_company
from tests.integration.integrations.bill_world import ORGANIZATION, Served, a_bill_server

pytestmark = pytest.mark.django_db


@dataclass
class Office:
    """A company connected to the stand-in; `desk` is its business with BILL at a moment."""

    company: Company
    served: Served

    def desk(self, later: timedelta = timedelta(0)) -> subscriptions.Desk:
        return subscriptions.open_desk(
            tenant_id=self.company.tenant_id, company_id=self.company.pk, now=NOW + later
        )

    def check(self, later: timedelta = timedelta(0), **options: bool) -> str:
        desk = self.desk()
        work = Work(
            tenant_id=self.company.tenant_id,
            company_id=self.company.pk,
            company_name=self.company.name,
            zone=ZoneInfo("UTC"),
            policy=Policy(),
            policy_version=1,
            database_key="",
            bill=desk.bill,
            sage=None,  # type: ignore[arg-type]
            clock=lambda: NOW + later,
            worker="test",
            rng=Random(1),
        )
        return subscriptions.check_subscription(work, **options)

    def keys(self) -> list[tuple[str, Any]]:
        with tenant_scope(self.company.tenant_id):
            rows = WebhookKey.objects.order_by("created_at", "valid_until")
            return [(row.key.reveal(), row.valid_until) for row in rows]

    def row(self) -> WebhookSubscription:
        with tenant_scope(self.company.tenant_id):
            return WebhookSubscription.objects.get()

    @property
    def theirs(self) -> dict[str, Any]:
        """BILL's own subscriptions."""
        return self.served.world.organizations[ORGANIZATION].subscriptions

    @property
    def their(self) -> Any:
        [only] = self.theirs.values()
        return only


@pytest.fixture
def office(db: None, settings: Any) -> Iterator[Office]:
    with a_bill_server() as served:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = served.url
        settings.PUBLIC_URL = "http://127.0.0.1:9"
        company = a_company(name="Calder Bakery")
        with tenant_scope(company.tenant_id):
            BillConnection.objects.create(
                tenant_id=company.tenant_id,
                company=company,
                environment="practice",
                user_name="connector",
                password="token-value",
                organization_id=ORGANIZATION,
                developer_key="key-1",
            )
        turns.keep_turns(tenant_id=company.tenant_id, company_id=company.pk)
        yield Office(company, served)


def test_registering_keeps_bills_key_and_asks_for_bills_and_vendors(office: Office) -> None:
    row = subscriptions.register(office.desk())

    assert (row.status, row.bill_id) == ("registered", office.their.id)
    assert office.keys() == [(office.their.security_key, None)]
    assert {name for name, _ in office.their.events} == {
        f"{kind}.{what}"
        for kind in ("bill", "vendor")
        for what in ("created", "updated", "archived", "restored")
    }
    assert office.their.url == f"http://127.0.0.1:9/webhooks/bill/{row.address_id}/"


def test_registering_again_changes_nothing(office: Office) -> None:
    subscriptions.register(office.desk())
    subscriptions.register(office.desk())

    assert len(office.theirs) == 1
    assert len(office.keys()) == 1


@pytest.mark.parametrize(
    ("url", "is_practice", "words"),
    [
        ("", True, "no public address"),
        ("http://connector.example", True, "sends to https addresses"),
        ("http://127.0.0.1:8000", False, "sends to https addresses"),
    ],
)
def test_without_an_address_bill_can_reach_it_is_polling_only(
    office: Office, settings: Any, url: str, is_practice: bool, words: str
) -> None:
    desk = office.desk()
    settings.PUBLIC_URL, settings.PRACTICE = url, is_practice

    row = subscriptions.register(desk)

    assert row.status == "polling_only"
    assert words in row.reason
    assert not office.theirs


def test_lost_answer_is_asked_again_under_the_same_key_and_brings_the_same_secret(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = office.desk()
    create = desk.bill.create_subscription

    def lost(**values: Any) -> Any:
        create(**values)
        raise OutcomeUnknown("the answer was lost")

    monkeypatch.setattr(desk.bill, "create_subscription", lost)
    with pytest.raises(OutcomeUnknown):
        subscriptions.register(desk)

    row = subscriptions.register(office.desk())

    assert row.bill_id == office.their.id
    assert office.keys() == [(office.their.security_key, None)]


def test_twin_whose_key_was_never_received_is_adopted_with_a_new_key(office: Office) -> None:
    subscriptions.register(office.desk())
    with tenant_scope(office.company.tenant_id):
        WebhookKey.objects.all().delete()
        WebhookSubscription.objects.update(bill_id="", status="polling_only")

    row = subscriptions.register(office.desk())

    assert (row.status, row.bill_id) == ("registered", office.their.id)
    assert office.keys() == [(office.their.security_key, None)]


def test_old_key_stays_good_for_a_week_after_a_new_one(office: Office) -> None:
    subscriptions.register(office.desk())
    old = office.their.security_key

    subscriptions.rekey(office.desk(later=timedelta(hours=1)))

    assert set(office.keys()) == {
        (old, NOW + timedelta(days=7, hours=1)),
        (office.their.security_key, None),
    }
    assert office.their.security_key != old


def test_removed_by_a_person_it_is_not_made_again_by_itself(office: Office) -> None:
    subscriptions.register(office.desk())
    subscriptions.remove(office.desk())

    said = office.check(later=timedelta(days=2))

    assert said == ""
    assert not office.theirs
    assert "removed by a person" in office.row().reason


def test_refused_right_is_polling_only_with_bills_sentence(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(office.company.tenant_id):
        row = BillConnection.objects.get()
        row.password = "wrong"
        row.save()

    registered = subscriptions.register(office.desk())

    assert registered.status == "polling_only"
    assert "does not accept the user name and password" in registered.reason


def test_check_registers_what_was_never_registered(office: Office) -> None:
    assert office.check() == "Webhooks registered."
    assert office.row().status == "registered"


def test_check_costs_nothing_until_a_day_has_passed(office: Office) -> None:
    office.check()
    before = office.served.count("")

    said = office.check(later=timedelta(hours=23))

    assert (said, office.served.count("")) == ("", before)


def test_switched_off_subscription_is_switched_on_again(office: Office) -> None:
    office.check()
    office.their.enabled = False

    said = office.check(later=timedelta(days=1, minutes=1))

    assert office.their.enabled
    assert "switched the subscription off" in said
    with tenant_scope(office.company.tenant_id):
        assert LogEntry.objects.filter(event="webhook.mended").exists()


def test_subscription_that_is_gone_in_bill_is_made_anew(office: Office) -> None:
    office.check()
    office.theirs.clear()

    said = office.check(is_forced=True)

    assert "made anew" in said
    assert office.row().bill_id == office.their.id


def test_changed_public_address_moves_the_subscription(office: Office, settings: Any) -> None:
    office.check()
    settings.PUBLIC_URL = "https://new.connector.example"

    office.check(is_forced=True)

    assert office.their.url.startswith("https://new.connector.example/webhooks/bill/")


def test_events_that_never_arrived_are_taken_from_bills_history(office: Office) -> None:
    office.check()
    office.desk().bill.test_subscription(office.row().bill_id, event_type="vendor.updated")
    with tenant_scope(office.company.tenant_id):
        assert not WebhookEvent.objects.exists()
    DueWork.objects.update(rung_at=None)

    said = office.check(is_forced=True)
    again = office.check(is_forced=True)

    assert said == "1 notification that never reached us: taken from BILL now."
    assert again == ""
    with tenant_scope(office.company.tenant_id):
        event = WebhookEvent.objects.get()
    assert (event.event_type, event.entity) == ("vendor.updated", "vendor")
    assert DueWork.objects.get().rung_at is not None
