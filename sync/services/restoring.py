"""After a restore: of our own database, where Sage knows more than we do, or of Sage, where we do.

Ours: everything above the old low mark is read and adopted before anything is sent; nobody has to
decide. Sage's: what its backup lost is listed batch by batch, a person says for each whether its
bills go again or were handled outside, and only then does anything move.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from django.conf import settings

from integrations.sage300.types import BatchHeader
from sync.domain import facts_json, sage_restores
from sync.domain.deeds import Deed
from sync.domain.facts import Facts
from sync.domain.posting_state import PostingState
from sync.models import Batch, Posting
from sync.services import acts, journal, landings
from sync.services.lease import Lease, release_lease, take_lease
from sync.services.looks import why_restored
from sync.services.marks import Marks, find_marks, keep_marks
from sync.services.work import Work
from tenants.audit import Actor
from tenants.scoping import tenant_scope


class Choice(StrEnum):
    """What happens to the bills of a batch that Sage's backup lost."""

    SEND_AGAIN = "send-again"
    HANDLED_OUTSIDE = "handled-outside"


_DEEDS = {Choice.SEND_AGAIN: Deed.REPLAY, Choice.HANDLED_OUTSIDE: Deed.HANDLED_OUTSIDE}


class CannotDecide(Exception):
    """The decision cannot be taken now; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostBatch:
    """A batch our rows know and Sage no longer has; `choice` "" until somebody decided."""

    number: int
    titles: tuple[str, ...]
    total: Decimal
    choice: str = ""

    @property
    def sentence(self) -> str:
        """One line for the operator's list."""
        decided = self.choice or "not decided"
        return (
            f"Batch {self.number}: {len(self.titles)} invoices, {self.total:,.2f}, {decided}."
            f" {', '.join(self.titles)}"
        )


def look_again(work: Work, *, from_batch: int | None, now: datetime) -> str:
    """Our own database was restored: take nothing above the low mark for known, for a while.

    `from_batch` lowers the mark. Raises CannotDecide where there is no mark to look from.
    """
    with tenant_scope(work.tenant_id):
        marks = find_marks(tenant_id=work.tenant_id, company_id=work.company_id)
        if marks is None and from_batch is None:
            raise CannotDecide(
                f"{work.company_name} had never looked at Sage when this backup was made. Say from"
                " which batch number to look: --from-batch."
            )
        marks = marks or Marks()
        if from_batch is not None:
            marks.low = min(marks.low, from_batch) if marks.highest else from_batch
            marks.highest = max(marks.highest, marks.low)
        marks.prints, marks.told, marks.strangers = {}, [], {}
        marks.watch(now)
        keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
        sentence = (
            f"Our database was restored. Every batch above {marks.low} is read, and what is ours is"
            " adopted, before anything is sent."
        )
        _tell(work, "restore.ours", sentence, now)
    return sentence


def why_held(work: Work) -> str:
    """Why Sage looks restored, "" when it does not; one list of headers is read."""
    return why_restored(work, _marks(work))


def lost_batches(work: Work) -> list[LostBatch]:
    """The batches of ours that Sage's backup lost, oldest first."""
    marks = _marks(work)
    return _lost(work, marks, _highest(work.sage.list_batches(0)))


def decide(
    work: Work, *, number: int, choice: Choice, actor: Actor, note: str, now: datetime
) -> str:
    """Take one decision down; nothing moves before `go_on`."""
    marks = _marks(work)
    known = {lost.number for lost in _lost(work, marks, _highest(work.sage.list_batches(0)))}
    if number not in known:
        raise CannotDecide(f"Batch {number} is not among those that Sage lost.")
    marks.decisions[number] = choice.value
    sentence = f"{actor.name} decided for batch {number}: {choice.value}. {note}".strip()
    with tenant_scope(work.tenant_id):
        keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
        _tell(work, "restore.decided", sentence, now, actor=actor.name, batch_number=number)
    return sentence


def go_on(work: Work, *, actor: Actor, note: str, now: datetime) -> str:
    """Carry the decisions out and let sends go on; raises CannotDecide while one is missing."""
    headers = tuple(work.sage.list_batches(0))
    marks = _marks(work)
    lost = _lost(work, marks, _highest(headers))
    open_ones = [str(one.number) for one in lost if not one.choice]
    if open_ones:
        raise CannotDecide(f"Decide first for: batch {', '.join(open_ones)}.")
    with _writing(work) as lease:
        postings = _postings_of(work, [one.number for one in lost])
        low, prints = sage_restores.look_back(
            headers, low=min(marks.low, _highest(headers)), known=_known_prints(work, marks)
        )
        _accept(work, lease, headers, now, trusts_sequences=marks.trusts_sequences)
        for one in lost:
            _carry_out(work, postings[one.number], Choice(one.choice), actor, note, now)
        marks.low, marks.prints = low, prints
        return _release(work, marks, headers, actor, now, what="Sage was restored")


def history_cleared(work: Work, *, actor: Actor, now: datetime) -> str:
    """Nothing was restored, only the newest history was cleared: the numbers go on from here."""
    headers = tuple(work.sage.list_batches(0))
    marks = _marks(work)
    highest = _highest(headers)
    with _writing(work) as lease:
        for batch in _batches(work):
            facts = facts_json.from_json(batch.facts)
            if batch.settled_at is None:
                _store(
                    work, lease, batch, sage_restores.history_cleared(facts, highest=highest), now
                )
        marks.prints = {}
        return _release(work, marks, headers, actor, now, what="Sage's history was cleared")


