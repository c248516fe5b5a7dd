"""An operator finds the tenant that fares worst, suspends it with a reason, and resumes it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.integration.sync.firms import a_firm
from tests.journeys.browser import DESKTOP, sign_in
from tests.journeys.operator_world import OPERATOR, an_operator_with_password
from tests.journeys.world import PASSWORD, World

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def operator(world: World) -> str:
    an_operator_with_password()
    a_firm("Aspen")
    return OPERATOR


def test_an_operator_suspends_a_tenant_in_the_admin_and_resumes_it(
    operator: str, page: Page, world: World, live_server: Any
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    owner = page.context.browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[union-attr]
    sign_in(owner, live_server.url, email=world.owner.email, password=PASSWORD)
    sign_in(page, live_server.url, email=operator, password=PASSWORD)

    expect(page.get_by_role("row", name="Companies due")).to_be_visible()
    page.get_by_role("link", name="Tenants, worst first").click()
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Calder Foods")
    expect(rows.nth(0)).to_contain_text("Refused")
    expect(rows.nth(1)).to_contain_text("Fine")
    expect(rows.nth(2)).to_contain_text("Not set up")

    rows.nth(0).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("Suspend")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("1 tenant will be suspended.")).to_be_visible()
    page.get_by_label("Reason:").fill("Unpaid since May, ticket 2291")
    page.get_by_role("button", name="Suspend").click()
    expect(page.get_by_text("Calder Foods: Suspended.")).to_be_visible()
    expect(rows.nth(2)).to_contain_text("Unpaid since May, ticket 2291, by L. Moreau")

    owner.goto(f"{live_server.url}/")
    expect(owner.get_by_role("heading", name="Calder Foods is suspended")).to_be_visible()
    expect(owner.get_by_text("Unpaid since May, ticket 2291")).to_be_visible()

    rows.nth(2).get_by_role("link", name="Calder Foods").click()
    page.get_by_role("link", name="Resume…").click()
    page.get_by_label("Reason:").fill("Paid")
    page.get_by_role("button", name="Resume").click()
    expect(rows.nth(0)).to_contain_text("Calder Foods")
    expect(rows.nth(0)).to_contain_text("Refused")

    owner.goto(f"{live_server.url}/{world.tenant.slug}/{world.company.slug}/")
    expect(owner.get_by_role("heading", name="Today", level=1)).to_be_visible()
    assert not complaints


def _complaint(message: ConsoleMessage) -> list[str]:
    return [message.text] if message.type == "error" else []
