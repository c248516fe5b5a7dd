"""Units touch no database, mail or setting, so they need none of what Django's plugin resets.

Each of its fixtures costs more than most units: together they were more than half of their time.
The plugin's bar against the database stands all the same.
"""

from pathlib import Path

import pytest

_UNITS = Path(__file__).parent
_DJANGOS = frozenset(
    {
        "_dj_autoclear_mailbox",
        "_django_clear_site_cache",
        "_django_db_marker",
        "_django_isolate_apps",
        "_django_set_urlconf",
        "_django_setup_unittest",
        "_live_server_helper",
        "_template_string_if_invalid_marker",
        "monkeypatch",  # asked for by the one above, before every test
    }
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and item.path.is_relative_to(_UNITS):
            asked = item.function.__code__.co_varnames
            item.fixturenames[:] = [
                name for name in item.fixturenames if name not in _DJANGOS or name in asked
            ]
