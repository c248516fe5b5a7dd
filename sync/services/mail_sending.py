"""Hands mails to the mail server: claimed by one worker, sent outside any transaction, recorded.

A worker that dies between the server's yes and our record leaves the claim to run out, and the mail
goes once more under the same Message-ID, which mail programs show once: a mail twice is the lesser
harm than one never. A server that does not take it is asked again with growing pauses, and then the
row says so in words.
"""

from __future__ import annotations

import logging
import random
import smtplib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Min, Q
from django.db.models.functions import Greatest

from sync.domain.backoff import FailureKind, Limits, retry_at
from sync.domain.words import shown
from sync.models import Mail
from sync.models.mail import MailState
from sync.services.mail_links import StopLink, stop_path, whole
from sync.services.work import Clock
from tenants.models import Membership
from tenants.scoping import tenant_scope

log = logging.getLogger(__name__)

MOST_AT_ONCE = 100
LONGEST_PAUSE_SECONDS = 3600.0
NO_MEMBER = "This person does not belong to the firm any more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a mail was not taken; `is_final` when asking again cannot help."""

    sentence: str
    is_final: bool = False
    is_server_away: bool = False


def send_due(*, tenant_id: uuid.UUID, company_id: uuid.UUID, clock: Clock) -> int:
    """Send every mail of a company that is due; stop where the server itself is away, or so slow that
    the rest is for a next job.
    """
    sent = 0
    ends = clock() + timedelta(seconds=settings.CONNECTOR.mail_claim_seconds)
    for _ in range(MOST_AT_ONCE):
        if clock() > ends:
            break
        mail = _claim(tenant_id, company_id, clock())
        if mail is None:
            break
        refusal = _hand_over(mail)
        _record(mail, refusal, now=clock())
        sent += refusal is None
        if refusal is not None and refusal.is_server_away:
            break
    return sent


def next_try_at(*, tenant_id: uuid.UUID, company_id: uuid.UUID) -> datetime | None:
    """When the next mail of a company is to be tried, None when none waits."""
    with tenant_scope(tenant_id):
        rows = Mail.objects.for_tenant(tenant_id).filter(company_id=company_id, state=MailState.DUE)
        # PostgreSQL's GREATEST leaves an empty claim out.
        found = rows.aggregate(at=Min(Greatest("not_before", "claimed_until")))
    at: datetime | None = found["at"]
    return at


def _claim(tenant_id: uuid.UUID, company_id: uuid.UUID, now: datetime) -> Mail | None:
    """Be the one who sends the next mail; None when nothing is due."""
    with tenant_scope(tenant_id):
        rows = Mail.objects.for_tenant(tenant_id).filter(
            Q(claimed_until=None) | Q(claimed_until__lt=now),
            company_id=company_id,
            state=MailState.DUE,
            not_before__lte=now,
        )
        held = rows.select_for_update(skip_locked=True, of=("self",))
        while (mail := held.order_by("made_at", "pk").select_related("user").first()) is not None:
            if _still_belongs(mail):
                mail.tries += 1
                mail.address = mail.user.email
                seconds = settings.CONNECTOR.mail_claim_seconds
                mail.claimed_until = now + timedelta(seconds=seconds)
                mail.save(update_fields=["tries", "address", "claimed_until"])
                return mail
            _close(mail, MailState.DROPPED, why=NO_MEMBER)
    return None


def _still_belongs(mail: Mail) -> bool:
    members = Membership.objects.filter(tenant=mail.tenant_id, user=mail.user_id)
    return members.filter(user__is_active=True).exists()


def _hand_over(mail: Mail) -> Refusal | None:
    """Give the mail to the mail server once; None when it took it."""
    message = EmailMultiAlternatives(
        subject=mail.subject, body=mail.text, to=[mail.address], headers=_headers(mail)
    )
    message.attach_alternative(mail.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(mail, error.recipients)
    except smtplib.SMTPAuthenticationError:
        return Refusal(
            sentence="The mail server refuses our sign-in. The operator checks EMAIL_URL.",
            is_server_away=True,
        )
    except smtplib.SMTPDataError as error:
        return Refusal(
            sentence=f"The mail server did not take the mail: {_said(error.smtp_error)}",
            is_final=error.smtp_code >= 500,
        )
    except (OSError, smtplib.SMTPException) as error:
        return Refusal(
            sentence=f"The mail server could not be asked: {shown(str(error), 120)}.",
            is_server_away=True,
        )
    return None


def _headers(mail: Mail) -> dict[str, str]:
    link = StopLink(
        tenant_id=mail.tenant_id, company_id=mail.company_id, user_id=mail.user_id, kind=mail.kind
    )
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return {
        "Message-ID": f"<{mail.pk}@{host}>",
        "Auto-Submitted": "auto-generated",
        "List-Unsubscribe": f"<{whole(stop_path(link))}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _refused(mail: Mail, recipients: Mapping[str, tuple[int, bytes | str]]) -> Refusal:
    code, words = next(iter(recipients.values()), (550, ""))
    return Refusal(
        sentence=f"The mail server refuses the address {mail.address}: {_said(words)}",
        is_final=code >= 500,
    )


def _said(words: bytes | str) -> str:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{shown(text, 120) or 'it gave no reason'}."


def _record(mail: Mail, refusal: Refusal | None, *, now: datetime) -> None:
    """Store how it ended; a refusal that may pass sets the next try."""
    with tenant_scope(mail.tenant_id):
        if refusal is None:
            _close(mail, MailState.SENT, sent_at=now)
            return
        knobs = settings.CONNECTOR
        at = retry_at(
            FailureKind.UNREACHABLE,
            failures=mail.tries,
            now=now,
            uniform=random.uniform,
            limits=Limits(
                base_seconds=knobs.mail_retry_seconds,
                cap_seconds=LONGEST_PAUSE_SECONDS,
                tries=knobs.mail_tries - 1,
            ),
        )
        if refusal.is_final or at is None:
            _close(mail, MailState.FAILED, why=refusal.sentence)
            log.error("mail.not_sent", extra={"mail_id": str(mail.pk), "tries": mail.tries})
            return
        _write(mail, claimed_until=None, not_before=at, why=refusal.sentence[:300])


def _close(mail: Mail, state: MailState, *, why: str = "", sent_at: datetime | None = None) -> None:
    """No more tries: what it said is not kept, only that and how it ended."""
    _write(mail, state=state, why=why[:300], sent_at=sent_at, claimed_until=None, text="", html="")


def _write(mail: Mail, **values: object) -> None:
    """Store an outcome, unless our claim ran out and another worker has tried since."""
    rows = Mail.objects.for_tenant(mail.tenant_id).filter(pk=mail.pk, state=MailState.DUE)
    rows.filter(tries=mail.tries).update(**values)
