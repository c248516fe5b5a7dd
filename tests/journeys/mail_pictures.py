"""Takes a picture of each kind of mail: ``python -m tests.journeys.mail_pictures OUT``.

The mails are those an accountant gets of the small world; each is taken light, dark and on a phone,
and its plain text is written beside the pictures.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.journeys.browser import a_browser
from tests.journeys.screenshots import LOOKS

if TYPE_CHECKING:
    from sync.services.mail_writing import Written
    from tests.journeys.world import World


def written_mails() -> dict[str, Written]:
    """The mails of the small world, made in a database of its own, which is dropped again."""
    import django

    from connector_site import database

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
    database.ensure_running()
    django.setup()
    from django.conf import settings
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    connections["default"].settings_dict["TEST"]["NAME"] = f"test_connector_{os.getpid()}"
    settings.PUBLIC_URL = "https://connect.example"
    old = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    try:
        from tests.journeys.world import a_world

        return mails_of(a_world(datetime.now(UTC)))
    finally:
        teardown_databases(old, verbosity=0)


def mails_of(world: World) -> dict[str, Written]:
    """A daily mail and an instant one, by the names of their pictures."""
    from sync.queries.digest import digest_of
    from sync.queries.mails import reader_of
    from sync.queries.stops import find_stops
    from sync.services.mail_writing import write_digest, write_stop
    from tenants.scoping import tenant_scope

    company, now = world.company, world.now
    with tenant_scope(world.tenant.pk):
        _stop_something(world)
        reader = reader_of(company, world.accountant.pk)
        assert reader is not None
        stops = find_stops(company, now=now)
        since = now - timedelta(days=1)
        digest = digest_of(company, stops=stops, since=since, zone=reader.zone, now=now)
        return {
            "mail-digest": write_digest(company, reader, digest, now=now),
            "mail-stop": write_stop(company, reader, stops[0], now=now),
        }


def _stop_something(world: World) -> None:
    from integrations.models import Sage300Connection

    row = Sage300Connection.objects.for_tenant(world.tenant.pk).get(company=world.company)
    row.pause(
        reason="Sage 300 does not accept the user name and password of MLCONN for company CALBAK."
        " An owner enters them again under Connections. The connection is paused, so that the user"
        " does not get locked.",
        now=world.now - timedelta(minutes=12),
    )


def main(out: Path) -> None:
    """Take them all."""
    out.mkdir(parents=True, exist_ok=True)
    mails = written_mails()
    with a_browser() as browser:
        for look, viewport in LOOKS:
            scheme = "dark" if look == "dark" else "light"
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            for name, written in mails.items():
                page.set_content(written.html)
                page.screenshot(path=out / f"{name}-{look}.png", full_page=True)
                (out / f"{name}.txt").write_text(f"{written.subject}\n\n{written.text}")
            page.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
