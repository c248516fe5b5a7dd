"""The browser of journeys and pictures: Chromium, driven without its sandbox (tests run as root)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find_chromium

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--font-render-hinting=none",
]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start Chromium; raises LookupError where there is none."""
    path = find_chromium()
    if path is None:
        raise LookupError("no Chromium was found; name one in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def sign_in(page: Page, base: str, *, email: str, password: str) -> None:
    """Sign in as people do, and land where they land."""
    page.goto(f"{base}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()


def shoot(page: Page, url: str, path: Path) -> None:
    """Save a picture of the whole page."""
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, full_page=True)
