"""The people of the tests: one tenant with every role, and a stranger of another tenant.

Everything of the other tenant carries the canary, so that a test can look for it in any answer.
"""

from dataclasses import dataclass

from tenants.models import Company, Role, Tenant, User
from tests import builders

CANARY = "Quillfeather"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    tenant: Tenant
    company: Company
    owner: User
    accountant: User
    viewer: User
    operator: User
    other_tenant: Tenant
    other_company: Company
    stranger: User


def a_cast() -> Cast:
    tenant = builders.a_tenant(slug="calder", name="Calder Foods")
    other = builders.a_tenant(slug="quillfeather", name=f"{CANARY} Inks")
    return Cast(
        tenant=tenant,
        company=builders.a_company(tenant, slug="bakery", name="Calder Bakery"),
        owner=builders.a_member(
            tenant, Role.OWNER, email="owner@calder.example", name="Dana Whitfield"
        ),
        accountant=builders.a_member(
            tenant, Role.ACCOUNTANT, email="accountant@calder.example", name="Priya Raman"
        ),
        viewer=builders.a_member(
            tenant, Role.VIEWER, email="viewer@calder.example", name="Marcus Ortiz"
        ),
        operator=builders.an_operator(email="operator@connector.example", name="Ola Perator"),
        other_tenant=other,
        other_company=builders.a_company(other, slug="inks", name=f"{CANARY} Inks Works"),
        stranger=builders.a_member(
            other, Role.OWNER, email="stranger@quill.example", name=f"Stran {CANARY}"
        ),
    )
