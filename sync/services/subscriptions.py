"""Has BILL tell us of changes: registers the letter box, keeps it alive, mends what was missed.

BILL shows a key once and switches a subscription off by itself after failed deliveries, telling
nobody. So every call that brings a key has its idempotency key stored first, and a daily look
switches the subscription on again and takes from BILL's history what did not reach us. Without it
nothing is lost: the poll is the authority, and the product says that it only polls.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from integrations.bill.client import BillClient
from integrations.bill.errors import NotPermitted
from integrations.bill.wiring import bill_address, bill_client
from integrations.errors import Disposition, IntegrationError, NotFound, Rejected
from integrations.models import (
    BillConnection,
    WebhookAddress,
    WebhookKey,
    WebhookKeyQuerySet,
    WebhookSubscription,
)
from integrations.practice import open_transport
from sync.domain.words import count_of
from sync.queries.stops import SWITCHED_OFF
from sync.services import event_history, journal
from sync.services.clients import NotReady
from sync.services.public_address import notification_url, why_polling_only
from sync.services.work import Work
from tenants.models import Company
from tenants.scoping import tenant_scope

EVENT_TYPES = tuple(
    f"{kind}.{what}"
    for kind in ("bill", "vendor")
    for what in ("created", "updated", "archived", "restored")
)
Status = WebhookSubscription.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One company's subscription business: whose, with which BILL, and now (UTC)."""

    tenant_id: uuid.UUID
    company_id: uuid.UUID
    company_name: str
    bill: BillClient
    now: datetime
    actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What came of a test notification; `status_code` is our door's answer as BILL saw it."""

    is_ok: bool
    status_code: int
    sentence: str


def open_desk(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime, actor: str = ""
) -> Desk:
    """The desk of a company; raises NotReady where its BILL cannot be asked."""
    with tenant_scope(tenant_id):
        company = Company.objects.for_tenant(tenant_id).get(pk=company_id)
        rows = BillConnection.objects.for_tenant(tenant_id)
        connection = rows.filter(company_id=company_id).first()
        if connection is None:
            raise NotReady(f"{company.name} has no connection to BILL yet; an owner adds it.")
        if connection.is_paused:
            raise NotReady(f"BILL is paused: {connection.paused_reason}")
        address = bill_address(connection)
    return Desk(
        tenant_id=tenant_id,
        company_id=company_id,
        company_name=company.name,
        bill=bill_client(address, open_transport()),
        now=now,
        actor=actor,
    )


