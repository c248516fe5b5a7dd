"""Django's ``migrate``, able to read the rows of all tenants while it runs.

PostgreSQL checks the rows that exist against a new foreign key, and it does so as us: with no scope
open it may not read them, and the migration would fail. The operator's setting reads everything
and writes nothing; a data migration opens each tenant's scope as all code does.
"""

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from tenants.scoping import OPERATOR


class Command(DjangoMigrate):
    """Runs migrations with the operator's eyes."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, false)", [str(OPERATOR)])
        try:
            super().handle(*args, **options)
        except BaseException:
            connection.close()
            raise
        with connection.cursor() as cursor:
            cursor.execute("RESET app.tenant")
