"""How customers, companies and people come into being.

Sign-up, the operators' admin and ``manage.py provision`` all end here, so that a tenant made by one
is a tenant made by all. Everything can be called again with the same arguments.
"""

import uuid
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest
from django.utils.text import slugify

from tenants import audit
from tenants.models import (
    RESERVED_COMPANY_SLUGS,
    RESERVED_SLUGS,
    Company,
    Membership,
    Role,
    Tenant,
    User,
)
from tenants.scoping import tenant_scope


def create_tenant(*, name: str, slug: str, now: datetime) -> Tenant:
    """Make a tenant, or return the one that has this slug; raises ValidationError."""
    found = Tenant.objects.filter(slug=slug).first()
    if found is not None:
        return found
    tenant = Tenant(name=name, slug=slug, created_at=now)
    tenant.full_clean()
    tenant.save(force_insert=True)
    return tenant


def free_slug(name: str) -> str:
    """Return a slug made from a name that no tenant has yet."""
    stem = slugify(name)[:40].strip("-") or "company"
    if stem not in RESERVED_SLUGS and not Tenant.objects.filter(slug=stem).exists():
        return stem
    return f"{stem}-{uuid.uuid4().hex[:6]}"


def free_company_slug(tenant: Tenant, name: str) -> str:
    """Return a slug made from a name that no company of this tenant has yet; opens its scope."""
    stem = slugify(name)[:40].strip("-") or "company"
    with tenant_scope(tenant.pk):
        taken = set(Company.objects.for_tenant(tenant).values_list("slug", flat=True))
    taken |= RESERVED_COMPANY_SLUGS
    return next(
        slug
        for slug in (stem, *(f"{stem}-{number}" for number in range(2, len(taken) + 3)))
        if slug not in taken
    )


@transaction.atomic
def found_firm(*, name: str, owner: User, request: HttpRequest, now: datetime) -> Tenant:
    """Make a tenant with this person as its owner, and record who did it from where."""
    tenant = create_tenant(name=name, slug=free_slug(name), now=now)
    Membership.objects.create(tenant=tenant, user=owner, role=Role.OWNER, created_at=now)
    actor = audit.actor_of(request)
    with tenant_scope(tenant.pk):
        audit.record(
            tenant=tenant,
            actor=audit.Actor(name=owner.get_full_name(), id=owner.pk, address=actor.address),
            action="tenant.created",
            subject=name,
            now=now,
        )
    return tenant


def create_company(
    *, tenant: Tenant, name: str, slug: str, time_zone: str, currency: str, now: datetime
) -> Company:
    """Make a company of this tenant, or bring the one with this slug up to date."""
    with tenant_scope(tenant.pk):
        company = Company.objects.for_tenant(tenant).filter(slug=slug).first()
        if company is None:
            company = Company(tenant=tenant, slug=slug, created_at=now)
        company.name, company.time_zone, company.currency = name, time_zone, currency
        company.full_clean(validate_unique=False, validate_constraints=False)
        company.save()
        return company


def add_company(
    *,
    tenant: Tenant,
    name: str,
    time_zone: str,
    currency: str,
    actor: audit.Actor,
    now: datetime,
) -> Company:
    """Make a company that somebody asked for, and record who; opens the scope."""
    company = create_company(
        tenant=tenant,
        slug=free_company_slug(tenant, name),
        name=name,
        time_zone=time_zone,
        currency=currency,
        now=now,
    )
    with tenant_scope(tenant.pk):
        audit.record(
            tenant=tenant, actor=actor, action="company.created", subject=company.name,
            subject_id=company.pk, now=now,
        )  # fmt: skip
    return company


@transaction.atomic
def enrol(
    *, tenant: Tenant, email: str, role: Role, name: str, password: str | None, now: datetime
) -> User:
    """Make a person a member in this role, with a confirmed e-mail.

    A person who exists keeps name and password; their role in this tenant becomes the given one.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    Membership.objects.update_or_create(
        tenant=tenant,
        user=user,
        defaults={"role": role},
        create_defaults={"role": role, "created_at": now},
    )
    return user
