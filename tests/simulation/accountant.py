"""Somebody in the product: sends again, corrects a number, marks as handled outside, lifts a hold."""

from __future__ import annotations

from sync.domain import sweeping
from sync.domain.facts import Fate, Place
from sync.domain.posting_state import PostingState
from sync.domain.replacing import replace
from tests.simulation.sage import ModelSage
from tests.simulation.store import Posting, Store
from tests.simulation.world import Process, World

S = PostingState
#: Longer than any request of ours that was given up goes on.
PATIENCE_SECONDS = 2400.0


class Accountant:
    """Acts on what stands in Attention, as the buttons allow."""

    def __init__(self, world: World, store: Store, sage: ModelSage) -> None:
        self.world, self.store, self.sage = world, store, sage
        #: What somebody knows about Sage that the numbers alone do not tell.
        self.was_sage_restored = False
        self.blocked_since: dict[str, float] = {}

    def run(self) -> Process:
        while True:
            yield self.world.rng.uniform(300, 900)
            if self.store.company.hold and (lease := self.store.take_lease("accountant")):
                self.lift_hold()
                self.store.release(lease)
            self.store.company.paused = ""
            for posting in self.store.blocked():
                self.look_in_sage(posting)
            if not self.world.is_hostile:
                continue
            for posting in list(self.store.postings.values()):
                if posting.state is S.ATTENTION and self.world.rng.random() < 0.3:
                    self.act(posting)

    def look_in_sage(self, posting: Posting) -> None:
        """Says “I looked in Sage”, once a request that was given up cannot be under way any more."""
        since = self.blocked_since.setdefault(posting.id, self.world.seconds)
        order = posting.id.upper()
        is_there = self.sage.copies(order) or any(
            document.order_number == order for document in self.sage.documents.values()
        )
        if self.world.seconds - since < PATIENCE_SECONDS or is_there:
            return
        self.world.happened("accountant: looked in Sage")
        del self.blocked_since[posting.id]
        self.store.advance(
            posting.id, S.WAITING, by_person=True, is_clean=True, place=Place(), batch=""
        )

    def act(self, posting: Posting) -> None:
        batch = self.store.batches.get(posting.batch)
        if batch is not None and not batch.is_settled:
            return
        match posting.place.fate:
            case Fate.EXCEEDED | Fate.REMOVED | Fate.REFUSED if posting.bill.is_approved:
                self._again(posting)
            case Fate.TAKEN if posting.is_clean and posting.bill.is_approved:
                self._renumber(posting)
            case Fate.TAKEN | Fate.EXCEEDED:
                self.world.happened("accountant: handled outside")
                self.store.advance(
                    posting.id, S.SKIPPED, by_person=True, is_skipped_by_person=True,
                    batch="", place=Place(fate=Fate.OUTSIDE, is_clean=posting.is_clean),
                )  # fmt: skip

    def _again(self, posting: Posting) -> None:
        self.world.happened("accountant: sent again")
        place = Place(is_clean=posting.is_clean)
        self.store.advance(posting.id, S.READY, by_person=True, place=place, batch="")

    def _renumber(self, posting: Posting) -> None:
        """The number belongs to another invoice: this one gets one of its own."""
        self.world.happened("accountant: number corrected")
        assert posting.entry is not None
        number = f"{posting.entry.document_number}-B"[:22]
        row = replace(posting, entry=replace(posting.entry, document_number=number))
        self.store.postings[posting.id] = row
        self._again(row)

    def lift_hold(self) -> None:
        """Says what happened to Sage, and lets the work go on from there."""
        highest = self.sage.next_number - 1
        company = self.store.company
        headers = self.sage.headers(0)
        for tag, batch in list(self.store.batches.items()):
            facts = sweeping.history_cleared(batch.facts, highest=highest)
            if self.was_sage_restored:
                facts = sweeping.after_sage_restore(batch.facts, headers)
            self.store.batches[tag] = replace(batch, facts=facts, version=batch.version + 1)
            for posting in list(self.store.postings.values()):
                place = facts.place(posting.id)
                if posting.batch != tag or place == posting.place:
                    continue
                state = S.ATTENTION if place.fate is Fate.REMOVED else posting.state
                self.store.advance(
                    posting.id, state, by_person=True, place=place, sentence=place.note
                )
        company.hold = ""
        company.highest = min(company.highest, highest)
        company.low_mark = 0 if self.was_sage_restored else min(company.low_mark, highest)
        company.first_seen = {n: at for n, at in company.first_seen.items() if n <= highest}
        company.prints = {} if self.was_sage_restored else company.prints
        company.is_thorough = self.was_sage_restored
        self.was_sage_restored = False
