"""Tells people: decides which mails are due for a company, writes them down, and sends them.

A mail is a row before it is a mail. The row is what keeps two workers from telling the same thing
twice and a failing mail server from losing it: whoever adds the row first tells, and a row that was
not sent stays due. Nothing is written down while mail is not set up, so that on the day it is, what
stands then is told.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from sync.domain.telling import Kind, Stop, digest_day, next_digest_at, untold
from sync.models import Mail
from sync.models.mail import DIGEST, MailState
from sync.queries.digest import digest_of
from sync.queries.mails import ASKED, Reader, last_digest_at, mails_of, readers_of
from sync.queries.stops import find_stops
from sync.services.mail_links import why_no_mail
from sync.services.mail_sending import next_try_at, send_due
from sync.services.mail_writing import Written, write_digest, write_stop
from sync.services.work import Clock
from tenants.models import Company
from tenants.scoping import tenant_scope

MENDED = "Mended before it could be sent."


def tell_company(*, tenant_id: uuid.UUID, company_id: uuid.UUID, clock: Clock) -> float:
    """Write down and send what is due for a company; return in how many seconds to look again.

    Safe to run by two workers at once. Sends outside any transaction.
    """
    look_again = settings.CONNECTOR.mail_look_seconds
    if why_no_mail():
        return look_again
    now = clock()
    with tenant_scope(tenant_id):
        company = _company(tenant_id, company_id)
        if company.tenant.is_suspended:
            return look_again
        readers = readers_of(company)
        _plan(company, readers, now)
    send_due(tenant_id=tenant_id, company_id=company_id, clock=clock)
    return _seconds_until_next(tenant_id, company_id, readers, clock())


def ask_for_digest(company: Company, reader: Reader, *, now: datetime) -> Mail | None:
    """Write down today's digest because a person asked; None where there is nothing to say.

    Asked for twice within a minute it is one mail. Inside the tenant's scope.
    """
    cause = f"{ASKED}{now:%Y-%m-%dT%H:%M}"
    written = _digest(company, reader, find_stops(company, now=now), now)
    if written is None:
        return None
    _keep([_mail(company, reader, kind=DIGEST, cause=cause, written=written, now=now)])
    return mails_of(company).filter(user=reader.user, kind=DIGEST, cause=cause).first()


def _company(tenant_id: uuid.UUID, company_id: uuid.UUID) -> Company:
    rows = Company.objects.for_tenant(tenant_id).select_related("tenant")
    return rows.get(pk=company_id)


def _plan(company: Company, readers: Iterable[Reader], now: datetime) -> None:
    """Add a row for everything somebody is to be told; those that stand already stay one."""
    stops = find_stops(company, now=now)
    # A paused company has no stops, and what it was told of before has not been mended by that.
    told = {} if company.is_paused else _told(company, stops, now)
    mails = []
    for reader in readers:
        known = told.get(reader.user.pk, set())
        for stop in untold(stops, choice=reader.choice, told=known):
            written = write_stop(company, reader, stop, now=now)
            mails.append(_about(company, reader, stop, written, now))
        mails += _daily(company, reader, stops, now)
    _keep(mails)
    keep_from = now - timedelta(days=settings.CONNECTOR.mail_record_days)
    mails_of(company).exclude(kind__in=list(Kind), ended_at=None).filter(
        made_at__lt=keep_from
    ).delete()


def _told(company: Company, stops: list[Stop], now: datetime) -> dict[uuid.UUID, set[str]]:
    """What each person was told and still stands; what was mended, or is to be said again, ends."""
    present = {key for stop in stops for key in stop.keys}
    again = timedelta(hours=settings.CONNECTOR.tell_again_hours)
    told: dict[uuid.UUID, set[str]] = {}
    standing = mails_of(company).filter(ended_at=None, kind__in=list(Kind))
    for mail in standing.defer("text", "html"):
        is_old = bool(again) and mail.made_at <= now - again and mail.state != MailState.DUE
        if (is_old or not mail.keys & present) and _end(company, mail, now):
            continue
        told.setdefault(mail.user_id, set()).update(mail.keys)
    return told


def _end(company: Company, mail: Mail, now: datetime) -> bool:
    """End one row; False where another worker did, who then tells again."""
    rows = mails_of(company).filter(pk=mail.pk, ended_at=None)
    if not rows.update(ended_at=now):
        return False
    unsent = rows.model.objects.for_tenant(company.tenant_id).filter(
        Q(claimed_until=None) | Q(claimed_until__lt=now), pk=mail.pk, state=MailState.DUE
    )
    unsent.update(state=MailState.DROPPED, why=MENDED, text="", html="")
    return True


def _daily(company: Company, reader: Reader, stops: list[Stop], now: datetime) -> list[Mail]:
    """The daily mail where its hour has come; a row also where there is nothing to say."""
    day = digest_day(reader.choice, zone=reader.zone, since=reader.since, now=now)
    if day is None:
        return []
    cause = day.isoformat()
    if mails_of(company).filter(user=reader.user, kind=DIGEST, cause=cause).exists():
        return []
    written = _digest(company, reader, stops, now)
    return [_mail(company, reader, kind=DIGEST, cause=cause, written=written, now=now)]


def _digest(company: Company, reader: Reader, stops: list[Stop], now: datetime) -> Written | None:
    since = last_digest_at(company, reader.user.pk, now=now)
    digest = digest_of(company, stops=stops, since=since, zone=reader.zone, now=now)
    if not digest.has_something_to_say:
        return None
    return write_digest(company, reader, digest, now=now)


def _about(company: Company, reader: Reader, stop: Stop, written: Written, now: datetime) -> Mail:
    first, *others = stop.keys
    mail = _mail(company, reader, kind=stop.kind, cause=first, written=written, now=now)
    mail.also = others
    return mail


def _mail(
    company: Company,
    reader: Reader,
    *,
    kind: str,
    cause: str,
    written: Written | None,
    now: datetime,
) -> Mail:
    mail = Mail(
        tenant_id=company.tenant_id,
        company_id=company.pk,
        user_id=reader.user.pk,
        kind=kind,
        cause=cause,
        address=reader.user.email,
        made_at=now,
        not_before=now,
    )
    if written is None:
        mail.state, mail.subject = MailState.NOTHING, "Nothing to say"
    else:
        mail.subject, mail.text, mail.html = written.subject, written.text, written.html
    return mail


def _keep(mails: list[Mail]) -> None:
    """Add the rows; where another worker was first, its row stands and ours is none."""
    Mail.objects.bulk_create(mails, ignore_conflicts=True)


def _seconds_until_next(
    tenant_id: uuid.UUID, company_id: uuid.UUID, readers: Iterable[Reader], now: datetime
) -> float:
    digests = [next_digest_at(each.choice, zone=each.zone, now=now) for each in readers]
    retry = next_try_at(tenant_id=tenant_id, company_id=company_id)
    soonest = min(filter(None, [*digests, retry]), default=None)
    look_again = settings.CONNECTOR.mail_look_seconds
    if soonest is None:
        return look_again
    return min(look_again, max(1.0, (soonest - now).total_seconds()))
