"""What the frame of every company page says: which ledger this is, and how many wait for a person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Q

from integrations.models import BillConnection, Sage300Connection
from sync.domain.policy import Release
from sync.domain.posting_state import PostingState
from sync.models import CompanyPolicy, Posting, VendorLink
from sync.models.vendor import LinkState
from sync.queries.differences import count_for_people
from sync.queries.pulse import pulse_of

TO_DECIDE = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS, LinkState.REFUSED)
STOPPED = (PostingState.BLOCKED, PostingState.ATTENTION)
RELEASED = {
    Release.OPEN: "stays Open in Sage",
    Release.READY: "is set Ready To Post",
    Release.POST: "is posted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The frame's facts; `database` is "" while Sage is not connected, `next_run_at` UTC."""

    database: str
    environment: str
    to_review: int
    stopped: int
    next_run_at: datetime | None
    release: str
    vendors_to_decide: int = 0
    beat: str = ""
    to_reconcile: int = 0
    has_sent: bool = False

    @property
    def is_practice(self) -> bool:
        """Whether this company works on practice or sandbox systems."""
        return self.environment in {"practice", "sandbox"}


def shell_of(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> Shell:
    """Gather the frame; seven small queries."""
    counts = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .filter(
            Q(state__in=[PostingState.REVIEW, *STOPPED])
            | Q(state=PostingState.IN_SAGE, changed_in_bill_at__isnull=False)
        )
        .aggregate(
            to_review=Count("pk", filter=Q(state=PostingState.REVIEW)),
            stopped=Count("pk", filter=~Q(state=PostingState.REVIEW)),
        )
    )
    in_sage = Posting.objects.for_tenant(tenant_id).of_company(company_id)
    in_sage = in_sage.in_state(PostingState.IN_SAGE)
    sage = (
        Sage300Connection.objects.for_tenant(tenant_id)
        .filter(company_id=company_id)
        .annotate(has_sent=Exists(in_sage))
        .values("company_database", "has_sent")
        .first()
    ) or {"company_database": "", "has_sent": False}
    bill = (
        BillConnection.objects.for_tenant(tenant_id)
        .filter(company_id=company_id)
        .values_list("environment", flat=True)
        .first()
    )
    owned = CompanyPolicy.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
    pulse = pulse_of(tenant_id=tenant_id, company_id=company_id)
    return Shell(
        database=str(sage["company_database"]),
        environment=bill or "",
        to_review=counts["to_review"],
        stopped=counts["stopped"],
        next_run_at=pulse.next_run_at,
        vendors_to_decide=VendorLink.objects.for_tenant(tenant_id)
        .filter(company_id=company_id, state__in=TO_DECIDE, is_archived=False)
        .count(),
        to_reconcile=count_for_people(tenant_id=tenant_id, company_id=company_id),
        has_sent=bool(sage["has_sent"]),
        release=RELEASED[owned.policy().release] if owned else "",
        beat=pulse.beat,
    )
