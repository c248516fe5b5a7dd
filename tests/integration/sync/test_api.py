"""The machines' API: its document is true, its answers are a tenant's own, its deeds are recorded."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_q.models import OrmQ

from integrations.models import BillConnection, Sage300Connection, WebhookSubscription
from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from sync.domain.posting_state import PostingState
from sync.models import (
    Answer,
    Attempt,
    Batch,
    DueWork,
    LogEntry,
    Posting,
    Run,
)
from sync.services import turns
from sync.services.run_requests import open_run
from tenants.models import AuditEvent, Company, Role, Tenant
from tenants.scoping import tenant_scope
from tests.builders import NOW, a_bill, a_company, a_posting, a_tenant, an_api_token
from tests.integration.integrations.bill_world import ORGANIZATION, Served, a_bill_server
from tests.integration.sync.world import BAKERY, KEY, SAMPLES, SECRET, TOKEN

pytestmark = pytest.mark.django_db

PASSWORD = "practice-sage"
LINE = {
    "line_id": "1",
    "gl_account": "5060100",
    "formatted": "5060-100",
    "account_name": "Freight in",
    "amount": "742.90",
    "description": "Pallets",
    "source": "same_number",
    "reason": "The account has this number in Sage.",
}
PROBLEM = {
    "code": "account_unmapped",
    "sentence": "BILL's account leads nowhere.",
    "acts": "here",
    "severity": "warns",
    "subject": "a",
    "subject_name": "Trade Shows",
}


class World:
    """A tenant with a company, one posting with its whole story, and a machine."""

    def __init__(self) -> None:
        self.tenant: Tenant = a_tenant(slug="calder")
        self.company: Company = a_company(self.tenant, slug="bakery", name="Calder Bakery")
        self.token = an_api_token(self.tenant)
        with tenant_scope(self.tenant.pk):
            self.run = self.add(Run, trigger="schedule", started_at=NOW, heard_at=NOW, ended_at=NOW,
                                outcome="ok", steps=[{"name": "Decide", "done": 0, "total": 0,
                                "started_at": NOW.isoformat(), "ended_at": None, "sentence": ""}])  # fmt: skip
            self.batch = self.add(
                Batch, database_key="sage/CALBAK", tag="ML-1", description="ML-1", invoices={},
                facts={}, stage="done", lease_epoch=1, entry_count=1, total_amount=1, made_at=NOW,
            )  # fmt: skip
        self.posting = self.add_posting(
            "10442",
            state=PostingState.IN_SAGE,
            sage_status="Open",
            sage_batch_number=118,
            sage_entry_number=3,
            batch=self.batch,
            lines=[LINE],
            warnings=[PROBLEM],
        )
        with tenant_scope(self.tenant.pk):
            attempt = self.add(
                Attempt, batch=self.batch, operation="PostBatch", tag="ML-1", request="{}",
                request_hash="0", started_at=NOW, deadline_at=NOW,
            )  # fmt: skip
            Answer.objects.create(
                tenant=self.tenant, attempt=attempt, outcome="ok", http_status=201, ended_at=NOW,
                batch_number=118,
            )  # fmt: skip
            self.add(
                LogEntry, at=NOW, event="posting.landed", posting=self.posting, run=self.run,
                attempt=attempt, invoice_number="10442", vendor_name="Novak", amount="742.90",
                sentence="Read back.",
            )  # fmt: skip
        turns.keep_turns(tenant_id=self.tenant.pk, company_id=self.company.pk)

    def add(self, model: Any, **values: Any) -> Any:
        return model.objects.create(tenant=self.tenant, company=self.company, **values)

    def add_posting(self, number: str, **values: Any) -> Posting:
        bill = a_bill(id=f"00n{uuid.uuid4().hex[:17]}", invoice_number=number)
        return a_posting(self.company, bill=bill, **values)

    def connect(self) -> None:
        with tenant_scope(self.tenant.pk):
            self.add(
                BillConnection, environment="practice", user_name="connector",
                password="token-value", organization_id=ORGANIZATION, developer_key="key-1",
            )  # fmt: skip

    def ask(
        self, path: str, method: str = "get", token: str = "", body: Any = None, **query: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            sender = getattr(Client(), method)
            address = f"/api/v1/companies/{path}"
            return sender(address, body, content_type="application/json", headers=headers)
        return (
            getattr(Client(), method)(f"/api/v1/companies/{path}", query or None, headers=headers)
            if method == "get"
            else getattr(Client(), method)(f"/api/v1/companies/{path}", headers=headers)
        )


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def bill(settings: Any) -> Iterator[Served]:
    with a_bill_server() as served:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = served.url
        settings.PUBLIC_URL = "http://127.0.0.1:9"
        yield served


# --- whose ----------------------------------------------------------------------------------------


def test_only_the_tokens_companies_are_shown(world: World) -> None:
    a_company(a_tenant(), slug="inks", name="Somebody else's")

    assert [one["slug"] for one in world.ask("").json()] == ["bakery"]
    assert world.ask("inks/").status_code == 404
    assert world.ask("inks/postings/").status_code == 404


def test_without_a_token_nothing_is_told(world: World) -> None:
    answer = Client().get("/api/v1/companies/bakery/")

    assert answer.status_code == 401
    assert b"Bakery" not in answer.content


def test_viewers_token_reads_and_starts_nothing(world: World) -> None:
    token = an_api_token(world.tenant, Role.VIEWER)

    assert world.ask("bakery/runs/", token=token).status_code == 200
    refused = world.ask("bakery/runs/", "post", token=token)
    assert refused.status_code == 403
    assert "viewer" in refused.json()["error"]["sentence"]
    assert not OrmQ.objects.exists()


# --- postings and log -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"10442", "INV-7", "INV-8"}),
        ({"state": "BLOCKED"}, {"INV-7"}),
        ({"state": ["BLOCKED", "WAITING"]}, {"INV-7", "INV-8"}),
        ({"invoice_number": "inv-8"}, {"INV-8"}),
        ({"vendor": "whit"}, {"INV-7"}),
        ({"sage_status": "open"}, {"10442"}),
        ({"state": "IN_SAGE", "vendor": "whit"}, set()),
    ],
)
def test_postings_are_narrowed(world: World, query: dict[str, Any], expected: set[str]) -> None:
    world.add_posting("INV-7", state=PostingState.BLOCKED, vendor_name="Whitcomb Legal LLP")
    world.add_posting("INV-8", state=PostingState.WAITING, vendor_name="Novak")

    rows = world.ask("bakery/postings/", **query).json()["results"]

    assert {row["invoice_number"] for row in rows} == expected


def test_unknown_state_is_refused_by_name(world: World) -> None:
    answer = world.ask("bakery/postings/", state="LOST")

    assert answer.status_code == 400
    assert "LOST" in str(answer.json())


def test_pages_follow_one_another_without_gap_or_repeat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        at = NOW - timedelta(minutes=number // 7)
        world.add_posting(f"INV-{number}", at=at)

    seen: list[str] = []
    page = world.ask("bakery/postings/").json()
    while True:
        seen += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        page = world.ask(page["next"].split("/api/v1/companies/")[1]).json()

    assert len(seen) == len(set(seen)) == 61


def test_story_tells_lines_problems_writes_and_log(world: World) -> None:
    story = world.ask(f"bakery/postings/{world.posting.pk}/").json()

    assert story["lines"][0]["reason"] == LINE["reason"]
    assert story["warnings"][0]["acts"] == "here"
    assert [(one["operation"], one["outcome"]) for one in story["attempts"]] == [
        ("PostBatch", "ok")
    ]
    assert [one["event"] for one in story["log"]] == ["posting.landed"]


def test_log_is_narrowed(world: World) -> None:
    with tenant_scope(world.tenant.pk):
        world.add(LogEntry, at=NOW, event="vendor.linked", vendor_name="Lakeshore", sentence="x")

    lines = world.ask("bakery/log/", vendor="lake").json()["results"]

    assert [line["event"] for line in lines] == ["vendor.linked"]


# --- runs -----------------------------------------------------------------------------------------


def test_asking_for_a_run_answers_its_id_and_wakes_a_worker(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    DueWork.objects.update(next_run_at=NOW + timedelta(days=900))
    with django_capture_on_commit_callbacks(execute=True):
        answer = world.ask("bakery/runs/", "post")

    assert answer.status_code == 202
    run = answer.json()
    assert (run["trigger"], run["ended_at"], run["steps"]) == ("api", None, [])
    assert world.ask(f"bakery/runs/{run['id']}/").json() == run
    assert DueWork.objects.get().next_run_at < NOW + timedelta(days=900)
    assert OrmQ.objects.count() == 1
    with tenant_scope(world.tenant.pk):
        assert AuditEvent.objects.get().action == "run.asked"


def test_run_asked_for_twice_before_it_begins_is_one_run(world: World) -> None:
    first, second = (world.ask("bakery/runs/", "post").json()["id"] for _ in range(2))

    assert first == second


def test_worker_woken_by_the_schedule_opens_the_run_that_was_asked_for(world: World) -> None:
    asked = world.ask("bakery/runs/", "post").json()["id"]

    run = open_run(
        tenant_id=world.tenant.pk,
        company_id=world.company.pk,
        trigger="schedule",
        run_id=None,
        now=NOW,
    )

    assert str(run.pk) == asked
    assert run.trigger == "api"


def test_ended_run_is_never_opened_again(world: World) -> None:
    run = open_run(
        tenant_id=world.tenant.pk,
        company_id=world.company.pk,
        trigger="api",
        run_id=world.run.pk,
        now=NOW,
    )

    assert run.pk != world.run.pk


def test_paused_company_starts_no_run_and_says_why(world: World) -> None:
    with tenant_scope(world.tenant.pk):
        Company.objects.update(is_paused=True, paused_reason="Year end until Friday.")

    answer = world.ask("bakery/runs/", "post")

    assert (answer.status_code, answer.json()["error"]["sentence"]) == (
        409,
        "Year end until Friday.",
    )


# --- connections ----------------------------------------------------------------------------------


def test_credentials_are_tried_first_and_never_come_back(world: World, settings: Any) -> None:
    bill = BillWorld.from_file(SAMPLES / "bill-practice.json")
    sage = Sage300World.from_file(SAMPLES / "sage300-practice.json")
    with StandInServer(bill) as bill_server, StandInServer(sage) as sage_server:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = bill_server.url
        settings.PRACTICE_SAGE_URL = sage_server.url
        to_sage = {
            "base_url": sage_server.url, "company_database": "CALBAK", "user_name": "MLCONN",
        }  # fmt: skip
        to_bill = {
            "environment": "practice", "organization_id": BAKERY, "user_name": TOKEN,
            "developer_key": KEY,
        }  # fmt: skip

        first = world.ask(
            "bakery/bill-connection/", "put", body={**to_bill, "password": "not-the-token"}
        )
        good = world.ask("bakery/bill-connection/", "put", body={**to_bill, "password": SECRET})
        world.ask("bakery/sage300-connection/", "put", body={**to_sage, "password": PASSWORD})
        wrong = world.ask("bakery/sage300-connection/", "put", body={**to_sage, "password": "old"})
        kept = world.ask("bakery/sage300-connection/", "put", body=to_sage)
        accountant = an_api_token(world.tenant, Role.ACCOUNTANT)
        refused = world.ask("bakery/bill-connection/", "put", accountant, body=to_bill)
        pinged = world.ask("bakery/ping/", "post", accountant, body={"systems": ["sage300"]})

    assert (first.status_code, first.json()["is_paused"]) == (200, True)
    assert "not in use yet" in first.json()["sentence"]
    assert (good.json()["is_paused"], good.json()["ladder"]["is_well"]) == (False, True)
    assert wrong.status_code == 409
    assert "so nothing was replaced" in wrong.json()["error"]["sentence"]
    assert wrong.json()["error"]["where"] == "http://testserver/calder/bakery/connections/"
    assert kept.json()["ladder"]["is_well"]
    assert (refused.status_code, pinged.status_code) == (403, 200)
    with tenant_scope(world.tenant.pk):
        assert Sage300Connection.objects.get().password.reveal() == PASSWORD
        told = [str(event.details) for event in AuditEvent.objects.all()]
    for answer in (first, good, wrong, kept, pinged):
        told.append(answer.content.decode())
    assert not any(secret in text for secret in (SECRET, KEY, PASSWORD) for text in told)


# --- webhook subscription -------------------------------------------------------------------------


def test_subscription_is_registered_tested_and_removed(world: World, bill: Served) -> None:
    world.connect()
    path = "bakery/webhook-subscription/"

    statuses = [world.ask(path).json()["status"], world.ask(path, "post").json()["status"]]
    tested = world.ask(f"{path}test/", "post").json()
    statuses.append(world.ask(path, "delete").json()["status"])

    assert statuses == ["polling_only", "registered", "polling_only"]
    assert (tested["is_ok"], tested["status_code"]) == (False, 0)
    assert "can be reached from outside" in tested["sentence"]
    with tenant_scope(world.tenant.pk):
        assert not WebhookSubscription.objects.get().bill_id
        actions = AuditEvent.objects.order_by("at").values_list("action", flat=True)
        assert list(actions) == ["webhook.registered", "webhook.tested", "webhook.removed"]


def test_company_without_a_connection_says_who_acts(world: World) -> None:
    answer = world.ask("bakery/webhook-subscription/", "post")

    assert answer.status_code == 409
    assert "an owner adds it" in answer.json()["error"]["sentence"]


def test_nothing_registered_cannot_be_tested(world: World, bill: Served) -> None:
    world.connect()

    answer = world.ask("bakery/webhook-subscription/test/", "post")

    assert answer.status_code == 409
