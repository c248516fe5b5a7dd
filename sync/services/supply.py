"""How the one who reads BILL and decides tells the writer beside it that there is more to send.

The writer asks for more when what is ready fills no batch, and waits; the reader decides what it has
read when the writer has asked, and delivers. Both are threads of one pass.
"""

from __future__ import annotations

import threading


class Supply:
    """The word between the two; `is_over` from the start where nothing more is coming."""

    def __init__(self, *, is_over: bool = False) -> None:
        self._changed = threading.Condition()
        self._deliveries = 0
        self._is_wanted = True
        self._is_over = is_over
        self._is_given_up = False

    @property
    def is_wanted(self) -> bool:
        """Whether the writer has nothing left to fill a batch with."""
        return self._is_wanted

    @property
    def is_over(self) -> bool:
        """Whether everything has been delivered, so that a batch need not be full."""
        return self._is_over

    @property
    def is_given_up(self) -> bool:
        """Whether the pass has broken off, so that no further batch may begin."""
        return self._is_given_up

    @property
    def deliveries(self) -> int:
        """How often something was delivered, the end counted in."""
        return self._deliveries

    def deliver(self) -> None:
        """More is decided."""
        with self._changed:
            self._is_wanted = False
            self._tell()

    def end(self) -> None:
        """Everything is decided."""
        with self._changed:
            self._is_over = True
            self._tell()

    def give_up(self) -> None:
        """The pass breaks off."""
        with self._changed:
            self._is_over = self._is_given_up = True
            self._tell()

    def wait(self, seconds: float) -> None:
        """Ask for more and wait for it, for the end, or for so long."""
        with self._changed:
            seen = self._deliveries
            self._is_wanted = True
            if not self._is_over:
                self._changed.wait_for(lambda: self._deliveries != seen, timeout=seconds)

    def _tell(self) -> None:
        self._deliveries += 1
        self._changed.notify_all()
