"""Has axe look at every page, light, dark and as on a phone: ``python -m tests.journeys.axe [NAME …]``.

Every finding is printed with its page, its look and the element; the exit code is 1 if there is one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.browser import DESKTOP, PHONE, a_browser
from tests.journeys.tour import a_site, walk

#: WCAG 2.2 at the levels the design promises, and what axe itself holds to be good practice.
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def findings(page: Page, axe: Axe) -> Iterator[str]:
    """What axe has against this page as it now looks, one sentence an element."""
    for rule in axe.run(page, options=OPTIONS).response["violations"]:
        for node in rule["nodes"]:
            yield f"{rule['id']}: {' '.join(node['target'])}: {rule['help']}"


def main(names: list[str]) -> int:
    """Look at all pages or at those named."""
    axe, found, looks = Axe(), 0, 0
    with a_site() as site, a_browser() as browser:
        page = browser.new_context(viewport=DESKTOP, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
        for stop in walk(page, site, site.stops_named(names)):
            page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
            page.goto(site.base + stop.url)
            for look in ("light", "dark", "phone"):
                if look == "phone":
                    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
                page.emulate_media(color_scheme="dark" if look == "dark" else "light")
                looks += 1
                for text in findings(page, axe):
                    found += 1
                    print(f"{stop.name}, {look}: {text}", flush=True)
    print(f"{looks} looks at {looks // 3} pages: axe found {found or 'nothing'}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
