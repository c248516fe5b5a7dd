"""An owner sets a company up with nothing but the pages, and changes it later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from integrations.models import (
    BillConnection,
    PingResult,
    Sage300Connection,
    WebhookSubscription,
)
from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from sync.domain.policy_document import policy_to_dict
from sync.models import CompanyPolicy, DueWork, LogEntry, MappingRule, Posting, VendorLink
from sync.services import running
from tenants.models import AuditEvent, Company, User
from tenants.scoping import tenant_scope
from tests import builders
from tests.integration.sync.world import BAKERY, KEY, SAMPLES, SECRET, TOKEN, a_policy
from tests.people import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


class Town:
    """The practice systems, and one person's browser in a company that is connected to nothing."""

    def __init__(self, cast: Cast, client: Client, bill: str, sage: str) -> None:
        self.cast, self.client, self.bill_url, self.sage_url = cast, client, bill, sage
        self.base = f"/{cast.tenant.slug}/{cast.company.slug}/"

    def open(self, path: str) -> str:
        answer = self.client.get(self.base + path)
        assert answer.status_code == 200, answer.status_code
        return str(answer.content.decode())

    def post(self, path: str, data: dict[str, Any] | None = None) -> HttpResponse:
        return self.client.post(self.base + path, data or {}, follow=True)  # type: ignore[return-value]

    def bill(self, **changes: str) -> HttpResponse:
        said = {
            "environment": "practice", "organization_id": BAKERY, "user_name": TOKEN,
            "password": SECRET, "developer_key": KEY,
        }  # fmt: skip
        return self.post("connections/bill/", said | changes)

    def sage(self, **changes: str) -> HttpResponse:
        said = {
            "base_url": self.sage_url, "company_database": "CALBAK", "user_name": "MLCONN",
            "password": "practice-sage", "password_case": "upper", "ca_pem": "",
        }  # fmt: skip
        return self.post("connections/sage300/", said | changes)

    def policy(self, act: str = "save", **changes: object) -> HttpResponse:
        with tenant_scope(self.cast.tenant.pk):
            row = CompanyPolicy.objects.for_tenant(self.cast.tenant).first()
        document = policy_to_dict(row.policy() if row else a_policy({}))
        rule = document.pop("vendor_number_rule")
        assert isinstance(rule, dict)
        said: dict[str, Any] = {
            **{name: "" if value is None else value for name, value in document.items()},
            **{f"vendor_number_rule.{name}": value for name, value in rule.items()},
            "number_map": "",
            "version": row.version if row else 0,
            "act": act,
        }
        return self.post("policy/", said | changes)

    def one(self, model: Any, **filters: object) -> Any:
        with tenant_scope(self.cast.tenant.pk):
            rows = model.objects.for_tenant(self.cast.tenant)
            return rows.filter(company=self.cast.company, **filters).first()

    def audit(self) -> list[str]:
        with tenant_scope(self.cast.tenant.pk):
            rows = AuditEvent.objects.for_tenant(self.cast.tenant).order_by("at", "id")
            return [row.action for row in rows]


@pytest.fixture
def town(cast: Cast, signed_in: SignIn, settings: Any) -> Iterator[Town]:
    bill = BillWorld.from_file(SAMPLES / "bill-practice.json")
    sage = Sage300World.from_file(SAMPLES / "sage300-practice.json")
    with StandInServer(bill) as bill_server, StandInServer(sage) as sage_server:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = bill_server.url
        settings.PRACTICE_SAGE_URL = sage_server.url
        yield Town(cast, signed_in(cast.owner), bill_server.url, sage_server.url)


def test_the_set_up_page_leads_from_nothing_to_work(town: Town) -> None:
    empty = town.open("setup/")
    town.bill()
    town.sage()
    before_policy = DueWork.objects.filter(company_id=town.cast.company.pk).exists()
    town.policy()
    done = town.open("setup/")

    assert "1 of 6 steps done" in empty
    assert "4 of 6 steps done" in done
    assert not before_policy
    assert DueWork.objects.get(company_id=town.cast.company.pk).next_run_at <= datetime.now(UTC)
    assert {"connection.changed", "policy.changed"} <= set(town.audit())


