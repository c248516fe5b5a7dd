"""A new owner's first hour, with nothing but the pages: from signing up to bills posted in Sage."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connections
from playwright.sync_api import Page, expect

from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer
from sync.models import DueWork
from sync.services import running
from tests.chromium import find_chromium
from tests.integration.sync.world import BAKERY_NUMBERS, SAMPLES
from tests.journeys.browser import DESKTOP, a_browser

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PASSWORD = "flour and water, 1926"


@pytest.fixture
def town(settings: Any) -> Iterator[Sage300World]:
    """The practice systems, and nobody who has tried too often."""
    cache.clear()
    bill = BillWorld.from_file(SAMPLES / "bill-practice.json")
    sage = Sage300World.from_file(SAMPLES / "sage300-practice.json")
    with StandInServer(bill) as bill_server, StandInServer(sage) as sage_server:
        settings.PRACTICE = True
        settings.PRACTICE_BILL_URL = bill_server.url
        settings.PRACTICE_SAGE_URL = sage_server.url
        yield sage


@pytest.fixture
def page(transactional_db: None, live_server: object, town: object) -> Iterator[Page]:
    if find_chromium() is None:
        pytest.skip("no Chromium was found; name one in CHROMIUM")
    with a_browser() as browser:
        context = browser.new_context(viewport=DESKTOP)
        context.set_default_timeout(15_000)
        yield context.new_page()
        context.close()


def _sign_up(page: Page, url: str, email: str) -> None:
    page.goto(url)
    page.get_by_role("link", name="Create account").first.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Your name").fill("Tom Okafor")
    page.get_by_label("Your firm").fill("Calder Foods Group")
    page.get_by_label("Time zone").select_option("America/Chicago")
    page.get_by_role("button", name="Create account").click()


def _add_company(page: Page) -> None:
    page.get_by_role("link", name="Add your first company").click()
    page.get_by_label("Name of the company").fill("Calder Bakery")
    page.get_by_role("button", name="Add this company").click()


def test_from_signing_up_to_bills_posted_in_sage(
    page: Page, live_server: Any, settings: Any, town: Sage300World
) -> None:
    settings.MAIL_IS_SET_UP = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"

    _sign_up(page, live_server.url, "tom@foods.example")
    expect(page.get_by_text("verif", exact=False).first).to_be_visible()
    link = next(word for word in str(mail.outbox[0].body).split() if "/confirm-email/" in word)
    page.goto(link)
    page.get_by_role("button", name="Confirm it is mine").click()
    if page.get_by_role("button", name="Sign in").is_visible():
        page.get_by_label("Email").fill("tom@foods.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
    _add_company(page)
    expect(page.get_by_role("heading", name="Set up Calder Bakery")).to_be_visible()

    page.get_by_role("link", name="Use practice systems").click()
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("BILL is connected.", exact=False)).to_be_visible()

    page.get_by_role("link", name="Connect Sage 300").click()
    page.get_by_role("link", name="Fill in the practice system").click()
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("stops at check 5 of 13")).to_be_visible()

    page.get_by_role("link", name="Change address or password…").click()
    page.get_by_label("Password", exact=True).fill("practice-sage")
    page.get_by_role("button", name="Test and save").click()
    expect(page.get_by_text("Sage 300 is connected.")).to_be_visible()
    expect(page.get_by_text("3 of 6 steps done", exact=False)).to_be_visible()

    page.get_by_role("link", name="Read it and save it").click()
    expect(page.get_by_label("A person, for every bill")).to_be_checked()
    _decide_policy(page)
    expect(page.get_by_text("4 of 6 steps done", exact=False)).to_be_visible()

    a_worker_passes()
    page.get_by_role("link", name="Attention").first.click()
    cause = page.get_by_role("region", name="2 bills wait for BILL account Trade Shows")
    cause.get_by_role("button", name="Map and let 2 bills go on").click()
    a_worker_passes()

    page.get_by_label("Find a bill", exact=False).first.fill("5512")
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="Brightline Signs")
    expect(row.get_by_text("Posted")).to_be_visible()
    place = row.locator(".c-b").inner_text()
    assert posted(town)["5512"] == (place, "Posted", Decimal("1140.00"), ["6420100"])
    assert set(posted(town)) >= {"5512", "PP-3402", "cow-31877".upper()}


def _decide_policy(page: Page) -> None:
    """No review, whole batches posted, vendors by a list of numbers or made anew."""
    page.get_by_label("Nobody here").check()
    page.get_by_role("radio", name="Posted").check()
    page.get_by_role("radio", name="Create it when nothing similar is there").check()
    numbers = "\n".join(f"{key} = {number}" for key, number in BAKERY_NUMBERS.items())
    page.get_by_role("textbox", name="Which BILL vendors are which Sage vendors?").fill(numbers)
    page.get_by_role("textbox", name="Into which vendor group").fill("TRADE")
    since = (datetime.now(UTC) - timedelta(days=90)).date().isoformat()
    page.locator("input[name=cutover_date]").fill(since)
    page.get_by_role("button", name="Save this policy").click()


def posted(sage: Sage300World) -> dict[str, tuple[str, str, Decimal, list[str]]]:
    """The connector's entries by document number: place, state of the batch, total, accounts."""
    return {
        entry["DocumentNumber"]: (
            f"{batch['BatchNumber']}-{entry['EntryNumber']}",
            batch["BatchStatus"],
            Decimal(entry["DocumentTotalIncludingTax"]),
            [line["GLAccount"].replace("-", "") for line in entry["InvoiceDetails"]],
        )
        for batch in sage.ledger()["CALBAK"]["batches"]
        for entry in batch["Invoices"]
        if entry["EnteredBy"] == "MLCONN"
    }


def a_worker_passes() -> None:
    """One pass over the only company, in a thread of its own: the browser's loop holds this one."""

    def work() -> None:
        due = DueWork.objects.get()
        report = running.run_company(
            tenant_id=due.tenant_id,
            company_id=due.company_id,
            trigger="test",
            clock=lambda: datetime.now(UTC),
            worker="test",
        )
        connections.close_all()
        assert report.outcome == "ok", report.sentence

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(work).result()


def test_without_mail_the_account_works_at_once_and_the_page_says_so(
    page: Page, live_server: Any
) -> None:
    page.goto(f"{live_server.url}/accounts/signup/")
    expect(page.get_by_text("Mail is not set up here.")).to_be_visible()

    _sign_up(page, live_server.url, "ann@foods.example")
    _add_company(page)

    expect(page.get_by_role("heading", name="Set up Calder Bakery")).to_be_visible()


def test_everything_works_without_javascript(
    transactional_db: None, live_server: Any, town: object
) -> None:
    if find_chromium() is None:
        pytest.skip("no Chromium was found; name one in CHROMIUM")
    with a_browser() as browser:
        context = browser.new_context(viewport=DESKTOP, java_script_enabled=False)
        context.set_default_timeout(15_000)
        page = context.new_page()
        _sign_up(page, live_server.url, "eve@foods.example")
        _add_company(page)
        page.get_by_role("link", name="Policy", exact=True).click()
        page.get_by_role("link", name="Hands-off").click()
        expect(page.locator("input[name=release][value=post]")).to_be_checked()
        page.get_by_role("textbox", name="Into which vendor group").fill("TRADE")
        page.get_by_role("button", name="Save this policy").click()
        expect(page.get_by_role("heading", name="Set up Calder Bakery")).to_be_visible()
        context.close()
