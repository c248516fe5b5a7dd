"""The scope shows one tenant's rows, and nothing without it."""

import pytest
from django.db import DatabaseError, connection, transaction

from tenants.models import Company
from tenants.scoping import OPERATOR, current_tenant_id, operator_scope, tenant_scope
from tests.builders import NOW, a_company, a_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def test_query_without_a_scope_raises_instead_of_coming_back_empty() -> None:
    a_company()

    with pytest.raises(DatabaseError):
        list(Company.objects.all())


def test_query_after_a_scope_was_left_raises_again() -> None:
    company = a_company()

    with tenant_scope(company.tenant_id):
        assert Company.objects.count() == 1

    with pytest.raises(DatabaseError):
        list(Company.objects.all())


def test_scope_hides_other_tenants_even_from_an_unscoped_query() -> None:
    mine, theirs = a_company(), a_company()

    with tenant_scope(mine.tenant_id):
        assert list(Company.objects.all()) == [mine]
        assert not Company.objects.filter(pk=theirs.pk).exists()


def test_row_of_another_tenant_cannot_be_written_changed_or_removed() -> None:
    mine, theirs = a_company(), a_company()

    with tenant_scope(mine.tenant_id):
        assert Company.objects.filter(pk=theirs.pk).update(name="Taken") == 0
        with pytest.raises(DatabaseError), transaction.atomic():
            Company.objects.create(
                tenant_id=theirs.tenant_id, slug="planted", name="Planted", created_at=NOW
            )
        with pytest.raises(DatabaseError), transaction.atomic():
            Company.objects.filter(pk=mine.pk).update(tenant_id=theirs.tenant_id)


def test_leaving_an_inner_scope_puts_the_outer_one_back() -> None:
    outer, inner = a_company(), a_company()

    with tenant_scope(outer.tenant_id):
        with tenant_scope(inner.tenant_id):
            assert list(Company.objects.all()) == [inner]

        assert list(Company.objects.all()) == [outer]
        assert current_tenant_id() == outer.tenant_id


def test_inner_scope_that_fails_puts_the_outer_one_back() -> None:
    outer, inner = a_company(), a_company()

    with tenant_scope(outer.tenant_id):
        with pytest.raises(LookupError), tenant_scope(inner.tenant_id):
            raise LookupError

        assert current_tenant_id() == outer.tenant_id
        assert list(Company.objects.all()) == [outer]


def test_scope_inside_a_plain_transaction_leaves_none_behind() -> None:
    company = a_company()

    with transaction.atomic():
        with tenant_scope(company.tenant_id):
            assert Company.objects.exists()

        with pytest.raises(DatabaseError), transaction.atomic():
            list(Company.objects.all())


def test_operator_reads_every_tenant_and_writes_none() -> None:
    first, second = a_company(), a_company()

    with operator_scope():
        assert set(Company.objects.all()) == {first, second}
        assert Company.objects.filter(pk=first.pk).update(name="Changed") == 0
        with pytest.raises(DatabaseError), transaction.atomic():
            Company.objects.create(tenant=first.tenant, slug="n", name="New", created_at=NOW)


def test_operators_id_is_no_tenant() -> None:
    with pytest.raises(ValueError, match="operator_scope"), tenant_scope(OPERATOR):
        pass


def test_two_tenants_may_use_one_company_slug() -> None:
    first = a_company(a_tenant(), slug="bakery")
    second = a_company(a_tenant(), slug="bakery")

    assert first.pk != second.pk


def test_we_work_as_a_role_that_row_security_binds() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("connector", False, False)