# --- the parts ------------------------------------------------------------------------------------


class _writing:  # noqa: N801 - reads as a sentence: with _writing(work)
    """Be the one writer while facts are changed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lease: Lease | None = None

    def __enter__(self) -> Lease:
        self._lease = take_lease(
            self._work.database_key,
            owner=self._work.worker,
            seconds=settings.CONNECTOR.lease_seconds,
        )
        if self._lease is None:
            raise CannotDecide("A worker is writing to this Sage database now; try again.")
        return self._lease

    def __exit__(self, *_: object) -> None:
        if self._lease is not None:
            release_lease(self._lease)


def _marks(work: Work) -> Marks:
    with tenant_scope(work.tenant_id):
        marks = find_marks(tenant_id=work.tenant_id, company_id=work.company_id)
    if marks is None:
        raise CannotDecide(f"{work.company_name} has never looked at Sage; nothing was lost.")
    return marks


def _highest(headers: Iterable[BatchHeader]) -> int:
    return max((header.number for header in headers), default=0)


def _lost(work: Work, marks: Marks, highest: int) -> list[LostBatch]:
    found: dict[int, list[Posting]] = {}
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        for posting in rows.filter(sage_batch_number__gt=highest).order_by("invoice_number"):
            found.setdefault(posting.sage_batch_number or 0, []).append(posting)
    return [
        LostBatch(
            number=number,
            titles=tuple(f"{one.vendor_name} {one.invoice_number}" for one in postings),
            total=sum((one.amount or Decimal(0) for one in postings), Decimal(0)),
            choice=marks.decisions.get(number, ""),
        )
        for number, postings in sorted(found.items())
    ]


def _postings_of(work: Work, numbers: list[int]) -> dict[int, list[uuid.UUID]]:
    found: dict[int, list[uuid.UUID]] = {number: [] for number in numbers}
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        pairs = rows.filter(sage_batch_number__in=numbers).values_list("sage_batch_number", "pk")
        for number, key in pairs:
            found[number or 0].append(key)
    return found


def _batches(work: Work) -> list[Batch]:
    with tenant_scope(work.tenant_id):
        rows = Batch.objects.for_tenant(work.tenant_id).filter(company_id=work.company_id)
        return list(rows.order_by("made_at"))


def _known_prints(work: Work, marks: Marks) -> dict[int, str]:
    """How every batch known to us looked when it was last judged."""
    prints = dict(marks.prints)
    for batch in _batches(work):
        prints |= facts_json.from_json(batch.facts).prints
    return prints


def _accept(
    work: Work,
    lease: Lease,
    headers: tuple[BatchHeader, ...],
    now: datetime,
    *,
    trusts_sequences: bool,
) -> None:
    """Have every batch's facts say what Sage's backup still holds."""
    for batch in _batches(work):
        before = facts_json.from_json(batch.facts)
        after = sage_restores.after_sage_restore(before, headers, trusts_sequences=trusts_sequences)
        if after != before:
            _store(work, lease, batch, after, now)


def _store(work: Work, lease: Lease, batch: Batch, after: Facts, now: datetime) -> None:
    before = facts_json.from_json(batch.facts)
    with tenant_scope(work.tenant_id):
        rows = Batch.objects.for_tenant(work.tenant_id).filter(pk=batch.pk, version=batch.version)
        rows.update(
            facts=facts_json.to_json(after), version=batch.version + 1, lease_epoch=lease.epoch
        )
        landings.apply(work, batch, before=before, after=after, attempt_id=None, now=now)


def _carry_out(
    work: Work, keys: list[uuid.UUID], choice: Choice, actor: Actor, note: str, now: datetime
) -> None:
    with tenant_scope(work.tenant_id):
        rows = Posting.objects.for_tenant(work.tenant_id).of_company(work.company_id)
        for posting in rows.filter(pk__in=keys).in_state(PostingState.ATTENTION):
            acts.act(
                posting,
                _DEEDS[choice],
                seen_state=posting.state,
                actor=actor,
                note=note or "Sage was restored from a backup.",
                zone=work.zone,
                now=now,
            )


def _release(
    work: Work,
    marks: Marks,
    headers: tuple[BatchHeader, ...],
    actor: Actor,
    now: datetime,
    *,
    what: str,
) -> str:
    """Lower the marks to what Sage has, and read everything new for a while."""
    marks.highest = _highest(headers)
    marks.low = min(marks.low, marks.highest)
    marks.first_seen, marks.decisions, marks.seen = {}, {}, {}
    marks.watch(now)
    sentence = f"{actor.name} says: {what}. Sends go on from batch {marks.highest}."
    with tenant_scope(work.tenant_id):
        keep_marks(marks, tenant_id=work.tenant_id, company_id=work.company_id, now=now)
        _tell(work, "restore.over", sentence, now, actor=actor.name)
    return sentence


def _tell(
    work: Work,
    event: str,
    sentence: str,
    now: datetime,
    *,
    actor: str = "",
    batch_number: int | None = None,
) -> None:
    line = journal.company_line(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        event=event,
        sentence=sentence,
        now=now,
        actor=actor,
        batch_number=batch_number,
    )
    journal.write([line])