def test_after_the_first_run_the_page_says_what_is_left_to_decide(town: Town) -> None:
    town.bill()
    town.sage()
    town.policy(vendor_creation="person", review="review_all", cutover_date="")

    running.run_company(
        tenant_id=town.cast.tenant.pk, company_id=town.cast.company.pk, trigger="test",
        clock=lambda: datetime.now(UTC), worker="test",
    )  # fmt: skip
    page = town.open("setup/")

    assert "vendors to decide" in page
    assert "Decide the vendors" in page
    assert not town.one(Posting, state="IN_SAGE")


def test_a_secret_never_comes_back_on_a_page_or_in_the_audit(town: Town) -> None:
    town.bill()
    town.sage()
    town.sage(password="wrong-password-of-sage")
    pages = [
        town.open(path)
        for path in ("connections/", "connections/bill/", "connections/sage300/", "setup/", "log/")
    ]
    with tenant_scope(town.cast.tenant.pk):
        rows = [str(row.details) for row in AuditEvent.objects.for_tenant(town.cast.tenant)]

    for secret in (SECRET, KEY, "practice-sage", "wrong-password-of-sage"):
        assert not any(secret.lower() in text.lower() for text in (*pages, *rows))


def test_refused_credentials_replace_nothing_that_works(town: Town) -> None:
    town.sage()

    answer = town.sage(password="another-password")

    page = answer.content.decode()
    row = town.one(Sage300Connection)
    with tenant_scope(town.cast.tenant.pk):
        assert row.password.reveal() == "practice-sage"
    assert (answer.status_code, row.is_paused, row.credential_version) == (422, False, 1)
    assert "so nothing was replaced" in page
    assert "Sign-in and vendors" in page
    assert "connection.refused" in town.audit()


def test_a_first_connection_that_fails_is_kept_and_not_used(town: Town) -> None:
    answer = town.sage(password="not-the-password")

    row = town.one(Sage300Connection)
    page = answer.content.decode()
    assert row.is_paused
    assert "stops at check 5 of 13" in page
    assert "It is done, test from here" in page


def test_after_a_first_try_that_failed_the_practice_systems_are_still_offered(town: Town) -> None:
    town.bill(organization_id="008NobodyKnows000001", password="typed wrong")

    assert "Use the practice system" in town.open("connections/")
    begun = town.open("connections/bill/?practice")
    assert BAKERY in begun
    assert SECRET in begun

    town.bill()
    assert "Use the practice system" not in town.open("connections/").split("Sage 300")[0]
    assert SECRET not in town.open("connections/bill/?practice")


def test_before_the_set_up_is_done_no_page_says_that_all_is_well(town: Town) -> None:
    for path in ("review/", "attention/", "vendors/", "runs/", ""):
        page = town.open(path)
        assert "Go on setting" in page, path
        assert "Run now" not in page
        assert "Polling only" not in page

    refused = town.post("run/").content.decode()
    assert "Nothing was started" in refused
    assert "It needs both connections and the policy." in refused


def test_a_failing_ping_is_mended_and_goes_on_from_the_failed_step(town: Town) -> None:
    town.sage(password="not-the-password")
    with tenant_scope(town.cast.tenant.pk):
        row = town.one(Sage300Connection)
        row.password = "practice-sage"
        row.save()
    first = town.one(PingResult, side="sage300").steps

    answer = town.post("connections/sage300/test/", {"from": "failed"})

    steps = town.one(PingResult, side="sage300").steps
    assert "works: every needed check passed" in answer.content.decode()
    assert steps[:4] == first[:4]
    assert len(steps) == len(first)
    assert not town.one(Sage300Connection).is_paused


def test_a_stored_password_is_not_sent_to_an_address_just_typed(town: Town) -> None:
    town.sage()

    answer = town.sage(base_url="https://elsewhere.example/Sage300WebApi", password="")

    assert answer.status_code == 422
    assert "never sent to another place" in answer.content.decode()


