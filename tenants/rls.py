"""Migration operations that build the second wall between tenants.

Every table of a ``TenantOwned`` model needs three things that Django does not make: row-level
security that binds also the table's owner, its policies, and for each foreign key to another
tenant-owned table a constraint on ``(tenant_id, id)``, because foreign keys do not obey row-level
security. How to write a model and its migration:

1. Inherit ``tenants.scoping.TenantOwned``; in ``class Meta(TenantOwned.Meta)`` extend the inherited
   constraints: ``constraints = [*TenantOwned.Meta.constraints, UniqueConstraint(...)]``.
2. A custom queryset inherits ``TenantQuerySet``. Unique constraints include ``tenant`` or a foreign
   key to a tenant-owned row; else a clash tells one customer about another.
3. Run ``makemigrations --name what_it_does`` and add ``("tenants", "0001_initial")`` to its
   dependencies.
4. After the model's ``CreateModel`` add ``EnableRowSecurity("modelname")``.
5. After that, for each foreign key to a tenant-owned model, also a nullable one:
   ``CompositeForeignKey("modelname", "field", "app_label.target")``.
6. For a table that only ever grows: ``AppendOnly("modelname")``.
7. A data migration opens ``tenant_scope`` for one tenant at a time. While ``migrate`` runs, rows
   of all tenants can be read: PostgreSQL checks existing rows against a new foreign key.

``tests/integration/tenants/test_second_wall.py`` reads the database's own catalogue and fails for a
table where one of these is missing.
"""

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import ForeignKey, Model

from tenants.scoping import OPERATOR

_OWN = "tenant_id = current_setting('app.tenant')::uuid"
_OPERATOR_READS = f"current_setting('app.tenant')::uuid = '{OPERATOR}'"


class _TableOperation(Operation):
    """An operation on the table of one model; the model's state does not change."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing: Django's picture of the models stays as it is."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build."""
        for statement in self.build(to_state, app_label, schema_editor):
            schema_editor.execute(statement, params=None)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Take down."""
        for statement in self.take_down(from_state, app_label, schema_editor):
            schema_editor.execute(statement, params=None)

    def build(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statements that build."""
        raise NotImplementedError

    def take_down(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statements that take down."""
        raise NotImplementedError

    def model(self, state: ProjectState, app_label: str) -> type[Model]:
        """Return the model as the migration sees it."""
        return state.apps.get_model(app_label, self.model_name)


class EnableRowSecurity(_TableOperation):
    """Let a tenant-owned table show and take only the rows of the open scope."""

    def build(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statements that turn row-level security on and name its policies."""
        table = editor.quote_name(self.model(state, app_label)._meta.db_table)
        return [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY own ON {table} FOR ALL USING ({_OWN}) WITH CHECK ({_OWN})",
            f"CREATE POLICY operator_reads ON {table} FOR SELECT USING ({_OPERATOR_READS})",
        ]

    def take_down(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statements that turn it off again."""
        table = editor.quote_name(self.model(state, app_label)._meta.db_table)
        return [
            f"DROP POLICY operator_reads ON {table}",
            f"DROP POLICY own ON {table}",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]

    def describe(self) -> str:
        """Say what this does."""
        return f"Keep the rows of {self.model_name} apart by tenant"


class CompositeForeignKey(_TableOperation):
    """Make a reference to another tenant's row impossible, whoever writes it."""

    def __init__(self, model_name: str, field_name: str, target: str) -> None:
        super().__init__(model_name)
        self.field_name = field_name
        self.target = target

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        """Return the arguments, for Django's migration writer."""
        return (type(self).__name__, [self.model_name, self.field_name, self.target], {})

    def build(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statement that adds the constraint."""
        model = self.model(state, app_label)
        target_app, _, target_name = self.target.rpartition(".")
        target = state.apps.get_model(target_app or app_label, target_name)
        field = model._meta.get_field(self.field_name)
        assert isinstance(field, ForeignKey)  # noqa: S101 (nothing else can be meant)
        quote = editor.quote_name
        return [
            f"ALTER TABLE {quote(model._meta.db_table)}"
            f" ADD CONSTRAINT {quote(self._constraint_name(model))}"
            f" FOREIGN KEY (tenant_id, {quote(field.attname)})"
            f" REFERENCES {quote(target._meta.db_table)} (tenant_id, id)"
            " DEFERRABLE INITIALLY DEFERRED"
        ]

    def take_down(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statement that drops it."""
        model = self.model(state, app_label)
        quote = editor.quote_name
        return [
            f"ALTER TABLE {quote(model._meta.db_table)}"
            f" DROP CONSTRAINT {quote(self._constraint_name(model))}"
        ]

    def _constraint_name(self, model: type[Model]) -> str:
        return f"{model._meta.db_table[:40]}_{self.field_name[:14]}_same"

    def describe(self) -> str:
        """Say what this does."""
        return f"Keep {self.model_name}.{self.field_name} within its tenant"


class AppendOnly(_TableOperation):
    """Let rows be added and never changed or removed.

    A trigger, not a revoked right: a foreign key check locks the row it points to, and PostgreSQL
    asks for the UPDATE right for that lock.
    """

    def build(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statements that refuse changes."""
        table = editor.quote_name(self.model(state, app_label)._meta.db_table)
        return [
            "CREATE OR REPLACE FUNCTION connector_refuse_change() RETURNS trigger"
            " LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION '% only grows: its rows are never changed or removed', TG_TABLE_NAME;"
            " END $$",
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION connector_refuse_change()",
        ]

    def take_down(
        self, state: ProjectState, app_label: str, editor: BaseDatabaseSchemaEditor
    ) -> list[str]:
        """Return the statement that allows changes again."""
        table = editor.quote_name(self.model(state, app_label)._meta.db_table)
        return [f"DROP TRIGGER append_only ON {table}"]

    def describe(self) -> str:
        """Say what this does."""
        return f"Let {self.model_name} only grow"
