"""Takes BILL's vendors in, and links them in Sage or creates them there.

A number is allotted and committed before the create is sent. A vendor is read in Sage before it is
created and after a lost answer: the number is the only key, so a second vendor cannot come of it.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from integrations.bill.types import BillVendor
from integrations.errors import (
    AddressRefused,
    AuthRefused,
    IntegrationError,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Unreachable,
)
from integrations.sage300.types import SageVendor
from sync.domain.packing import pack, unpack
from sync.domain.problems import Problem, problem_to_dict
from sync.domain.vendor_fields import new_vendor
from sync.domain.vendor_matching import Ambiguous, Ask, Create, Linked, match_vendor
from sync.domain.vendor_numbers import allot_vendor_number
from sync.domain.vendor_suggestions import SageVendors
from sync.models import Answer, Attempt, CompanyPolicy, Cursor, VendorLink, WebhookEvent
from sync.models.vendor import LinkState
from sync.services import connections, crash_points, journal
from sync.services.catalogue import Lists, store_vendor
from sync.services.turns import hold_company
from sync.services.work import Work
from tenants.scoping import tenant_scope

STREAM = "vendors"
UNDECIDED = (LinkState.NEW, LinkState.ASK, LinkState.AMBIGUOUS)


def poll_vendors(work: Work) -> int:
    """Walk the vendors changed since the cursor; rows and cursor in one transaction a page."""
    since = _since(work)
    count = 0
    for page in work.bill.iter_vendors(updated_since=since):
        newest = max((vendor.updated_at for vendor in page if vendor.updated_at), default=None)
        take_in(work, page, cursor=newest)
        count += len(page)
    return count


def read_events(work: Work) -> int:
    """Read the vendors that events named; the events are done in the same transaction."""
    with tenant_scope(work.tenant_id):
        rows = WebhookEvent.objects.for_tenant(work.tenant_id).filter(
            company_id=work.company_id, taken_in_at=None
        )
        events = list(rows.exclude(entity="bill").values_list("pk", "entity", "entity_id")[:1000])
    ids = list(dict.fromkeys(key for _, entity, key in events if entity == "vendor" and key))
    if ids:
        take_in(work, work.bill.read_vendors(ids))
    if events:
        with tenant_scope(work.tenant_id):
            WebhookEvent.objects.for_tenant(work.tenant_id).filter(
                pk__in=[key for key, _, _ in events]
            ).update(taken_in_at=work.clock())
    return len(ids)


def take_in(work: Work, vendors: Sequence[BillVendor], *, cursor: datetime | None = None) -> None:
    """Save these vendors as read, with the cursor, in one transaction."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        hold_company(work.company_id)
        rows = {
            row.bill_vendor_id: row
            for row in VendorLink.objects.for_tenant(work.tenant_id)
            .select_for_update()
            .filter(company_id=work.company_id, bill_vendor_id__in=[v.id for v in vendors])
        }
        for vendor in {vendor.id: vendor for vendor in vendors}.values():
            row = rows.get(vendor.id) or VendorLink(
                tenant_id=work.tenant_id, company_id=work.company_id, bill_vendor_id=vendor.id
            )
            row.name = vendor.name[:200]
            row.snapshot = pack(vendor)
            row.content_hash = vendor.content_hash
            row.is_archived = vendor.archived
            row.read_at = now
            row.save()
        if cursor is not None:
            Cursor.objects.for_tenant(work.tenant_id).update_or_create(
                company_id=work.company_id,
                stream=STREAM,
                defaults={
                    "tenant_id": work.tenant_id,
                    "value": cursor.isoformat(),
                    "moved_at": now,
                },
            )


def _since(work: Work) -> datetime | None:
    with tenant_scope(work.tenant_id):
        cursor = (
            Cursor.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, stream=STREAM)
            .first()
        )
    if cursor is None or not cursor.value:
        return None
    overlap = timedelta(seconds=settings.CONNECTOR.poll_overlap_seconds)
    return datetime.fromisoformat(cursor.value) - overlap


def read_unknown(work: Work, ids: Sequence[str]) -> None:
    """Read vendors that bills name and that were never taken in (merged, or changed long ago)."""
    if ids:
        take_in(work, work.bill.read_vendors(ids))


