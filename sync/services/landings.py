"""Writes what the protocol found out onto the postings, and a log line for each change."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from integrations.sage300.errors import is_period_closed
from integrations.sage300.types import BatchStatus
from sync.domain.facts import Facts, Fate, Place
from sync.domain.landing import Landing, landing
from sync.domain.posting_state import BEFORE_SENDING, PostingState, may_advance
from sync.models import Batch, Posting
from sync.models.posting import Move
from sync.services import journal, periods
from sync.services.work import Work

STATUS_WORDS = {
    BatchStatus.OPEN: "Open",
    BatchStatus.READY_TO_POST: "Ready To Post",
    BatchStatus.POSTED: "Posted",
    BatchStatus.POST_IN_PROGRESS: "Post In Progress",
    BatchStatus.DELETED: "Deleted",
}


def status_words(status: str) -> str:
    """Sage's own words for a status of the Web API."""
    try:
        return STATUS_WORDS[BatchStatus(status)]
    except ValueError:
        return status


def apply(
    work: Work,
    batch: Batch,
    *,
    before: Facts,
    after: Facts,
    attempt_id: uuid.UUID | None,
    now: datetime,
) -> None:
    """Advance every posting whose landing changed between two facts; inside the caller's scope."""
    moved = {
        entry.posting_id: landing(after, entry.posting_id)
        for entry in after.entries
        if _has_moved(before, after, entry.posting_id)
    }
    if not moved:
        return
    postings = list(
        Posting.objects.for_tenant(work.tenant_id)
        .filter(pk__in=moved, batch_id=batch.pk)
        .select_related("bill")
        .defer("bill__snapshot")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    places = {posting.pk: after.place(str(posting.pk)) for posting in postings}
    moves = [
        _move(
            posting,
            moved[str(posting.pk)],
            places[posting.pk],
            total=after.entry(str(posting.pk)).total,
            now=now,
        )
        for posting in postings
    ]
    Posting.advance_all([move for move in moves if _may_go(move, now)], now=now)
    journal.write(
        [
            journal.line_for(
                posting,
                event=f"posting.{places[posting.pk].fate.value}",
                sentence=told(moved[str(posting.pk)], places[posting.pk]),
                now=now,
                attempt_id=attempt_id,
                run_id=work.run_id,
            )
            for posting in postings
        ]
    )


def _may_go(move: Move, now: datetime) -> bool:
    """Whether the row may go where its entry was found; the log tells of it in any case.

    An entry may turn up late, when its bill has gone back or a person has answered: a row that waits
    is first marked as being looked at, and one that a person has left out stays as it is.
    """
    posting, new, _ = move
    old = PostingState(posting.state)
    if may_advance(old, new):
        return not (posting.is_skipped_by_person and new is not old)
    if old in BEFORE_SENDING and not posting.is_skipped_by_person:
        sentence = "Found in Sage, though our records did not say so. It is being looked at."
        return posting.advance(PostingState.UNCERTAIN, now=now, sentence=sentence)
    return False


def _has_moved(before: Facts, after: Facts, key: str) -> bool:
    return before.place(key) != after.place(key) or landing(before, key) != landing(after, key)


def _move(
    posting: Posting, landed: Landing, place: Place, *, total: Decimal, now: datetime
) -> Move:
    """Where a posting goes by what was found out about its entry."""
    values: dict[str, Any] = {
        "sentence": landed.sentence[:1000],
        "words": landed.words[:600],
        "mode": landed.mode,
        "is_identity_clean": place.is_clean,
    }
    match place.fate:
        case Fate.LANDED | Fate.POSTED | Fate.MOVED | Fate.DIFFERS:
            values |= lying_columns(posting, place, total=total, now=now)
        case Fate.REFUSED | Fate.WITHDRAWN | Fate.TAKEN | Fate.REMOVED | Fate.EXCEEDED:
            values |= {"sage_batch_number": None, "sage_entry_number": None, "sage_status": ""}
            values["posted_at"] = None
            if place.is_clean:
                values["identity_frozen_at"] = None
    state = landed.state
    if place.fate is Fate.REFUSED and place.is_clean and is_period_closed(place.words):
        _close_period(posting, now)
        state, values["mode"] = PostingState.WAITING, ""
    if state is PostingState.WAITING:
        values["is_dirty"] = True
    return posting, state, values


def _close_period(posting: Posting, now: datetime) -> None:
    """Sage refused the whole period: the bill is decided anew by the company's rule for that."""
    periods.note_refused(
        tenant_id=posting.tenant_id,
        company_id=posting.company_id,
        period=(posting.fiscal_year, posting.fiscal_period),
        now=now,
    )


def lying_columns(
    posting: Posting, place: Place, *, total: Decimal, now: datetime
) -> dict[str, object]:
    """Where a posting lies in Sage, as read back at `now`.

    `posted_at` stands for its own posted document: a Posted batch alone proves nothing of an entry.
    """
    values: dict[str, object] = {
        "sage_batch_number": place.batch_number,
        "sage_entry_number": place.entry_number,
        "sage_document_number": place.document_number[:22],
        "sage_status": "Posted" if place.fate is Fate.POSTED else status_words(place.status),
        "posting_sequence": place.posting_sequence or None,
        "read_back_at": now,
        "in_sage_at": posting.in_sage_at or now,
        "posted_at": (posting.posted_at or now) if place.is_posted else None,
    }
    if place.fate is not Fate.DIFFERS:
        values["sage_amount"] = total
    if posting.bill.content_hash != posting.mapped_hash and posting.changed_in_bill_at is None:
        values["changed_in_bill_at"] = now
        values["change_note"] = (
            "Changed in BILL while it was being sent; Sage has the earlier one. Correct it there by"
            " hand where it must follow, then mark it as dealt with."
        )
    return values


def told(landed: Landing, place: Place) -> str:
    """The log's sentence for one change."""
    where = f"batch {place.batch_number}, entry {place.entry_number}"
    match place.fate:
        case Fate.PENDING:
            return landed.sentence
        case Fate.LANDED:
            return f"Read back from Sage: {where}, {status_words(place.status)}, to the cent."
        case Fate.POSTED:
            return f"Posted in Sage: {where}, posting sequence {place.posting_sequence}."
    return landed.sentence
