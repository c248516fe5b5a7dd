"""What all processes that call BILL share: its limits, the session, the quota.

The shapes only; session.py and quota.py keep them in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from integrations.bill.types import BillSession

Login = Callable[[], BillSession]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLimits:
    """BILL's documented limits, and how long we wait for our turn under them.

    `call_seconds` is the whole deadline of one call; `wait_seconds` bounds each wait for a slot, a
    sign-in permit, or another process's sign-in. A refused sign-in is remembered for
    `refusal_seconds`, so that many workers do not lock the user by trying it all at once.
    """

    concurrency: int = 3
    calls_per_hour: int = 20_000
    logins_per_hour: int = 200
    logins_per_minute: int = 5
    call_seconds: float = 30.0
    wait_seconds: float = 30.0
    refusal_seconds: float = 60.0
    busy_tries: int = 5
    busy_pause_seconds: float = 0.5

    @property
    def slot_lease_seconds(self) -> float:
        """How long a slot stays taken when its holder dies; longer than any call may last."""
        return self.call_seconds + 15.0

    @property
    def login_lease_seconds(self) -> float:
        """How long one process may keep the others waiting for its sign-in."""
        return self.call_seconds + 2 * self.wait_seconds + 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSession:
    """A session and its number; the number tells a lost session from its successor."""

    session: BillSession = field(repr=False)
    version: int


class Sessions(Protocol):
    """Where the session of one user and organization is kept; see session.py."""

    def current(self, login: Login) -> HeldSession:
        """Return the session in use, signing in where there is none."""
        ...

    def renewed(self, lost: HeldSession, login: Login) -> HeldSession:
        """Return the successor of a lost session; one process signs in, the others wait for it."""
        ...

    def fresh(self, login: Login) -> HeldSession:
        """Sign in whatever is stored."""
        ...


class Quota(Protocol):
    """BILL's limits as all processes share them; see quota.py."""

    def slot(self) -> AbstractContextManager[None]:
        """Hold one of the places for requests at once, and count one request."""
        ...

    def permit_login(self) -> None:
        """Wait for, and count, one sign-in; raises RateLimited where none is due soon."""
        ...

    def close_for_the_hour(self) -> float:
        """Close the key for everybody until the next clock hour; return the seconds until then."""
        ...
