"""What stops a company's flow now, as something people are told of at once.

Each stop is read from what the rows say today, so it is gone by itself once it is mended. A paused
company has none: a person stopped it, and knows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Min, Sum
from django.urls import reverse

from integrations.models import BillConnection, Sage300Connection, WebhookSubscription
from sync.domain.posting_state import BEING_SENT, AttentionMode, PostingState
from sync.domain.telling import Kind, Stop
from sync.domain.words import count_of, listed
from sync.models import Batch, CompanyPolicy, LogEntry, Posting, Run
from sync.models.posting import PostingQuerySet
from sync.queries.causes import MODES
from tenants.models import Company

#: How the reason of a connection begins that somebody is just setting up.
NOT_CONNECTED_YET = "Not connected yet"
#: How the sentence ends of a run that may send nothing until somebody decides.
HOW_TO_GO_ON = (
    "An operator runs `manage.py decide_restore`, which lists the batches and takes the decisions."
)
#: The log's event for a subscription that BILL switched off.
SWITCHED_OFF = "webhook.switched_off"
NAMED_BILLS = 3
REFUSED_FIELDS = (
    "batch_id", "sentence", "mode", "sage_batch_number", "vendor_name", "invoice_number", "since",
)  # fmt: skip
BILL, SAGE = "BILL", "Sage 300"
HERE = "an owner mends it here"
S = PostingState


def find_stops(company: Company, *, now: datetime) -> list[Stop]:
    """Everything that stops this company, gravest first; inside the tenant's scope."""
    if company.is_paused:
        return []
    runs = Run.objects.for_tenant(company.tenant_id).filter(company=company)
    last_run = runs.exclude(ended_at=None).order_by("-started_at").first()
    paused, silent = _connections(company, last_run, now)
    held = [] if paused else _held(company, last_run)
    return [*paused, *silent, *held, *_unsettled(company, now), *_refused(company),
            *_webhooks(company, now)]  # fmt: skip


def page_of(company: Company, name: str, **parts: object) -> str:
    """The path of a page of this company."""
    slugs = {"tenant_slug": company.tenant.slug, "company_slug": company.slug}
    return reverse(f"sync:{name}", kwargs={**slugs, **parts})


def _postings(company: Company) -> PostingQuerySet:
    return Posting.objects.for_tenant(company.tenant_id).of_company(company.pk)


def _sum(rows: PostingQuerySet) -> tuple[int, Decimal]:
    found = rows.aggregate(count=Count("pk"), amount=Sum("amount"))
    return found["count"], found["amount"] or Decimal(0)


# --- the two systems ------------------------------------------------------------------------------


def _connections(
    company: Company, last_run: Run | None, now: datetime
) -> tuple[list[Stop], list[Stop]]:
    """Those that are paused, and those that were asked lately and have not answered for long."""
    owned = CompanyPolicy.objects.for_tenant(company.tenant_id).filter(company=company).first()
    cadence = owned.policy().cadence_seconds if owned else 0
    patience = timedelta(seconds=max(settings.CONNECTOR.tell_silence_seconds, 3 * cadence))
    asked_at = last_run.ended_at if last_run else None
    was_asked = asked_at is not None and asked_at > now - patience
    paused, silent = [], []
    rows: dict[str, BillConnection | Sage300Connection | None] = {
        SAGE: Sage300Connection.objects.for_tenant(company.tenant_id)
        .filter(company=company)
        .first(),
        BILL: BillConnection.objects.for_tenant(company.tenant_id).filter(company=company).first(),
    }
    for name, row in rows.items():
        if row is None:
            continue
        if row.is_paused and not row.paused_reason.startswith(NOT_CONNECTED_YET):
            paused.append(_paused(company, name, row.paused_reason, row.paused_at or now))
        elif was_asked and not row.is_paused and (row.last_ok_at or now) < now - patience:
            silent.append(_silent(company, name, row.last_ok_at or now))
    return paused, silent


def _paused(company: Company, name: str, reason: str, at: datetime) -> Stop:
    count, amount, what = _waiting_for(company, name)
    return Stop(
        kind=Kind.CONNECTION,
        keys=(f"{name}.paused.{at.isoformat()}",),
        title=f"{name} is paused, {what}",
        sentence=reason,
        side=HERE,
        path=page_of(company, "connections"),
        button="Open Connections",
        since=at,
        count=count,
        amount=amount if count else None,
    )


def _silent(company: Company, name: str, last: datetime) -> Stop:
    count, amount, what = _waiting_for(company, name)
    return Stop(
        kind=Kind.CONNECTION,
        keys=(f"{name}.silent.{last.isoformat()}",),
        title=f"{name} does not answer, {what}",
        sentence=f"{name} is asked again and again by itself, and the bills go on once it answers."
        " If it stays away, ask who looks after it.",
        side="ask your IT if it stays away",
        path=page_of(company, "runs"),
        button="Open Runs",
        since=last,
        count=count,
        amount=amount if count else None,
    )


def _waiting_for(company: Company, name: str) -> tuple[int, Decimal, str]:
    if name == BILL:
        return 0, Decimal(0), "nothing new is read"
    count, amount = _sum(_postings(company).in_state(S.READY, *BEING_SENT))
    if not count:
        return 0, amount, "nothing is sent"
    return count, amount, f"{count_of(count, 'bill')} {'waits' if count == 1 else 'wait'}"


