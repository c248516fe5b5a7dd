"""Takes a picture of every page: ``python -m tests.journeys.screenshots OUT [NAME …]``.

A small world is made in a database of its own, which is dropped afterwards; each page is taken at
1440 pixels light and dark, and at 390 as on a phone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.journeys.world import World


def pages_of(world: World) -> dict[str, str]:
    """Every page by the name of its picture."""
    base = f"/{world.tenant.slug}/{world.company.slug}"
    of = {number: row.pk for number, row in world.postings.items()}
    return {
        "today": f"{base}/",
        "today-empty": f"/{world.tenant.slug}/catering/",
        "attention": f"{base}/attention/",
        "postings": f"{base}/postings/",
        "postings-filtered": f"{base}/postings/?view=stopped&vendor=Alder",
        "postings-none": f"{base}/postings/?vendor=Nobody",
        "posting": f"{base}/postings/{of['cow-31877']}/",
        "posting-blocked": f"{base}/postings/{of['5512']}/",
        "posting-review": f"{base}/postings/{of['88-4127']}/",
        "posting-attention": f"{base}/postings/{of['10442']}/",
        "posting-uncertain": f"{base}/postings/{of['GY-5507']}/",
        "posting-changed": f"{base}/postings/{of['NG-11840']}/",
        "runs": f"{base}/runs/",
        "run": f"{base}/runs/{world.run_id}/",
        "log": f"{base}/log/",
        "log-open": f"{base}/log/?find=cow-31877&open={world.answered_line_id}",
        "tenant": f"/{world.tenant.slug}/?all",
    }


@contextmanager
def a_site() -> Iterator[tuple[str, World]]:
    """A served site over a small world: its address and the world."""
    import django

    from connector_site import database

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
    database.ensure_running()
    django.setup()
    from django.contrib.staticfiles.testing import StaticLiveServerTestCase
    from django.db import connections
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    connections["default"].settings_dict["TEST"]["NAME"] = f"test_connector_{os.getpid()}"
    setup_test_environment()
    old = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    thread = StaticLiveServerTestCase._create_server_thread(connections_override={})
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    try:
        from tests.journeys.owner_world import furnish
        from tests.journeys.world import a_world

        world = a_world(datetime.now(UTC))
        furnish(world)
        yield f"http://{thread.host}:{thread.port}", world
    finally:
        thread.terminate()
        teardown_databases(old, verbosity=0)


def main(out: Path, names: list[str]) -> None:
    """Take the pictures, all or those named; no database is asked while the browser runs."""
    from tests.journeys.browser import DESKTOP, PHONE, a_browser, shoot, sign_in

    out.mkdir(parents=True, exist_ok=True)
    with a_site() as (base, world), a_browser() as browser:
        from tests.journeys.world import PASSWORD

        owners = {key: url for key, url in world.owner_pages.items() if not names or key in names}
        visitors = {"landing": "/", "signin": "/accounts/login/", "signup": "/accounts/signup/"}
        pages = {key: url for key, url in pages_of(world).items() if not names or key in names}
        for look, viewport in (("light", DESKTOP), ("dark", DESKTOP), ("phone", PHONE)):
            scheme = "dark" if look == "dark" else "light"
            context = browser.new_context(viewport=viewport, color_scheme=scheme)
            page = context.new_page()
            for name, url in visitors.items():
                if not names or name in names:
                    shoot(page, base + url, out / f"{name}-{look}.png")
            sign_in(page, base, email=world.accountant.email, password=PASSWORD)
            for name, url in pages.items():
                shoot(page, base + url, out / f"{name}-{look}.png")
                print(f"{name}-{look}.png", flush=True)
            context.clear_cookies()
            sign_in(page, base, email=world.owner.email, password=PASSWORD)
            for name, url in owners.items():
                shoot(page, base + url, out / f"{name}-{look}.png")
                print(f"{name}-{look}.png", flush=True)
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
