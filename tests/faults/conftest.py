"""The office most faults strike: three approved bills, batches left Open, or posted."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from sync.domain.policy import Release
from tests.faults.office import an_office
from tests.integration.sync.world import Desk


@pytest.fixture
def desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    with an_office(settings) as opened:
        yield opened


@pytest.fixture
def posting_desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    with an_office(settings, release=Release.POST) as opened:
        yield opened


@pytest.fixture(scope="session", autouse=True)
def _quick_commits(django_db_setup: None, django_db_blocker: Any) -> None:
    """Commits do not wait for the disk: processes die here, the database server does not."""
    with django_db_blocker.unblock():
        name = connection.settings_dict["NAME"]
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        connection.close()


@pytest.fixture(autouse=True)
def _quiet_wire(caplog: pytest.LogCaptureFixture) -> None:
    """One line for every request would be most of the output."""
    caplog.set_level("WARNING", logger="integrations.transport")
