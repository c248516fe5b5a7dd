"""The wire between us and the models: every call may fail, get lost, come late or be done twice."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from integrations.sage300.types import Invoice
from sync.domain.commands import (
    Accepted,
    Answer,
    Approvals,
    BatchRead,
    Command,
    Created,
    ErrorsFound,
    FindPosted,
    Headers,
    ListBatches,
    Lost,
    NotSent,
    Paused,
    PostBatch,
    PostedFound,
    ProcessBatch,
    ReadApprovals,
    ReadBatch,
    ReadErrors,
    ReadFailed,
    ReadPosted,
    Refused,
    RemoveEntries,
    RenameBatch,
    SetReady,
)
from sync.domain.facts import Facts
from tests.simulation.books import Books
from tests.simulation.office import ModelBill
from tests.simulation.sage import ABatch, ModelSage, Refusal, period_in
from tests.simulation.world import Process, Violation, World

TIMEOUT_SECONDS = 60.0
Calling = Generator[float, None, Answer]
READS = ListBatches | ReadBatch | FindPosted | ReadPosted | ReadErrors | ReadApprovals


@dataclass(slots=True)
class Write:
    """A write on its way; `answer` is filled in when Sage has carried it out."""

    carry_out: Callable[[Write], None]
    lifetime: int
    answer: Answer | None = None
    refused: set[str] = field(default_factory=set)


class Wire:
    """One company's connection to both models."""

    def __init__(self, world: World, sage: ModelSage, bill: ModelBill, store: Books) -> None:
        self.world, self.sage, self.bill, self.store = world, sage, bill, store
        self.posts = 0
        self.sent: set[tuple[int, str]] = set()
        self.is_sage_away = False

    def call(self, command: Command, facts: Facts | None) -> Calling:
        """Carry one command out; yields the seconds that pass meanwhile."""
        if isinstance(command, READS):
            return (yield from self._read(command, facts))
        return (yield from self._write(command, facts))

    def outages(self) -> Process:
        """Sage's web server is away now and then: no connection is taken."""
        rng = self.world.rng
        while self.world.is_hostile:
            yield rng.expovariate(1 / self.world.nature.away_seconds)
            if not self.world.is_hostile:
                return
            self.world.happened("sage away")
            self.is_sage_away = True
            yield rng.uniform(60, 2400)
            self.is_sage_away = False

    # --- reads ---

    def _read(self, command: Command, facts: Facts | None) -> Calling:
        world, rate = self.world, self.world.nature.fault_rate
        yield world.rng.uniform(0.1, 2)
        if self.is_sage_away and not isinstance(command, ReadApprovals):
            return ReadFailed(why="Sage could not be reached.")
        if world.strikes("read failed", rate / 4):
            return ReadFailed(why="Sage did not answer.")
        if world.strikes("too many reads", rate / 16):
            seconds = world.rng.choice((0, 20, 300))
            return ReadFailed(why="Sage asks for a pause.", retry_after_seconds=seconds)
        match command:
            case ListBatches(after=after):
                return Headers(headers=self.sage.headers(after))
            case ReadBatch(number=number):
                return BatchRead(number=number, batch=self.sage.read(number))
            case FindPosted(pairs=pairs):
                return PostedFound(documents=self.sage.posted(pairs))
            case ReadPosted(number=number):
                return PostedFound(documents=self.sage.posted_of(number))
            case ReadErrors(number=number):
                return ErrorsFound(errors=self.sage.errors.get(number, ()))
            case ReadApprovals(bill_ids=ids):
                assert facts is not None
                hashes = {entry.bill_id: entry.bill_hash for entry in facts.entries}
                return Approvals(
                    standings={key: self.bill.standing(key, hashes[key]) for key in ids}
                )
        raise AssertionError(command)

    # --- writes ---

    def _write(self, command: Command, facts: Facts | None) -> Calling:
        world, rate = self.world, self.world.nature.fault_rate
        if self.is_sage_away or world.strikes("not sent", rate / 4):
            yield 1.0
            return NotSent(why="Sage could not be reached.")
        if world.strikes("paused past the lease", rate / 12):
            yield world.rng.uniform(300, 1500)
        if world.strikes("too many requests", rate / 8):
            yield 0.5
            return Refused(
                sentence="Sage is busy.", words="429", is_transient=True,
                retry_after_seconds=world.rng.choice((0, 30, 600)),
            )  # fmt: skip
        if world.strikes("password refused", rate / 60):
            yield 0.5
            return Paused(why="Sage refuses the password.")
        self.posts += isinstance(command, PostBatch)
        write = Write(self._carrier(command, facts), self.sage.lifetime)
        if world.strikes("answered 503", rate / 12):
            if world.rng.random() < 0.5:
                self._begin(write, world.rng.uniform(0, 20))
            yield 0.5
            return Lost(why="Sage's server failed.")
        if world.strikes("lost, never done", rate / 5):
            yield TIMEOUT_SECONDS
            return Lost(why="Sage's answer was lost.")
        if world.strikes("lost, done late", rate / 6):
            far = world.rng.choice((100.0, 400.0, 1600.0))
            self._begin(write, world.rng.uniform(1, far))
            yield TIMEOUT_SECONDS
            return Lost(why="Sage's answer was lost.")
        if world.strikes("lost, done", rate / 5):
            self._begin(write, 1.0)
            yield TIMEOUT_SECONDS
            return Lost(why="Sage's answer was lost.")
        self._begin(write, world.rng.uniform(0.5, 4))
        for _ in range(12):
            yield 5.0
            if write.answer is not None:
                return write.answer
        return Lost(why="Sage took too long.")

    def _begin(self, write: Write, delay: float) -> None:
        self.world.after(delay, lambda: self._arrive(write))

    def _arrive(self, write: Write) -> None:
        if write.lifetime == self.sage.lifetime:
            write.carry_out(write)

    def _carrier(self, command: Command, facts: Facts | None) -> Callable[[Write], None]:
        match command:
            case PostBatch():
                assert facts is not None
                return self._post_carrier(command, facts)
            case SetReady(number=number):
                return self._simple(lambda: self.sage.set_ready(number))
            case ProcessBatch(number=number):
                return self._simple(lambda: self.sage.process(number))
            case RemoveEntries(number=number, entry_numbers=entries):
                return self._simple(lambda: self.sage.remove(number, entries))
            case RenameBatch(number=number, description=text):
                return self._simple(lambda: self.sage.rename(number, text))
        raise AssertionError(command)

    def _simple(self, action: Callable[[], None]) -> Callable[[Write], None]:
        def carry_out(write: Write) -> None:
            try:
                action()
            except Refusal as refusal:
                write.answer = Refused(sentence=refusal.words, words=refusal.words)
            else:
                write.answer = Accepted()

        return carry_out

    # --- the one write that makes entries ---

    def _post_carrier(self, command: PostBatch, facts: Facts) -> Callable[[Write], None]:
        if command.tag not in self.store.intents:
            raise Violation(f"I4: {command.tag} left without a committed intent")
        # A restored database commits the intent anew, so the life of our rows counts too.
        sent = (self.store.restores, command.tag)
        if sent in self.sent:
            raise Violation(f"I4: {command.tag} left twice under one intent")
        self.sent.add(sent)
        invoices = self.invoices(command, facts)
        self._check_kind(command.tag, invoices)
        world, rate = self.world, self.world.nature.fault_rate
        checked: list[Refusal | None] = []
        if world.strikes("number check passed early", rate / 6):
            checked = [self._check(invoice) for invoice in invoices]
        if len(invoices) > 1 and world.strikes("201 with an entry missing", rate / 10):
            invoices = invoices[:-1]
        is_slow = self.world.nature.refusal_mode != "atomic" and world.strikes(
            "half written for a while", rate / 5
        )

        def carry_out(write: Write) -> None:
            if is_slow:
                batch = self.sage.draw(command.tag)
                self._write_slowly(write, batch, invoices, checked, 0)
                return
            self._write_at_once(write, command.tag, invoices, checked)

        return carry_out

    def invoices(self, command: PostBatch, facts: Facts) -> list[Invoice]:
        """Exactly what this POST carries, as the intent froze it."""
        frozen = self.store.frozen(facts)
        return [frozen[key] for key in command.posting_ids]

    def _check_kind(self, tag: str, invoices: list[Invoice]) -> None:
        if len({(period_in(invoice), invoice.currency) for invoice in invoices}) != 1:
            raise Violation(f"{tag} does not hold one fiscal period and one currency")
        if len(invoices) > self.world.nature.batch_size:
            raise Violation(f"{tag} holds {len(invoices)} invoices, more than a batch may")

    def _check(self, invoice: Invoice) -> Refusal | None:
        try:
            self.sage.check(invoice)
        except Refusal as refusal:
            return refusal
        return None

    def _write_at_once(
        self, write: Write, tag: str, invoices: list[Invoice], checked: list[Refusal | None]
    ) -> None:
        verdicts = checked or [self._check(invoice) for invoice in invoices]
        bad = next((i for i, verdict in enumerate(verdicts) if verdict is not None), None)
        mode = self.world.nature.refusal_mode
        if bad is None or mode != "atomic":
            batch = self.sage.draw(tag)
            kept = len(invoices) if bad is None else (bad if mode == "entries" else 0)
            for invoice in invoices[:kept]:
                self.sage.insert(batch, invoice)
        if bad is None:
            write.answer = Created(number=batch.number)
        else:
            verdict = verdicts[bad]
            assert verdict is not None
            write.answer = self._refused(verdict)

    def _write_slowly(
        self,
        write: Write,
        batch: ABatch,
        invoices: list[Invoice],
        checked: list[Refusal | None],
        index: int,
    ) -> None:
        """One entry after the other, with time between them for everybody else."""
        if write.lifetime != self.sage.lifetime:
            return
        if index == len(invoices):
            write.answer = Created(number=batch.number)
            return
        verdict = checked[index] if checked else self._check(invoices[index])
        if verdict is None:
            try:
                self.sage.insert(batch, invoices[index])
            except Refusal as refusal:
                verdict = refusal
        if verdict is not None:
            write.answer = self._refused(verdict)
            return
        self.world.after(
            self.world.rng.uniform(1, 40),
            lambda: self._write_slowly(write, batch, invoices, checked, index + 1),
        )

    def _refused(self, refusal: Refusal) -> Refused:
        self.world.happened("clean refusal")
        named = refusal.invoice if self.world.nature.names_refused else None
        number = named.document_number if named else ""
        words = f"{refusal.words} ({number})" if number else refusal.words
        return Refused(
            sentence=words,
            words=words,
            document_number=number,
            is_number_taken=refusal.is_taken,
            is_period_closed=refusal.is_closed,
        )
