"""An operator's deeds on chosen tenants and companies: first what each would do, then the doing.

They are the deeds of the pages, by the same services, done in the tenant's own scope under the
operator's name and with a reason. What cannot be done is left out, with the words why. Nothing here
waits for another system: what a worker must do is left due, and the caller rings for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.conf import settings

from integrations.models import BillConnection, Sage300Connection
from sync.domain.words import count_of, listed, money
from sync.models import DueWork, Posting
from sync.models.posting import BACKLOG
from sync.queries.postings import Filter, Standing
from sync.services import replaying, turns
from sync.services.acts import Done
from sync.services.run_requests import ask_for_run
from tenants import audit, suspending
from tenants.audit import Actor
from tenants.models import Company, Tenant
from tenants.scoping import tenant_scope

REFUSED_BILLS = Filter(standing=Standing.ATTENTION)
LONGEST_REASON = 250


class OperatorDeed(StrEnum):
    """What an operator does with what was chosen."""

    PING = "ping"
    RUN = "run"
    REPLAY = "replay"
    SUSPEND = "suspend"
    RESUME = "resume"

    @property
    def is_on_tenants(self) -> bool:
        """Whether it is done to tenants, not to their companies."""
        return self in {OperatorDeed.SUSPEND, OperatorDeed.RESUME}


Target = Tenant | Company


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a plan: what becomes of it, or why it is left out.

    `mark` names the very set of bills that was agreed to, "" where there is none.
    """

    target: Target
    sentence: str
    is_left_out: bool = False
    why_in_short: str = ""
    mark: str = ""
    bills: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What pressing Go would do; nothing has been done."""

    deed: OperatorDeed
    lines: Sequence[Line]
    beyond: int = 0

    @property
    def going(self) -> list[Line]:
        """The rows something is done to."""
        return [line for line in self.lines if not line.is_left_out]

    @property
    def sentence(self) -> str:
        """All of it in one sentence."""
        going, rest = self.going, [line for line in self.lines if line.is_left_out]
        said = _said(self.deed, going)
        counts: dict[str, int] = {}
        for line in rest:
            counts[line.why_in_short] = counts.get(line.why_in_short, 0) + 1
        left = [f"{number} {_is(number)} {why}" for why, number in counts.items()]
        if self.beyond:
            left.append(f"{self.beyond} more {_is(self.beyond)} beyond what goes at one press")
        return f"{said}; {listed(left)}, and left out." if left else f"{said}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one row; `wakes` asks the caller to ring for a worker."""

    target: Target
    sentence: str
    is_done: bool = True
    wakes: Sequence[Company] = field(default_factory=tuple)
    run_id: str = ""


def plan(deed: OperatorDeed, targets: Iterable[Target]) -> Plan:
    """Say what the deed would do to each; opens the scope of each row's tenant."""
    chosen = list(targets)
    most = settings.CONNECTOR.operator_rows
    lines = [_look(deed, target) for target in chosen[:most]]
    return Plan(deed=deed, lines=lines, beyond=max(0, len(chosen) - most))


def do(
    deed: OperatorDeed, target: Target, *, mark: str, reason: str, actor: Actor, now: datetime
) -> Result:
    """Do it to one row if it still can be; opens the scope of its tenant, and no other holds it up."""
    line = _look(deed, target)
    if line.is_left_out:
        return Result(target=target, sentence=line.sentence, is_done=False)
    if isinstance(target, Tenant):
        return _stop_or_start(deed, target, reason=reason, actor=actor, now=now)
    match deed:
        case OperatorDeed.RUN:
            return _run(target, reason=reason, actor=actor, now=now)
        case OperatorDeed.REPLAY:
            return _replay(target, mark=mark, reason=reason, actor=actor, now=now)
        case _:
            return _ask_for_ping(target, reason=reason, actor=actor, now=now)


# --- looking --------------------------------------------------------------------------------------


def _look(deed: OperatorDeed, target: Target) -> Line:
    with tenant_scope(target.pk if isinstance(target, Tenant) else target.tenant_id):
        if isinstance(target, Tenant):
            return _look_at_tenant(deed, target)
        if target.tenant.is_suspended:
            return _out(target, "suspended", f"{target.tenant} is suspended; resume it first.")
        if deed is OperatorDeed.PING:
            return _look_at_windows(target)
        if not DueWork.objects.filter(company_id=target.pk).exists():
            return _out(target, "not set up", "It is not set up yet.")
        if target.is_paused:
            return _out(target, "paused", f"It is paused: {target.paused_reason}")
        return _look_at_bills(target) if deed is OperatorDeed.REPLAY else _look_at_turn(target)


def _look_at_tenant(deed: OperatorDeed, tenant: Tenant) -> Line:
    companies = Company.objects.for_tenant(tenant).count()
    waiting = Posting.objects.for_tenant(tenant).filter(state__in=BACKLOG).count()
    how_many = count_of(companies, "company", "companies")
    bills = count_of(waiting, "bill")
    if deed is OperatorDeed.SUSPEND:
        if tenant.is_suspended:
            return _out(tenant, "suspended already", "It is suspended already.")
        return Line(
            target=tenant,
            sentence=f"Work stops for {how_many}; {bills} not yet in Sage wait. A pass under way "
            "ends first. Its people can no longer look at their pages; owners read your name and "
            "the reason there.",
        )
    if not tenant.is_suspended:
        return _out(tenant, "active already", "It is active already.")
    return Line(
        target=tenant,
        sentence=f"{how_many} read BILL again at once, and {bills} go on. Each send is looked up "
        "in Sage first.",
    )


