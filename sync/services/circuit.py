"""Leaves Sage alone after repeated failures, and lets calls through again once it answers.

Only the failures of whole passes count, so one lost answer opens nothing. While it is open a pass
reads BILL and decides as ever; when its time is over one row is asked for, no more.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from integrations.errors import Disposition, IntegrationError
from sync.domain.circuit import Circuit
from sync.models import CatalogueList
from sync.services import journal
from sync.services.work import Work
from tenants.scoping import tenant_scope

KIND = "sage.circuit"


def why_resting(work: Work) -> str:
    """Why Sage is not called in this pass, "" when it may be; asks the cheap question when due."""
    circuit = _circuit(work)
    if circuit.is_closed:
        return ""
    now = work.clock()
    if circuit.is_resting(now):
        return _sentence(work, circuit)
    try:
        work.sage.first_rows("AP/APInvoiceBatches", what="answer at all", select="BatchNumber")
    except IntegrationError as error:
        note_failure(work, error)
        circuit = _circuit(work)
        return _sentence(work, circuit) if circuit.is_resting(now) else ""
    note_success(work)
    return ""


def note_failure(work: Work, error: IntegrationError) -> None:
    """Count a failure that may pass by itself; others have a person already."""
    if error.disposition not in {Disposition.RETRY_LATER, Disposition.LOOK_FIRST}:
        return
    before = _circuit(work)
    after = before.after_failure(
        work.clock(), limit=settings.CONNECTOR.circuit_failures, uniform=work.rng.uniform
    )
    _keep(work, after)
    if before.is_closed and not after.is_closed:
        _tell(work, "circuit.opened", _sentence(work, after))


def note_success(work: Work) -> None:
    """Sage answered."""
    before = _circuit(work)
    if before != Circuit():
        _keep(work, before.after_success())
        if not before.is_closed:
            _tell(work, "circuit.closed", "Sage 300 answers again.")


def _sentence(work: Work, circuit: Circuit) -> str:
    at = circuit.open_until or work.clock()
    return (
        f"Sage 300 has failed {circuit.failures} times in a row; it is asked again at"
        f" {at.astimezone(work.zone):%H:%M}. Nobody needs to act unless it stays away: then ask who"
        " looks after the Sage 300 web server."
    )


def _circuit(work: Work) -> Circuit:
    with tenant_scope(work.tenant_id):
        rows = CatalogueList.objects.for_tenant(work.tenant_id)
        row = rows.filter(company_id=work.company_id, kind=KIND).first()
    if row is None:
        return Circuit()
    until = row.rows["open_until"]
    return Circuit(
        failures=row.rows["failures"], open_until=datetime.fromisoformat(until) if until else None
    )


def _keep(work: Work, circuit: Circuit) -> None:
    until = circuit.open_until.isoformat() if circuit.open_until else None
    with tenant_scope(work.tenant_id):
        CatalogueList.objects.for_tenant(work.tenant_id).update_or_create(
            company_id=work.company_id,
            kind=KIND,
            defaults={
                "tenant_id": work.tenant_id,
                "rows": {"failures": circuit.failures, "open_until": until},
                "row_count": 1,
                "read_at": work.clock(),
            },
        )


def _tell(work: Work, event: str, sentence: str) -> None:
    line = journal.company_line(
        tenant_id=work.tenant_id,
        company_id=work.company_id,
        event=event,
        sentence=sentence,
        now=work.clock(),
        run_id=work.run_id,
    )
    with tenant_scope(work.tenant_id):
        journal.write([line])
