"""Follows a provision file: all of it or nothing, and nothing new when it is followed again.

First what needs BILL or Sage is asked, with no transaction open; then everything is written in one
transaction, which is taken back where a fault shows itself on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.models import BillConnection, Sage300Connection
from sync.services import turns
from sync.services.provisioning import connecting, rules
from sync.services.provisioning.company import CompanyEntry
from sync.services.provisioning.document import (
    Document,
    OperatorEntry,
    PersonEntry,
    TokenEntry,
    read_document,
)
from sync.services.provisioning.outcome import (
    CompanyMade,
    Outcome,
    PersonMade,
    Refused,
    TenantMade,
    TokenMade,
    Warned,
)
from sync.services.provisioning.resolving import Ids, mentions, resolve
from sync.services.provisioning.shape import Reading
from tenants import audit
from tenants.enrolment import create_company, create_tenant, enrol
from tenants.models import ApiToken, Company, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was found out for one company before anything is written."""

    pointer: str
    ids: Ids
    is_proved: bool


def provision(value: object, *, reading: Reading, now: datetime) -> Outcome:
    """Follow the file's content; raises Refused with every fault, and then nothing has changed."""
    document = read_document(value, reading)
    if document is None:
        raise Refused(reading.found)
    asked = _ask(document, reading)
    if reading.found:
        raise Refused(reading.found)
    with transaction.atomic():
        outcome = _write(document, asked, reading, now)
        if reading.found:
            raise Refused(reading.found)
    return outcome


def _ask(document: Document, reading: Reading) -> list[Asked]:
    tenant = Tenant.objects.filter(slug=document.tenant.slug).first()
    return [
        _ask_for(entry, tenant, f"/companies/{place}", reading)
        for place, entry in enumerate(document.companies)
    ]


def _ask_for(entry: CompanyEntry, tenant: Tenant | None, pointer: str, reading: Reading) -> Asked:
    company = None
    if tenant is not None:
        with tenant_scope(tenant.pk):
            company = Company.objects.for_tenant(tenant).filter(slug=entry.slug).first()
    ids = resolve(
        mentions(entry, pointer),
        company=company,
        open_bill=partial(connecting.open_bill, entry.bill, company),
        reading=reading,
    )
    proved = True
    if company is not None and entry.sage300 is not None:
        proved = connecting.is_proved(entry.sage300, company, f"{pointer}/sage300", reading)
    return Asked(pointer=pointer, ids=ids, is_proved=proved)


def _write(document: Document, asked: list[Asked], reading: Reading, now: datetime) -> Outcome:
    is_known = Tenant.objects.filter(slug=document.tenant.slug).exists()
    tenant = create_tenant(name=document.tenant.name, slug=document.tenant.slug, now=now)
    if tenant.name != document.tenant.name:
        tenant.name = document.tenant.name
        tenant.save(update_fields=["name"])
    outcome = Outcome(tenant=TenantMade(id=str(tenant.pk), slug=tenant.slug, made=not is_known))
    for place, person in enumerate(document.people):
        _warn_of_password(outcome, person, f"/people/{place}")
        outcome.people.append(_enrol(tenant, person, now))
    for place, operator in enumerate(document.operators):
        _warn_of_password(outcome, operator, f"/operators/{place}")
        outcome.operators.append(_appoint(operator))
    for entry, found in zip(document.companies, asked, strict=True):
        outcome.companies.append(_write_company(outcome, tenant, entry, found, reading, now))
    outcome.api_tokens = [_issue(tenant, token, now) for token in document.api_tokens]
    return outcome


def _enrol(tenant: Tenant, entry: PersonEntry, now: datetime) -> PersonMade:
    role = Role(entry.role)
    members = Membership.objects.filter(tenant=tenant, user__email=entry.email.lower())
    before = members.values_list("role", flat=True).first()
    if before != role:
        enrol(
            tenant=tenant, email=entry.email, role=role, name=entry.name,
            password=entry.password, now=now,
        )  # fmt: skip
        with tenant_scope(tenant.pk):
            audit.record(
                tenant=tenant, actor=audit.SYSTEM, action="member.provisioned", now=now,
                subject=entry.email, details={"role": role.value},
            )  # fmt: skip
    return PersonMade(email=entry.email.lower(), role=role.value, made=before is None)


