from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync.domain.backoff import BatchPace, FailureKind, retry_at

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def longest(low: float, high: float) -> float:
    return high


def shortest(low: float, high: float) -> float:
    return low


def wait(kind: FailureKind, failures: int, **rest: float) -> float | None:
    at = retry_at(kind, failures=failures, now=NOW, uniform=longest, **rest)
    return None if at is None else (at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("kind", "failures", "seconds"),
    [
        (FailureKind.UNREACHABLE, 1, 15),
        (FailureKind.UNREACHABLE, 2, 30),
        (FailureKind.UNREACHABLE, 5, 240),
        (FailureKind.UNREACHABLE, 20, 1800),
        (FailureKind.UNREACHABLE, 21, None),
        (FailureKind.SERVER_FAULT, 1, 30),
        (FailureKind.SERVER_FAULT, 13, None),
        (FailureKind.BUSY, 3, 240),
        (FailureKind.BUSY, 4, None),
        (FailureKind.RATE_LIMITED, 5000, 3600),
    ],
)
def test_waits_double_to_a_cap_and_then_a_person_is_asked(
    kind: FailureKind, failures: int, seconds: float | None
) -> None:
    assert wait(kind, failures) == seconds


def test_jitter_is_full_and_never_an_instant_repeat() -> None:
    at = retry_at(FailureKind.UNREACHABLE, failures=6, now=NOW, uniform=shortest)
    assert at is not None
    assert (at - NOW).total_seconds() == 1


def test_what_the_vendor_asks_is_honoured_to_the_second() -> None:
    waited = wait(FailureKind.RATE_LIMITED, 4, retry_after_seconds=37)
    assert waited is not None
    assert 37 <= waited <= 38


def test_failures_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        wait(FailureKind.BUSY, 0)


def test_a_timeout_halves_the_batch_and_five_good_ones_give_one_back() -> None:
    pace = BatchPace(size=25).after_timeout()
    assert pace.size == 12
    for _ in range(4):
        pace = pace.after_good(25)
        assert pace.size == 12
    assert pace.after_good(25) == BatchPace(size=13)


def test_the_pace_stays_between_one_and_the_limit() -> None:
    assert BatchPace(size=1).after_timeout().size == 1
    assert BatchPace(size=25, good_in_a_row=4).after_good(25).size == 25
    assert BatchPace(size=25).after_good(10).size == 10
