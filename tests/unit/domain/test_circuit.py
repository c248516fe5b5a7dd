"""When a server is left alone, for how long, and how it comes back."""

from datetime import UTC, datetime, timedelta

from sync.domain.circuit import Circuit

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def failed(times: int) -> Circuit:
    circuit = Circuit()
    for _ in range(times):
        circuit = circuit.after_failure(NOW, limit=3, uniform=lambda _low, high: high)
    return circuit


def test_it_stays_closed_below_the_limit() -> None:
    assert failed(2).is_closed
    assert not failed(2).is_resting(NOW)


def test_it_opens_at_the_limit_and_rests_longer_each_time() -> None:
    assert [(failed(n).open_until or NOW) - NOW for n in (3, 4, 5, 12)] == [
        timedelta(seconds=60), timedelta(seconds=120), timedelta(seconds=240),
        timedelta(seconds=1800),
    ]  # fmt: skip


def test_when_its_time_is_over_it_may_be_asked() -> None:
    circuit = failed(3)

    assert circuit.is_resting(NOW + timedelta(seconds=59))
    assert not circuit.is_resting(NOW + timedelta(seconds=60))
    assert not circuit.is_closed


def test_an_answer_forgets_every_failure() -> None:
    assert failed(7).after_success() == Circuit()
