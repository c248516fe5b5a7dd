"""Takes a picture of every page: ``python -m tests.journeys.screenshots OUT [NAME …]``.

Each page of the tour is taken at 1440 pixels light and dark, and at 390 as on a phone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.journeys.browser import DESKTOP, PHONE, a_browser, shoot
from tests.journeys.tour import a_site, walk

LOOKS = (("light", DESKTOP), ("dark", DESKTOP), ("phone", PHONE))


def main(out: Path, names: list[str]) -> None:
    """Take the pictures, all or those named; no database is asked while the browser runs."""
    out.mkdir(parents=True, exist_ok=True)
    with a_site() as site, a_browser() as browser:
        for look, viewport in LOOKS:
            scheme = "dark" if look == "dark" else "light"
            context = browser.new_context(viewport=viewport, color_scheme=scheme)
            page = context.new_page()
            for stop in walk(page, site, site.stops_named(names)):
                shoot(page, site.base + stop.url, out / f"{stop.name}-{look}.png")
                print(f"{stop.name}-{look}.png", flush=True)
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
