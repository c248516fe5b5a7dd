"""A pretended BILL or Sage 300 in a process of its own, with as many records as a bench asks for.

Run as ``python -m bench.serve bill`` or ``sage``; prints its address as one JSON line and ends with
its standard input. The records are made here, on order through the control door, so that a hundred
thousand bills cross no wire before they are read.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from integrations import standins
from integrations.standins.bill.loading import read_bill
from integrations.standins.bill.vendors import complete_vendor
from integrations.standins.bill.world import BillWorld
from integrations.standins.sage300.world import Sage300World
from integrations.standins.server import StandInServer

SAMPLES = Path(standins.__path__[0]) / "samples"
LEFT_OUT = frozenset({"6320-300", "6999-100", "2010-100"})  # inactive, unknown, the control account
SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "qui",
    "ro",
    "su",
    "ta",
    "ve",
    "wi",
    "xo",
    "zu",
    "bren",
    "dor",
    "fal",
]


class Bill(BillWorld):
    """The practice organizations with their lists, but without vendors and bills of their own."""

    ACTIONS: ClassVar[frozenset[str]] = BillWorld.ACTIONS | {"fill_vendors", "fill_bills"}

    def fill_vendors(self, organization: str, count: int) -> list[str]:
        """Make vendors `count` strong, changed over the last day; return their ids."""
        where = self.organizations[organization]
        now = self.office.clock.now_ms()
        made = []
        for number in range(len(where.vendors), len(where.vendors) + count):
            body: dict[str, Any] = {
                "id": f"009{organization[3:9]}{number:011}",
                "archived": False,
                "name": vendor_name(number),
                "accountType": "BUSINESS",
                "email": f"ap{number}@vendors.example",
                "address": {
                    "line1": f"{number} Bench St", "city": "Dubuque", "stateOrProvince": "IA",
                    "zipOrPostalCode": "52001", "country": "US",
                },
                "billCurrency": "USD",
            }  # fmt: skip
            complete_vendor(body)
            changed = now - 86_400_000 + number
            where.vendors.add(body, created_ms=changed, updated_ms=changed)
            made.append(body["id"])
        return made

    def fill_bills(
        self,
        organization: str,
        count: int,
        *,
        vendors: int,
        status: str = "APPROVED",
        spread_seconds: float = 3600.0,
        days: int = 1,
    ) -> list[str]:
        """Make bills of two lines, their changes spread over the last `spread_seconds`.

        They belong to the first `vendors` vendors in turn and are dated over the last `days` days
        of this month, so that they fall into one fiscal period. Returns the ids.
        """
        where = self.organizations[organization]
        now, now_ms = self.office.clock.now(), self.office.clock.now_ms()
        accounts = usable_accounts(where)
        payees = [row.id for row in where.vendors.rows[:vendors]]
        first = len(where.bills)
        today = now.date()
        made = []
        for place in range(count):
            number = first + place
            day = today - timedelta(days=number % min(days, today.day))
            body = read_bill(
                self.office, where, _bill(number, payees, accounts, day, status, organization), now
            )
            changed = now_ms - int(1000 * spread_seconds * (count - place) / count)
            where.bills.add(body, created_ms=changed, updated_ms=changed)
            made.append(body["id"])
        return made


def vendor_name(number: int) -> str:
    """A name that resembles no other."""
    dice = random.Random(number)
    words = ("".join(dice.choices(SYLLABLES, k=3)).title() for _ in range(2))
    return f"{' '.join(words)} {number}"


def usable_accounts(organization: Any) -> list[str]:
    """The BILL accounts whose number is an account one can post to in the practice Sage."""
    found = []
    for row in organization.classifications["chart-of-accounts"].rows:
        number = str(row.body.get("account", {}).get("number", ""))
        if number and number not in LEFT_OUT and not row.body.get("archived"):
            found.append(row.id)
    return found


def _bill(
    number: int, payees: list[str], accounts: list[str], day: date, status: str, organization: str
) -> dict[str, Any]:
    cents = Decimal(1000 + number % 90_000) / 100
    return {
        "id": f"00n{organization[3:9]}{number:011}",
        "vendorId": payees[number % len(payees)],
        "invoice": {"invoiceNumber": f"INV-{number:07}", "invoiceDate": day.isoformat()},
        "dueDate": (day + timedelta(days=30)).isoformat(),
        "description": f"Bench bill {number}",
        "billLineItems": [
            {
                "amount": cents,
                "description": "First line",
                "classifications": {"chartOfAccountId": accounts[number % len(accounts)]},
            },
            {
                "amount": Decimal("12.34"),
                "description": "Freight",
                "classifications": {"chartOfAccountId": accounts[0]},
            },
        ],
        "approvalStatus": status,
    }


def bill_world() -> Bill:
    """BILL with two organizations, empty but for their lists."""
    data = json.loads((SAMPLES / "bill-practice.json").read_text("utf-8"), parse_float=Decimal)
    for organization in data["organizations"]:
        organization |= {"vendors": [], "bills": [], "vendorCredits": []}
    world = Bill(seed="bench")
    world.load(data)
    return world


def sage_world(vendors: int) -> Sage300World:
    """Sage 300 with two companies that know the vendors V00000, V00001 … as well."""
    data = json.loads((SAMPLES / "sage300-practice.json").read_text("utf-8"), parse_float=Decimal)
    for company in data["companies"].values():
        company["vendors"] += [
            {"VendorNumber": f"V{n:05}", "GroupCode": "TRADE", "VendorName": vendor_name(n)}
            for n in range(vendors)
        ]
    return Sage300World(data)


def main(arguments: list[str]) -> None:
    """Serve until standard input ends."""
    world = bill_world() if arguments[1] == "bill" else sage_world(int(arguments[2]))
    over = threading.Event()
    with StandInServer(world) as server:
        print(json.dumps({"url": server.url}), flush=True)
        threading.Thread(target=_wait_for_end, args=[over], daemon=True).start()
        over.wait()


def _wait_for_end(over: threading.Event) -> None:
    sys.stdin.read()
    over.set()


if __name__ == "__main__":
    main(sys.argv)
