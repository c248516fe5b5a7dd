"""An owner asks somebody in and makes a token; both links and buttons work in a real browser.

A form on a page that holds a secret is sent with the page's own referrer policy, which no test
client knows about: hence a browser.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import DESKTOP, sign_in
from tests.journeys.world import PASSWORD, World

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def test_an_invited_person_comes_in_and_a_token_is_revoked_at_once(
    page: Page, world: World, live_server: Any
) -> None:
    sign_in(page, live_server.url, email=world.owner.email, password=PASSWORD)
    page.goto(f"{live_server.url}/{world.tenant.slug}/people/")

    page.get_by_label("Work e-mail").fill("vic@foods.example")
    page.get_by_label("As", exact=True).select_option("viewer")
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("code").inner_text()
    guest = page.context.browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[union-attr]
    guest.goto(link)
    guest.get_by_label("Your name").fill("Vic Park")
    guest.get_by_label("Password").fill("grease and gears 77")
    guest.get_by_role("button", name="Make my account and come in").click()
    expect(guest.get_by_text(f"Welcome to {world.tenant}.")).to_be_visible()

    guest.goto(f"{live_server.url}/accounts/you/")
    guest.get_by_label("Your name").fill("Victor Park")
    guest.get_by_label("Light or dark").select_option("dark")
    guest.get_by_role("button", name="Save").click()
    expect(guest.locator("html")).to_have_attribute("data-theme", "dark")

    page.goto(f"{live_server.url}/{world.tenant.slug}/people/")
    expect(page.get_by_role("row", name="Victor Park")).to_contain_text("Viewer")
    page.get_by_label("What is it for?").fill("Month-end sheet")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("button", name="Revoke it at once").click()
    expect(page.get_by_text("is refused from now on.")).to_be_visible()
