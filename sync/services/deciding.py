"""Decides, for every bill that may have changed its mind, where its posting stands now.

The rules are the domain's; this room gathers what they need, once per pass, and writes what they
say. When the lists, the rules or the policy change, everything not yet sent is decided anew, so a
mended mapping lets its bills go by themselves.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from sync.domain.gl_accounts import SageAccounts
from sync.domain.line_accounts import Catalogue
from sync.domain.mapping_rules import MappingRule as Rule
from sync.domain.posting_state import PostingState
from sync.domain.problems import ProblemCode, problem_to_dict
from sync.domain.readiness import SkipRule
from sync.domain.vendor_suggestions import SageVendors
from sync.models import (
    CatalogueList,
    CompanyPolicy,
    Cursor,
    LineOverride,
    LogEntry,
    MappingRule,
    Posting,
    VendorLink,
)
from sync.models.posting import PostingQuerySet
from sync.services import identities, journal, periods
from sync.services.catalogue import KINDS, Lists
from sync.services.judging import Desk, Draft, Verdict, finish, judge
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope

# Bills decided in one transaction, and put in order at a time (that looks at all that are marked).
CHUNK, QUEUE = 200, 5_000
IDENTITY = frozenset(
    {"database_key", "vendor_number", "document_number", "order_number", "invoice"}
)
STREAM = "decided"
DECIDABLE = (
    PostingState.WAITING,
    PostingState.BLOCKED,
    PostingState.REVIEW,
    PostingState.READY,
    PostingState.SKIPPED,
)
ABOUT_OTHERS = (
    ProblemCode.POSSIBLE_DUPLICATE,
    ProblemCode.NUMBER_HELD_ELSEWHERE,
    ProblemCode.SENT_UNDER_OTHER_NUMBER,
)
UNREAD = frozenset({ProblemCode.BILL_ACCOUNT_UNKNOWN, ProblemCode.BILL_ITEM_UNKNOWN})


@dataclass(slots=True, kw_only=True)
class Decided:
    """What a pass found; `unread` says that some bill names an id of a BILL list not read yet."""

    looked_at: int = 0
    moved: int = 0
    unread: bool = False

    def add(self, other: Decided) -> None:
        """Count another one in."""
        self.looked_at += other.looked_at
        self.moved += other.moved
        self.unread |= other.unread


def decide_all(work: Work) -> Decided:
    """Decide every posting that is marked, or all not yet sent when their grounds have changed."""
    decided = Decided()
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        stamp = _grounds(work)
        is_changed = _stamp_of(work) != stamp
        if is_changed:
            _decidable(work).filter(is_dirty=False).update(is_dirty=True)
        else:
            _held_by_another(work).update(is_dirty=True)
            if not _decidable(work).filter(is_dirty=True).exists():
                return decided
        desk = _gather(work)
    is_more = True
    while is_more:
        with tenant_scope(work.tenant_id):
            queue = list(_in_order(work).values_list("pk", flat=True)[:QUEUE])
        for start in range(0, len(queue), CHUNK):
            with tenant_scope(work.tenant_id):
                hold_company(work.company_id)
                _decide_chunk(work, desk, queue[start : start + CHUNK], decided)
        is_more = len(queue) == QUEUE
    if is_changed:
        with tenant_scope(work.tenant_id):
            Cursor.objects.for_tenant(work.tenant_id).update_or_create(
                company_id=work.company_id,
                stream=STREAM,
                defaults={"tenant_id": work.tenant_id, "value": stamp, "moved_at": work.clock()},
            )
    return decided


def _held_by_another(work: Work) -> PostingQuerySet:
    """Those whose cause is another posting's number: nothing else tells when it is given back."""
    found = Q()
    for code in ABOUT_OTHERS:
        found |= Q(problems__contains=[{"code": code.value}])
    held = _decidable(work).in_state(PostingState.BLOCKED, PostingState.REVIEW)
    return held.filter(found, is_dirty=False)


def _decidable(work: Work) -> PostingQuerySet:
    rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
    return rows.in_state(*DECIDABLE).filter(is_skipped_by_person=False)


def _grounds(work: Work) -> str:
    """One mark for everything the rules stand on but the bills, the day included.

    It is made without reading the lists themselves.
    """
    owner = {"company_id": work.company_id}
    policy = CompanyPolicy.objects.for_tenant(work.tenant_id).filter(**owner)
    lists = CatalogueList.objects.for_tenant(work.tenant_id).filter(**owner)
    rules = MappingRule.objects.for_tenant(work.tenant_id).filter(**owner)
    links = VendorLink.objects.for_tenant(work.tenant_id).filter(**owner)
    now = work.clock()
    closed = periods.refused_periods(tenant_id=work.tenant_id, company_id=work.company_id, now=now)
    grounds = [
        now.astimezone(work.zone).date().isoformat(),
        *sorted(closed),
        *policy.values_list("version"),
        *sorted(lists.filter(kind__in=KINDS).values_list("kind", "read_at")),
        *sorted(rules.values_list("pk", "gl_account", "made_at")),
        *sorted(links.values_list("bill_vendor_id", "state", "sage_number")),
    ]
    return hashlib.sha256(repr(grounds).encode()).hexdigest()


