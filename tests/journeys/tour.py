"""Every page of the product that has a look: by name, with its address and who looks.

Pictures, axe and the figures of pages all walk this list, so a page that is in it is seen by all.
Two firms are behind it: one made by hand, in which every state has its bills, and one that was synced
with practice systems, whose vendors, accounts and rules are real.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.integration.sync.world import Desk
    from tests.journeys.world import World

BENCH_OWNER = "owner@bench.example"
NEWCOMER = "newcomer@bench.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One page; `who` is an e-mail address, or "" for somebody who is not signed in."""

    name: str
    url: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A served site over both firms."""

    base: str
    stops: tuple[Stop, ...]

    def stops_named(self, names: list[str]) -> list[Stop]:
        """Those named, or all; visitors' first, then person by person."""
        wanted = [stop for stop in self.stops if not names or stop.name in names]
        return sorted(wanted, key=lambda stop: stop.who)


def walk(page: Page, site: Site, stops: list[Stop]) -> Iterator[Stop]:
    """Sign in as whoever looks, and yield each stop; the caller goes there."""
    from tests.journeys.browser import sign_in
    from tests.journeys.world import PASSWORD

    signed_in = ""
    for stop in stops:
        if stop.who != signed_in:
            page.context.clear_cookies()
            sign_in(page, site.base, email=stop.who, password=PASSWORD)
            signed_in = stop.who
        yield stop


def visitors() -> dict[str, str]:
    """What somebody sees who is not signed in."""
    return {
        "landing": "/",
        "api": "/api/",
        "signin": "/accounts/login/",
        "signup": "/accounts/signup/",
        "verification-sent": "/accounts/confirm-email/",
        "password-reset": "/accounts/password/reset/",
        "password-reset-done": "/accounts/password/reset/done/",
        "invitation-gone": "/invitation/of-another-day/",
        "not-found": "/nobody/here/at-all/",
    }


def pages_of(world: World) -> dict[str, str]:
    """What an accountant sees of the firm made by hand."""
    from sync.services.mail_links import StopLink, stop_path

    base = f"/{world.tenant.slug}/{world.company.slug}"
    daily = StopLink(
        tenant_id=world.tenant.pk, company_id=world.company.pk, user_id=world.accountant.pk,
        kind="digest",
    )  # fmt: skip
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
        "reconcile-empty": f"/{world.tenant.slug}/catering/reconcile/",
        "replay": f"{base}/replay/?view=stopped",
        "runs": f"{base}/runs/",
        "run": f"{base}/runs/{world.run_id}/",
        "log": f"{base}/log/",
        "log-open": f"{base}/log/?find=cow-31877&open={world.answered_line_id}",
        "notifications": f"{base}/notifications/",
        "mail-stopping": stop_path(daily),
        "tenant": f"/{world.tenant.slug}/?all",
        "you": "/accounts/you/",
        "password-change": "/accounts/password/change/",
        "second-step": "/accounts/2fa/",
        "not-allowed": f"/{world.tenant.slug}/new-company/",
    }


def benches_of(desk: Desk) -> dict[str, str]:
    """What an owner sees of the firm that was synced."""
    from sync.domain.posting_state import PostingState

    base = f"/{desk.company.tenant.slug}/{desk.company.slug}"
    review = desk.postings(state=PostingState.REVIEW)[0]
    trade = "0caCbkTradeShows0001"
    return {
        "bench-today": f"{base}/",
        "bench-attention": f"{base}/attention/",
        "reconcile": f"{base}/reconcile/",
        "reconcile-vendors": f"{base}/reconcile/?part=vendors",
        "review": f"{base}/review/",
        "review-panel": f"{base}/review/{review.pk}/",
        "vendors": f"{base}/vendors/",
        "vendors-linked": f"{base}/vendors/?view=linked",
        "vendors-archived": f"{base}/vendors/?view=archived",
        "vendors-making": f"{base}/vendors/?view=making",
        "vendors-defaults": f"{base}/vendors/?view=defaults",
        "mapping": f"{base}/mapping/",
        "mapping-open": f"{base}/mapping/?open={trade}",
        "mapping-effect": f"{base}/mapping/?open=0caCbkUtilities00001&to=6120-200",
        "mapping-rules": f"{base}/mapping/?view=rules",
        "mapping-history": f"{base}/mapping/history/",
        "bench-connections": f"{base}/connections/",
        "bench-policy": f"{base}/policy/",
        "bench-setup": f"{base}/setup/",
    }


@contextmanager
def a_site() -> Iterator[Site]:
    """Serve both firms from a database of its own, which is dropped afterwards."""
    import logging

    import django

    from connector_site import database

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector_site.settings")
    database.ensure_running()
    django.setup()
    logging.disable(logging.ERROR)
    from django.conf import settings
    from django.db import connections
    from django.test.testcases import LiveServerThread
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    connections["default"].settings_dict["TEST"]["NAME"] = f"test_connector_{os.getpid()}"
    setup_test_environment()
    old = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
    # Style sheets come as the product gives them, by its own middleware.
    thread = LiveServerThread("127.0.0.1", lambda application: application, {})
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    try:
        from tests.integration.sync.world import BAKERY_NUMBERS, a_desk, a_policy

        with a_desk(settings, policy=a_policy(BAKERY_NUMBERS)) as desk:
            stops = _furnished(desk)
            yield Site(base=f"http://{thread.host}:{thread.port}", stops=tuple(stops))
    finally:
        thread.terminate()
        teardown_databases(old, verbosity=0)


def _compared(desk: Desk) -> None:
    """People in Sage do this and that with what lies there; then both sides are compared."""
    from sync.services import reconcile

    placed = {row.invoice_number: row for row in desk.postings(state="IN_SAGE")}
    batch = placed["PM-48190"].sage_batch_number or 0
    entry = placed["PM-48190"].sage_entry_number or 0
    desk.sage.edit_entry("CALBAK", batch, entry, amount="5200.00")
    desk.sage.set_ready("CALBAK", batch)
    desk.sage.set_vendor("CALBAK", "CASCAD", OnHold="OnHold")
    desk.sage.set_vendor("CALBAK", "PARKWA", VendorName="Quicksilver Holdings")
    company = desk.company
    reconcile.compare(
        tenant_id=company.tenant_id, company_id=company.pk, clock=desk.clock, worker="tour"
    )


def _furnished(desk: Desk) -> list[Stop]:
    from tenants.models import Role, User
    from tenants.scoping import tenant_scope
    from tests import builders
    from tests.journeys.operator_world import OPERATOR, beside
    from tests.journeys.owner_world import furnish
    from tests.journeys.world import PASSWORD, a_world

    desk.company.name = "Calder Bakery"
    with tenant_scope(desk.company.tenant_id):
        desk.company.save()
    desk.sync()
    _compared(desk)
    owner = builders.a_member(
        desk.company.tenant, Role.OWNER, email=BENCH_OWNER, name="Dana Whitfield"
    )
    for person in (owner, User(email=NEWCOMER, name="Newcomer")):
        person.set_password(PASSWORD)
        person.save()
    world = a_world(datetime.now(UTC))
    furnish(world)
    beside(world)
    seen_by = {
        "": visitors(),
        world.accountant.email: pages_of(world),
        world.owner.email: world.owner_pages,
        BENCH_OWNER: benches_of(desk),
        NEWCOMER: {"start": "/start/"},
        OPERATOR: world.operator_pages,
    }
    return [
        Stop(name=name, url=url, who=who)
        for who, pages in seen_by.items()
        for name, url in pages.items()
    ]
