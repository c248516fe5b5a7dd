"""The whole posting protocol as a pure reducer: facts and an answer in, facts and a command out.

Sage 300 takes no idempotency key, goes on working after we have gone, and may keep the header or
the earlier entries of a batch it refuses. So: look before every send, believe no answer before it
is read back, look after every answer but a complete 201, settle each entry by its own order number,
and let a PATCH or a posting name only a batch that was just read and found to hold our entries.
The interpreter (`services/posting.py`) stores the facts before it runs a command and after it has
the answer; whoever picks a batch up again says `Resumed()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.domain import answering, cleaning, looking, refusing, releasing
from sync.domain.answering import Rules
from sync.domain.batching import split
from sync.domain.commands import (
    Answer,
    BatchRead,
    Command,
    Done,
    Lost,
    Paused,
    PostBatch,
    ReadBatch,
    ReadFailed,
    Resumed,
    Stop,
    Wait,
)
from sync.domain.comparison import fingerprint
from sync.domain.facts import Facts, Look, Outcome, Stage
from sync.domain.placing import conclude
from sync.domain.replacing import replace

__all__ = ["Rules", "Step", "begin", "next_step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to remember, and what to do."""

    facts: Facts
    command: Command


def begin(facts: Facts, *, is_look_fresh: bool, is_thorough: bool = False) -> Facts:
    """Open the protocol for these frozen entries, all in one group.

    `is_look_fresh`: the headers above the watermark were read under the lease held now, and none of
    them was unknown. `is_thorough`: read every batch above the watermark before the first send,
    whatever its description (our own database was restored).
    """
    ids = tuple(entry.posting_id for entry in facts.entries)
    return replace(
        facts,
        groups=(ids,),
        look=Look(are_headers_read=is_look_fresh and not is_thorough),
        is_thorough=is_thorough,
        highest=max(facts.highest, facts.watermark),
    )


def next_step(facts: Facts, answer: Answer | None, now: datetime, rules: Rules) -> Step:
    """Take one answer in and say what comes next; the only place that decides it.

    `answer` is None for facts that have just begun.
    """
    facts = _absorb(facts, answer, now, rules)
    while True:
        if facts.is_stopped:
            return Step(facts=facts, command=Stop(why=facts.why))
        if facts.not_before is not None and now < facts.not_before:
            return Step(facts=facts, command=Wait(until=facts.not_before, why=facts.why))
        if facts.not_before is not None:
            facts = replace(facts, not_before=None)
        facts, command = _derive(facts, now, rules)
        if command is not None:
            return Step(facts=facts, command=command)


# --- taking an answer in --------------------------------------------------------------------------


def _absorb(facts: Facts, answer: Answer | None, now: datetime, rules: Rules) -> Facts:
    match answer:
        case Resumed():
            return _resume(facts, now, rules)
        case Paused(why=why):
            if facts.stage is Stage.SENT:
                facts = answering.to_settle(facts, Outcome.TRANSIENT)
            return replace(facts, is_stopped=True, why=why)
        case ReadFailed(why=why, retry_after_seconds=seconds):
            return answering.later(facts, now, rules, why=why, at_least=seconds)
    facts = _printed(replace(facts, tries=0) if facts.tries else facts, answer)
    match facts.stage:
        case Stage.SENT:
            return answering.after_post(facts, answer, now, rules)
        case Stage.READ_BACK if isinstance(answer, BatchRead):
            return _after_read_back(facts, answer, now)
        case Stage.LOOK | Stage.SETTLE:
            return looking.absorb(facts, answer)
        case Stage.CLEAN:
            facts, seconds, why = cleaning.absorb(facts, answer)
        case Stage.RELEASE:
            facts, seconds, why = releasing.absorb(facts, answer, lock_limit=rules.lock_limit)
        case _:
            return facts
    return answering.later(facts, now, rules, why=why, at_least=seconds) if why else facts


def _printed(facts: Facts, answer: Answer | None) -> Facts:
    """Remember how a batch looked when all of ours in it was judged, to see later that it changed."""
    is_judged = facts.stage in {Stage.READ_BACK, Stage.RELEASE}
    if not is_judged or not isinstance(answer, BatchRead) or answer.batch is None:
        return facts
    prints = {**facts.prints, answer.number: fingerprint(answer.batch.header)}
    return replace(facts, prints=prints)


def _resume(facts: Facts, now: datetime, rules: Rules) -> Facts:
    facts = replace(facts, is_stopped=False, is_sage_restored=False, just_read=0)
    match facts.stage:
        case Stage.SENT:
            why = "The worker stopped before Sage's answer was read."
            return answering.after_post(facts, Lost(why=why), now, rules)
        case Stage.SEND:
            return replace(facts, stage=Stage.LOOK, look=Look())
        case Stage.LOOK | Stage.SETTLE:
            return replace(facts, look=Look())
        case Stage.CLEAN:
            return cleaning.begin(facts)
        case Stage.RELEASE:
            return releasing.resume(facts)
    return facts


def _after_read_back(facts: Facts, answer: BatchRead, now: datetime) -> Facts:
    number = facts.reading_back
    facts = conclude(looking.take_batch(facts, answer))
    facts = replace(facts, reading_back=0)
    if any(place.batch_number == number for place in facts.places.values()):
        own = dict.fromkeys((*facts.own_numbers, number))
        facts = replace(facts, own_numbers=tuple(own))
    if not facts.pending(facts.sending):
        return _settled(facts)
    # A complete 201 whose entries are not all there: somebody is at work in Sage. Look, no wait.
    return answering.lose(
        facts, now, seconds=0, why="Sage's new batch does not hold all that was sent."
    )


