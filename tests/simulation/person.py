"""The accountant as the product's own buttons allow, and the operator who answers a hold."""

from __future__ import annotations

from sync.domain.facts import Fate
from sync.domain.posting_state import PostingState
from sync.domain.replacing import replace
from tests.simulation.books import Books
from tests.simulation.office import ModelBill
from tests.simulation.sage import ModelSage
from tests.simulation.store import Posting
from tests.simulation.world import Process, World

S = PostingState
#: Longer than any request of ours that was given up goes on.
PATIENCE_SECONDS = 2400.0


class Person:
    """Acts on what stands in Attention; corrects numbers in BILL."""

    def __init__(self, world: World, store: Books, sage: ModelSage, bill: ModelBill) -> None:
        self.world, self.store, self.sage, self.bill = world, store, sage, bill
        #: What somebody knows about Sage that the numbers alone do not tell.
        self.was_sage_restored = False
        self.blocked_since: dict[str, float] = {}

    def run(self) -> Process:
        while True:
            yield self.world.rng.uniform(300, 900)
            if self.store.company.hold:
                self.lift_hold()
            self.store.resume()
            for posting in self.store.blocked():
                self.look_in_sage(posting)
            if not self.world.is_hostile:
                continue
            for _, posting in sorted(self.store.postings.items()):
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
        self.store.looked_in_sage(posting.id)

    def act(self, posting: Posting) -> None:
        batch = self.store.batches.get(posting.batch)
        if batch is not None and not batch.is_settled:
            return
        match posting.place.fate:
            case Fate.EXCEEDED | Fate.REMOVED | Fate.REFUSED if posting.bill.is_approved:
                self.world.happened("accountant: sent again")
                self.store.send_again(posting.id)
            case Fate.TAKEN if posting.is_clean and posting.bill.is_approved:
                self.world.happened("accountant: number corrected")
                bill = self.bill.bills[posting.id]
                self.bill.write(replace(bill, number=f"{bill.number}-B"[:22]))
            case Fate.TAKEN | Fate.EXCEEDED:
                self.world.happened("accountant: handled outside")
                self.store.handle_outside(posting.id)

    def lift_hold(self) -> None:
        """Says what happened to Sage, and lets the work go on from there."""
        headers = self.sage.headers(0)
        if self.store.go_on(headers, was_restored=self.was_sage_restored):
            self.was_sage_restored = False
