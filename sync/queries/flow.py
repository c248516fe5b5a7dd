"""What reached Sage in the last days, for the chart of Today."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate

from sync.domain.flow import Flow, flow_of
from sync.models import Posting

DAYS = 14
#: Beyond this many bills the median is that of the latest ones; every bill is counted.
MOST = 20_000


def find_flow(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, zone: ZoneInfo, now: datetime
) -> Flow:
    """The last fourteen days in `zone`; two queries."""
    rows = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(in_sage_at__gte=now - timedelta(days=DAYS))
    )
    days = rows.order_by().annotate(day=TruncDate("in_sage_at", tzinfo=zone)).values("day")
    latest = rows.order_by("-in_sage_at").values_list("in_sage_at", "approval_seen_at")[:MOST]
    return flow_of(
        dict(days.annotate(n=Count("pk")).values_list("day", "n")),
        [(at, seen_at) for at, seen_at in latest if at is not None],
        zone=zone,
        now=now,
        days=DAYS,
    )
