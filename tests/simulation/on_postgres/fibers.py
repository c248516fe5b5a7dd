"""Blocking services as processes of a simulated world, in one thread.

A service runs in a greenlet. What it asks of another system is handed over to the world as a
generator, and the service goes on when the world has played it to its end. A killed process is a
greenlet that nobody wakes again: no `finally` of it runs, as after SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from django.db import connection
from greenlet import getcurrent, greenlet

Playing = Generator[float, None, Any]


class Fibers:
    """The services under way; a killed one is kept until the world is over."""

    def __init__(self) -> None:
        self._all: list[greenlet] = []

    def play(self, act: Callable[[], None], on_wake: Callable[[], None]) -> Playing:
        """Run `act` as a process; yields the seconds that pass in its calls."""
        fiber = greenlet(act)
        self._all.append(fiber)
        on_wake()
        asked = fiber.switch()
        while not fiber.dead:
            answer = yield from asked
            on_wake()
            asked = fiber.switch(answer)
        self._all.remove(fiber)

    def bury(self) -> None:
        """Let the killed ones end, now that nothing they do counts any more."""
        for fiber in self._all:
            fiber.throw()
        self._all.clear()


def hand_over(asked: Playing) -> Any:
    """Have the world play this and return what came of it; called inside a service."""
    if connection.in_atomic_block:
        raise AssertionError("another system is called inside a transaction")
    return getcurrent().parent.switch(asked)
