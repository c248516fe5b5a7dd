"""Reads PostgreSQL's own catalogue: no tenant-owned table lacks the second wall."""

import pytest
from django.apps import apps
from django.db import connection, models

from tenants.scoping import OPERATOR, TenantOwned

TENANT_MODELS = sorted(
    (model for model in apps.get_models() if issubclass(model, TenantOwned)),
    key=lambda model: model._meta.label,
)
TENANT_KEYS = [
    pytest.param(model, field, id=f"{model._meta.label}.{field.name}")
    for model in TENANT_MODELS
    for field in model._meta.local_fields
    if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantOwned)
]
#: Tables without row-level security: names, ids, hashes and times, no business data.
DIRECTORY = {
    "tenants_tenant",
    "tenants_user",
    "tenants_membership",
    "tenants_invitation",
    "tenants_apitoken",
    "integrations_webhookaddress",
    "integrations_keycanary",
    "integrations_billsessionrow",
    "integrations_billquotarow",
    "integrations_billslot",
    "sync_duework",
    "sync_heartbeat",
    "sync_refusal",
    "sync_sagelease",
}
#: Directory tables of others, by the beginning of their names.
FOREIGN = ("account_", "auth_", "django_", "mfa_", "tenants_user_")

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_row_security_is_on_and_binds_the_owner(model: type[models.Model]) -> None:
    rows = _rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s",
        model._meta.db_table,
    )

    assert rows == [(True, True)], "add EnableRowSecurity to its migration"


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_policies_are_exactly_the_two(model: type[models.Model]) -> None:
    rows = _rows(
        "SELECT policyname, cmd, qual, with_check FROM pg_policies WHERE tablename = %s"
        " ORDER BY policyname",
        model._meta.db_table,
    )

    own = "(tenant_id = (current_setting('app.tenant'::text))::uuid)"
    operator = f"((current_setting('app.tenant'::text))::uuid = '{OPERATOR}'::uuid)"
    assert rows == [("operator_reads", "SELECT", operator, None), ("own", "ALL", own, own)]


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_tenant_and_id_are_unique_together(model: type[models.Model]) -> None:
    keys = _keys(model._meta.db_table, "u")

    assert ["tenant_id", "id"] in keys, "let its Meta extend TenantOwned.Meta.constraints"


@pytest.mark.parametrize(("model", "field"), TENANT_KEYS)
def test_reference_to_a_tenants_row_stays_within_the_tenant(
    model: type[models.Model], field: models.ForeignKey[models.Model, models.Model]
) -> None:
    keys = _keys(model._meta.db_table, "f", field.related_model._meta.db_table)

    assert ["tenant_id", field.attname] in keys, "add CompositeForeignKey to its migration"


def test_every_other_table_is_a_known_directory() -> None:
    tables = {
        name
        for (name,) in _rows(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity"
        )
    }

    unknown = {name for name in tables - DIRECTORY if not name.startswith(FOREIGN)}
    assert not unknown, "make them TenantOwned, or add them to DIRECTORY with a reason"


def _keys(table: str, kind: str, target: str | None = None) -> list[list[str]]:
    rows = _rows(
        "SELECT (SELECT array_agg(a.attname::text ORDER BY k.place)"
        " FROM unnest(c.conkey) WITH ORDINALITY AS k(number, place)"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number)"
        " FROM pg_constraint c WHERE c.conrelid = %s::regclass AND c.contype = %s"
        " AND (%s::text IS NULL OR c.confrelid = %s::regclass)",
        table,
        kind,
        target,
        target or table,
    )
    return [columns for (columns,) in rows]


def _rows(sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return cursor.fetchall()
