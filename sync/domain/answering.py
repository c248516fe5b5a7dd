"""What the end of a POST leads to: believed by nobody, looked up unless it is a complete 201."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.domain import refusing
from sync.domain.commands import Answer, Created, Lost, NotSent, Refused
from sync.domain.facts import Facts, Look, Outcome, Stage
from sync.domain.replacing import replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The protocol's patience. `settle_seconds` only makes strays rarer; safety never rests on it.

    `retry_seconds` doubles with every failure in a row up to `longest_retry_seconds`.
    """

    settle_seconds: float = 180
    retry_seconds: float = 5
    longest_retry_seconds: float = 300
    loss_limit: int = 5
    busy_limit: int = 8
    lock_limit: int = 3


def later(facts: Facts, now: datetime, rules: Rules, *, why: str, at_least: float = 0) -> Facts:
    """Go on after a pause that doubles with every failure in a row."""
    delay = min(rules.longest_retry_seconds, rules.retry_seconds * 2 ** min(facts.tries, 32))
    until = now + timedelta(seconds=max(delay, at_least))
    return replace(facts, not_before=until, why=why, tries=facts.tries + 1)


def after_post(facts: Facts, answer: Answer | None, now: datetime, rules: Rules) -> Facts:
    """Read back what Sage says it made; look up everything else, save what never left us."""
    match answer:
        case Created(number=number):
            return replace(
                facts, stage=Stage.READ_BACK, reading_back=number, why="",
                losses=0, busy=0, unsent=0,
            )  # fmt: skip
        case NotSent(why=why, retry_after_seconds=seconds):
            back = (facts.sending, *facts.groups)
            facts = replace(
                facts, stage=Stage.LOOK, look=Look(), groups=back, sending=(),
                tries=facts.unsent, unsent=facts.unsent + 1,
            )  # fmt: skip
            return later(facts, now, rules, why=why, at_least=seconds)
        case Refused(is_transient=True):
            facts = to_settle(facts, Outcome.TRANSIENT)
            facts = replace(facts, busy=facts.busy + 1, tries=facts.busy)
            seconds = answer.retry_after_seconds
            return later(facts, now, rules, why=answer.sentence, at_least=seconds)
        case Refused():
            return to_settle(refusing.noted(facts, answer), Outcome.REFUSED)
        case Lost(why=why):
            return lose(facts, now, seconds=rules.settle_seconds, why=why)
    return lose(facts, now, seconds=rules.settle_seconds, why="Sage's answer made no sense.")


def lose(facts: Facts, now: datetime, *, seconds: float, why: str) -> Facts:
    """Nobody knows what the POST did: look until `seconds` are over, and remember that it left."""
    for key in facts.pending(facts.sending):
        facts = facts.with_place(key, replace(facts.place(key), is_clean=False))
    until = now + timedelta(seconds=seconds)
    facts = replace(facts, losses=facts.losses + 1, settle_until=until, why=why, looks=0)
    return to_settle(facts, Outcome.LOST)


def to_settle(facts: Facts, outcome: Outcome) -> Facts:
    """Look the last POST up from the start."""
    return replace(facts, stage=Stage.SETTLE, outcome=outcome, look=Look())
