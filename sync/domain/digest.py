"""The daily mail as plain values: does it tie, what needs somebody, what comes next.

The subject is the fact of the day. A day on which nothing was sent and nothing needs anybody has
nothing to say, and then there is no mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sync.domain.words import count_of, money, shown

SUBJECT_LENGTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One line of the addition; what it takes from the amount sent."""

    words: str
    count: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What left for Sage since the last mail, itemised until nothing is unexplained."""

    since: datetime
    count: int = 0
    amount: Decimal = Decimal(0)
    shares: tuple[Share, ...] = ()
    read_at: datetime | None = None

    @property
    def unexplained(self) -> Decimal:
        """What was sent, less every share."""
        return self.amount - sum((share.amount for share in self.shares), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One cause, one line: `waits` says how many do, `side` who acts, `path` leads there."""

    title: str
    side: str
    path: str
    waits: str = ""
    amount: Decimal | None = None

    @property
    def detail(self) -> str:
        """The second line."""
        return " · ".join(filter(None, (self.waits, self.side)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One company's day for one person; `next_words` is what happens next, "" unknown."""

    company: str
    currency: str
    tie: Tie
    needs: tuple[Need, ...] = ()
    next_words: str = ""

    @property
    def has_something_to_say(self) -> bool:
        """Whether there is any reason for a mail."""
        return bool(self.tie.count or self.needs)

    @property
    def fact(self) -> str:
        """The day in one sentence."""
        return "; ".join([*self._sent(), *self._needed()])

    @property
    def subject(self) -> str:
        """The fact with the company before it."""
        return subject_of(self.company, self.fact)

    def _sent(self) -> list[str]:
        if not self.tie.count:
            return []
        sent = f"{count_of(self.tie.count, 'bill')} sent"
        if self.tie.unexplained:
            return [f"{sent}, {money(self.tie.unexplained, self.currency)} unexplained"]
        return [f"{sent}, all explained"]

    def _needed(self) -> list[str]:
        if not self.needs:
            return []
        if len(self.needs) == 1 and not self.tie.count:
            return [_said(self.needs[0], self.currency)]
        things = count_of(len(self.needs), "thing")
        return [f"{things} {'needs' if len(self.needs) == 1 else 'need'} attention"]


def subject_of(company: str, fact: str) -> str:
    """`Calder Bakery: 3 bills wait …`; one line, and not too long for a list of mails."""
    return shown(f"{company}: {fact}", SUBJECT_LENGTH)


def _said(need: Need, currency: str) -> str:
    amount = "" if need.amount is None else money(need.amount, currency)
    return ", ".join(filter(None, (need.title, need.waits, amount)))