def test_an_empty_secret_keeps_the_stored_one(town: Town) -> None:
    town.bill()

    answer = town.bill(password="", developer_key="")

    assert answer.status_code == 200
    assert "BILL is connected" in answer.content.decode()


def test_the_administrator_of_sage_is_refused(town: Town) -> None:
    answer = town.sage(user_name="admin")

    assert "ADMIN may do everything" in answer.content.decode()
    assert town.one(Sage300Connection) is None


def test_another_organization_is_refused_after_the_first_send(town: Town) -> None:
    town.bill()
    with tenant_scope(town.cast.tenant.pk):
        BillConnection.objects.for_tenant(town.cast.tenant).update(fixed_organization_id=BAKERY)

    answer = town.bill(organization_id="008CalderCatering001")

    assert "stays with that organization" in answer.content.decode()
    assert town.one(BillConnection).organization_id == BAKERY


def test_another_database_is_refused_after_the_first_send(town: Town) -> None:
    town.sage()
    with tenant_scope(town.cast.tenant.pk):
        Sage300Connection.objects.for_tenant(town.cast.tenant).update(fixed_database="CALBAK")

    answer = town.sage(company_database="CALTST")

    assert "stays with that database" in answer.content.decode()


def test_a_connection_is_paused_by_a_person_and_resumed_by_a_test(town: Town) -> None:
    town.sage()

    town.post("connections/sage300/pause/")
    paused = town.one(Sage300Connection)
    town.post("connections/sage300/test/")

    assert paused.paused_reason == f"Paused by {town.cast.owner.get_full_name()}."
    assert not town.one(Sage300Connection).is_paused


def test_a_server_that_is_away_for_a_moment_does_not_pause_what_works(town: Town) -> None:
    town.sage()
    with tenant_scope(town.cast.tenant.pk):
        Sage300Connection.objects.for_tenant(town.cast.tenant).update(
            base_url=town.bill_url + "/Sage300WebApi"
        )

    answer = town.post("connections/sage300/test/")

    assert "does not work yet" in answer.content.decode()
    assert not town.one(Sage300Connection).is_paused


def test_without_a_public_address_the_page_says_polling_only(town: Town, settings: Any) -> None:
    settings.PUBLIC_URL = ""

    town.bill()

    page = town.open("connections/")
    assert "<b>Polling only.</b> This installation has no public address" in page
    assert "PUBLIC_URL" in page


def test_the_subscription_is_registered_tested_rekeyed_and_removed(
    town: Town, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    said = []
    town.bill()
    registered = town.one(WebhookSubscription).status
    for act in ("test", "rekey", "remove"):
        said.append(town.post(f"connections/webhook/{act}/").content.decode())

    assert registered == "registered"
    assert "BILL signs with a new key" in said[1]
    assert "read by the clock" in said[2]
    assert town.one(WebhookSubscription).bill_id == ""
    assert {"webhook.tested", "webhook.key_changed", "webhook.removed"} <= set(town.audit())


@pytest.mark.parametrize("path", ["connections/bill/", "connections/webhook/remove/"])
def test_an_accountant_may_not_change_connections(town: Town, signed_in: SignIn, path: str) -> None:
    town.client = signed_in(town.cast.accountant)

    assert town.post(path).status_code == 403


def test_a_policy_is_looked_at_before_it_is_saved(town: Town) -> None:
    town.policy()
    builders.a_posting(town.cast.company, state="READY")

    looked = town.policy("check", release="ready").content.decode()
    version = town.one(CompanyPolicy).version
    saved = town.policy("save", release="ready").content.decode()

    assert "changed, was Open" in looked
    assert "Save, decide 1 bill anew" in looked
    assert version == 1
    assert "Saved as version 2: how a batch is left" in saved
    assert town.one(CompanyPolicy).policy().release == "ready"
    assert DueWork.objects.filter(rung_at__isnull=False).count() == 0  # not connected yet


def test_saving_a_policy_wakes_a_connected_company(town: Town) -> None:
    town.bill()
    town.sage()
    town.policy()
    later = datetime.now(UTC) + timedelta(hours=1)
    DueWork.objects.update(next_run_at=later, rung_at=None)

    town.policy(release="post")

    assert DueWork.objects.get().rung_at is not None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": "0"}, "A batch holds 1 to 100 invoices, not 0."),
        ({"batch_size": "many"}, "is a whole number"),
        ({"batch_description": "{date}"}, "must hold {tag}"),
        ({"number_map": "Prairie Mill"}, "is not a line such as"),
        ({"vendor_creation": "create_new", "vendor_group": ""}, "Sage needs a vendor group"),
    ],
)
def test_what_cannot_work_is_said_beside_the_question_and_nothing_is_saved(
    town: Town, changes: dict[str, object], words: str
) -> None:
    answer = town.policy(**changes)

    assert answer.status_code == 422
    assert words in answer.content.decode().replace("&#x27;", "'")
    assert town.one(CompanyPolicy) is None


