"""An accountant signs in, sees where every bill stands, follows one bill, and acts on another."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser import DESKTOP, PHONE, sign_in
from tests.journeys.world import PASSWORD, World

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


def _address(live_server: Any, world: World, path: str = "") -> str:
    return f"{live_server.url}/{world.tenant.slug}/{world.company.slug}/{path}"


def test_from_sign_in_to_one_bills_story(page: Page, world: World, live_server: Any) -> None:
    sign_in(page, live_server.url, email=world.accountant.email, password=PASSWORD)
    page.get_by_role("link", name="Calder Bakery").first.click()

    expect(page.get_by_role("heading", name="Today", level=1)).to_be_visible()
    expect(page.get_by_text("BILL account without a Sage account: Trade Shows")).to_be_visible()
    page.get_by_role("link", name="Postings", exact=True).first.click()
    expect(page.get_by_role("heading", name="Postings", level=1)).to_be_visible()
    page.get_by_role("link", name="Cascade Oven Works").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("cow-31877")
    expect(page.get_by_text("4469-3")).to_be_visible()
    expect(page.get_by_text("cut at 60")).to_be_visible()
    page.get_by_text("Request and answer").click()
    expect(page.get_by_label("Request", exact=True)).to_contain_text("and 2 other entries")
    expect(page.get_by_label("Answer", exact=True)).to_contain_text("BatchNumber 4469")


def test_an_accountant_leaves_a_bill_out_and_takes_it_back(
    page: Page, world: World, live_server: Any
) -> None:
    sign_in(page, live_server.url, email=world.accountant.email, password=PASSWORD)
    ready = world.postings["SP-1204"]
    page.goto(_address(live_server, world, f"postings/{ready.pk}/"))

    page.get_by_text("Leave it out…").click()
    page.get_by_role("textbox", name="Reason").fill("paid by card")
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_text("It is left alone and never sent")).to_be_visible()
    expect(page.get_by_text("Left out by Priya Raman: paid by card").first).to_be_visible()
    page.get_by_role("button", name="Take it back").click()

    expect(page.get_by_text("It is decided anew now")).to_be_visible()


def test_a_viewer_sees_and_cannot_act(page: Page, world: World, live_server: Any) -> None:
    sign_in(page, live_server.url, email=world.viewer.email, password=PASSWORD)
    page.goto(_address(live_server, world, f"postings/{world.postings['5512'].pk}/"))

    expect(page.get_by_text("BILL account Trade Shows has no Sage account").first).to_be_visible()
    expect(page.get_by_role("button", name="Check again")).to_have_count(0)


def test_a_stranger_finds_nothing(page: Page, world: World, live_server: Any) -> None:
    sign_in(page, live_server.url, email=world.stranger.email, password=PASSWORD)

    answer = page.goto(_address(live_server, world))

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Nothing here for you")).to_be_visible()


def test_an_open_run_moves_by_itself(page: Page, world: World, live_server: Any) -> None:
    sign_in(page, live_server.url, email=world.viewer.email, password=PASSWORD)
    page.goto(_address(live_server, world, f"runs/{world.run_id}/"))
    expect(page.get_by_text("84 of 138").first).to_be_visible()

    with page.expect_response(re.compile(r"/progress/$")) as answered:
        pass

    assert answered.value.status == 200
    expect(page.get_by_text("84 of 138").first).to_be_visible()


def test_a_page_follows_what_others_do_and_takes_nothing_out_of_your_hands(
    page: Page, world: World, live_server: Any, settings: Any
) -> None:
    settings.CONNECTOR = replace(settings.CONNECTOR, pulse_seconds=0.3, page_rows=50)
    sign_in(page, live_server.url, email=world.accountant.email, password=PASSWORD)
    ready, blocked = world.postings["SP-1204"], world.postings["5512"]
    page.goto(_address(live_server, world, "postings/"))
    other = page.context.new_page()

    _leave_out(other, _address(live_server, world, f"postings/{ready.pk}/"))
    row = page.locator(f"#row-{ready.pk}")
    expect(row).to_contain_text("Skipped")
    expect(row).to_have_class("is-new")
    expect(page.locator("#said")).to_have_text("1 row changed.")
    page.get_by_label("Vendor", exact=True).fill("Bright")
    _leave_out(other, _address(live_server, world, f"postings/{blocked.pk}/"))

    expect(page.get_by_text("This page has changed since.")).to_be_visible()
    expect(page.get_by_label("Vendor", exact=True)).to_have_value("Bright")
    expect(page.locator(f"#row-{blocked.pk}")).to_contain_text("Blocked")
    page.get_by_role("link", name="Show it as it is now").click()
    expect(page.locator(f"#row-{blocked.pk}")).to_contain_text("Skipped")


def _leave_out(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_text("Leave it out…").click()
    page.get_by_role("textbox", name="Reason").fill("paid by card")
    page.get_by_role("button", name="Leave it out").click()
    expect(page.get_by_text("It is left alone and never sent")).to_be_visible()


LOOKS = {"light": DESKTOP, "dark": DESKTOP, "phone": PHONE}


def test_pages_break_no_rule_of_the_browser(page: Page, world: World, live_server: Any) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}"))
    sign_in(page, live_server.url, email=world.accountant.email, password=PASSWORD)
    story = f"postings/{world.postings['cow-31877'].pk}/"

    for look, size in LOOKS.items():
        page.emulate_media(color_scheme="dark" if look == "dark" else "light")
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for path in ("", "attention/", "postings/", story, "runs/", "log/"):
            page.goto(_address(live_server, world, path))
            width = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert width <= 0, f"{path} is {width} pixels too wide, {look}"

    page.wait_for_load_state("networkidle")
    assert not [line for line in said if "Refused" in line or "rror" in line], said
