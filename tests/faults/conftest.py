"""The office most faults strike: three approved bills, batches left Open, or posted."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync.domain.policy import Release
from tests.faults.office import an_office, an_office_after, heal
from tests.integration.sync.world import Desk


@pytest.fixture
def desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    with an_office(settings) as opened:
        yield opened


@pytest.fixture
def posting_desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    with an_office(settings, release=Release.POST) as opened:
        yield opened


@pytest.fixture
def synced_desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    """After the first sync: the three bills lie in Sage in an Open batch."""
    with an_office_after(Desk.sync, settings) as opened:
        yield opened


@pytest.fixture
def rested_desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    """After the first sync and those that found nothing more to do."""
    with an_office_after(heal, settings) as opened:
        yield opened


@pytest.fixture
def rested_posting_desk(settings: Any, transactional_db: None) -> Iterator[Desk]:
    """The same where the company has us post: the three bills are Posted."""
    with an_office_after(heal, settings, release=Release.POST) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet_wire(caplog: pytest.LogCaptureFixture) -> None:
    """One line for every request would be most of the output."""
    caplog.set_level("WARNING", logger="integrations.transport")
