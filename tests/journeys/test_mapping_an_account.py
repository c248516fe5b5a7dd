"""An accountant maps one account where the page says it is missing, and the blocked bills go."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from tenants.models import Role
from tests import builders
from tests.chromium import find_chromium
from tests.integration.sync.world import (
    BAKERY_NUMBERS,
    Desk,
    a_desk,
    a_policy,
    invoices_of_ours,
)
from tests.journeys.browser import DESKTOP, a_browser, sign_in

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PASSWORD = "flour and water, 1926"
EMAIL = "accountant@calder.example"


@pytest.fixture
def desk(transactional_db: None, live_server: object, settings: Any) -> Iterator[Desk]:
    with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as made:
        person = builders.a_member(
            made.company.tenant, Role.ACCOUNTANT, email=EMAIL, name="Priya Raman"
        )
        person.set_password(PASSWORD)
        person.save()
        made.sync()
        yield made


@pytest.fixture
def page(desk: Desk, live_server: Any) -> Iterator[Page]:
    if find_chromium() is None:
        pytest.skip("no Chromium was found; name one in CHROMIUM")
    with a_browser() as browser:
        context = browser.new_context(viewport=DESKTOP)
        context.set_default_timeout(15_000)
        opened = context.new_page()
        sign_in(opened, live_server.url, email=EMAIL, password=PASSWORD)
        yield opened
        context.close()


def a_worker_passes(desk: Desk) -> None:
    """One pass, in a thread of its own: the browser's event loop holds this one."""

    def work() -> None:
        desk.sync()
        connections.close_all()

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(work).result()


def test_mapping_one_account_lets_every_bill_behind_it_go(
    page: Page, desk: Desk, live_server: Any
) -> None:
    base = f"{live_server.url}/{desk.company.tenant.slug}/{desk.company.slug}"

    page.goto(f"{base}/attention/")
    cause = page.get_by_role("region", name="2 bills wait for BILL account Trade Shows")
    expect(cause).to_be_visible()
    expect(cause.get_by_label("Post Trade Shows to")).to_have_value("6420-100")
    cause.get_by_role("button", name="Map and let 2 bills go on").click()
    expect(page.get_by_text("Trade Shows goes to 6420-100", exact=False).first).to_be_visible()

    a_worker_passes(desk)
    page.reload()

    expect(page.get_by_text("wait for BILL account Trade Shows")).to_have_count(0)
    page.goto(f"{base}/postings/?find=5512")
    expect(page.get_by_role("row", name="Brightline Signs").get_by_text("Open")).to_be_visible()
    sent = {entry[3]: entry[5] for entry in invoices_of_ours(desk.ledger()).values()}
    assert [account for account, _ in sent["5512"]] == ["6420100"]
    assert "PP-3402" in sent


def test_choosing_another_account_shows_what_it_would_touch_before_it_is_saved(
    page: Page, desk: Desk, live_server: Any
) -> None:
    base = f"{live_server.url}/{desk.company.tenant.slug}/{desk.company.slug}"

    page.goto(f"{base}/mapping/")
    page.get_by_role("link", name="Trade Shows").click()
    expect(page.get_by_role("button", name="Save, change 2 waiting bills")).to_be_visible()
    page.get_by_label("Post to", exact=True).select_option("6410-100")
    touched = page.get_by_role("region", name="Waiting bills that change, table")
    expect(touched.get_by_text("6410-100").first).to_be_visible()
    page.get_by_role("button", name="Save, change 2 waiting bills").click()

    expect(page.get_by_text("Trade Shows goes to 6410-100", exact=False).first).to_be_visible()
    expect(page.get_by_role("row", name="Trade Shows")).to_contain_text("by hand")


def test_what_is_chosen_while_the_panel_is_read_anew_is_what_is_saved(
    page: Page, desk: Desk, live_server: Any
) -> None:
    base = f"{live_server.url}/{desk.company.tenant.slug}/{desk.company.slug}"

    page.goto(f"{base}/mapping/?view=rules&new=1")
    page.get_by_label("BILL account", exact=True).select_option(label="Cleaning")
    page.get_by_label("Department", exact=True).select_option(label="Plant")
    page.get_by_label("Post to", exact=True).select_option("6130-100")
    page.get_by_label("Name, if you like").fill("Plant cleaning")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("Name, if you like")).to_have_value("Plant cleaning")
    page.locator("#edit").get_by_role("button", name="Save").click()

    rule = page.get_by_text("goes to 6130-100", exact=False).first
    expect(rule).to_contain_text("Cleaning + Plant")


def test_a_refused_bill_goes_once_a_clerk_has_made_room_and_somebody_asks_again(
    page: Page, desk: Desk, live_server: Any
) -> None:
    base = f"{live_server.url}/{desk.company.tenant.slug}/{desk.company.slug}"
    refused = next(each for each in desk_invoices(desk) if each["DocumentNumber"] == "10442")
    page.goto(f"{base}/attention/")
    cause = page.get_by_role("region", name="Sage did not take Novak 10442")
    expect(cause.get_by_text("already used", exact=False).first).to_be_visible()

    desk.sage.delete_entry("CALBAK", refused["BatchNumber"], refused["EntryNumber"])
    cause.get_by_role("button", name="Check again").click()
    a_worker_passes(desk)
    page.goto(f"{base}/postings/?find=10442")

    expect(page.get_by_role("row", name="Novak").get_by_text("Open")).to_be_visible()
    assert "10442" in {entry[3] for entry in invoices_of_ours(desk.ledger()).values()}
    page.get_by_role("link", name="Novak").click()
    expect(page.get_by_text("Priya Raman", exact=False).first).to_be_visible()


def desk_invoices(desk: Desk) -> list[dict[str, Any]]:
    """Every entry in Sage, with the batch it is in."""
    return [
        entry | {"BatchNumber": batch["BatchNumber"]}
        for batch in desk.ledger()["batches"]
        for entry in batch["Invoices"]
    ]
