"""The list of knobs and the code that turns them agree."""

import re
from dataclasses import fields
from itertools import product
from pathlib import Path

import pytest
from django.conf import settings

from connector_site.env import Environment, SettingRefused
from connector_site.knobs import Knobs, queue_retry_seconds, read_knobs, variable_name

ROOT = Path(settings.BASE_DIR)
CODE = [
    path
    for room in ("connector_site", "tenants", "integrations", "sync")
    for path in (ROOT / room).rglob("*.py")
    if "migrations" not in path.parts
]
_USE = re.compile(r"\bCONNECTOR\.([a-z][a-z0-9_]*)")
#: A room may take the knobs under another name; the attribute is what counts.
_ANY_USE = re.compile(r"\.([a-z][a-z0-9_]*)")


def test_every_knob_is_read_somewhere() -> None:
    used = {
        name
        for path in CODE
        if path.name != "knobs.py"
        for name in _ANY_USE.findall(path.read_text(encoding="utf-8"))
    }

    assert {field.name for field in fields(Knobs)} - used == set()


def test_every_knob_that_is_read_is_listed() -> None:
    read = {name for path in CODE for name in _USE.findall(path.read_text(encoding="utf-8"))}

    assert read - {field.name for field in fields(Knobs)} == set()


def test_environment_is_read_in_one_place() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in CODE
        if re.search(r"os\.(environ\.get|getenv)|environ\[['\"]\w+['\"]\](?! =)", path.read_text())
    }

    assert readers <= {
        "connector_site/settings.py",
        "connector_site/database.py",
        "sync/services/crash_points.py",  # where a test tells a process to die
    }


def test_every_knob_says_its_unit_and_meaning() -> None:
    silent = {
        field.name
        for field in fields(Knobs)
        if not (field.metadata["unit"] and field.metadata["meaning"].endswith("."))
    }

    assert silent == set()


def test_knob_is_turned_by_its_variable() -> None:
    knobs = read_knobs(Environment({"CONNECTOR_QUEUE_WORKERS": "7"}))

    assert variable_name("queue_workers") == "CONNECTOR_QUEUE_WORKERS"
    assert knobs.queue_workers == 7


def test_knob_below_its_least_value_is_refused_by_name() -> None:
    with pytest.raises(SettingRefused, match="CONNECTOR_QUEUE_WORKERS is 0"):
        read_knobs(Environment({"CONNECTOR_QUEUE_WORKERS": "0"}))


def test_retry_is_later_than_every_job_ahead_could_take() -> None:
    for workers, limit in product((1, 2, 4, 16), (1, 10)):
        retry = queue_retry_seconds(timeout=5, workers=workers, queue_limit=limit, bulk=1, margin=1)
        assert retry > 5 * (1 + (limit + 2) / workers)
