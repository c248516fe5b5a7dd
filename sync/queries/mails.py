"""Who may be told of a company, what each of them chose, and what they were told lately."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sync.domain.telling import Choice, default_choice
from sync.models import Mail, MailChoice
from sync.models.mail import DIGEST
from tenants.models import Company, Membership, User
from tenants.scoping import TenantQuerySet

SHOWN_MAILS = 12
#: How the cause of a daily mail begins that a person asked for; the others are a date.
ASKED = "asked "
LONGEST_SINCE = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One person as mail is written to them; `since` is when this choice began to count."""

    user: User
    role: str
    zone: ZoneInfo
    choice: Choice
    since: datetime
    is_chosen: bool = False


def readers_of(company: Company) -> list[Reader]:
    """Every active person of the tenant; inside its scope."""
    members = Membership.objects.filter(tenant=company.tenant_id, user__is_active=True)
    chosen = {row.user_id: row for row in _choices(company)}
    return [
        _reader(company, member, chosen.get(member.user_id))
        for member in members.select_related("user").order_by("user__email")
    ]


def reader_of(company: Company, user_id: uuid.UUID) -> Reader | None:
    """One person of the tenant, None for anybody else; inside its scope."""
    members = Membership.objects.filter(
        tenant=company.tenant_id, user_id=user_id, user__is_active=True
    )
    member = members.select_related("user").first()
    if member is None:
        return None
    return _reader(company, member, _choices(company).filter(user=user_id).first())


def _choices(company: Company) -> TenantQuerySet[MailChoice]:
    return MailChoice.objects.for_tenant(company.tenant_id).filter(company=company)


def _reader(company: Company, member: Membership, row: MailChoice | None) -> Reader:
    own = member.user.time_zone
    return Reader(
        user=member.user,
        role=member.role,
        zone=ZoneInfo(own if own != "UTC" else company.time_zone),
        choice=row.choice() if row else default_choice(member.role),
        since=row.changed_at if row else member.created_at,
        is_chosen=row is not None,
    )


def mails_of(company: Company) -> TenantQuerySet[Mail]:
    """Every mail about a company."""
    return Mail.objects.for_tenant(company.tenant_id).filter(company=company)


def latest_mails(company: Company, user_id: uuid.UUID) -> Sequence[Mail]:
    """What this person was told lately, newest first."""
    return list(mails_of(company).filter(user=user_id).order_by("-made_at", "-pk")[:SHOWN_MAILS])


def last_digest_at(company: Company, user_id: uuid.UUID, *, now: datetime) -> datetime:
    """From when the next daily mail tells: the last one, else a day ago; a week at most."""
    rows = mails_of(company).filter(user=user_id, kind=DIGEST).exclude(cause__startswith=ASKED)
    last = rows.order_by("-made_at").values_list("made_at", flat=True).first()
    return max(last or now - timedelta(days=1), now - LONGEST_SINCE)
