"""The office most faults strike: three approved bills, batches left Open, or posted."""

from collections.abc import Iterator
from typing import Any

import pytest

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


@pytest.fixture(autouse=True)
def _quiet_wire(caplog: pytest.LogCaptureFixture) -> None:
    """One line for every request would be most of the output."""
    caplog.set_level("WARNING", logger="integrations.transport")
