"""Shows the whole product with practice data."""

import os
import shutil
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connector_site import database
from connector_site.demo.agreement import disagreements
from connector_site.demo.living import Living
from connector_site.demo.play import DemoRefused, Play, ToldToStop, provision, start_stand_ins
from connector_site.demo.scenario import Scenario, read_scenario
from connector_site.demo.shown import companies_of
from connector_site.demo.table import table, timings_text
from connector_site.demo.talk import NoAnswer
from connector_site.management.commands.run import prepare_database, stop_signals
from connector_site.processes.ports import NoPortFree
from connector_site.processes.site import RunningSite, SiteRefused

_FIRST_SYNC_SECONDS = 180.0
_SETTLING_SECONDS = 60.0


class Command(BaseCommand):
    help = (
        "Show the product with practice data, in a database of its own that is made anew. Exit code"
        " 0: stopped as asked, or with --once Sage's whole ledger agrees with what the product"
        " says; 1: it does not, or the demo did not come up."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=8000, help="The port, or the next free one after it."
        )
        parser.add_argument(
            "--once", action="store_true", help="Make one pass, print every bill, and compare."
        )
        parser.add_argument(
            "--with-parent", action="store_true", help="Also stop when the calling process ends."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        parent = os.getppid() if options["with_parent"] else None
        is_over = stop_signals()
        database.make_anew()
        prepare_database(self)
        try:
            site = RunningSite(host="127.0.0.1", port=options["port"])
        except NoPortFree as refusal:
            raise CommandError(str(refusal)) from refusal
        try:
            play = self._start(site, is_over)
            agrees = self._once(play) if options["once"] else self._live(play, parent)
        except ToldToStop:
            agrees = not options["once"]
        except (DemoRefused, NoAnswer, SiteRefused) as refusal:
            raise CommandError(f"{refusal}\nThe log: {_log()}") from refusal
        finally:
            site.end()
        if not options["once"]:
            self.stdout.write("Stopped.")
        if not agrees:
            sys.exit(1)

    def _start(self, site: RunningSite, is_over: threading.Event) -> Play:
        log = _log()
        log.write_bytes(b"")
        shutil.rmtree(settings.MAIL_DIRECTORY, ignore_errors=True)
        stand_ins = start_stand_ins(site.tree, log=log)
        scenario = read_scenario(sage_url=stand_ins.sage.url, today=timezone.localdate())
        environment = {**stand_ins.environment, "PUBLIC_URL": site.url}
        self.stdout.write(
            f"BILL is played at {stand_ins.bill.url}, Sage 300 at {stand_ins.sage.url}."
        )
        site.start(environment=environment, log=log)
        self.stdout.write(f"ml-connector runs at {site.url}; now its customer is set up.")
        outcome = provision(scenario, environment=environment)
        for company in outcome["companies"]:
            self.stdout.write(f"{company['slug']}: {company['webhook']['sentence']}")
        play = Play(
            site=site,
            stand_ins=stand_ins,
            scenario=scenario,
            companies=companies_of(scenario.tenant_slug),
            is_over=is_over,
            clock=timezone.now,
        )
        self.stdout.write("First sync: bills and vendors go from BILL into Sage 300 ...")
        play.sync()
        if not play.wait_for_rest(seconds=_FIRST_SYNC_SECONDS) and not is_over.is_set():
            self.stdout.write("The first sync has not come to rest yet; it goes on.")
        return play

    def _live(self, play: Play, parent: int | None) -> bool:
        self._tell_address(play)
        living = Living(
            play.scenario,
            bill=play.stand_ins.bill,
            sage=play.stand_ins.sage,
            approve=play.approve,
            today=timezone.localdate(timezone=ZoneInfo(play.scenario.time_zone)),
        )
        started = time.monotonic()
        while not play.is_over.is_set():
            pause = living.pause_seconds(time.monotonic() - started)
            play.wait(lambda: parent is not None and os.getppid() != parent, seconds=pause)
            if parent is not None and os.getppid() != parent:
                break
            with suppress(NoAnswer):  # Killed by hand, perhaps; it is back in a minute.
                living.do(*living.next_deed())
        return True

    def _tell_address(self, play: Play) -> None:
        rows = [row for found in play.rows().values() for row in found]
        in_sage = sum(row.is_in_sage for row in rows)
        people = play.scenario.customer["people"]
        self.stdout.write(
            f"\n{len(rows)} bills read, {in_sage} of them in Sage. People at Calder go on working:"
            " every few seconds a bill is entered, approved, corrected or archived, and open pages"
            " follow.\n\n"
            f"  Open {play.site.url}/ and sign in:"
        )
        for person in people:
            self._tell_person(person["role"], person)
        for person in play.scenario.customer["operators"]:
            self._tell_person("operator", person)
        self.stdout.write(
            f"\n  The operator's pages: {play.site.url}/admin/\n"
            f"  The mails, which go to nobody: {settings.MAIL_DIRECTORY}\n"
            f"  The log: {_log()}\n  Ctrl-C stops everything."
        )

    def _tell_person(self, role: str, person: dict[str, str]) -> None:
        self.stdout.write(f"    {role:<11} {person['email']:<42} {person['password']}")

    def _once(self, play: Play) -> bool:
        cadence = play.scenario.cadence_seconds
        self.stdout.write(
            f"Now people in BILL approve {len(play.scenario.approvals)} more bills; webhooks tell of"
            f" some, the others are found by asking every {cadence} s ..."
        )
        timings = play.approve_and_time(seconds=cadence + 120)
        play.wait_for_rest(seconds=_SETTLING_SECONDS)
        found = self._compare(play)
        names = {company.slug: company.name for company in play.companies}
        for slug, rows in play.rows().items():
            self.stdout.write(f"\n{names[slug]} → {play.scenario.sage_databases[slug]}")
            self.stdout.write(table(rows))
        self.stdout.write("\n" + timings_text(timings, cadence_seconds=cadence))
        for sentence in found:
            self.stdout.write(f"DIFFERS  {sentence}")
        self.stdout.write(_verdict(found))
        return not found

    def _compare(self, play: Play) -> list[str]:
        """Compare both sides; once more when a batch moved on between the two readings."""
        found: list[str] = []
        for _ in range(3):
            found = _differences(play.scenario, play)
            if not found or play.is_over.is_set():
                break
            play.wait_for_rest(seconds=_SETTLING_SECONDS)
        return found


def _differences(scenario: Scenario, play: Play) -> list[str]:
    ledger = play.ledger()
    return [
        f"{slug}: {sentence}"
        for slug, rows in play.rows().items()
        for sentence in disagreements(
            [row.posting for row in rows],
            ledger[scenario.sage_databases[slug]],
            connector_user=scenario.connector_user,
        )
    ]


def _log() -> Path:
    return Path(settings.DATA_DIR) / "log.txt"


def _verdict(found: list[str]) -> str:
    if found:
        return f"The ledger of Sage and the product differ in {len(found)} points."
    return "The whole ledger of Sage agrees with what the product says."
