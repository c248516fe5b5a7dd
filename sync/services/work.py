"""What one pass over a company has in its hands: ids, windows, knobs and a clock.

Built by a door (`jobs.py`, a command); services open a scope per phase and never around HTTP.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from integrations.bill.client import BillClient
from integrations.sage300.client import Sage300Client
from sync.domain.policy import Policy

Clock = Callable[[], datetime]


@dataclass(slots=True, kw_only=True)
class Calls:
    """How many requests went out on the wire, by kind ("GET /v3/bills"), and how long they took."""

    bill: int = 0
    sage: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    sage_seconds: list[float] = field(default_factory=list)

    def sage_latency(self) -> dict[str, float]:
        """Median and 95th of a hundred of Sage's answers, as its connection keeps them."""
        if not self.sage_seconds:
            return {}
        ordered = sorted(self.sage_seconds)
        last = len(ordered) - 1
        return {
            "median_seconds": round(ordered[last // 2], 3),
            "slow_seconds": round(ordered[round(last * 0.95)], 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One company's pass. `clock` gives aware UTC times; `run_id` is its Run row."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    company_name: str
    zone: ZoneInfo
    policy: Policy
    policy_version: int
    database_key: str
    bill: BillClient
    sage: Sage300Client
    clock: Clock
    worker: str
    run_id: uuid.UUID | None = None
    calls: Calls = field(default_factory=Calls)
    rng: random.Random = field(default_factory=random.Random)
