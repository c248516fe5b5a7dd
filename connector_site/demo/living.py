"""What goes on at Calder while somebody looks on: people work in BILL, and S. Keller works in Sage.

Every few seconds one thing happens: a bill is entered, approved, corrected, denied, archived or
brought back; a vendor is new; a clerk in Sage has keyed an invoice already; a batch is set Ready To
Post or posted. What happens next is drawn from a seed, so that every demo tells the same story.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from connector_site.demo.agreement import read_entries
from connector_site.demo.scenario import LiveApproval, Scenario
from connector_site.demo.talk import Line

_FILE = Path(__file__).with_name("living.json")
_BUSY_SECONDS = 900.0
_LATER_FACTOR = 6.0
_TOLD_BY_WEBHOOK = 0.75
_APPROVER = "006{code}Okafor00000001"
_HAS_BILLS = 2


class Deed(StrEnum):
    """One thing that somebody does."""

    ENTER = "enter a bill"
    APPROVE = "approve a bill"
    CORRECT = "correct a bill"
    DENY = "deny a bill"
    ARCHIVE = "archive a bill"
    RESTORE = "bring a bill back"
    NEW_VENDOR = "enter a vendor and its first bill"
    UNMAPPED = "enter a bill on an account that nobody has mapped"
    KEYED_TWICE = "enter a bill that a clerk has keyed in Sage"
    RELEASE = "set a batch Ready To Post in Sage"
    POST = "post a batch in Sage"


#: What happens first, so that within seconds every state has its bill; then it is drawn.
OPENING = (Deed.POST, Deed.APPROVE, Deed.ENTER, Deed.NEW_VENDOR, Deed.APPROVE, Deed.UNMAPPED)
WEIGHTS: Mapping[Deed, float] = {
    Deed.ENTER: 5,
    Deed.APPROVE: 6,
    Deed.CORRECT: 1,
    Deed.DENY: 0.3,
    Deed.ARCHIVE: 0.4,
    Deed.RESTORE: 0.8,
    Deed.NEW_VENDOR: 0.5,
    Deed.UNMAPPED: 0.4,
    Deed.KEYED_TWICE: 0.15,
    Deed.RELEASE: 0.7,
    Deed.POST: 0.7,
}


@dataclass(slots=True)
class Desk:
    """What lies on the desks of one company: bills by id that wait, or were archived."""

    slug: str
    facts: Mapping[str, Any]
    waiting: list[str] = field(default_factory=list)
    archived: list[str] = field(default_factory=list)
    newcomers: list[Mapping[str, Any]] = field(default_factory=list)
    number: int = 400

    def can(self, deed: Deed) -> bool:
        """Whether there is anything to do it to."""
        match deed:
            case Deed.APPROVE | Deed.CORRECT:
                return bool(self.waiting)
            case Deed.DENY | Deed.ARCHIVE:
                return len(self.waiting) > _HAS_BILLS
            case Deed.RESTORE:
                return bool(self.archived)
            case Deed.NEW_VENDOR:
                return bool(self.newcomers)
            case Deed.KEYED_TWICE | Deed.RELEASE | Deed.POST:
                # Only where batches are left to people does a clerk work in Sage.
                return "keyed_twice" in self.facts
            case _:
                return True


class Living:
    """The people of a scenario at work; `approve` lets a bill be approved, told or untold."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        bill: Line,
        sage: Line,
        approve: Callable[[LiveApproval], None],
        today: date,
        seed: int = 2026,
    ) -> None:
        self._scenario, self._bill, self._sage = scenario, bill, sage
        self._approve, self._today = approve, today
        self._rng = random.Random(seed)  # noqa: S311 (a story, no secret)
        self._opening = list(OPENING)
        facts = json.loads(_FILE.read_text(encoding="utf-8"))["companies"]
        self.desks = {
            slug: Desk(slug=slug, facts=of, newcomers=list(of["newcomers"]))
            for slug, of in facts.items()
        }
        for known in scenario.approvals:
            self.desks[known.company].waiting.append(known.bill_id)

    def pause_seconds(self, elapsed_seconds: float) -> float:
        """How long until the next thing; a demo left alone for long becomes a quiet office."""
        pause = self._rng.uniform(2.5, 6.0)
        return pause if elapsed_seconds < _BUSY_SECONDS else pause * _LATER_FACTOR

    def next_deed(self) -> tuple[Deed, Desk]:
        """Draw what happens next and where."""
        while self._opening:
            deed = self._opening.pop(0)
            able = [desk for desk in self.desks.values() if desk.can(deed)]
            if able:
                return deed, able[0]
        desk = self._rng.choice(list(self.desks.values()))
        deeds = [deed for deed in WEIGHTS if desk.can(deed)]
        return self._rng.choices(deeds, [WEIGHTS[deed] for deed in deeds])[0], desk

    def do(self, deed: Deed, desk: Desk) -> None:
        """Let it happen; raises NoAnswer when BILL or Sage is away."""
        match deed:
            case Deed.ENTER:
                self._enter(desk, self._rng.choice(desk.facts["vendors"]))
            case Deed.UNMAPPED:
                self._approve_as(desk, self._enter(desk, desk.facts["unmapped"]))
            case Deed.NEW_VENDOR:
                self._welcome(desk)
            case Deed.KEYED_TWICE:
                self._key_twice(desk)
            case Deed.APPROVE:
                self._approve_as(desk, self._rng.choice(desk.waiting))
            case Deed.CORRECT:
                self._tell("edit_bill", bill_id=self._rng.choice(desk.waiting), **self._later())
            case Deed.DENY:
                self._tell("deny_bill", bill_id=desk.waiting.pop())
            case Deed.ARCHIVE:
                desk.archived.append(desk.waiting.pop())
                self._tell("archive_bill", bill_id=desk.archived[-1])
            case Deed.RESTORE:
                desk.waiting.append(desk.archived.pop())
                self._tell("restore_bill", bill_id=desk.waiting[-1])
            case Deed.RELEASE:
                self._clerk(desk, "set_ready", "Open")
            case Deed.POST:
                self._clerk(desk, "post_batch", "Ready To Post", "Open")

    def _tell(self, action: str, **words: Any) -> Any:
        return self._bill.post("/_standin/do", action=action, **words)["result"]

    def _later(self) -> dict[str, str]:
        return {"dueDate": (self._today + timedelta(days=self._rng.randint(20, 60))).isoformat()}

    def _approve_as(self, desk: Desk, bill_id: str) -> None:
        told_by = "webhook" if self._rng.random() < _TOLD_BY_WEBHOOK else "poll"
        self._approve(LiveApproval(company=desk.slug, bill_id=bill_id, told_by=told_by))
        desk.waiting.remove(bill_id)

    def _enter(self, desk: Desk, what: Mapping[str, Any], *, amount: str = "") -> str:
        code = desk.facts["code"]
        desk.number += 1
        total = amount or f"{self._rng.randint(what['least'] * 100, what['most'] * 100) / 100:.2f}"
        line = {
            "amount": total,
            "description": what["about"],
            "classifications": {"chartOfAccountId": f"0ca{code}{what['account']}"},
        }
        bill_id = self._tell(
            "add_bill",
            organization=desk.facts["organization"],
            vendorId=what["id"],
            invoice={
                "invoiceNumber": f"{what['prefix']}{desk.number}",
                "invoiceDate": self._today.isoformat(),
            },
            dueDate=(self._today + timedelta(days=30)).isoformat(),
            billLineItems=[line],
        )
        desk.waiting.append(bill_id)
        return str(bill_id)

    def _welcome(self, desk: Desk) -> None:
        newcomer = desk.newcomers.pop(0)
        vendor_id = self._tell(
            "add_vendor",
            organization=desk.facts["organization"],
            name=newcomer["name"],
            accountType="BUSINESS",
            billCurrency="USD",
        )
        what = {"id": vendor_id, "prefix": "INV-", "least": 600, "most": 1800, **newcomer}
        self._approve_as(desk, self._enter(desk, what))

    def _key_twice(self, desk: Desk) -> None:
        what = desk.facts["keyed_twice"]
        amount = f"{self._rng.randint(what['least'], what['most'])}.00"
        self._sage.post(
            "/_standin/do",
            action="clerk_enters_invoice",
            company=self._scenario.sage_databases[desk.slug],
            vendor=what["sage_vendor"],
            document=f"{what['prefix']}{desk.number + 1}",
            amount=amount,
            account=what["sage_account"],
        )
        self._approve_as(desk, self._enter(desk, what, amount=amount))

    def _clerk(self, desk: Desk, action: str, *states: str) -> None:
        """A clerk takes the connector's oldest batch in the first of these states; none: nothing."""
        database = self._scenario.sage_databases[desk.slug]
        entries = [
            entry
            for entry in read_entries(self._sage.get("/_standin/ledger")[database])
            if entry.entered_by.upper() == self._scenario.connector_user.upper()
        ]
        for state in states:
            found = min((e.batch_number for e in entries if e.batch_status == state), default=None)
            if found is not None:
                self._sage.post("/_standin/do", action=action, company=database, batch=found)
                return
