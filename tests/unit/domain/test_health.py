"""How a tenant fares, in words: every word has a look, a place in the order, and a cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync.domain.health import LOOKS, Facts, Health, cause_of
from sync.domain.moments import Moments

NOW = datetime(2026, 12, 1, 14, 42, tzinfo=UTC)
MOMENTS = Moments(zone=ZoneInfo("America/Chicago"), now=NOW)


def test_what_stops_bills_stands_above_what_slows_them_and_rest_comes_last() -> None:
    order = sorted(Health, key=lambda one: -one.severity)

    assert [LOOKS[one].dress for one in order] == ["bad"] * 3 + ["slow"] * 4 + ["ok"] + ["off"] * 2
    assert [Health.of_severity(one.severity) for one in Health] == list(Health)


@pytest.mark.parametrize(
    ("health", "facts", "said"),
    [
        (Health.PAUSED, {"paused_reason": "Sage refuses MLCONN."}, "Sage refuses MLCONN."),
        (Health.BEHIND, {"behind_since": NOW - timedelta(hours=1)},
         "due since 7:42 am, no worker has come"),
        (Health.REFUSED, {"attention": 1}, "1 bill needs a person"),
        (Health.REFUSED, {"attention": 3}, "3 bills need a person"),
        (Health.SILENT, {"bill_silent": True, "sage_silent": True},
         "BILL and Sage did not answer well"),
        (Health.UNSETTLED, {"lost": 2, "lost_since": NOW - timedelta(minutes=11)},
         "2 bills being looked up since 8:31 am"),
        (Health.RESTING, {"resting": 1, "companies": 1, "resting_reason": "Year end"}, "Year end"),
        (Health.RESTING, {"resting": 1, "companies": 3, "resting_reason": "Year end"},
         "1 of 3 paused: Year end"),
        (Health.QUOTA, {"quota_percent": 82.2}, "82% of BILL's hour used"),
        (Health.QUOTA, {"quota_percent": 100.0, "quota_closed_until": NOW + timedelta(minutes=18)},
         "BILL's hour is used up until 9:00 am"),
        (Health.FINE, {}, ""),
        (Health.NEW, {}, "no company yet"),
        (Health.NEW, {"companies": 1}, "nothing is connected yet"),
        (Health.SUSPENDED, {"suspended_at": datetime(2026, 11, 20, 18, tzinfo=UTC),
                            "suspended_by": "L. Moreau", "suspended_reason": "unpaid"},
         "Nov 20, unpaid, by L. Moreau"),
    ],
)  # fmt: skip
def test_the_cause_is_said(health: Health, facts: dict[str, Any], said: str) -> None:
    assert cause_of(Facts(health=health, **facts), MOMENTS) == said


def test_a_long_reason_is_cut_in_a_list_and_whole_on_its_page() -> None:
    facts = Facts(health=Health.PAUSED, paused_reason="word " * 40)

    assert len(cause_of(facts, MOMENTS)) <= 70
    assert len(cause_of(facts, MOMENTS, longest=600)) == 199