# --- batches --------------------------------------------------------------------------------------


def _held(company: Company, last: Run | None) -> list[Stop]:
    """Sending that waits for a person's decision, as after a restore of Sage.

    A run is paused for other reasons too: a connection that was paused when it began.
    """
    if last is None or HOW_TO_GO_ON not in last.sentence:
        return []
    return [
        Stop(
            kind=Kind.UNSETTLED,
            keys=("held",),
            title="Sending to Sage is held until somebody decides",
            sentence=last.sentence,
            side="your operator decides",
            path=page_of(company, "runs"),
            button="Open Runs",
            since=last.ended_at,
        )
    ]


def _unsettled(company: Company, now: datetime) -> list[Stop]:
    limit = now - timedelta(seconds=settings.CONNECTOR.tell_unsettled_seconds)
    batches = list(
        Batch.objects.for_tenant(company.tenant_id)
        .filter(company=company, settled_at=None, made_at__lt=limit)
        .order_by("made_at")
        .values("pk", "why", "made_at")
    )
    if not batches:
        return []
    rows = _postings(company).filter(batch__in=[each["pk"] for each in batches])
    count, amount = _sum(rows.in_state(*BEING_SENT))
    what = f"outcome of {count_of(count, 'bill')}" if count else "outcome of a batch"
    return [
        Stop(
            kind=Kind.UNSETTLED,
            keys=tuple(f"batch.{each['pk']}" for each in batches),
            title=f"The {what} in Sage is not settled",
            sentence=f"{batches[-1]['why']} They are looked up in Sage and not sent again until"
            " Sage shows that they are not there.".strip(),
            side="nobody needs to act, unless it stays so",
            path=f"{page_of(company, 'postings')}?state=uncertain",
            button="Open these bills",
            since=batches[0]["made_at"],
            count=count,
            amount=amount if count else None,
        )
    ]


def _refused(company: Company) -> list[Stop]:
    """One stop for each batch of which bills did not go through."""
    grouped = (
        _postings(company)
        .filter(state=S.ATTENTION, batch__isnull=False)
        .values("batch_id")
        .annotate(n=Count("pk"), total=Sum("amount"), first=Min("since"))
        .order_by("first")
    )
    found = list(grouped)
    if not found:
        return []
    behind: dict[object, list[Posting]] = {}
    rows = _postings(company).filter(state=S.ATTENTION, batch__in=[g["batch_id"] for g in found])
    # What was sent would come along with each row, and a mail needs none of it.
    for row in rows.only(*REFUSED_FIELDS).order_by("since", "pk"):
        behind.setdefault(row.batch_id, []).append(row)
    return [
        _of_batch(company, behind[group["batch_id"]], group["total"], group["first"])
        for group in found
    ]


def _of_batch(
    company: Company, rows: list[Posting], total: Decimal | None, since: datetime
) -> Stop:
    first = rows[0]
    one = len(rows) == 1
    names = [_name(row) for row in rows[:NAMED_BILLS]]
    more = len(rows) - len(names)
    path = page_of(company, "attention")
    return Stop(
        kind=Kind.REFUSED,
        keys=(f"refused.{first.batch_id}",),
        title=_refused_title(first) if one else f"{len(rows)} bills of a batch did not go through",
        sentence=first.sentence
        if one
        else f"{listed([*names, *([f'{more} more'] if more else [])])}: each has its reason on the"
        " page. The others of the batch went on.",
        side=MODES[AttentionMode(first.mode)].label,
        path=page_of(company, "posting", posting_id=first.pk) if one else path,
        button="Open this bill" if one else "Open Attention",
        since=since,
        count=len(rows),
        amount=total,
    )


def _refused_title(row: Posting) -> str:
    if row.sage_batch_number is not None:
        return f"{_name(row)} is not in Sage as it was sent"
    if row.in_sage_at is not None:
        return f"{_name(row)} is not in Sage any more"
    return f"Sage did not take {_name(row)}"


def _name(row: Posting) -> str:
    return f"{row.vendor_name} {row.invoice_number}".strip()


# --- webhooks -------------------------------------------------------------------------------------


def _webhooks(company: Company, now: datetime) -> list[Stop]:
    recent = now - timedelta(seconds=settings.CONNECTOR.tell_switched_off_seconds)
    lines = LogEntry.objects.for_tenant(company.tenant_id).filter(
        company=company, at__gte=recent, event=SWITCHED_OFF
    )
    line = lines.order_by("-at").values("pk", "at").first()
    subscription = WebhookSubscription.objects.for_tenant(company.tenant_id)
    status = subscription.filter(company=company).values_list("status", flat=True).first()
    is_off = status == WebhookSubscription.Status.SWITCHED_OFF
    if line is None and not is_off:
        return []
    title = "BILL had switched our webhooks off; they are on again"
    return [
        Stop(
            kind=Kind.WEBHOOKS,
            keys=(f"webhooks.{line['pk'] if line else 'off'}",),
            title="BILL has switched our webhooks off" if is_off else title,
            sentence="BILL does that after deliveries that did not reach us. Nothing is lost: bills"
            " are found by asking, and what was missed is read from BILL's history.",
            side="nobody needs to act, unless it comes again",
            path=page_of(company, "connections"),
            button="Open Connections",
            since=line["at"] if line else None,
        )
    ]