def _look_at_windows(company: Company) -> Line:
    models = {"BILL": BillConnection, "Sage 300": Sage300Connection}
    names = [
        name
        for name, model in models.items()
        if model._default_manager.filter(tenant_id=company.tenant_id, company=company).exists()
    ]
    if not names:
        return _out(company, "not connected", "Nothing is connected yet.")
    return Line(
        target=company,
        sentence=f"A worker tries {listed(names)} with the stored credentials; it reads only. A "
        "paused connection goes on when all is well.",
    )


def _look_at_turn(company: Company) -> Line:
    return Line(
        target=company,
        sentence="A worker reads BILL, decides, sends what is ready and reads Sage back.",
    )


def _look_at_bills(company: Company) -> Line:
    found = replaying.plan(company, REFUSED_BILLS, zone=ZoneInfo(company.time_zone))
    left = [f"{number} {why}" for why, number in found.left.items()]
    rest = f" Left: {listed(left)}." if left else ""
    if not found.count:
        return _out(company, "without a refused bill", f"No refused bill can be replayed.{rest}")
    more = f" {found.beyond} more go next time." if found.beyond else ""
    amount = money(found.amount, company.currency)
    return Line(
        target=company,
        sentence=f"{count_of(found.count, 'refused bill')}, {amount} {company.currency}, decided "
        f"anew; each is looked up in Sage before it is sent.{rest}{more}",
        mark=found.mark,
        bills=found.count,
    )


def _out(target: Target, why_in_short: str, sentence: str) -> Line:
    return Line(target=target, sentence=sentence, is_left_out=True, why_in_short=why_in_short)


def _said(deed: OperatorDeed, going: Sequence[Line]) -> str:
    if deed.is_on_tenants:
        word = "suspended" if deed is OperatorDeed.SUSPEND else "resumed"
        return f"{count_of(len(going), 'tenant')} will be {word}"
    firms = {line.target.tenant_id for line in going if isinstance(line.target, Company)}
    who = f"{count_of(len(going), 'company', 'companies')} of {count_of(len(firms), 'tenant')}"
    match deed:
        case OperatorDeed.REPLAY:
            bills = count_of(sum(line.bills for line in going), "refused bill")
            return f"{bills} of {who} will be replayed"
        case OperatorDeed.RUN:
            return f"{who} will be asked to run now"
        case _:
            return f"{who} will have both systems tried"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


# --- doing ----------------------------------------------------------------------------------------


def _stop_or_start(
    deed: OperatorDeed, tenant: Tenant, *, reason: str, actor: Actor, now: datetime
) -> Result:
    if deed is OperatorDeed.SUSPEND:
        suspending.suspend(tenant, reason=reason, actor=actor, now=now)
        return Result(target=tenant, sentence="Suspended. No work is begun for it.")
    with tenant_scope(tenant.pk):
        suspending.resume(tenant, reason=reason, actor=actor, now=now)
        companies = list(Company.objects.for_tenant(tenant).running())
        for company in companies:
            turns.poll_now(company_id=company.pk)
    return Result(target=tenant, sentence="Resumed. Its companies run now.", wakes=companies)


def _run(company: Company, *, reason: str, actor: Actor, now: datetime) -> Result:
    with tenant_scope(company.tenant_id):
        run = ask_for_run(
            tenant_id=company.tenant_id, company_id=company.pk, trigger="person", now=now
        )
        _record(company, "run.asked", subject_id=run.pk, reason=reason, actor=actor, now=now)
    return Result(
        target=company,
        sentence="Asked to run; a worker begins within seconds.",
        wakes=[company],
        run_id=str(run.pk),
    )


def _replay(company: Company, *, mark: str, reason: str, actor: Actor, now: datetime) -> Result:
    with tenant_scope(company.tenant_id):
        outcome = replaying.replay(
            company, REFUSED_BILLS, mark=mark, reason=reason, actor=actor,
            zone=ZoneInfo(company.time_zone), now=now,
        )  # fmt: skip
        if not isinstance(outcome, Done):
            return Result(target=company, sentence=outcome.sentence, is_done=False)
        turns.ring(company_id=company.pk)
    return Result(target=company, sentence=outcome.sentence, wakes=[company])


def _ask_for_ping(company: Company, *, reason: str, actor: Actor, now: datetime) -> Result:
    _record(company, "connection.ping_asked", subject_id=company.pk, reason=reason, actor=actor,
            now=now)  # fmt: skip
    return Result(
        target=company,
        sentence="A worker tries both systems now; the ladder stands on the company's page here.",
        wakes=[company],
    )


def _record(
    company: Company, action: str, *, subject_id: object, reason: str, actor: Actor, now: datetime
) -> None:
    details: Mapping[str, str] = {"reason": reason}
    with tenant_scope(company.tenant_id):
        audit.record(
            tenant=company.tenant_id, actor=actor, action=action, subject=company.name,
            subject_id=subject_id, details=details, now=now,
        )  # fmt: skip
