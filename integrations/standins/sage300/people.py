"""People at work in Sage, beside the product: the actions of the control door.

They edit, move, rename, post and delete, change passwords and rights, lock periods and put backups
back. None of them asks the Web API for leave.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from integrations.standins.messages import ActionError
from integrations.standins.sage300.company import Company
from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.session import Session
from integrations.standins.sage300.switches import Switches

T = TypeVar("T")


class People:
    """What every person has: the companies, and a session of their own."""

    companies: dict[str, Company]
    switches: Switches

    def session(self, user: str = "CLERK") -> Session:
        """A session of a person who is at work today."""
        raise NotImplementedError

    def company(self, code: str) -> Company:
        """The company, or ActionError."""
        if code not in self.companies:
            raise ActionError(f"There is no company {code!r}.")
        return self.companies[code]


def actions_of(kind: type[People]) -> frozenset[str]:
    """The public methods a class of people adds."""
    return frozenset(
        name for name, value in vars(kind).items() if callable(value) and not name.startswith("_")
    )


def amount_of(value: object) -> Decimal:
    """An amount given as text, number or Decimal."""
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ActionError(f"{value!r} is not an amount.") from None


def do(work: Callable[[], T]) -> T:
    """Do it, or say as a refused action why Sage would not."""
    try:
        return work()
    except SageError as error:
        raise ActionError(error.text) from error
