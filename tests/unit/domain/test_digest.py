"""The daily mail's subject and whether there is anything to say, as tables."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sync.domain.digest import Digest, Need, Share, Tie, subject_of

SINCE = datetime(2026, 11, 30, 22, 55, tzinfo=UTC)
NOTHING = Tie(since=SINCE)
SENT = Tie(
    since=SINCE,
    count=20,
    amount=Decimal("36288.43"),
    shares=(
        Share(words="Posted", count=5, amount=Decimal("7846.33")),
        Share(words="Open", count=15, amount=Decimal("28442.10")),
    ),
)
SHORT = Tie(since=SINCE, count=1, amount=Decimal("10.00"),
            shares=(Share(words="Open", count=1, amount=Decimal("9.99")),))  # fmt: skip
TRADE = Need(
    title="BILL account without a Sage account: Trade Shows",
    waits="3 bills wait",
    side="mend it here",
    path="/",
    amount=Decimal("8256.80"),
)
PAUSED = Need(title="BILL is paused, nothing new is read", side="an owner mends it here", path="/")


def a_digest(tie: Tie, *needs: Need) -> Digest:
    return Digest(company="Calder Bakery", currency="USD", tie=tie, needs=needs)


@pytest.mark.parametrize(
    ("digest", "subject"),
    [
        (
            a_digest(NOTHING, TRADE),
            "Calder Bakery: BILL account without a Sage account: Trade Shows, 3 bills wait, 8,256.80",
        ),
        (
            a_digest(NOTHING, PAUSED),
            "Calder Bakery: BILL is paused, nothing new is read",
        ),
        (a_digest(NOTHING, TRADE, PAUSED), "Calder Bakery: 2 things need attention"),
        (a_digest(SENT), "Calder Bakery: 20 bills sent, all explained"),
        (
            a_digest(SENT, TRADE),
            "Calder Bakery: 20 bills sent, all explained; 1 thing needs attention",
        ),
        (a_digest(SHORT), "Calder Bakery: 1 bill sent, 0.01 unexplained"),
    ],
)
def test_the_subject_is_the_fact(digest: Digest, subject: str) -> None:
    assert digest.has_something_to_say
    assert digest.subject == subject


def test_a_line_says_how_many_wait_and_who_acts() -> None:
    assert [need.detail for need in (TRADE, PAUSED)] == [
        "3 bills wait · mend it here",
        "an owner mends it here",
    ]


def test_nothing_sent_and_nobody_needed_is_nothing_to_say() -> None:
    assert not a_digest(NOTHING).has_something_to_say


def test_a_subject_is_one_line_and_not_too_long() -> None:
    subject = subject_of("Calder\nBakery", "Sage did not take\r\nBcc: all " + "x" * 200)

    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) == 150
