"""Rows and values for tests: one function each, everything overridable by keyword."""

from datetime import UTC, datetime
from itertools import count

from tenants.models import ApiToken, Company, Membership, Role, Tenant, User
from tenants.scoping import tenant_scope

#: Tuesday, December 1, 2026, 8:42 in Chicago.
NOW = datetime(2026, 12, 1, 14, 42, tzinfo=UTC)

_numbers = count(1)


def a_tenant(**overrides: object) -> Tenant:
    number = next(_numbers)
    fields: dict[str, object] = {
        "slug": f"tenant-{number}",
        "name": f"Tenant {number}",
        "created_at": NOW,
    }
    return Tenant.objects.create(**(fields | overrides))


def a_company(tenant: Tenant | None = None, **overrides: object) -> Company:
    tenant = tenant or a_tenant()
    number = next(_numbers)
    fields: dict[str, object] = {
        "slug": f"company-{number}",
        "name": f"Company {number}",
        "time_zone": "America/Chicago",
        "currency": "USD",
        "created_at": NOW,
    }
    with tenant_scope(tenant.pk):
        return Company.objects.create(tenant=tenant, **(fields | overrides))


def a_user(**overrides: object) -> User:
    number = next(_numbers)
    fields: dict[str, object] = {
        "email": f"person{number}@example.com",
        "name": f"Person {number}",
        "password": "!no sign-in by password in this test",
    }
    return User.objects.create(**(fields | overrides))


def a_member(tenant: Tenant, role: Role = Role.OWNER, **overrides: object) -> User:
    user = a_user(**overrides)
    Membership.objects.create(tenant=tenant, user=user, role=role, created_at=NOW)
    return user


def an_operator(**overrides: object) -> User:
    return a_user(is_staff=True, is_superuser=True, **overrides)


def an_api_token(tenant: Tenant, role: Role = Role.OWNER, *, label: str = "Test") -> str:
    _, text = ApiToken.issue(tenant=tenant, role=role, label=label, created_by=None, now=NOW)
    return text
