"""Writes a mail out: subject, plain text first, and one column of HTML that says the same.

Amounts, names and sentences of ours; never a tax id, bank data or a secret, because none of the
values it is given holds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string

from integrations.models import Sage300Connection
from sync.domain.digest import Digest, subject_of
from sync.domain.moments import Moments
from sync.domain.telling import Stop
from sync.domain.words import count_of, money
from sync.models.mail import DIGEST
from sync.queries.mails import Reader
from sync.queries.stops import page_of
from sync.services.mail_links import StopLink, stop_path, whole
from tenants.models import Company

WORDS_WIDTH, COUNT_WIDTH, AMOUNT_WIDTH = 34, 12, 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail ready to go."""

    subject: str
    text: str
    html: str


def write_stop(company: Company, reader: Reader, stop: Stop, *, now: datetime) -> Written:
    """The instant mail about one cause."""
    counted = ""
    if stop.amount is not None:
        amount = money(stop.amount, company.currency)
        counted = f"{count_of(stop.count, 'bill')}, {amount} {company.currency}"
    moments = Moments(zone=reader.zone, now=now)
    fact = stop.title if stop.amount is None else f"{stop.title}, {_amount(stop, company)}"
    return _written(
        "stop",
        company,
        reader,
        kind=stop.kind.value,
        subject=subject_of(company.name, fact),
        now=now,
        context={
            "stop": stop,
            "counted": counted,
            "since": moments.full(stop.since) if stop.since else "",
            "link": whole(stop.path),
            "why": f"To {reader.user.email} as {reader.role} of {company.name}, at once and once a"
            " cause: something stops the flow.",
            "stop_words": "Stop mails of this kind",
        },
    )


def _amount(stop: Stop, company: Company) -> str:
    return money(stop.amount, company.currency) if stop.amount is not None else ""


def write_digest(company: Company, reader: Reader, digest: Digest, *, now: datetime) -> Written:
    """The daily mail."""
    tie, moments = digest.tie, Moments(zone=reader.zone, now=now)
    read = f"; read from Sage {moments.short(tie.read_at)}" if tie.read_at else ""
    return _written(
        "digest",
        company,
        reader,
        kind=DIGEST,
        subject=digest.subject,
        now=now,
        context={
            "digest": digest,
            "tie_said": f"Since {moments.short(tie.since)}{read}; {digest.currency}",
            "sum_lines": _sum_lines(digest),
            "needs": [
                {
                    "need": need,
                    "link": whole(need.path),
                    "amount": "" if need.amount is None else money(need.amount, digest.currency),
                }
                for need in digest.needs
            ],
            "today": whole(page_of(company, "today")),
            "why": f"To {reader.user.email} as {reader.role} of {company.name},"
            f" {reader.choice.rhythm}, and not when there is nothing to say.",
            "stop_words": "Stop the daily mail",
        },
    )


def _sum_lines(digest: Digest) -> list[str]:
    """The addition of the plain text, in columns."""
    tie, currency = digest.tie, digest.currency
    lines = [_line("Sent from BILL", count_of(tie.count, "bill"), money(tie.amount, currency))]
    lines += [
        _line(f"  {share.words}", str(share.count or ""), money(-share.amount, currency))
        for share in tie.shares
    ]
    lines.append("-" * (WORDS_WIDTH + COUNT_WIDTH + AMOUNT_WIDTH))
    lines.append(_line("Unexplained", "", money(tie.unexplained, currency)))
    return lines


def _line(words: str, count: str, amount: str) -> str:
    return f"{words:<{WORDS_WIDTH}}{count:>{COUNT_WIDTH}}{amount:>{AMOUNT_WIDTH}}"


def _written(
    template: str,
    company: Company,
    reader: Reader,
    *,
    kind: str,
    subject: str,
    now: datetime,
    context: dict[str, object],
) -> Written:
    moments = Moments(zone=reader.zone, now=now)
    rows = Sage300Connection.objects.for_tenant(company.tenant_id)
    link = StopLink(
        tenant_id=company.tenant_id, company_id=company.pk, user_id=reader.user.pk, kind=kind
    )
    values = {
        **context,
        "company": company,
        "subject": subject,
        "database": rows.filter(company=company).values_list("company_database", flat=True).first(),
        "when": f"{moments.full(now)}, {moments.zone_name}",
        "choices": whole(page_of(company, "notifications")),
        "stop_link": whole(stop_path(link)),
    }
    return Written(
        subject=subject,
        text=render_to_string(f"sync/mail/{template}.txt", values),
        html=render_to_string(f"sync/mail/{template}.html", values),
    )
