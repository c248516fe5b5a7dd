"""Begins the writer's turn while BILL is still being read: a long read and eight-second batches overlap.

The turn is the same as ever, under the same lease; only it runs in a thread of its own, with its own
database connection, and takes nothing but full batches until everything is read. Its outcome, and
whatever it raised, is handed over where the turn would have stood.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from django.db import connections

from sync.services.sending import Sent
from sync.services.supply import Supply

log = logging.getLogger(__name__)


class Ahead:
    """A turn that may begin early; as a context it leaves no thread behind."""

    def __init__(self, act: Callable[[Supply], Sent]) -> None:
        """`act` takes the turn; called at most once, in the other thread."""
        self._act = act
        self._supply = Supply()
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._turn: Future[Sent] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the turn is under way, or over."""
        return self._turn is not None

    @property
    def wants_more(self) -> bool:
        """Whether it is worth deciding what was read so far."""
        return self._turn is None or (self._supply.is_wanted and not self._turn.done())

    def deliver(self) -> None:
        """Begin the turn, or tell it that more is decided."""
        self._supply.deliver()
        if self._turn is None:
            self._turn = self._threads.submit(self._run)

    def result(self) -> Sent:
        """Let the turn come to its end and return its outcome, or raise what ended it."""
        if self._turn is None:
            raise RuntimeError("the turn was never begun")
        self._supply.end()
        return self._turn.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._supply.give_up()
        self._supply.end()
        self._threads.shutdown(wait=True)
        if error is not None and self._turn is not None and (lost := self._turn.exception()):
            # The pass raises what ended its own side; this would be said nowhere.
            log.error("turn.broke", exc_info=lost)

    def _run(self) -> Sent:
        try:
            return self._act(self._supply)
        finally:
            connections.close_all()
