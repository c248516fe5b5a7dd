"""The invented firm of the demo: what is told to ``manage.py provision``, and what happens live.

Calder Foods has two companies. Calder Bakery leaves its batches open for a person to post; Calder
Catering has them posted. Dates in the file count from today, so that a demo is always current.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("scenario.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveApproval:
    """A bill that is approved in BILL while the product runs, and what tells the product of it."""

    company: str
    bill_id: str
    told_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A provision file, and what happens after it."""

    customer: dict[str, Any]
    approvals: tuple[LiveApproval, ...]

    @property
    def tenant_slug(self) -> str:
        """The tenant's name in addresses."""
        return str(self.customer["tenant"]["slug"])

    @property
    def sage_databases(self) -> dict[str, str]:
        """The Sage company database of each company, by the company's name in addresses."""
        return {
            company["slug"]: company["sage300"]["company_database"]
            for company in self.customer["companies"]
        }

    @property
    def connector_user(self) -> str:
        """The Sage user the connector signs in as."""
        return str(self.customer["companies"][0]["sage300"]["user_name"])

    @property
    def time_zone(self) -> str:
        """Where the firm's people work: the day they date bills by."""
        return str(self.customer["companies"][0]["time_zone"])

    @property
    def cadence_seconds(self) -> int:
        """How often BILL is asked, the longest of the companies."""
        return max(int(each["policy"]["cadence_seconds"]) for each in self.customer["companies"])


def read_scenario(*, sage_url: str, today: date) -> Scenario:
    """Return the scenario for a Sage at this address."""
    document = json.loads(_FILE.read_text(encoding="utf-8"))
    customer = document["customer"]
    for company in customer["companies"]:
        company["sage300"]["base_url"] = sage_url
        company["policy"]["cutover_date"] = _day(company["policy"]["cutover_date"], today)
    return Scenario(
        customer=customer,
        approvals=tuple(
            LiveApproval(company=each["company"], bill_id=each["bill"], told_by=each["told_by"])
            for each in document["approved_while_you_watch"]
        ),
    )


def _day(relative: str, today: date) -> str:
    """Return the day that ``-60d`` means today."""
    return (today + timedelta(days=int(relative.removesuffix("d")))).isoformat()
