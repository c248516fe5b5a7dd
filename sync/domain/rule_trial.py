"""What a change of the rules would do, found by choosing every line's account twice.

Nothing is saved or sent: the same choice the translator makes is made under the rules as they stand
and under the rules as they would stand, and the lines that come out differently are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sync.domain.line_accounts import AccountSource, Chosen, Desk, choose_account
from sync.domain.mapping_rules import MappingRule
from sync.domain.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class LineMove:
    """One line that would go elsewhere; "" where it has no account on that side.

    `place` counts from 1; `amount` is BILL's, None where the line has none.
    """

    line_id: str
    place: int
    before: str
    after: str
    amount: Decimal | None


def moves(desk: Desk, rules: Sequence[MappingRule]) -> tuple[LineMove, ...]:
    """The lines of one bill that `rules` would send elsewhere than the desk's own rules do."""
    other = replace(desk, rules=rules)
    found = []
    for place, line in enumerate(desk.bill.lines, start=1):
        before, after = choose_account(line, desk), choose_account(line, other)
        if _name(before) != _name(after):
            found.append(
                LineMove(
                    line_id=line.id,
                    place=place,
                    before=_name(before),
                    after=_name(after),
                    amount=line.amount,
                )
            )
    return tuple(found)


def kept_by_override(desk: Desk, rule: MappingRule) -> int:
    """How many lines `rule` fits and a person's override keeps where they are."""
    bare = replace(desk, overrides={}, rules=[rule])
    return sum(
        1
        for line in desk.bill.lines
        if line.id in desk.overrides
        and isinstance(chosen := choose_account(line, bare), Chosen)
        and chosen.source is AccountSource.RULE
    )


def _name(choice: Chosen | Problem) -> str:
    return choice.account.formatted if isinstance(choice, Chosen) else ""
