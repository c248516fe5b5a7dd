"""Sage's chart of accounts as the mapping sees it: found by any spelling, judged before use.

BILL and people write `6210-100`, Sage's key is `6210100`. Numbers are compared with separators
removed and capitals folded. An account is named only after it was found to exist, to be active and
to take postings: Sage's own refusal would come an hour later and take a batch with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.sage300.types import GLAccount
from sync.domain.problems import Problem, ProblemCode, problem


def fold_number(number: str) -> str:
    """Letters and digits only, capitals: `6210-100` and `6210100` are one number."""
    return "".join(c for c in number.upper() if c.isalnum())


@dataclass(frozen=True, slots=True, kw_only=True)
class SageAccounts:
    """All GL accounts of one Sage company, by folded number; build it once a run with `of`."""

    by_folded: Mapping[str, tuple[GLAccount, ...]]

    @classmethod
    def of(cls, accounts: Iterable[GLAccount]) -> SageAccounts:
        """Index accounts by number."""
        found: dict[str, list[GLAccount]] = {}
        for account in accounts:
            found.setdefault(fold_number(account.number), []).append(account)
        return cls(by_folded={key: tuple(group) for key, group in found.items()})

    def find(self, number: str) -> tuple[GLAccount, ...]:
        """The account of this number: none, one, or several that only separators tell apart.

        Where one of several is spelt exactly so, it alone is meant.
        """
        group = self.by_folded.get(fold_number(number), ()) if fold_number(number) else ()
        exact = tuple(a for a in group if number in (a.number, a.formatted))
        return exact if len(exact) == 1 else group


def account_problem(account: GLAccount, origin: str) -> Problem | None:
    """Why no invoice may be distributed to this account; `origin` says who named it."""
    name = f"{account.formatted} {account.description}".strip()
    subject = {"subject": account.number, "subject_name": name}
    if not account.is_active:
        return problem(
            ProblemCode.GL_INACTIVE,
            f"GL account {name} is inactive in Sage ({origin}). Choose another here, or reactivate "
            "it in Sage.",
            **subject,
        )
    if account.is_control:
        return problem(
            ProblemCode.GL_CONTROL,
            f"GL account {name} is a control account, which only Sage's own modules post to "
            f"({origin}). Choose another here.",
            **subject,
        )
    if not account.is_postable:
        why = "is a rollup account" if account.is_rollup else "is closed to posting in Sage"
        return problem(
            ProblemCode.GL_NOT_POSTABLE,
            f"GL account {name} {why} ({origin}). Choose another here.",
            **subject,
        )
    return None


def missing_problem(number: str, origin: str) -> Problem:
    """Nothing in Sage bears this number."""
    return problem(
        ProblemCode.GL_MISSING,
        f"Sage has no GL account {number} ({origin}). Choose another here, or add it in Sage.",
        subject=fold_number(number),
        subject_name=number,
    )


def ambiguous_problem(number: str, accounts: tuple[GLAccount, ...], origin: str) -> Problem:
    """Only separators or capitals tell several Sage accounts apart."""
    names = ", ".join(account.formatted for account in accounts)
    return problem(
        ProblemCode.NUMBER_AMBIGUOUS,
        f"{number} could be any of the GL accounts {names} ({origin}). Add a rule that names one.",
        subject=fold_number(number),
        subject_name=number,
    )
