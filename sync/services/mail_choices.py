"""What a person wants to be told: chosen on their page, or stopped by the link in a mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sync.domain.telling import Choice, Days, Kind
from sync.models import MailChoice
from sync.models.mail import DIGEST
from sync.queries.mails import Reader, reader_of
from sync.services.mail_links import StopLink
from tenants.models import Company, User


def choose(company: Company, user: User, choice: Choice, *, now: datetime) -> None:
    """Keep a person's choice for one company; inside the tenant's scope."""
    MailChoice.objects.update_or_create(
        company=company,
        user=user,
        tenant_id=company.tenant_id,
        defaults={
            "kinds": sorted(kind.value for kind in choice.kinds),
            "digest_days": choice.days,
            "digest_hour": choice.hour,
            "changed_at": now,
        },
    )


def find_reader(link: StopLink) -> tuple[Company, Reader] | None:
    """Whose mails a link is about; None when they left. Inside the tenant's scope."""
    rows = Company.objects.for_tenant(link.tenant_id).select_related("tenant")
    company = rows.filter(pk=link.company_id).first()
    reader = reader_of(company, link.user_id) if company else None
    return (company, reader) if company and reader else None


def is_wanted(choice: Choice, kind: str) -> bool:
    """Whether mails of this kind still go."""
    if kind == DIGEST:
        return choice.days is not Days.NEVER
    return kind in choice.kinds


def stop(company: Company, reader: Reader, kind: str, *, now: datetime) -> None:
    """Send this person no more mails of this kind; harmless to repeat. Inside the scope."""
    if not is_wanted(reader.choice, kind):
        return
    if kind == DIGEST:
        choice = replace(reader.choice, days=Days.NEVER)
    else:
        choice = replace(reader.choice, kinds=reader.choice.kinds - {Kind(kind)})
    choose(company, reader.user, choice, now=now)


def set_zone(user: User, zone: str, *, shown: str) -> None:
    """Keep another time zone than the one the person was shown; it counts on every page."""
    if zone == shown:
        return
    user.time_zone = zone
    user.save(update_fields=["time_zone"])
