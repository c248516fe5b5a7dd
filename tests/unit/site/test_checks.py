"""What is refused at start-up."""

import pytest

from connector_site import checks


@pytest.mark.parametrize("name", ["PRACTICE_BILL_URL", "PRACTICE_SAGE_URL"])
def test_practice_address_outside_practice_is_refused(settings: object, name: str) -> None:
    settings.PRACTICE = False  # type: ignore[attr-defined]
    setattr(settings, name, "http://127.0.0.1:8001")

    assert [problem.id for problem in checks.practice_addresses(None)] == ["connector.E001"]


def test_practice_address_on_another_machine_is_refused(settings: object) -> None:
    settings.PRACTICE = True  # type: ignore[attr-defined]
    settings.PRACTICE_BILL_URL = "http://bill.example.com"  # type: ignore[attr-defined]

    assert [problem.id for problem in checks.practice_addresses(None)] == ["connector.E002"]


def test_practice_address_in_practice_is_fine(settings: object) -> None:
    settings.PRACTICE = True  # type: ignore[attr-defined]
    settings.PRACTICE_BILL_URL = "http://127.0.0.1:8001"  # type: ignore[attr-defined]

    assert checks.practice_addresses(None) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({}, []),
        ({"retry": 600}, ["connector.E003"]),
        ({"ack_failures": False}, ["connector.E004"]),
        ({"max_attempts": 0}, ["connector.E004"]),
    ],
)
def test_queue_that_would_run_a_job_twice_is_refused(
    settings: object, change: dict[str, object], problem: list[str]
) -> None:
    settings.Q_CLUSTER = settings.Q_CLUSTER | change  # type: ignore[attr-defined]

    assert [each.id for each in checks.queue_timings(None)] == problem


def test_keys_lying_beside_the_data_are_a_warning_in_production(settings: object) -> None:
    settings.KEYS_ARE_LOCAL = True  # type: ignore[attr-defined]
    settings.PUBLIC_URL = "https://connect.example.com"  # type: ignore[attr-defined]

    assert [problem.id for problem in checks.keys_from_outside(None)] == ["connector.W001"]
