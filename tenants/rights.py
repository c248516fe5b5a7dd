"""What each role may do, as the people page says it; the doors of the pages and the API hold it."""

from __future__ import annotations

from dataclasses import dataclass

from tenants.models import Role

EVERYBODY = frozenset(Role)
WORKERS = frozenset({Role.OWNER, Role.ACCOUNTANT})
OWNERS = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One right and who has it."""

    words: str
    roles: frozenset[Role]

    @property
    def cells(self) -> list[bool]:
        """Whether owner, accountant and viewer have it, in this order."""
        return [role in self.roles for role in Role]


RIGHTS = (
    Right(words="See bills, postings, log; export", roles=EVERYBODY),
    Right(words="Approve, hold, exclude, replay", roles=WORKERS),
    Right(words="Map accounts, decide vendors", roles=WORKERS),
    Right(words="Run now, pause sending", roles=WORKERS),
    Right(words="Change the policy", roles=WORKERS),
    Right(words="Connections and their credentials", roles=OWNERS),
    Right(words="Companies, people, API tokens", roles=OWNERS),
)
