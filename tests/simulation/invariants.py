"""What must hold when everybody has gone home and the workers have caught up."""

from __future__ import annotations

from dataclasses import dataclass, field

from integrations.sage300.types import BatchStatus, Invoice
from sync.domain.facts import Fate
from sync.domain.posting_state import PostingState
from tests.simulation.office import ModelBill
from tests.simulation.sage import ModelSage
from tests.simulation.store import Posting, Store

S = PostingState
NAMED = frozenset({S.IN_SAGE, S.ATTENTION, S.SKIPPED})


@dataclass(slots=True)
class Findings:
    """What is wrong, by kind; `told` are strays that Sage did not let us remove, each with a note."""

    duplicated: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    copied_by_hand: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    shown_wrongly: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [
            f"{kind}: {text}"
            for kind in ("duplicated", "lost", "stuck", "strays", "shown_wrongly")
            for text in getattr(self, kind)
        ]


def check(
    store: Store,
    sage: ModelSage,
    bill: ModelBill,
    *,
    copied: set[str],
    renumbered: set[str],
    is_held: bool,
) -> Findings:
    """Compare our rows with everything Sage and BILL hold."""
    findings = Findings()
    if is_held:
        findings.stuck.append("sending is still held after everybody has gone home")
    for order, count in sage.ledger.items():
        if count > 1:
            kind = findings.duplicated
            if order in copied:
                kind = findings.copied_by_hand
            elif order in renumbered:
                kind = findings.by_hand
            kind.append(f"{order} stands {count} times in the ledger")
    for key, one in bill.bills.items():
        posting = store.postings.get(key)
        if posting is None:
            findings.lost.append(f"{key} is unknown to us")
            continue
        if is_held:
            continue
        _check_state(findings, posting, one.is_approved and not one.is_archived)
        _check_place(findings, store, posting, sage)
        _check_strays(findings, store, posting, sage)
    return findings


def _check_state(findings: Findings, posting: Posting, is_due: bool) -> None:
    if posting.state is S.WAITING and not is_due:
        return
    if posting.state not in NAMED:
        findings.stuck.append(f"{posting.id} is {posting.state}: {posting.sentence}")
    if posting.state is S.ATTENTION and not posting.sentence:
        findings.stuck.append(f"{posting.id} is in Attention without a sentence")


def _check_place(findings: Findings, store: Store, posting: Posting, sage: ModelSage) -> None:
    """Our page and Sage's entry must agree, and what is IN_SAGE must be there."""
    place = posting.place
    if place.fate not in {Fate.LANDED, Fate.POSTED, Fate.DIFFERS, Fate.MOVED}:
        return
    where = f"{posting.id} at batch {place.batch_number}, entry {place.entry_number}"
    order = posting.id.upper()
    if place.is_posted:
        spot = (place.batch_number, place.entry_number)
        document = sage.document_at(spot)
        if document is None and order not in sage.cleared:
            findings.lost.append(f"{where} is shown as posted and is not")
        elif document and document.order_number != order and order not in sage.cleared:
            findings.shown_wrongly.append(f"{where}: the document is another bill's")
        return
    batch = sage.batches.get(place.batch_number)
    invoice = batch.invoices.get(place.entry_number) if batch else None
    if batch is None or invoice is None or invoice.order_number != order:
        if not (place.fate is Fate.MOVED and "does not say where" in place.note):
            findings.lost.append(f"{where} is shown there and is not: {place}")
    elif batch.status is BatchStatus.DELETED:
        findings.lost.append(f"{where} is in a deleted batch")
    else:
        _check_entry(findings, store, posting, invoice, batch.status, where)


def _check_entry(
    findings: Findings,
    store: Store,
    posting: Posting,
    invoice: Invoice,
    status: BatchStatus,
    where: str,
) -> None:
    # What was sent, which a bill decided anew since then no longer is.
    place, entry = posting.place, store.batches[posting.batch].facts.entry(posting.id)
    if place.document_number != invoice.document_number:
        findings.shown_wrongly.append(f"{where}: number {invoice.document_number} not shown")
    if place.status != status and place.fate is not Fate.MOVED:
        findings.shown_wrongly.append(f"{where}: status {status} not shown ({place.status})")
    if place.fate is Fate.LANDED and invoice.total != entry.total:
        findings.shown_wrongly.append(f"{where}: total {invoice.total} not shown")


def _check_strays(findings: Findings, store: Store, posting: Posting, sage: ModelSage) -> None:
    order = posting.id.upper()
    copies = sage.copies(order)
    kept = (posting.place.batch_number, posting.place.entry_number)
    for batch, entry, _ in copies:
        if (batch.number, entry) == kept:
            continue
        text = f"{order} also in batch {batch.number}, entry {entry} ({batch.status})"
        if (
            f"atch {batch.number}, entry {entry} " in posting.sentence
            or _is_told(store, posting, batch.number, entry)
            or "does not say where" in posting.place.note
        ):
            findings.told.append(text)
        else:
            findings.strays.append(text)


def _is_told(store: Store, posting: Posting, number: int, entry: int) -> bool:
    """A note about it stands in the facts of some batch of this posting."""
    return any(
        f"atch {number}, entry {entry} " in note
        for batch in store.batches.values()
        for note in (
            *batch.facts.stray_notes.get(posting.id, ()),
            *batch.facts.held.values(),
        )
    )
