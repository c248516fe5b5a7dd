"""Adds a fiscal period up from both sides and gives every difference its reason.

BILL's side are the bills approved there, in the period their date belongs to; Sage's side are the
entries Sage showed, in the period Sage has them in. Both are added up without looking at the other,
so what the reasons do not cover is left over and shown. Currencies are kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sync.domain.reconciliation import Difference, Kind, PeriodSum
from sync.domain.reconciliation_reasons import Claim, SageEntry, explain
from sync.domain.words import count_of

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Every period's sum, newest first, and every difference."""

    sums: tuple[PeriodSum, ...]
    differences: tuple[Difference, ...]


def add_up(
    claims: Sequence[Claim],
    entries: Mapping[str, Sequence[SageEntry]],
    *,
    batches: Mapping[int, str],
) -> Addition:
    """Compare; `entries` by posting id, `batches` the status of every batch Sage listed.

    What still stands in a batch that was deleted is in no ledger and never will be.
    """
    there = {
        key: [entry for entry in found if entry.status != "Deleted"]
        for key, found in entries.items()
    }
    found = merged(
        piece
        for claim in claims
        for piece in explain(claim, there.get(claim.posting_id, ()), batches)
    )
    sums: dict[tuple[str, str], PeriodSum] = {}
    for claim in claims:
        if claim.is_approved:
            _add(sums, claim.period, claim.currency, bills=1, approved=claim.amount)
        for entry in there.get(claim.posting_id, ()):
            column = {"Open": "open", "Posted": "posted"}.get(entry.status, "ready")
            more: dict[str, int | Decimal] = {column: entry.amount, f"{column}_count": 1}
            _add(sums, entry.period, entry.currency, **more)
    for one in found:
        if one.kind is not Kind.UNEXPLAINED and one.amount is not None:
            _add(sums, one.period, one.currency, named=one.amount)
    newest_first = sorted(sums.values(), key=lambda one: (one.period, one.currency), reverse=True)
    return Addition(sums=tuple(newest_first), differences=found)


def _add(
    sums: dict[tuple[str, str], PeriodSum], period: str, currency: str, **more: int | Decimal
) -> None:
    one = sums.get((period, currency), PeriodSum(period=period, currency=currency))
    sums[period, currency] = replace(
        one, **{name: getattr(one, name) + value for name, value in more.items()}
    )


def merged(pieces: Iterable[Difference]) -> tuple[Difference, ...]:
    """Differences of one key become one, with their bills and amounts added up."""
    found: dict[str, Difference] = {}
    for piece in pieces:
        known = found.get(piece.key)
        found[piece.key] = piece if known is None else _both(known, piece)
    return tuple(_counted(one) for one in found.values())


def _both(known: Difference, piece: Difference) -> Difference:
    times = [at for at in (known.since, piece.since) if at is not None]
    amounts = [amount for amount in (known.amount, piece.amount) if amount is not None]
    return replace(
        known,
        bills=known.bills + piece.bills,
        amount=sum(amounts, ZERO) if amounts else None,
        since=min(times, default=None),
    )


def _counted(one: Difference) -> Difference:
    """What only the whole group can say."""
    if one.kind is Kind.REVIEW:
        return replace(one, do=f"Review {count_of(one.bills, 'bill')}")
    if one.kind in {Kind.BATCH_DELETED, Kind.BATCH_GONE, Kind.ENTRY_GONE}:
        return replace(one, title=f"{one.title}, {count_of(one.bills, 'entry', 'entries')} of ours")
    return one
