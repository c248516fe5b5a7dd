"""The one door to a tenant's rows.

Two walls stand between tenants. Code asks for rows with ``Model.objects.for_tenant(tenant)``; below
that, PostgreSQL's row-level security shows only the rows of the tenant whose scope is open in the
current transaction. The second wall holds when the first was forgotten: with no scope open a query
raises, it does not come back empty.

Open a scope around rows and never around a call to another system::

    with tenant_scope(company.tenant_id):
        posting = Posting.objects.for_tenant(company.tenant_id).get(pk=posting_id)

The scope is a transaction. It nests, and the outer scope is put back on leaving: PostgreSQL itself
would keep the inner one, because SET LOCAL survives the release of a savepoint.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TypeVar

from django.db import connection, models, transaction

if TYPE_CHECKING:
    from tenants.models import Tenant

#: The scope that reads every tenant's rows and writes none.
OPERATOR = uuid.UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")


@contextmanager
def tenant_scope(tenant_id: uuid.UUID) -> Iterator[None]:
    """Open a transaction that sees and writes the rows of this tenant, and no others."""
    if tenant_id == OPERATOR:
        raise ValueError("That id is the operator's; open operator_scope().")
    with _scope(tenant_id):
        yield


@contextmanager
def operator_scope() -> Iterator[None]:
    """Open a transaction that reads the rows of all tenants; a write in it is refused."""
    with _scope(OPERATOR):
        yield


def current_tenant_id() -> uuid.UUID | None:
    """Return the tenant whose scope is open, or None outside a scope and in the operator's."""
    value = _current_setting()
    tenant_id = uuid.UUID(value) if value else None
    return None if tenant_id == OPERATOR else tenant_id


@contextmanager
def _scope(value: uuid.UUID) -> Iterator[None]:
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        before = _current_setting() if is_nested else ""
        _set(str(value))
        yield
        # After an exception the savepoint's rollback puts the old value back; a commit ends it.
        if is_nested and not connection.needs_rollback:
            _set(before)


def _current_setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant', true)")
        return cursor.fetchone()[0] or ""


def _set(value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', %s, true)", [value])


_Owned_co = TypeVar("_Owned_co", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[_Owned_co]):
    """Rows that belong to tenants."""

    def for_tenant(self, tenant: "Tenant | uuid.UUID") -> Self:
        """Return the rows of this tenant; every query on tenant data starts with it."""
        tenant_id = tenant if isinstance(tenant, uuid.UUID) else tenant.pk
        return self.filter(tenant_id=tenant_id)


class TenantOwned(models.Model):
    """A row that belongs to one tenant; see ``tenants.rls`` for what its migration must do."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")

    if not TYPE_CHECKING:  # mypy would not let a model put its own typed manager here
        objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "id"], name="%(app_label)s_%(class)s_tenant_and_id"
            )
        ]