def test_the_second_to_save_is_told_who_was_first(town: Town, signed_in: SignIn) -> None:
    town.policy()

    answer = town.policy(version=0, release="post")

    assert answer.status_code == 409
    assert f"{town.cast.owner.get_full_name()} changed the policy" in answer.content.decode()
    assert town.one(CompanyPolicy).policy().release == "open"


def test_an_accountant_changes_the_policy_and_a_viewer_only_reads(
    town: Town, signed_in: SignIn
) -> None:
    town.client = signed_in(town.cast.accountant)
    assert town.policy().status_code == 200
    town.client = signed_in(town.cast.viewer)

    page = town.open("policy/")

    assert town.policy().status_code == 403
    assert "You see the policy as viewer" in page
    assert 'value="save"' not in page


def test_a_preset_fills_in_and_saves_nothing(town: Town) -> None:
    town.policy()

    page = town.open("policy/?preset=hands-off")

    assert "Discard" in page
    assert town.one(CompanyPolicy).version == 1


def test_a_company_is_paused_with_a_reason_and_resumed(town: Town) -> None:
    town.post("policy/pause/", {"act": "pause", "reason": "Sage is backed up."})
    paused = Company.objects.get
    with tenant_scope(town.cast.tenant.pk):
        row = paused(pk=town.cast.company.pk)
    page = town.open("policy/")
    town.post("policy/pause/", {"act": "resume"})
    with tenant_scope(town.cast.tenant.pk):
        after = paused(pk=town.cast.company.pk)

    assert (row.is_paused, row.paused_reason) == (True, "Sage is backed up.")
    assert "Sage is backed up." in page
    assert not after.is_paused


def test_a_new_company_takes_rules_and_links_and_nothing_posted(town: Town) -> None:
    company, tenant = town.cast.company, town.cast.tenant
    town.policy(number_map="Old Mill = OLDMIL")
    builders.a_posting(company, state="READY")
    with tenant_scope(tenant.pk):
        owner = {"tenant": tenant, "company": company}
        MappingRule.objects.create(
            gl_account="6420-100", account_id="0ca1", made_at=builders.NOW, **owner
        )
        VendorLink.objects.create(
            bill_vendor_id="009a", state="linked", sage_number="PRAMIL", read_at=builders.NOW,
            **owner,
        )  # fmt: skip

    answer = town.post(
        "copy/", {"name": "Bakery live", "time_zone": "America/Chicago", "currency": "USD"}
    )

    with tenant_scope(tenant.pk):
        made = Company.objects.for_tenant(tenant).get(slug="bakery-live")
        mine = {"company": made}
        policy = CompanyPolicy.objects.for_tenant(tenant).get(**mine).policy()
        assert policy.number_map == {"Old Mill": "OLDMIL", "009a": "PRAMIL"}
        assert MappingRule.objects.for_tenant(tenant).get(**mine).gl_account == "6420-100"
        assert not VendorLink.objects.for_tenant(tenant).filter(**mine).exists()
        assert not Posting.objects.for_tenant(tenant).filter(**mine).exists()
        assert LogEntry.objects.for_tenant(tenant).get(**mine).event == "company.copied"
    assert "Set up Bakery live" in answer.content.decode()
