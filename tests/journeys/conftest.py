"""Fixtures of the journeys.

The world is made before the browser starts and asked only through its pages: while the browser's
event loop runs in this thread, Django would open a second connection that nobody closes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.cache import cache
from playwright.sync_api import Page

from tests.chromium import find_chromium
from tests.journeys.browser import DESKTOP, a_browser
from tests.journeys.world import World, a_world


@pytest.fixture(autouse=True)
def nobody_has_tried_too_often() -> None:
    """Everybody signs in from one address here, more often than a person would."""
    cache.clear()


@pytest.fixture
def world(transactional_db: None) -> World:
    return a_world(datetime.now(UTC))


@pytest.fixture
def page(world: World, live_server: object) -> Iterator[Page]:
    if find_chromium() is None:
        pytest.skip("no Chromium was found; name one in CHROMIUM")
    with a_browser() as browser:
        context = browser.new_context(viewport=DESKTOP)
        context.set_default_timeout(15_000)
        yield context.new_page()
        context.close()
