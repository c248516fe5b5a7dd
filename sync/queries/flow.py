"""What reached Sage in the last days, for the chart of Today."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sync.domain.flow import Flow, flow_of
from sync.models import Posting

DAYS = 14
#: Beyond this many bills the median is that of the latest ones; the chart is for people to look at.
MOST = 20_000


def find_flow(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, zone: ZoneInfo, now: datetime
) -> Flow:
    """The last fourteen days in `zone`; one query."""
    arrivals = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(in_sage_at__gte=now - timedelta(days=DAYS))
        .order_by("-in_sage_at")
        .values_list("in_sage_at", "approval_seen_at")[:MOST]
    )
    there = [(at, seen_at) for at, seen_at in arrivals if at is not None]
    return flow_of(there, zone=zone, now=now, days=DAYS)