def find(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> WebhookSubscription | None:
    """A company's row; needs the open scope."""
    rows = WebhookSubscription.objects.for_tenant(tenant_id)
    return rows.filter(company_id=company_id).first()


def register(desk: Desk) -> WebhookSubscription:
    """Subscribe where BILL can reach us and has not been asked yet; the row says what came of it.

    Raises OutcomeUnknown and the passing errors; a plain refusal becomes "polling only".
    """
    row = _row(desk)
    why = "" if row.bill_id else why_polling_only()
    if why:
        return _rest(desk, row, why)
    try:
        if not row.bill_id:
            _create(desk, row)
        if not _has_key(desk, row):
            _fetch_key(desk, row)
    except IntegrationError as error:
        if error.disposition not in {Disposition.FIX_DATA, Disposition.FIX_CONNECTION}:
            raise
        return _rest(desk, row, f"Polling only: {error.sentence}")
    if row.status != Status.REGISTERED:
        _set_status(desk, row, Status.REGISTERED, "")
        with tenant_scope(desk.tenant_id):
            _note(desk, "webhook.registered", "BILL tells us of changes to bills and vendors.")
    return row


def register_if_wanted(
    *, tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime
) -> WebhookSubscription:
    """`register`, but for a subscription that a person removed; raises NotReady as well."""
    desk = open_desk(tenant_id=tenant_id, company_id=company_id, now=now)
    row = _row(desk)
    return row if was_removed(row) else register(desk)


def was_removed(row: WebhookSubscription) -> bool:
    """Whether a person removed it, so that it is not made again by itself."""
    return not row.bill_id and row.registered_at is not None


def remove(desk: Desk) -> WebhookSubscription:
    """Have BILL forget the subscription; it is not made again until a person asks."""
    row = _row(desk)
    if row.bill_id:
        desk.bill.delete_subscription(row.bill_id)
    row.bill_id, row.idempotency_key = "", uuid.uuid4()
    with tenant_scope(desk.tenant_id):
        _keys(row).filter(valid_until=None).update(valid_until=desk.now)
        _note(desk, "webhook.removed", "The subscription was removed from BILL; it is polled.")
    return _rest(desk, row, "Polling only: the subscription was removed by a person.")


def rekey(desk: Desk) -> WebhookSubscription:
    """Take a new key; the old one stays good for late deliveries. Raises NotReady, NotFound."""
    row = _registered(desk)
    _fetch_key(desk, row)
    with tenant_scope(desk.tenant_id):
        _note(desk, "webhook.key_changed", "BILL signs its notifications with a new key.")
    return row


def test(desk: Desk) -> Tested:
    """Have BILL send a test notification. Raises NotReady, NotFound."""
    row = _registered(desk)
    sent = desk.bill.test_subscription(row.bill_id, event_type="bill.updated")
    is_ok = sent.status_code == 200
    if is_ok:
        sentence = "BILL's test notification arrived and its signature is right."
    elif sent.status_code:
        sentence = (
            f"BILL's test notification was answered {sent.status_code} at "
            f"{notification_url(row.address_id)}. Take a new key; if it stays so, the operator "
            "looks at what stands between BILL and this installation."
        )
    else:
        sentence = (
            f"BILL's test notification got no answer at {notification_url(row.address_id)}. The "
            "operator checks that this address can be reached from outside."
        )
    return Tested(is_ok=is_ok, status_code=sent.status_code, sentence=sentence)


def check_subscription(work: Work, *, is_forced: bool = False) -> str:
    """Once a day, or when forced: make, switch on again, and fill the gap. Returns what was done.

    Raises the IntegrationError family; "" where there was nothing to do.
    """
    desk = Desk(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        company_name=work.company_name,
        bill=work.bill,
        now=work.clock(),
    )
    row = _row(desk)
    due_at = desk.now - timedelta(seconds=settings.CONNECTOR.webhook_check_seconds)
    if row.last_checked_at is not None and row.last_checked_at > due_at and not is_forced:
        return ""
    if not row.bill_id:
        made = row if was_removed(row) else register(desk)
        _stamp(desk, made)
        return "Webhooks registered." if made.bill_id else ""
    try:
        return _look_after(desk, register(desk))
    except NotPermitted as error:
        # Not a reason to pause the connection: bills can be read all the same.
        _stamp(desk, _rest(desk, row, f"Polling only: {error.sentence}"))
        return row.reason


def _look_after(desk: Desk, row: WebhookSubscription) -> str:
    try:
        there = desk.bill.get_subscription(row.bill_id)
    except NotFound:
        return _renew(desk, row, "BILL no longer had the subscription; it was made anew.")
    if there.notification_url != notification_url(row.address_id):
        desk.bill.delete_subscription(row.bill_id)
        return _renew(desk, row, "Our public address has changed; the subscription was made anew.")
    done = []
    if not there.is_enabled:
        _note_switched_off(desk, row)
        desk.bill.set_subscription_enabled(row.bill_id, is_enabled=True)
        _set_status(desk, row, Status.REGISTERED, "")
        done.append("BILL had switched the subscription off; it is on again.")
    since = row.last_checked_at or row.registered_at
    missed = event_history.take_in_missed(desk.bill, row, since=since, now=desk.now)
    if missed:
        done.append(
            f"{count_of(missed, 'notification')} that never reached us: taken from BILL now."
        )
    _stamp(desk, row)
    if done:
        with tenant_scope(desk.tenant_id):
            _note(desk, "webhook.mended", " ".join(done))
    return " ".join(done)


def _note_switched_off(desk: Desk, row: WebhookSubscription) -> None:
    """Say so once, however often switching it on again fails."""
    is_news = row.status != Status.SWITCHED_OFF
    _set_status(desk, row, Status.SWITCHED_OFF, "BILL switched it off after failed deliveries.")
    if is_news:
        with tenant_scope(desk.tenant_id):
            _note(desk, SWITCHED_OFF, "BILL switched our webhooks off after failed deliveries.")


def _renew(desk: Desk, row: WebhookSubscription, sentence: str) -> str:
    row.bill_id, row.registered_at, row.idempotency_key = "", None, uuid.uuid4()
    _set_status(desk, row, Status.POLLING_ONLY, sentence)
    made = register(desk)
    _stamp(desk, made)
    return sentence if made.bill_id else made.reason


def _create(desk: Desk, row: WebhookSubscription) -> None:
    """Have BILL make the subscription and keep the key its answer brings, in one transaction."""
    url = notification_url(row.address_id)
    try:
        made = desk.bill.create_subscription(
            name=f"ml-connector {desk.company_name}"[:60],
            url=url,
            event_types=EVENT_TYPES,
            idempotency_key=row.idempotency_key,
        )
    except Rejected:
        # BILL refuses a twin: an answer of ours was lost longer ago than it repeats one.
        twins = [each for each in desk.bill.list_subscriptions() if each.notification_url == url]
        if not twins:
            raise
        made = twins[0]
    row.bill_id, row.registered_at, row.idempotency_key = made.id, desk.now, uuid.uuid4()
    with tenant_scope(desk.tenant_id):
        row.save()
        _keys(row).filter(valid_until=None).update(valid_until=desk.now)
        if made.security_key:
            _add_key(desk, row, made.security_key)


def _fetch_key(desk: Desk, row: WebhookSubscription) -> None:
    """Have BILL make a key and keep it at once; the one before stays good for a while."""
    key = desk.bill.rotate_key(row.bill_id, idempotency_key=row.idempotency_key)
    row.idempotency_key = uuid.uuid4()
    old_until = desk.now + timedelta(seconds=settings.CONNECTOR.webhook_old_key_seconds)
    with tenant_scope(desk.tenant_id):
        row.save()
        _keys(row).filter(valid_until=None).update(valid_until=old_until)
        _add_key(desk, row, key)


def _add_key(desk: Desk, row: WebhookSubscription, key: str) -> None:
    WebhookKey.objects.create(
        tenant_id=desk.tenant_id, subscription=row, key=key, created_at=desk.now
    )


def _has_key(desk: Desk, row: WebhookSubscription) -> bool:
    with tenant_scope(desk.tenant_id):
        return _keys(row).filter(valid_until=None).exists()


def _row(desk: Desk) -> WebhookSubscription:
    """The company's row and letter box, made where they are missing, and stored."""
    with tenant_scope(desk.tenant_id):
        address, _ = WebhookAddress.objects.get_or_create(
            company_id=desk.company_id,
            defaults={"tenant_id": desk.tenant_id, "created_at": desk.now},
        )
        row, _ = WebhookSubscription.objects.for_tenant(desk.tenant_id).get_or_create(
            company_id=desk.company_id,
            defaults={"tenant_id": desk.tenant_id, "address_id": address.pk},
        )
        return row


def _registered(desk: Desk) -> WebhookSubscription:
    row = _row(desk)
    if not row.bill_id:
        raise NotReady(row.reason or why_polling_only() or "No subscription is registered.")
    return row


def _rest(desk: Desk, row: WebhookSubscription, why: str) -> WebhookSubscription:
    _set_status(desk, row, Status.POLLING_ONLY, why)
    return row


def _set_status(desk: Desk, row: WebhookSubscription, status: Status, reason: str) -> None:
    row.status, row.reason = status, reason
    with tenant_scope(desk.tenant_id):
        row.save()


def _stamp(desk: Desk, row: WebhookSubscription) -> None:
    row.last_checked_at = desk.now
    with tenant_scope(desk.tenant_id):
        row.save(update_fields=["last_checked_at"])


def _keys(row: WebhookSubscription) -> WebhookKeyQuerySet:
    return WebhookKey.objects.for_tenant(row.tenant_id).filter(subscription=row)


def _note(desk: Desk, event: str, sentence: str) -> None:
    line = journal.company_line(
        tenant_id=desk.tenant_id,
        company_id=desk.company_id,
        event=event,
        sentence=sentence,
        now=desk.now,
        actor=desk.actor,
    )
    journal.write([line])
