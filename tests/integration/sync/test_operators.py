"""What operators see and do in the admin: health worst first, deeds with a plan and a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from integrations.models import (
    BillConnection,
    BillQuotaRow,
    PingResult,
    Sage300Connection,
)
from sync import jobs
from sync.domain.problems import ProblemCode
from sync.models import (
    CompanyPolicy,
    DueWork,
    MappingRule,
    MappingRuleChange,
    Posting,
    Run,
)
from sync.services import comparison_turns, turns
from tenants.models import (
    AuditEvent,
    Company,
    Invitation,
    Membership,
    Role,
    Tenant,
    User,
)
from tenants.scoping import operator_scope, tenant_scope
from tests import builders
from tests.integration.sync.firms import a_firm, went_wrong
from tests.integration.sync.workbench import TRADE_SHOWS, a_synced_desk, now
from tests.people import Cast

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]
TENANTS = "/admin/tenants/tenant/"
OPERATE = "/admin/tenants/tenant/operate/"
NAME = re.compile(r'class="field-tenant[^>]*>.*?<span class="">([^<]+)</span>', re.DOTALL)


@pytest.fixture
def browser(signed_in: SignIn) -> Client:
    return signed_in(builders.an_operator(email="ola@connector.example", name="Ola Perator"))


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def audited(tenant: Tenant) -> dict[str, tuple[str, str]]:
    """Who did it and why, by what was done."""
    with tenant_scope(tenant.pk):
        rows = AuditEvent.objects.for_tenant(tenant)
        return {row.action: (row.actor_name, row.details.get("reason", "")) for row in rows}


def go(browser: Client, deed: str, *rows: Any, of: str = "companies", **said: str) -> HttpResponse:
    data = {"deed": deed, "of": of, "id": [str(row.pk) for row in rows], "reason": "Ticket 2291"}
    return browser.post(OPERATE, {**data, **said}, follow=True)  # type: ignore[return-value]


# --- how tenants fare -----------------------------------------------------------------------------


def test_tenants_stand_worst_first_each_with_word_cause_and_figures(browser: Client) -> None:
    a_firm("Fine")
    a_firm("Paused", state="paused", paused_reason="Sage refuses MLCONN.")
    refused = a_firm("Refused", posting={"state": "ATTENTION", "mode": "data"})
    went_wrong(refused, "rejected")
    went_wrong(refused, "unknown")
    a_firm("Silent", last_ok_at=now() - timedelta(hours=9))
    rare = a_firm("Rarely", last_ok_at=now() - timedelta(hours=5))
    with tenant_scope(rare.tenant_id):
        CompanyPolicy.objects.for_tenant(rare.tenant_id).update(values={"cadence_seconds": 21_600})
    a_firm("Unsettled", posting={"state": "UNCERTAIN", "order_number": "00U1"})
    behind = a_firm("Behind")
    DueWork.objects.filter(company_id=behind.pk).update(next_run_at=now() - timedelta(hours=1))
    full = a_firm("Full")
    with tenant_scope(full.tenant_id):
        BillConnection.objects.for_tenant(full.tenant_id).update(quota_key="k" * 64)
    BillQuotaRow.objects.create(key="k" * 64, calls=16_400, hour_started_at=now())
    rest = a_firm("Rest")
    with tenant_scope(rest.tenant_id):
        Company.objects.filter(pk=rest.pk).update(is_paused=True, paused_reason="Year end")
    builders.a_tenant(slug="new", name="New", created_at=now())
    go(browser, "suspend", a_firm("Stopped").tenant, of="tenants", reason="unpaid")

    page = text_of(browser.get(TENANTS))

    assert NAME.findall(page) == [
        "Paused", "Behind", "Refused", "Silent", "Unsettled", "Rest", "Full", "Fine", "Rarely",
        "New", "Stopped",
    ]  # fmt: skip
    for said in (
        "Sage refuses MLCONN.", "no worker has come", "1 bill needs a person", "Sage did not answer well",
        "1 bill being looked up since", "Year end", "82% of BILL", "no company yet",
        "unpaid, by Ola Perator, operator", "1 refused", "1 lost", "0.6 s", "slow 1.4 s",
        "no answer", "not asked", "2 h", "10 companies in all",
    ):  # fmt: skip
        assert said in page, said
    stopped = text_of(browser.get(TENANTS, {"health": "stopped"}))
    assert NAME.findall(stopped) == ["Paused", "Behind", "Refused"]
    assert NAME.findall(text_of(browser.get(TENANTS, {"status": "suspended"}))) == ["Stopped"]
    assert NAME.findall(text_of(browser.get(TENANTS, {"systems": "sandbox"}))) == []


def test_the_list_asks_as_few_questions_of_thirty_tenants_as_of_three(browser: Client) -> None:
    counts = []
    for until in (3, 30):
        for number in range(Tenant.objects.count(), until):
            a_firm(f"Firm{number}", posting={"state": "ATTENTION"})
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert len(NAME.findall(text_of(browser.get(TENANTS)))) == until
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_the_first_page_tells_the_state_of_the_house(browser: Client, settings: Any) -> None:
    company = a_firm("Calder")
    DueWork.objects.filter(company_id=company.pk).update(next_run_at=now() - timedelta(hours=1))
    BillQuotaRow.objects.create(key="abcdef0123" * 6, calls=5_000, hour_started_at=now())
    jobs.ring_heartbeat()
    jobs.heartbeat()
    knob = type(settings.CONNECTOR)
    values = {name: getattr(settings.CONNECTOR, name) for name in knob.__slots__}
    settings.CONNECTOR = knob(**{**values, "webhook_tally_seconds": 0.0})
    for _ in range(2):
        browser.post(f"/webhooks/bill/{company.pk}/", b"{}", content_type="application/json")

    page = text_of(browser.get("/admin/"))
    rows = dict(
        re.findall(
            r'<th scope="row">([^<]+)</th>\s*<td class="num"><span class="\w*">([^<]+)', page
        )
    )

    assert rows["Companies due, nobody on them yet"] == "1"
    assert int(rows["Refused at the letter box in 24 hours"]) >= 1
    assert rows["Developer key abcdef01…"] == "25%"
    assert rows["Workers&#x27; last sign of life"].endswith("s ago")
    assert "abcdef0123" not in page
    assert "Add a second step" in page


def test_no_page_is_moved_aside_by_a_menu_that_opens_after_it_was_drawn(browser: Client) -> None:
    company = a_firm("Reade")

    pages = [
        text_of(browser.get(url))
        for url in ("/admin/", TENANTS, f"/admin/tenants/company/{company.pk}/change/")
    ]

    assert [page.count("nav_sidebar") for page in pages] == [0, 0, 0]
    # The way to every other table is the first page, which each names.
    assert all('<a href="/admin/">Home</a>' in page for page in pages[1:])


# --- making, stopping, starting -------------------------------------------------------------------


def test_operator_makes_a_tenant_whose_owner_comes_in_by_the_link_shown_once(
    browser: Client, client: Client
) -> None:
    said = {"name": "Novak & Daughters", "slug": "", "email": "Ann@Novak.example",
            "time_zone": "Europe/Zurich"}  # fmt: skip

    page = text_of(browser.post(f"{TENANTS}add/", said))
    again = browser.post(f"{TENANTS}add/", {**said, "slug": "novak-daughters"})
    [link] = re.findall(r"http://testserver(/invitation/[^<\s]+)", page)
    client.post(link, {"name": "Ann", "password": "correct horse battery"})

    tenant = Tenant.objects.get(slug="novak-daughters")
    owner = Membership.objects.get(tenant=tenant, role=Role.OWNER).user
    assert (owner.email, owner.time_zone) == ("ann@novak.example", "Europe/Zurich")
    assert again.status_code == 422
    assert audited(tenant)["tenant.created"] == ("Ola Perator, operator", "")
    change = text_of(browser.get(f"{TENANTS}{tenant.pk}/change/"))
    assert link.rsplit("/", 2)[1] not in change
    invited = browser.post(
        f"{TENANTS}{tenant.pk}/invite/", {"email": "tom@novak.example", "time_zone": "UTC"}
    )
    assert "/invitation/" in text_of(invited)
    assert Invitation.objects.get(email="tom@novak.example").role == Role.OWNER


def test_suspending_needs_a_reason_shows_its_plan_and_stops_all_work(
    cast: Cast, browser: Client, signed_in: SignIn
) -> None:
    turns.keep_turns(tenant_id=cast.tenant.pk, company_id=cast.company.pk)
    builders.a_posting(cast.company, state="READY")
    token = builders.an_api_token(cast.tenant)
    marked = {"action": "suspend", "_selected_action": [cast.tenant.pk, cast.other_tenant.pk]}

    plan = text_of(browser.post(TENANTS, marked))
    silent = go(browser, "suspend", cast.tenant, of="tenants", reason="  ")

    assert "2 tenants will be suspended." in plan
    assert "Work stops for 1 company; 1 bill not yet in Sage wait" in plan
    assert silent.status_code == 422
    assert "Please say why" in text_of(silent)
    assert [turn.company_id for turn in turns.due_turns(limit=5)] == [cast.company.pk]

    said = text_of(go(browser, "suspend", cast.tenant, of="tenants", reason="Unpaid since May"))

    assert "Calder Foods: Suspended." in said
    assert audited(cast.tenant)["tenant.suspended"] == ("Ola Perator, operator", "Unpaid since May")
    assert turns.due_turns(limit=5) == []
    DueWork.objects.update(next_run_at=now() - timedelta(hours=1), compare_at=now())
    assert jobs.work_behind(now()) == 0
    assert comparison_turns.due(limit=5) == []
    assert comparison_turns.take(company_id=cast.company.pk, seconds=60, owner="me") is None
    assert turns.take_turn(company_id=cast.company.pk, seconds=60) is None
    owner, viewer = signed_in(cast.owner), signed_in(cast.viewer)
    refusal = owner.get("/calder/bakery/", follow=True)
    assert refusal.status_code == 403
    assert "Unpaid since May" in text_of(refusal)
    assert "Unpaid since May" not in text_of(viewer.get("/calder/bakery/"))
    api = {"Authorization": f"Bearer {token}"}
    assert owner.get("/api/v1/companies/", headers=api).status_code == 403
    for deed in ("run", "replay", "ping"):
        left_out = text_of(browser.get(OPERATE, {"deed": deed, "of": "tenants",
                                                 "id": cast.tenant.pk}))  # fmt: skip
        assert "1 is suspended, and left out" in left_out
        assert "There is nothing to do" in left_out

    go(browser, "resume", cast.tenant, of="tenants", reason="Paid")

    assert audited(cast.tenant)["tenant.resumed"] == ("Ola Perator, operator", "Paid")
    assert [turn.company_id for turn in turns.due_turns(limit=5)] == [cast.company.pk]
    assert owner.get("/calder/bakery/").status_code == 200
    people = text_of(owner.get("/calder/people/"))
    assert "Ola Perator, operator suspended the firm" in people
    assert "Calder Foods: Unpaid since May" in people
    tenant = Tenant.objects.get(pk=cast.tenant.pk)
    assert (tenant.suspended_at, tenant.suspended_reason) == (None, "")


def test_only_who_may_change_tenants_acts_on_them(cast: Cast, signed_in: SignIn) -> None:
    onlooker = signed_in(builders.a_user(is_staff=True, email="look@connector.example"))

    for answer in (
        go(onlooker, "suspend", cast.tenant, of="tenants"),
        onlooker.post(f"{TENANTS}add/", {"name": "X", "email": "a@b.example"}),
        onlooker.post(f"{TENANTS}{cast.tenant.pk}/invite/", {"email": "a@b.example"}),
    ):
        assert answer.status_code == 403
    assert not Tenant.objects.get(pk=cast.tenant.pk).is_suspended


# --- ping, run, replay ----------------------------------------------------------------------------


def test_run_now_says_what_goes_and_what_is_left_out_and_each_row_has_its_outcome(
    browser: Client, django_capture_on_commit_callbacks: Any
) -> None:
    first, paused, gone = a_firm("First"), a_firm("Second"), a_firm("Third")
    second = builders.a_company(first.tenant, name="First Mill", slug="mill")
    turns.keep_turns(tenant_id=second.tenant_id, company_id=second.pk)
    with tenant_scope(paused.tenant_id):
        Company.objects.filter(pk=paused.pk).update(is_paused=True, paused_reason="Year end")
    go(browser, "suspend", gone.tenant, of="tenants")
    everybody = {"deed": "run", "of": "tenants",
                 "id": [first.tenant_id, paused.tenant_id, gone.tenant_id]}  # fmt: skip

    plan = text_of(browser.get(OPERATE, everybody))
    with django_capture_on_commit_callbacks(execute=True):
        said = text_of(go(browser, "run", first, second, paused))

    assert "2 companies of 1 tenant will be asked to run now; " in plan
    assert "1 is paused and 1 is suspended, and left out." in plan
    assert "First Works: Asked to run" in said
    assert "First Mill: Asked to run" in said
    assert "Second Works: It is paused: Year end" in said
    with operator_scope():
        assert set(Run.objects.values_list("company_id", flat=True)) == {first.pk, second.pk}
    assert audited(first.tenant)["run.asked"] == ("Ola Perator, operator", "Ticket 2291")
    assert OrmQ.objects.count() == 2


def test_replay_counts_the_refused_bills_and_does_what_was_agreed_to(browser: Client) -> None:
    words = {"state": "ATTENTION", "mode": "data", "sentence": "Sage refused it."}
    company = a_firm("Calder", posting=words)
    trade = builders.a_cause(ProblemCode.ACCOUNT_UNMAPPED, "Map it.", subject="a")
    builders.a_posting(company, state="BLOCKED", problems=[trade], sentence="Map it.")

    plan = text_of(browser.get(OPERATE, {"deed": "replay", "of": "companies", "id": company.pk}))
    stale = text_of(go(browser, "replay", company, **{f"mark-{company.pk}": "7:700.00"}))
    [mark] = re.findall(rf'name="mark-{company.pk}" value="([^"]+)"', plan)
    said = text_of(go(browser, "replay", company, **{f"mark-{company.pk}": mark}))

    assert "1 refused bill of 1 company of 1 tenant will be replayed." in plan
    assert "100.00 USD" in plan
    assert "Nothing was done: meanwhile it is 1 bill" in stale
    assert "1 bill asked for again" in said
    with tenant_scope(company.tenant_id):
        states = dict(
            Posting.objects.for_tenant(company.tenant_id).values_list("state", "is_dirty")
        )
    assert states == {"WAITING": True, "BLOCKED": False}
    assert audited(company.tenant)["postings.replay"] == ("Ola Perator, operator", "Ticket 2291")


@pytest.mark.django_db(transaction=True)
def test_ping_is_done_by_a_worker_once_and_shown_and_rules_are_edited_by_the_service(
    settings: Any, browser: Client
) -> None:
    with a_synced_desk(settings) as desk:
        company, tenant = desk.company, desk.company.tenant

        go(browser, "ping", company)
        [ping] = [row.task for row in OrmQ.objects.all()]
        for _ in range(2):
            jobs.ping_company(**ping["kwargs"])

        with tenant_scope(tenant.pk):
            kept = {row.side: row.tried_by for row in PingResult.objects.for_tenant(tenant)}
            tests = AuditEvent.objects.for_tenant(tenant).filter(action="connection.tested")
            assert tests.count() == 2
            sage = Sage300Connection.objects.for_tenant(tenant).get()
            bill = BillConnection.objects.for_tenant(tenant).get()
        assert set(kept.values()) == {"Ola Perator, operator"}
        assert sage.median_seconds is not None
        assert sage.slow_seconds is not None
        assert sage.median_seconds <= sage.slow_seconds
        assert BillQuotaRow.objects.get().key == bill.quota_key
        page = text_of(browser.get(f"/admin/tenants/company/{company.pk}/change/"))
        assert "Sign-in and vendors" in page

        rules_are_edited_by_the_service(browser, company)
        desk.sync()
        gone = {p.invoice_number: p.state for p in desk.postings(invoice_number="5512")}
        assert gone == {"5512": "IN_SAGE"}


def rules_are_edited_by_the_service(browser: Client, company: Company) -> None:
    with tenant_scope(company.tenant_id):
        rule = MappingRule.objects.create(
            tenant_id=company.tenant_id, company=company, gl_account="9999-999",
            account_id=TRADE_SHOWS, made_at=now(),
        )  # fmt: skip
    url = f"/admin/sync/mappingrule/{rule.pk}/change/"
    form = {
        "gl_account": "6420-100", "account_id": TRADE_SHOWS, "name": "Shows", "reason": "Asked by phone",
        "seen": rule.made_at.isoformat(),
    }  # fmt: skip

    silent = text_of(browser.post(url, {**form, "reason": " "}))
    unusable = text_of(browser.post(url, {**form, "gl_account": "9999-999"}))
    overtaken = text_of(browser.post(url, {**form, "seen": "2020-01-01"}, follow=True))
    saved = text_of(browser.post(url, form, follow=True))

    assert "Please say why" in silent
    assert "9999-999 (not in the list)" in unusable
    assert "errorlist" in unusable
    assert "Nothing was saved" in overtaken
    assert "2 waiting bills decided anew now." in saved
    with tenant_scope(company.tenant_id):
        change = MappingRuleChange.objects.for_tenant(company.tenant_id).get()
    assert (change.actor_name, change.source) == ("Ola Perator, operator", "operator")
    assert (change.before_account, change.after_account) == ("9999-999", "6420-100")
    why = audited(company.tenant)["mapping_rule.changed"]
    assert why == ("Ola Perator, operator", "Asked by phone")
    remove_another(browser, company)


def remove_another(browser: Client, company: Company) -> None:
    with tenant_scope(company.tenant_id):
        other = MappingRule.objects.create(
            tenant_id=company.tenant_id, company=company, gl_account="6420-100",
            department_id="gone", made_at=now(),
        )  # fmt: skip
    url = f"/admin/sync/mappingrule/{other.pk}/delete/"

    browser.post(url, {"post": "yes"})
    with tenant_scope(company.tenant_id):
        assert MappingRule.objects.filter(pk=other.pk).exists()
    browser.post(url, {"post": "yes", "reason": "No such department"})

    with tenant_scope(company.tenant_id):
        assert not MappingRule.objects.filter(pk=other.pk).exists()
    assert audited(company.tenant)["mapping_rule.removed"][1] == "No such department"


# --- looking --------------------------------------------------------------------------------------


def test_a_search_across_tenants_asks_why_once_and_is_told_to_who_was_found(
    browser: Client,
) -> None:
    ours, theirs = a_firm("Calder"), a_firm("Quill")
    for company, number in ((ours, "INV-77"), (theirs, "INV-88")):
        builders.a_posting(company, bill=builders.a_bill(invoice_number=number))
    postings = reverse("admin:sync_posting_changelist")

    asked = text_of(browser.get(postings, {"q": "INV-77"}))
    found = text_of(
        browser.post(
            f"{postings}reason/", {"query": "q=INV-77", "reason": "Call of May 3"}, follow=True
        )
    )
    later = text_of(browser.get(reverse("admin:sync_logentry_changelist"), {"q": "nothing"}))

    assert "Why do you search" in asked
    assert "Calder Works" not in asked
    assert "Calder Works" in found
    assert "Quill Works" not in found
    assert "Why do you search" not in later
    assert audited(ours.tenant)["tenant.searched"] == ("Ola Perator, operator", "Call of May 3")
    assert "tenant.searched" not in audited(theirs.tenant)


def test_a_ledger_cannot_be_searched_by_its_address_untold(browser: Client) -> None:
    company = a_firm("Calder")
    builders.a_posting(company, bill=builders.a_bill(invoice_number="INV-77"))
    postings = reverse("admin:sync_posting_changelist")

    answer = browser.get(postings, {"invoice_number__icontains": "INV-7"}, follow=True)
    narrowed = browser.get(postings, {"company__id__exact": str(company.pk), "state": "WAITING"})

    assert answer.status_code == 400
    assert "INV-77" in text_of(narrowed)