def match_all(work: Work) -> int:
    """Decide for every vendor that has no link; return how many came to a link or a number."""
    now = work.clock()
    decided = 0
    with tenant_scope(work.tenant_id):
        links = VendorLink.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
        open_links = list(links.filter(state__in=UNDECIDED).select_for_update())
        if not open_links:
            return 0
        lists = Lists(work.tenant_id, work.company_id)
        vendors = lists.vendors()
        sage = SageVendors.of(vendors)
        linked = dict(links.exclude(sage_number="").values_list("sage_number", "bill_vendor_id"))
        for link in open_links:
            decided += _decide(work, link, sage, linked, vendors, now)
    return decided


def _decide(
    work: Work,
    link: VendorLink,
    sage: SageVendors,
    linked: dict[str, str],
    vendors: list[SageVendor],
    now: datetime,
) -> bool:
    vendor = unpack(BillVendor, link.snapshot)
    before = (link.state, link.sage_number)
    match match_vendor(vendor, sage=sage, policy=work.policy, linked=linked):
        case Linked(number=number, reason=reason):
            _link(link, number, reason, now)
        case Create(number=number, reason=reason):
            taken = {*linked, *(one.number for one in vendors)}
            allotted = number or allot_vendor_number(
                vendor, rule=work.policy.vendor_number_rule, taken=taken
            )
            if isinstance(allotted, Problem):
                link.state, link.problem = LinkState.ASK, problem_to_dict(allotted)
            else:
                link.state, link.sage_number, link.reason = LinkState.CREATING, allotted, reason
                link.problem = None
        case Ask(problem=found, suggestions=suggestions):
            link.state, link.problem = LinkState.ASK, problem_to_dict(found)
            link.suggestions = [pack(one) for one in suggestions]
        case Ambiguous(problem=found, suggestions=suggestions):
            link.state, link.problem = LinkState.AMBIGUOUS, problem_to_dict(found)
            link.suggestions = [pack(one) for one in suggestions]
    try:
        with transaction.atomic():
            link.save()
    except IntegrityError:
        return False
    if link.sage_number:
        linked[link.sage_number] = link.bill_vendor_id
    if (link.state, link.sage_number) == before:
        return False
    sentence = link.reason if link.sage_number else str((link.problem or {}).get("sentence", ""))
    journal.write([journal.vendor_line(link, event=f"vendor.{link.state}", sentence=sentence,
                                       now=now)])  # fmt: skip
    return bool(link.sage_number)


def _link(link: VendorLink, number: str, reason: str, now: datetime) -> None:
    link.state, link.sage_number, link.reason = LinkState.LINKED, number, reason
    link.problem, link.suggestions, link.linked_at = None, [], now


def create_due(work: Work, *, until: datetime) -> int:
    """Create in Sage every vendor that has its number; return how many are linked now.

    None is begun after `until`: of a firm's first hundreds the rest follows in the next pass.
    """
    with tenant_scope(work.tenant_id):
        keys = list(
            VendorLink.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, state=LinkState.CREATING)
            .order_by("name")
            .values_list("pk", flat=True)
        )
    done = 0
    for key in keys:
        try:
            done += _create(work, key)
        except (AuthRefused, AddressRefused) as error:
            connections.pause(work, error.system or connections.SAGE, error)
            raise
        if work.clock() > until:
            break
    return done


def _load(work: Work, key: uuid.UUID) -> tuple[VendorLink, str]:
    """The link and the default account a person chose for this vendor, or for its group."""
    link = VendorLink.objects.for_tenant(work.tenant_id).get(pk=key)
    accounts = CompanyPolicy.objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
    group = link.group_code or work.policy.vendor_group
    own = accounts.vendor_accounts.get(link.bill_vendor_id, "")
    return link, str(own or accounts.group_accounts.get(group, ""))


