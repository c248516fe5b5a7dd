"""A person's acts on one posting: each conditional on what they saw, logged, and audited.

Two people may press at the same moment. The second is told who did what, and nothing is done twice.
Which act is open when is the domain's rule (`domain/deeds.py`); pages and the API ask it as well.
The caller holds the tenant's scope, and wakes the company afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from sync.domain import facts_json
from sync.domain.deeds import Deed, find_offer
from sync.domain.facts import Fate
from sync.domain.posting_state import PostingState
from sync.models import Batch, LogEntry, Posting
from sync.queries.posting_story import standing_for_deeds
from sync.services import journal
from tenants import audit
from tenants.audit import Actor
from tenants.models import User

# How many of a posting's log lines are looked through for who moved it on.
MEANWHILE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The act is written; `sentence` says what happens now."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """Somebody or the machine was quicker; nothing was written."""

    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotOpen:
    """The act is not open for this posting, or its note is missing; nothing was written."""

    sentence: str


Outcome = Done | Overtaken | NotOpen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """Where an act leads, what is written with it, and how it is told."""

    state: PostingState
    sentence: str
    told: str
    values: Mapping[str, object]


def act(
    posting: Posting,
    deed: Deed,
    *,
    seen_state: str,
    actor: Actor,
    note: str,
    zone: ZoneInfo,
    now: datetime,
) -> Outcome:
    """Do it if the posting still stands where the person saw it.

    `zone` is the company's. `note` is required where the offer asks for one.
    """
    seen_state, _, seen_change = seen_state.partition("@")
    if deed is Deed.DEALT_WITH:
        # A change that BILL made after the page was read must not be dealt with unseen.
        rows = Posting.objects.for_tenant(posting.tenant_id).select_for_update()
        posting = rows.get(pk=posting.pk)
    if posting.state != seen_state:
        return Overtaken(sentence=who_was_quicker(posting, seen_state))
    if deed is Deed.DEALT_WITH and seen_change not in {"", posting.seen.partition("@")[2]}:
        return Overtaken(sentence=f"{_change_now(posting)} Look again.")
    offer = find_offer(standing_for_deeds(posting, zone=zone), deed)
    if offer is None:
        return NotOpen(sentence=f"This cannot be done now: {posting.sentence or posting.state}")
    note = note.replace("\x00", "").strip()[:250]
    if offer.note_label and not note:
        return NotOpen(
            sentence=f"Nothing was done yet. Please fill in “{offer.note_label}”: it is kept with"
            " the bill, so that others can follow."
        )
    move = _move(posting, deed, actor=actor, note=note, now=now)
    before = posting.state
    batch = _lock_batch(posting) if deed is Deed.HANDLED_OUTSIDE else None
    if not posting.advance(move.state, now=now, by_person=True, **move.values):
        posting.refresh_from_db()
        return Overtaken(sentence=who_was_quicker(posting, seen_state))
    if batch is not None:
        _tell_batch(batch, posting, note)
    _record(posting, deed, move, actor=actor, note=note, before=before, now=now)
    return Done(sentence=move.told)


def _change_now(posting: Posting) -> str:
    if posting.changed_in_bill_at is None:
        return f"Somebody was quicker. {posting.change_note}"
    return f"BILL changed it once more meanwhile. {posting.change_note}"


def user_id_of(actor: Actor) -> uuid.UUID | None:
    """The person behind an actor, None for a token or the machine; one query."""
    is_person = actor.id is not None and User.objects.filter(pk=actor.id).exists()
    return actor.id if is_person else None


def _move(posting: Posting, deed: Deed, *, actor: Actor, note: str, now: datetime) -> _Move:
    anew: dict[str, object] = {
        "is_dirty": True, "problems": [], "decided_by_id": user_id_of(actor), "decision_note": note,
    }  # fmt: skip
    match deed:
        case Deed.APPROVE:
            return _approved(posting, anew)
        case Deed.ACCEPT_DUPLICATE:
            sentence = f"{actor.name} says it is another invoice; it gets a suffix."
            return _again(sentence, {**anew, "is_duplicate_accepted": True})
        case Deed.ALLOW_OLDER:
            sentence = f"{actor.name} lets this older bill go."
            return _again(sentence, {**anew, "is_allowed_before_cutover": True})
        case Deed.LOOKED_IN_SAGE:
            sentence = f"{actor.name} looked in Sage: it is not there. It may go under its number."
            freed = {"is_identity_clean": True, "identity_frozen_at": None}
            return _again(sentence, {**anew, **freed})
        case Deed.REPLAY:
            why = f": {note}" if note else "."
            return _again(f"{actor.name} asked to check it again{why}", anew)
        case Deed.TAKE_BACK:
            sentence = f"{actor.name} took it back."
            return _again(sentence, {**anew, "is_skipped_by_person": False})
        case Deed.DEALT_WITH:
            return _dealt_with(posting, actor, note)
        case Deed.HANDLED_OUTSIDE:
            return _left(f"Handled outside, says {actor.name}: {note}", actor, note)
        case Deed.LEAVE_OUT:
            return _left(f"Left out by {actor.name}: {note}", actor, note)
        case _:
            assert_never(deed)


def _approved(posting: Posting, anew: Mapping[str, object]) -> _Move:
    """Straight to READY where nothing changed since it was decided, or else decided anew."""
    if posting.is_dirty or posting.invoice is None:
        sentence = "Approved to post; it is decided anew, since its grounds have changed."
        return _again(sentence, {**anew, "is_review_accepted": True})
    sentence = "Approved to post. Goes with the next batch."
    values = {**anew, "is_dirty": False, "is_review_accepted": True, "sentence": sentence}
    return _Move(state=PostingState.READY, sentence=sentence, told=sentence, values=values)


def _again(sentence: str, values: Mapping[str, object]) -> _Move:
    return _Move(
        state=PostingState.WAITING,
        sentence=sentence,
        told="It is decided anew now; its own page shows where it goes.",
        values={**values, "sentence": sentence},
    )


def _left(sentence: str, actor: Actor, note: str) -> _Move:
    return _Move(
        state=PostingState.SKIPPED,
        sentence=sentence[:1000],
        told="It is left alone and never sent. It can be taken back on its own page, which"
        " Postings lists under Skipped.",
        values={
            "sentence": sentence[:1000],
            "is_skipped_by_person": True,
            "is_dirty": False,
            "decided_by_id": user_id_of(actor),
            "decision_note": note,
        },
    )


def _dealt_with(posting: Posting, actor: Actor, note: str) -> _Move:
    """It stays where it lies in Sage; what BILL says now is taken as known."""
    sentence = f"The change in BILL was dealt with, says {actor.name}: {note}"
    return _Move(
        state=PostingState.IN_SAGE,
        sentence=sentence,
        told="Noted, and out of Attention. Another change in BILL brings it back.",
        values={
            "changed_in_bill_at": None,
            "change_note": sentence[:300],
            "mapped_hash": posting.bill.content_hash,
            "decided_by_id": user_id_of(actor),
            "decision_note": note,
        },
    )


def _lock_batch(posting: Posting) -> Batch | None:
    """Its batch, locked before the posting as the protocol does; None without one.

    Also one still under way: whoever drives it finds its version changed and takes it up anew.
    """
    if posting.batch_id is None:
        return None
    rows = Batch.objects.for_tenant(posting.tenant_id).select_for_update()
    return rows.filter(pk=posting.batch_id).first()


def _tell_batch(batch: Batch, posting: Posting, note: str) -> None:
    """Let its batch know, so that a copy of ours showing up late is one too many."""
    facts = facts_json.from_json(batch.facts)
    key = str(posting.pk)
    place = replace(facts.place(key), fate=Fate.OUTSIDE, note=f"Handled outside: {note}"[:250])
    Batch.objects.for_tenant(posting.tenant_id).filter(pk=batch.pk).update(
        facts=facts_json.to_json(facts.with_place(key, place)), version=batch.version + 1
    )


def _record(
    posting: Posting,
    deed: Deed,
    move: _Move,
    *,
    actor: Actor,
    note: str,
    before: str,
    now: datetime,
) -> None:
    line = journal.line_for(
        posting, event=f"person.{deed.value}", sentence=move.sentence, now=now, actor=actor.name
    )
    journal.write([line])
    audit.record(
        tenant=posting.tenant_id,
        actor=actor,
        action=f"posting.{deed.value}",
        subject=str(posting),
        subject_id=posting.pk,
        details={"from": before, "to": posting.state, "note": note},
        now=now,
    )


def who_was_quicker(posting: Posting, seen_state: str) -> str:
    """What happened since it stood as `seen_state`, with the person who began it if one did."""
    lines = LogEntry.objects.for_tenant(posting.tenant_id).filter(posting_id=posting.pk)
    since: list[LogEntry] = []
    for line in lines.order_by("-at", "-pk")[:MEANWHILE]:
        if since and line.status == seen_state:
            break
        since.append(line)
    if not since:
        return f"It has moved on meanwhile. {posting.sentence}".strip()
    last = since[0]
    person = next((line for line in reversed(since) if line.actor), None)
    if person is None:
        return f"It has moved on by itself meanwhile. {last.sentence}"
    then = "" if person is last else f" Since then: {last.sentence}"
    return f"{person.actor} was quicker. {person.sentence}{then}"
