"""The last try of a connection, kept so that it can be read later and gone on with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from integrations.models import PingResult
from integrations.ping.ladder import Step, Verdict
from tenants.models import Company

Side = PingResult.Side


def keep(
    company: Company,
    side: Side,
    steps: Iterable[Step],
    *,
    version: int,
    is_of_stored: bool,
    by: str,
    now: datetime,
) -> None:
    """Store what a try found in place of the try before; needs the open scope."""
    PingResult.objects.for_tenant(company.tenant_id).update_or_create(
        company=company,
        side=side,
        defaults={
            "tenant_id": company.tenant_id,
            "steps": [_written(step) for step in steps],
            "is_of_stored": is_of_stored,
            "credential_version": version,
            "tried_at": now,
            "tried_by": by[:160],
        },
    )


def find(company: Company, side: Side) -> PingResult | None:
    """The last try, None where there was none; needs the open scope."""
    rows = PingResult.objects.for_tenant(company.tenant_id)
    return rows.filter(company=company, side=side).first()


def steps_of(result: PingResult | None) -> list[Step]:
    """The steps as values."""
    return [_read(row) for row in result.steps] if result else []


def first_failed(steps: Sequence[Step]) -> str:
    """The name of the step that gave way, "" where none did."""
    return next((step.name for step in steps if step.verdict is Verdict.FAILED), "")


def gone_on(before: Sequence[Step], again: Sequence[Step]) -> list[Step]:
    """The whole ladder when only its upper part was climbed again."""
    names = {step.name for step in again}
    return [*(step for step in before if step.name not in names), *again]


def _written(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "verdict": step.verdict.value,
        "seconds": round(step.seconds, 3),
        "answer": step.answer,
        "what_to_do": step.what_to_do,
    }


def _read(row: dict[str, Any]) -> Step:
    return Step(
        name=row["name"],
        verdict=Verdict(row["verdict"]),
        seconds=row["seconds"],
        answer=row["answer"],
        what_to_do=row["what_to_do"],
    )