# --- what comes next ------------------------------------------------------------------------------


def _derive(facts: Facts, now: datetime, rules: Rules) -> tuple[Facts, Command | None]:
    match facts.stage:
        case Stage.LOOK:
            return _derive_look(facts)
        case Stage.SEND:
            return _send(facts)
        case Stage.SENT:
            # Only `Resumed` or an answer leads out of SENT; both were absorbed before this.
            return answering.lose(
                facts, now, seconds=rules.settle_seconds, why="No answer came."
            ), None
        case Stage.READ_BACK:
            return facts, ReadBatch(number=facts.reading_back)
        case Stage.SETTLE:
            return _derive_settle(facts, now, rules)
        case Stage.CLEAN:
            facts, command = cleaning.derive(facts)
            is_over = command is None and not facts.clean_step
            return (_settled(facts), None) if is_over else (facts, command)
        case Stage.RELEASE:
            return _derive_release(facts, now)
        case Stage.DONE:
            return facts, Done()


def _derive_release(facts: Facts, now: datetime) -> tuple[Facts, Command | None]:
    facts, command = releasing.derive(facts, now)
    if facts.stage is not Stage.DONE or not facts.strays:
        return facts, command
    # Posting has shown second copies; once they are gone there is nothing left to release.
    facts = replace(facts, is_following=True, cleanings=facts.cleanings + 1)
    if facts.cleanings > cleaning.ROUND_LIMIT:
        return cleaning.tell_all(facts), None
    return cleaning.begin(facts), None


def _derive_look(facts: Facts) -> tuple[Facts, Command | None]:
    groups = tuple(group for group in facts.groups if facts.pending(group))
    if groups != facts.groups:
        facts = replace(facts, groups=groups)
    if not groups:
        return _settled(facts), None
    command = looking.next_read(facts)
    if command is not None:
        return facts, command
    facts = conclude(facts)
    pending = facts.pending(groups[0])
    if not pending:
        return replace(facts, groups=groups[1:], look=_fresh(facts.look)), None
    if not facts.look.are_approvals_read:
        return facts, looking.ask_approvals(facts, pending)
    return replace(facts, stage=Stage.SEND), None


def _send(facts: Facts) -> tuple[Facts, Command]:
    ids = facts.pending(facts.groups[0])
    sends = facts.sends + 1
    facts = replace(
        facts, stage=Stage.SENT, groups=facts.groups[1:], sending=ids, sends=sends,
        outcome=Outcome.NONE, look=_fresh(facts.look),
    )  # fmt: skip
    return facts, PostBatch(posting_ids=ids, tag=f"{facts.tag}.{sends}")


def _fresh(look: Look) -> Look:
    """A look made in this tenure holds for the next group too; approvals are read again."""
    return replace(look, are_approvals_read=False, sightings=(), rivals=())


def _derive_settle(facts: Facts, now: datetime, rules: Rules) -> tuple[Facts, Command | None]:
    command = looking.next_read(facts)
    if command is not None:
        return facts, command
    facts = conclude(facts)
    pending = facts.pending(facts.sending)
    if not pending:
        return _settled(facts), None
    match facts.outcome:
        case Outcome.LOST if facts.settle_until is not None and now < facts.settle_until:
            pause = timedelta(seconds=rules.retry_seconds * 2 ** min(facts.looks, 32))
            until = min(now + pause, facts.settle_until)
            return replace(facts, look=Look(), looks=facts.looks + 1, not_before=until), None
        case Outcome.LOST if facts.losses >= rules.loss_limit and len(pending) == 1:
            note = refusing.lost_too_often(facts.losses)
            return _settled(refusing.give_up(facts, pending, note)), None
        case Outcome.LOST if facts.losses > 1:
            # One bill may be what makes Sage fall over: it must not take the others with it.
            return _again(facts, split(pending)), None
        case Outcome.TRANSIENT if facts.busy >= rules.busy_limit:
            note = refusing.busy_too_often(facts.busy)
            return _settled(replace(refusing.give_up(facts, pending, note), busy=0)), None
        case Outcome.REFUSED:
            facts, groups = refusing.take_apart(facts, pending)
            return _again(facts, groups), None
    return _again(facts, (pending,)), None


def _again(facts: Facts, groups: tuple[tuple[str, ...], ...]) -> Facts:
    """Send these again; the look just made holds, approvals are read again."""
    facts = replace(facts, groups=(*groups, *facts.groups), sending=(), outcome=Outcome.NONE)
    return replace(facts, stage=Stage.LOOK, look=_fresh(facts.look), tries=0, why="")


def _settled(facts: Facts) -> Facts:
    """Nothing of the last send is open: clean up, send the next group, or release."""
    facts = replace(facts, sending=(), outcome=Outcome.NONE, settle_until=None, why="", tries=0)
    if any(facts.pending(group) for group in facts.groups):
        return replace(facts, stage=Stage.LOOK, look=_fresh(facts.look))
    if facts.strays:
        return cleaning.begin(facts)
    return releasing.begin(facts)
