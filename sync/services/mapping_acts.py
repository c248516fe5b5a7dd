"""A person's changes to the mapping rules: checked against Sage's accounts, counted, kept in history.

A rule is refused here and now when its account could not be used, so nobody learns it from Sage's
refusal an hour later. What waits and is touched is decided anew and goes by itself; what lies in
Sage stays. The caller holds the tenant's scope and wakes the company afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from sync.domain.account_targets import find_target
from sync.domain.mapping_rules import MOST_TELLING_FIRST
from sync.domain.mapping_rules import MappingRule as Rule
from sync.domain.problems import Problem
from sync.domain.words import count_of
from sync.models import MappingRule, MappingRuleChange, Posting
from sync.queries.bill_desks import KINDS, Grounds, grounds_of, rule_of
from sync.queries.rule_effects import Effect, effect_of
from sync.services import journal
from sync.services.acts import Done, Overtaken, user_id_of
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company

LONGEST_NAME = 100
WORDS = {
    "account_id": "BILL account",
    "department_id": "department",
    "location_id": "location",
    "class_id": "class",
    "item_id": "item",
    "vendor_id": "vendor",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule as a person wants it; the dimensions are BILL ids, "" is any."""

    gl_account: str
    name: str = ""
    conditions: Mapping[str, str] = field(default_factory=dict)

    def rule(self, rule_id: str = "") -> Rule:
        """As the domain's value."""
        named = {name: self.conditions.get(name, "") for name in MOST_TELLING_FIRST}
        return Rule(id=rule_id, gl_account=self.gl_account, **named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing was saved; `errors` has a sentence for each field at fault."""

    errors: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """All of them."""
        return " ".join(dict.fromkeys(self.errors.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The rule stands; `sentence` says what happens now."""

    rule_id: uuid.UUID
    waiting_bills: int
    sentence: str


def check(draft: Draft, grounds: Grounds, *, rule_id: str = "") -> dict[str, str]:
    """What is wrong with a rule, by field; {} when it may stand. No query."""
    errors: dict[str, str] = {}
    rule = draft.rule(rule_id)
    if not rule.named:
        errors["conditions"] = (
            "A rule needs at least one condition. An account for everything else is the catch-all"
            " account, which is a question of the policy."
        )
    for name in rule.named:
        if not _is_known(grounds, name, getattr(rule, name)):
            errors[name] = (
                f"We have not read this {WORDS[name]} from BILL. Choose one of the list; a new one"
                " is read with the next sync."
            )
    if len(draft.name) > LONGEST_NAME:
        errors["name"] = (
            f"A name has {LONGEST_NAME} characters at most, this has {len(draft.name)}."
        )
    if not draft.gl_account.strip():
        errors["gl_account"] = "Choose the Sage account these lines go to."
    else:
        target = find_target(draft.gl_account, grounds.accounts, origin="this rule")
        if isinstance(target, Problem):
            errors["gl_account"] = target.sentence
    twin = _twin(rule, grounds.rules)
    if twin is not None and not errors:
        errors["conditions"] = (
            f"There is a rule for {grounds.words_of(rule)} already, to {twin.gl_account}. Change"
            " that one."
        )
    return errors


def preview(
    company: Company, draft: Draft, *, rule_id: str = "", now: datetime
) -> tuple[Grounds, Effect]:
    """What saving this rule would do; nothing is written."""
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    return grounds, _effect(company, grounds, draft.rule(rule_id or "new"), now)


def save(
    company: Company,
    draft: Draft,
    *,
    actor: Actor,
    now: datetime,
    rule_id: uuid.UUID | None = None,
    seen: str = "",
    source: str = "page",
    reason: str = "",
) -> Saved | Refused | Overtaken:
    """Make a rule, or change the one with `rule_id` if it still stands as it was `seen`.

    `seen` is the rule's stamp (`stamp_of`) when the form was opened; "" asks for no comparison.
    A `reason` is kept in the log and the audit.
    """
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    row = None
    if rule_id is not None:
        row = rows_of(company).select_for_update().filter(pk=rule_id).first()
        if row is None or (seen and stamp_of(row) != seen):
            return Overtaken(sentence=_who_was_quicker(company, rule_id))
    errors = check(draft, grounds, rule_id=str(rule_id or ""))
    if errors:
        return Refused(errors=errors)
    effect = _effect(company, grounds, draft.rule(str(rule_id or "new")), now)
    before = row.gl_account if row else ""
    row = write(company, row, draft, grounds, actor, now)
    touched = len(effect.waiting)
    told = f"{grounds.words_of(rule_of(row))} goes to {_shown(grounds, row.gl_account)}"
    record(
        company, row, grounds, action="changed" if before else "made", before=before, actor=actor,
        source=source, touched=touched, sentence=f"{told}.", reason=reason, now=now,
    )  # fmt: skip
    decide_anew(company, (bill.posting for bill in effect.waiting))
    goes_on = f" {count_of(touched, 'waiting bill')} decided anew now." if touched else ""
    return Saved(rule_id=row.pk, waiting_bills=touched, sentence=f"{told}.{goes_on}")


def remove(
    company: Company,
    rule_id: uuid.UUID,
    *,
    actor: Actor,
    now: datetime,
    seen: str = "",
    source: str = "page",
    reason: str = "",
) -> Done | Overtaken:
    """Remove a rule if it still stands as it was `seen`; its history stays."""
    row = rows_of(company).select_for_update().filter(pk=rule_id).first()
    if row is None or (seen and stamp_of(row) != seen):
        return Overtaken(sentence=_who_was_quicker(company, rule_id))
    grounds = grounds_of(tenant_id=company.tenant_id, company_id=company.pk)
    left = [rule for rule in grounds.rules if rule.id != str(rule_id)]
    effect = effect_of(grounds, left, tenant_id=company.tenant_id, company_id=company.pk, now=now)
    words = grounds.words_of(rule_of(row))
    touched = len(effect.waiting)
    record(
        company, row, grounds, action="removed", before=row.gl_account, actor=actor, source=source,
        touched=touched, sentence=f"The rule for {words} to {row.gl_account} was removed.", now=now,
        reason=reason,
    )  # fmt: skip
    row.delete()
    decide_anew(company, (bill.posting for bill in effect.waiting))
    goes_on = f" {count_of(touched, 'waiting bill')} decided anew now." if touched else ""
    return Done(sentence=f"The rule for {words} is removed.{goes_on}")


def stamp_of(row: MappingRule) -> str:
    """Changes whenever somebody changes the rule."""
    return row.made_at.isoformat()


def rows_of(company: Company) -> QuerySet[MappingRule]:
    """The company's rules."""
    return MappingRule.objects.for_tenant(company.tenant_id).filter(company=company)


def _is_known(grounds: Grounds, dimension: str, value: str) -> bool:
    if dimension == "vendor_id":
        return value in grounds.vendor_names
    item = grounds.items.get(value)
    return item is not None and item.kind is KINDS[dimension]


def _twin(rule: Rule, others: Collection[Rule]) -> Rule | None:
    """The other rule with the very same conditions."""
    same = (
        other
        for other in others
        if other.id != rule.id
        and all(getattr(other, name) == getattr(rule, name) for name in MOST_TELLING_FIRST)
    )
    return next(same, None)


def _effect(company: Company, grounds: Grounds, rule: Rule, now: datetime) -> Effect:
    rules = [*(other for other in grounds.rules if other.id != rule.id), rule]
    return effect_of(
        grounds,
        rules,
        tenant_id=company.tenant_id,
        company_id=company.pk,
        now=now,
        candidate=rule,
    )


def write(
    company: Company,
    row: MappingRule | None,
    draft: Draft,
    grounds: Grounds,
    actor: Actor,
    now: datetime,
) -> MappingRule:
    """Store a checked rule over its row, or as a new one."""
    row = row or MappingRule(tenant_id=company.tenant_id, company=company)
    target = grounds.account(draft.gl_account)
    row.gl_account = target.formatted if target else draft.gl_account
    row.name = draft.name.strip()
    for name in MOST_TELLING_FIRST:
        setattr(row, name, draft.conditions.get(name, ""))
    row.made_by_id = user_id_of(actor)
    row.made_at = now
    row.save()
    return row


def _shown(grounds: Grounds, number: str) -> str:
    account = grounds.account(number)
    return f"{account.formatted} {account.description}".strip() if account else number


def record(
    company: Company,
    row: MappingRule,
    grounds: Grounds,
    *,
    action: str,
    before: str,
    actor: Actor,
    source: str,
    touched: int,
    sentence: str,
    now: datetime,
    reason: str = "",
) -> None:
    """Write what was done to a rule into its history, the log and the audit."""
    rule = rule_of(row)
    MappingRuleChange.objects.create(
        tenant_id=company.tenant_id,
        company=company,
        rule_id=row.pk,
        at=now,
        action=action,
        source=source,
        conditions={name: grounds.name_of(name, getattr(rule, name)) for name in rule.named},
        name=row.name,
        before_account=before,
        after_account="" if action == "removed" else row.gl_account,
        waiting_bills=touched,
        actor_name=actor.name[:160],
        actor_id=actor.id,
    )
    line = journal.company_line(
        tenant_id=company.tenant_id, company_id=company.pk, event=f"mapping.{action}",
        sentence=f"{sentence} {reason}".strip(), now=now, actor=actor.name,
    )  # fmt: skip
    line.gl_accounts = row.gl_account
    journal.write([line])
    audit.record(
        tenant=company.tenant_id,
        actor=actor,
        action=f"mapping_rule.{action}",
        subject=sentence,
        subject_id=row.pk,
        details={"before": before, "after": row.gl_account, "source": source}
        | ({"reason": reason} if reason else {}),
        now=now,
    )


def decide_anew(company: Company, postings: Iterable[Posting]) -> None:
    """Mark these bills, so that the next pass decides them anew."""
    keys = [posting.pk for posting in postings]
    rows = Posting.objects.for_tenant(company.tenant_id).filter(pk__in=keys)
    rows.filter(is_skipped_by_person=False).update(is_dirty=True)


def _who_was_quicker(company: Company, rule_id: uuid.UUID) -> str:
    last = (
        MappingRuleChange.objects.for_tenant(company.tenant_id)
        .filter(company=company, rule_id=rule_id)
        .order_by("-at", "-pk")
        .first()
    )
    if last is None:
        return "Nothing was saved: this rule has changed since you opened it. Look at it again."
    to = f" to {last.after_account}" if last.after_account else ""
    return f"{last.actor_name} was quicker and {last.action} this rule{to}. Nothing was saved."
