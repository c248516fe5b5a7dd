"""How heavy every page is and how soon it shows something, in the Chromium of the journeys.

Each page of the tour is opened with an empty cache: bytes as they came over the wire (compressed,
style sheets and scripts included), first contentful paint, and how much moved after it was shown.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from bench.figures import Figures, table
from tests.journeys.browser import DESKTOP, PHONE, a_browser
from tests.journeys.tour import a_site, walk

KILOBYTES, PAINT_SECONDS, SHIFT = 150.0, 1.0, 0.02
#: Layout shifts are told late; nothing is measured for longer than this after the page has loaded.
SETTLE_MILLISECONDS = 400
PAINTED = """wait => new Promise(done => {
  let shift = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done({
    shift,
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  }), wait);
})"""


class Scales:
    """Counts the bytes that come over the wire into one page, with its cache switched off."""

    def __init__(self, page: Page) -> None:
        self.bytes = 0.0
        line = page.context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        line.on("Network.loadingFinished", self._add)

    def _add(self, event: dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def weigh(self, page: Page, url: str) -> tuple[float, float, float]:
        """Kilobytes, seconds to the first contentful paint, and layout shift of one page."""
        self.bytes = 0.0
        page.goto(url)
        told = page.evaluate(PAINTED, SETTLE_MILLISECONDS)
        return self.bytes / 1000, told["paint"] / 1000, told["shift"]


def main() -> None:
    """Weigh every page on a desktop and on a phone."""
    figures, rows = Figures(), []
    with a_site() as site, a_browser() as browser:
        for look, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
            page = browser.new_context(viewport=viewport).new_page()  # type: ignore[arg-type]
            page.goto(site.base)  # The first request of a fresh server is not a page's own.
            scales = Scales(page)
            for stop in walk(page, site, site.stops_named([])):
                rows.append([stop.name, look, *scales.weigh(page, site.base + stop.url)])
    rows.sort(key=lambda row: -row[2])
    table(["the heaviest pages", "look", "kB", "first paint, s", "shift"], rows[:8])
    rows.sort(key=lambda row: -row[3])
    table(["the slowest pages", "look", "kB", "first paint, s", "shift"], rows[:8])
    print(f"{len(rows) // 2} pages, each on a desktop and on a phone.")
    figures.check("heaviest page", max(row[2] for row in rows), at_most=KILOBYTES, unit=" kB")
    figures.check("first paint", max(row[3] for row in rows), at_most=PAINT_SECONDS, unit=" s")
    figures.check("layout shift", max(row[4] for row in rows), at_most=SHIFT)
    figures.end()


if __name__ == "__main__":
    main()