def _appoint(entry: OperatorEntry) -> PersonMade:
    email = entry.email.lower()
    user = User.objects.filter(email=email).first()
    is_new = user is None
    if user is None:
        user = User.objects.create_superuser(email, entry.password, name=entry.name)
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    elif not (user.is_staff and user.is_superuser):
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    return PersonMade(email=email, role="operator", made=is_new)


def _warn_of_password(outcome: Outcome, entry: PersonEntry | OperatorEntry, pointer: str) -> None:
    if entry.password is None:
        return
    try:
        validate_password(entry.password, User(email=entry.email, name=entry.name))
    except ValidationError as weak:
        sentence = f"Sign-up would not take this password: {' '.join(weak.messages)}"
        outcome.warnings.append(Warned(pointer=f"{pointer}/password", sentence=sentence))


def _issue(tenant: Tenant, entry: TokenEntry, now: datetime) -> TokenMade:
    known = ApiToken.objects.filter(tenant=tenant, label=entry.label, revoked_at=None)
    if known.filter(role=entry.role).exists():
        return TokenMade(label=entry.label, role=entry.role, made=False, token=None)
    for other in known:
        other.revoke(now=now)
    row, text = ApiToken.issue(
        tenant=tenant, role=entry.role, label=entry.label, created_by=None, now=now
    )
    with tenant_scope(tenant.pk):
        audit.record(
            tenant=tenant, actor=audit.SYSTEM, action="api_token.issued", now=now,
            subject=str(row), subject_id=row.pk,
        )  # fmt: skip
    return TokenMade(label=entry.label, role=entry.role, made=True, token=text)


def _write_company(
    outcome: Outcome,
    tenant: Tenant,
    entry: CompanyEntry,
    asked: Asked,
    reading: Reading,
    now: datetime,
) -> CompanyMade:
    with tenant_scope(tenant.pk):
        before = Company.objects.for_tenant(tenant).filter(slug=entry.slug).first()
        company = create_company(
            tenant=tenant, slug=entry.slug, name=entry.name, time_zone=entry.time_zone,
            currency=entry.currency, now=now,
        )  # fmt: skip
        made = CompanyMade(
            id=str(company.pk), slug=company.slug, path=company.get_absolute_url(),
            made=before is None,
        )  # fmt: skip
        if before is None or _said(before) != _said(company):
            made.changed.append("company")
        made.changed += _write_parts(outcome, entry, company, asked, reading, now)
        if made.changed:
            audit.record(
                tenant=tenant, actor=audit.SYSTEM, action="company.provisioned", now=now,
                subject=company.name, subject_id=company.pk, details={"changed": made.changed},
            )  # fmt: skip
        if _is_connected(company):
            turns.keep_turns(tenant_id=tenant.pk, company_id=company.pk)
            if made.changed:
                turns.poll_now(company_id=company.pk)
    return made


def _write_parts(
    outcome: Outcome,
    entry: CompanyEntry,
    company: Company,
    asked: Asked,
    reading: Reading,
    now: datetime,
) -> list[str]:
    """Write each part; the names of those that differed."""
    at = asked.pointer
    changed = {}
    if entry.bill is not None:
        changed["bill"] = connecting.write_bill(entry.bill, company, f"{at}/bill", reading, now)
    if entry.sage300 is not None:
        changed["sage300"] = connecting.write_sage(
            entry.sage300, company, f"{at}/sage300", reading, is_proved=asked.is_proved, now=now
        )
        warning = connecting.address_warning(entry.sage300)
        if warning:
            outcome.warnings.append(Warned(pointer=f"{at}/sage300/base_url", sentence=warning))
    write = (entry, company, asked.ids, at, reading, now)
    changed["policy"] = rules.write_policy(*write)
    changed["mapping_rules"] = rules.write_mapping_rules(*write)
    changed["vendor_links"] = rules.write_links(*write)
    return [name for name, is_changed in changed.items() if is_changed]


def _said(company: Company) -> tuple[str, str, str]:
    return (company.name, company.time_zone, company.currency)


def _is_connected(company: Company) -> bool:
    windows = (
        BillConnection.objects.for_tenant(company.tenant_id),
        Sage300Connection.objects.for_tenant(company.tenant_id),
    )
    return all(rows.filter(company=company).exists() for rows in windows)
