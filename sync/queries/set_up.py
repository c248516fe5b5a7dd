"""How far a company's set-up has come, read from what is there: nothing is ticked off by hand."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from integrations.models import (
    BillConnection,
    PingResult,
    Sage300Connection,
    WebhookSubscription,
)
from integrations.ping.keeping import steps_of
from integrations.ping.ladder import Step, Verdict
from integrations.ping.sage import WINDOWS_SIGN_IN, WINDOWS_STEPS
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode
from sync.models import CompanyPolicy, Posting, VendorLink
from sync.models.vendor import LinkState

UNDECIDED = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS, LinkState.REFUSED)
UNMAPPED = (ProblemCode.ACCOUNT_UNMAPPED, ProblemCode.LINE_WITHOUT_ACCOUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One system: its stored connection, if any, and the last ladder.

    `steps` may be of credentials that were refused and not stored (`is_of_stored` False).
    """

    side: PingResult.Side
    row: BillConnection | Sage300Connection | None
    steps: Sequence[Step] = ()
    is_of_stored: bool = True
    tried_at: datetime | None = None
    tried_by: str = ""

    @property
    def failed_at(self) -> int:
        """The number of the step that gave way, 0 where none did."""
        places = [place for place, step in enumerate(self.steps, 1) if step.verdict == "failed"]
        return places[0] if places else 0

    @property
    def failed(self) -> Step | None:
        """The step that gave way."""
        return self.steps[self.failed_at - 1] if self.failed_at else None

    @property
    def mend(self) -> Sequence[str]:
        """The mend of the failed step, one thing after the other, where there are several."""
        is_windows = self.failed is not None and self.failed.what_to_do == WINDOWS_SIGN_IN
        return WINDOWS_STEPS if is_windows else ()

    @property
    def warnings(self) -> int:
        """How many steps have something to know."""
        return sum(step.verdict is Verdict.WARNING for step in self.steps)

    @property
    def works(self) -> bool:
        """Whether it is stored and in use."""
        return self.row is not None and not self.row.is_paused

    @property
    def is_proved(self) -> bool:
        """Whether the last try of what is stored passed."""
        return self.works and self.is_of_stored and bool(self.steps) and not self.failed_at

    def verdict_of(self, name: str) -> Verdict:
        """How the step of this name ended; not tried where it never was."""
        found = [step.verdict for step in self.steps if step.name == name]
        return found[0] if found else Verdict.NOT_TRIED


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """Everything the set-up and connection pages show."""

    bill: Window
    sage: Window
    policy: CompanyPolicy | None
    subscription: WebhookSubscription | None
    linked: int
    undecided: int
    bills: int
    unmapped: int
    to_review: int
    in_sage: int

    @property
    def windows(self) -> tuple[Window, Window]:
        """BILL, then Sage 300."""
        return self.bill, self.sage

    @property
    def has_started(self) -> bool:
        """Whether nothing is missing for it to work."""
        return self.bill.works and self.sage.works and self.policy is not None


def set_up_of(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> SetUp:
    """Read how far a company has come; seven queries."""
    mine = {"company_id": company_id}
    tried = {row.side: row for row in PingResult.objects.for_tenant(tenant_id).filter(**mine)}
    bill = BillConnection.objects.for_tenant(tenant_id).filter(**mine).first()
    sage = Sage300Connection.objects.for_tenant(tenant_id).filter(**mine).first()
    vendors = (
        VendorLink.objects.for_tenant(tenant_id)
        .filter(**mine)
        .aggregate(
            linked=Count("pk", filter=Q(state=LinkState.LINKED)),
            undecided=Count("pk", filter=Q(state__in=UNDECIDED, is_archived=False)),
        )
    )
    unmapped = Q()
    for code in UNMAPPED:
        unmapped |= Q(problems__contains=[{"code": code.value}])
    postings = (
        Posting.objects.for_tenant(tenant_id)
        .of_company(company_id)
        .aggregate(
            bills=Count("pk"),
            unmapped=Count("pk", filter=Q(state=PostingState.BLOCKED) & unmapped),
            to_review=Count("pk", filter=Q(state=PostingState.REVIEW)),
            in_sage=Count("pk", filter=Q(state=PostingState.IN_SAGE)),
        )
    )
    return SetUp(
        bill=_window(PingResult.Side.BILL, bill, tried.get(PingResult.Side.BILL)),
        sage=_window(PingResult.Side.SAGE, sage, tried.get(PingResult.Side.SAGE)),
        policy=CompanyPolicy.objects.for_tenant(tenant_id).filter(**mine).first(),
        subscription=WebhookSubscription.objects.for_tenant(tenant_id).filter(**mine).first(),
        **vendors,
        **postings,
    )


def _window(
    side: PingResult.Side,
    row: BillConnection | Sage300Connection | None,
    tried: PingResult | None,
) -> Window:
    if tried is None:
        return Window(side=side, row=row)
    return Window(
        side=side,
        row=row,
        steps=tuple(steps_of(tried)),
        is_of_stored=tried.is_of_stored,
        tried_at=tried.tried_at,
        tried_by=tried.tried_by,
    )