def _create(work: Work, key: uuid.UUID) -> bool:
    with tenant_scope(work.tenant_id):
        link, account = _load(work, key)
        has_tried = link.attempts.exists()
    # The list row may be thin (BILL reference, section 4): read the vendor whole before writing.
    try:
        vendor = work.bill.get_vendor(link.bill_vendor_id)
    except NotFound:
        vendor = unpack(BillVendor, link.snapshot)
    policy = replace(work.policy, vendor_group=link.group_code or work.policy.vendor_group)
    wanted = new_vendor(vendor, number=link.sage_number, policy=policy, gl_account=account)
    if isinstance(wanted, Problem):
        _refuse(work, link, problem_to_dict(wanted), wanted.sentence)
        return False
    there = work.sage.find_vendor(link.sage_number)
    if there is not None:
        return _found(work, link, there, wanted.vendor, has_tried=has_tried)
    return _send(work, link, vendor, wanted.vendor, [problem_to_dict(w) for w in wanted.warnings])


def _found(
    work: Work, link: VendorLink, there: SageVendor, wanted: SageVendor, *, has_tried: bool
) -> bool:
    """Sage has this number: ours if we sent it and the name agrees, else somebody else's."""
    if has_tried and there.name.casefold() == wanted.name.casefold():
        _settle(work, link, there, "Created in Sage; found there after a lost answer.")
        return True
    now = work.clock()
    with tenant_scope(work.tenant_id):
        store_vendor(work, there)
        link.state, link.sage_number = LinkState.NEW, ""
        link.save()
        line = journal.vendor_line(
            link,
            event="vendor.number_taken",
            sentence=f"Sage already has a vendor {there.number} {there.name}; another number is"
            " chosen or a person is asked.",
            now=now,
        )
        journal.write([line])
    return False


def _send(
    work: Work, link: VendorLink, vendor: BillVendor, wanted: SageVendor, warnings: list[object]
) -> bool:
    body = json.dumps(pack(wanted), sort_keys=True)
    now = work.clock()
    attempt = Attempt(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        vendor_link=link,
        operation="CreateVendor",
        tag=wanted.number,
        request=body,
        request_hash=hashlib.sha256(body.encode()).hexdigest(),
        worker=work.worker,
        started_at=now,
        deadline_at=now + timedelta(seconds=settings.CONNECTOR.sage_write_seconds),
    )
    with tenant_scope(work.tenant_id):
        attempt.save(force_insert=True)
    crash_points.reach("vendor_intended")
    try:
        made = work.sage.create_vendor(wanted)
        crash_points.reach("vendor_sent")
    except (Rejected, NotFound) as error:
        _answer(work, attempt, "rejected", error)
        if error.vendor_code == "RecordDuplicate":
            return False  # read by its number in the next pass
        _refuse(work, link, None, f"{error.sentence} {error.vendor_message}".strip())
        return False
    except (OutcomeUnknown, Unreachable) as error:
        _answer(
            work, attempt, "unknown" if isinstance(error, OutcomeUnknown) else "not_sent", error
        )
        return False
    _answer(work, attempt, "ok", None)
    link.warnings = warnings
    link.sent_hash = vendor.content_hash
    _settle(work, link, replace(wanted, number=made.number or wanted.number), "Created in Sage.")
    return True


def _answer(work: Work, attempt: Attempt, outcome: str, error: IntegrationError | None) -> None:
    with tenant_scope(work.tenant_id):
        Answer.objects.create(
            tenant_id=work.tenant_id,
            attempt=attempt,
            outcome=outcome,
            http_status=error.http_status if error else 201,
            vendor_code=error.vendor_code[:60] if error else "",
            text=(error.vendor_message or str(error))[:600] if error else "",
            request_id=error.request_id[:40] if error else "",
            ended_at=work.clock(),
        )


def _settle(work: Work, link: VendorLink, vendor: SageVendor, sentence: str) -> None:
    now = work.clock()
    with tenant_scope(work.tenant_id):
        store_vendor(work, vendor)
        _link(link, vendor.number, link.reason, now)
        link.is_created_by_us = True
        link.save()
        journal.write(
            [journal.vendor_line(link, event="vendor.created", sentence=sentence, now=now)]
        )


def _refuse(work: Work, link: VendorLink, found: object, sentence: str) -> None:
    with tenant_scope(work.tenant_id):
        link.state, link.problem = LinkState.REFUSED, found
        link.reason = sentence[:300]
        link.save()
        line = journal.vendor_line(
            link, event="vendor.refused", sentence=sentence, now=work.clock()
        )
        journal.write([line])
