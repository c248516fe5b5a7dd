"""A person's account for one line of one bill, and the rule it may be remembered as.

The choice goes before every rule, for this bill only. Remembered, it becomes a rule for the lines
like it that come later. The caller holds the tenant's scope and wakes the company afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from integrations.bill.types import Bill, BillLine
from integrations.sage300.types import GLAccount
from sync.domain.account_targets import find_target
from sync.domain.line_accounts import line_facts
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.domain.packing import unpack
from sync.domain.posting_state import PostingState
from sync.domain.problems import Problem
from sync.models import LineOverride, Posting
from sync.queries.bill_desks import Grounds, grounds_of, rule_of
from sync.services import journal, mapping_acts
from sync.services.acts import Done, NotOpen, Overtaken, user_id_of, who_was_quicker
from sync.services.mapping_acts import Draft, Refused, Saved
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company

#: Where a bill that may still change its accounts goes when it does.
LEADS_TO = {
    PostingState.WAITING: PostingState.WAITING,
    PostingState.BLOCKED: PostingState.BLOCKED,
    PostingState.REVIEW: PostingState.REVIEW,
    PostingState.READY: PostingState.WAITING,
    PostingState.ATTENTION: PostingState.WAITING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person chose for a line; `remember` names the dimensions a rule should ask for."""

    line_id: str
    gl_account: str
    reason: str = ""
    remember: Collection[str] = ()


def choose(
    posting: Posting,
    choice: Choice,
    *,
    company: Company,
    seen_state: str,
    actor: Actor,
    now: datetime,
) -> Done | NotOpen | Overtaken | Refused:
    """Send one line to this account; `gl_account` "" takes an earlier choice back."""
    if posting.state != seen_state or _locked_state(posting) != seen_state:
        posting.refresh_from_db(fields=["state", "sentence"])
        return Overtaken(sentence=who_was_quicker(posting, seen_state))
    leads_to = LEADS_TO.get(PostingState(posting.state))
    if leads_to is None or posting.sage_batch_number is not None:
        return NotOpen(
            sentence="Its account cannot be changed here any more: it is in Sage or on its way"
            " there. Change it in Sage."
        )
    bill = unpack(Bill, posting.bill.snapshot)
    line = next((one for one in bill.lines if one.id and one.id == choice.line_id), None)
    if line is None:
        return NotOpen(sentence="Nothing was changed: BILL's bill has no such line any more.")
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    target = _target(choice, grounds)
    if isinstance(target, Problem):
        return Refused(errors={"gl_account": target.sentence})
    ruled = _remember(company, choice, grounds, bill, line, actor, now)
    if isinstance(ruled, Refused | Overtaken):
        return ruled
    _store(posting, choice, target, actor, now)
    posting.advance(leads_to, now=now, by_person=True, is_dirty=True)
    told = _tell(posting, bill, line, target, choice, ruled)
    _record(posting, told, choice, actor, now)
    return Done(sentence=f"{told} It is decided anew now.")


def _locked_state(posting: Posting) -> str:
    """The state as it stands, held until this transaction ends."""
    rows = Posting.objects.for_tenant(posting.tenant_id).filter(pk=posting.pk)
    return rows.select_for_update().values_list("state", flat=True).get()


def _target(choice: Choice, grounds: Grounds) -> GLAccount | Problem | None:
    if not choice.gl_account.strip():
        return None
    return find_target(choice.gl_account, grounds.accounts, origin="chosen for this line")


def _remember(
    company: Company,
    choice: Choice,
    grounds: Grounds,
    bill: Bill,
    line: BillLine,
    actor: Actor,
    now: datetime,
) -> Saved | Refused | Overtaken | None:
    """The rule for lines like this one; an older rule with the same conditions is changed."""
    if not choice.remember or not choice.gl_account.strip():
        return None
    facts = line_facts(line, grounds.desk(bill))
    conditions = {
        name: getattr(facts, name)
        for name in MOST_TELLING_FIRST
        if name in choice.remember and getattr(facts, name)
    }
    draft = Draft(gl_account=choice.gl_account, conditions=conditions)
    same = (
        row.pk
        for row in mapping_acts.rows_of(company)
        if all(getattr(rule_of(row), n) == conditions.get(n, "") for n in MOST_TELLING_FIRST)
    )
    return mapping_acts.save(
        company, draft, actor=actor, now=now, rule_id=next(same, None), source="line"
    )


def _store(
    posting: Posting, choice: Choice, target: GLAccount | None, actor: Actor, now: datetime
) -> None:
    rows = LineOverride.objects.for_tenant(posting.tenant_id)
    if target is None:
        rows.filter(posting=posting, line_id=choice.line_id).delete()
        return
    rows.update_or_create(
        posting=posting,
        line_id=choice.line_id,
        defaults={
            "tenant_id": posting.tenant_id,
            "company_id": posting.company_id,
            "gl_account": target.formatted,
            "reason": choice.reason.strip()[:300],
            "made_by_id": user_id_of(actor),
            "made_at": now,
        },
    )


def _tell(
    posting: Posting,
    bill: Bill,
    line: BillLine,
    target: GLAccount | None,
    choice: Choice,
    ruled: Saved | None,
) -> str:
    place = bill.lines.index(line) + 1
    if target is None:
        return f"Line {place} goes by the rules again."
    told = f"Line {place} goes to {target.formatted} {target.description}".strip()
    told = f"{told}, remembered as a rule." if ruled else f"{told}, for this bill only."
    return f"{told} {choice.reason.strip()}".strip()


def _record(posting: Posting, told: str, choice: Choice, actor: Actor, now: datetime) -> None:
    line = journal.line_for(
        posting, event="person.change_account", sentence=told, now=now, actor=actor.name
    )
    journal.write([line])
    details: dict[str, str | uuid.UUID | list[str]] = {
        "line": choice.line_id,
        "account": choice.gl_account,
        "reason": choice.reason,
        "remember": sorted(choice.remember),
    }
    audit.record(
        tenant=posting.tenant_id,
        actor=actor,
        action="posting.change_account",
        subject=str(posting),
        subject_id=posting.pk,
        details=details,
        now=now,
    )