def _gather(work: Work) -> Desk:
    lists = Lists(work.tenant_id, work.company_id)
    owned = CompanyPolicy.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
    rules = MappingRule.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    links = VendorLink.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
    return Desk(
        work=work,
        now=work.clock(),
        catalogue=Catalogue(lists=lists.bill_items(), accounts=SageAccounts.of(lists.accounts())),
        sage_vendors=SageVendors.of(lists.vendors()),
        periods=lists.periods(),
        links={link.bill_vendor_id: link for link in links},
        rules=[_rule(row) for row in rules],
        skip_rules=[SkipRule(**row) for row in owned.skip_rules],
        vendor_accounts=owned.vendor_accounts,
        group_accounts=owned.group_accounts,
        refused_periods=periods.refused_periods(
            tenant_id=work.tenant_id, company_id=work.company_id, now=work.clock()
        ),
    )


def _rule(row: MappingRule) -> Rule:
    return Rule(
        id=str(row.pk),
        gl_account=row.gl_account,
        vendor_id=row.vendor_id,
        item_id=row.item_id,
        class_id=row.class_id,
        location_id=row.location_id,
        department_id=row.department_id,
        account_id=row.account_id,
    )


def _stamp_of(work: Work) -> str:
    cursor = (
        Cursor.objects.for_tenant(work.tenant_id)
        .filter(company_id=work.company_id, stream=STREAM)
        .first()
    )
    return cursor.value if cursor else ""


def _in_order(work: Work) -> PostingQuerySet:
    """The marked postings, oldest bill first: of two with one number the older one has it."""
    return _decidable(work).filter(is_dirty=True).order_by("bill__created_in_bill_at", "pk")


def _decide_chunk(work: Work, desk: Desk, keys: Sequence[uuid.UUID], decided: Decided) -> None:
    # Locked in the order in which the writer locks them, decided in the order they were asked for.
    rows = _in_order(work).filter(pk__in=keys).select_related("bill").order_by("pk")
    found = {posting.pk: posting for posting in rows.select_for_update(of=("self",))}
    postings = [found[key] for key in keys if key in found]
    verdicts = _judge_all(work, desk, postings)
    lines = _write_all(desk, verdicts)
    journal.write(lines)
    decided.looked_at += len(postings)
    decided.moved += len(lines)
    decided.unread |= any(
        found.code in UNREAD for _, verdict in verdicts for found in verdict.problems
    )


def _judge_all(
    work: Work, desk: Desk, postings: Sequence[Posting]
) -> list[tuple[Posting, Verdict]]:
    overrides: dict[uuid.UUID, dict[str, str]] = {}
    for row in LineOverride.objects.for_tenant(work.tenant_id).filter(posting__in=postings):
        overrides.setdefault(row.posting_id, {})[row.line_id] = row.gl_account
    judged = [
        (posting, judge(desk, posting, overrides.get(posting.pk, {}))) for posting in postings
    ]
    numbers = identities.Numbers(
        work,
        [
            (posting, outcome.vendor_number, outcome.mapped.document_number)
            for posting, outcome in judged
            if isinstance(outcome, Draft)
        ],
    )
    verdicts = []
    for posting, outcome in judged:
        verdict = outcome
        if isinstance(verdict, Draft):
            identity = numbers.allot(
                posting,
                verdict.bill,
                vendor_number=verdict.vendor_number,
                wanted=verdict.mapped.document_number,
            )
            verdict = finish(desk, posting, verdict, identity)
        numbers.note(posting, _columns(posting, verdict))
        verdicts.append((posting, verdict))
    return verdicts


def _columns(posting: Posting, verdict: Verdict) -> dict[str, Any]:
    """What is written with a verdict."""
    values: dict[str, Any] = {
        "sentence": verdict.sentence[:1000],
        "problems": [problem_to_dict(found) for found in verdict.problems],
        "warnings": [problem_to_dict(found) for found in verdict.warnings],
        "is_dirty": False,
        **(verdict.values or {}),
    }
    if "document_number" not in values:
        values |= identities.given_back(posting)
    return values


def _write_all(desk: Desk, verdicts: Sequence[tuple[Posting, Verdict]]) -> list[LogEntry]:
    """Write the verdicts; with a log line each where people would see a difference."""
    before = {posting.pk: (posting.state, posting.sentence) for posting, _ in verdicts}
    moves = [(posting, verdict.state, _columns(posting, verdict)) for posting, verdict in verdicts]
    try:
        with transaction.atomic():
            Posting.advance_all(moves, now=desk.now)
    except IntegrityError:
        for posting, verdict in verdicts:
            _write_alone(desk, posting, verdict)
    return [
        journal.line_for(
            posting,
            event=f"posting.{posting.state.lower()}",
            sentence=posting.sentence,
            now=desk.now,
            run_id=desk.work.run_id,
        )
        for posting, _ in verdicts
        if (posting.state, posting.sentence) != before[posting.pk]
    ]


def _write_alone(desk: Desk, posting: Posting, verdict: Verdict) -> None:
    """Write one verdict; a number that a row out of this tenant's sight holds blocks it."""
    values = _columns(posting, verdict)
    try:
        with transaction.atomic():
            posting.advance(verdict.state, now=desk.now, **values)
    except IntegrityError:
        held = identities.held_elsewhere(posting, verdict.values or {})
        values = {name: value for name, value in values.items() if name not in IDENTITY}
        values |= {
            "sentence": held.sentence,
            "problems": [problem_to_dict(held)],
            **identities.given_back(posting),
        }
        posting.advance(PostingState.BLOCKED, now=desk.now, **values)
