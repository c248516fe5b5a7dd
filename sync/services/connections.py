"""Pausing a connection whose credentials or rights are refused, and saying so.

One attempt per version of the credentials: a wrong password is not tried until the user locks.
"""

from __future__ import annotations

from integrations.errors import IntegrationError
from integrations.models import BillConnection, Sage300Connection
from sync.services import journal
from sync.services.work import Work
from tenants.scoping import tenant_scope

BILL = "BILL"
SAGE = "Sage 300"

_MODELS: dict[str, type[BillConnection] | type[Sage300Connection]] = {
    BILL: BillConnection,
    SAGE: Sage300Connection,
}


def pause(work: Work, window: str, error: IntegrationError) -> None:
    """Take a connection out of use with the error's sentence; the log says who must act."""
    now = work.clock()
    with tenant_scope(work.tenant_id):
        connection = (
            _MODELS[window].objects.for_tenant(work.tenant_id).get(company_id=work.company_id)
        )
        if connection.pause(reason=error.sentence, now=now):
            line = journal.company_line(
                tenant_id=work.tenant_id,
                company_id=work.company_id,
                event="connection.paused",
                sentence=f"{window} is paused: {error.sentence}",
                now=now,
                run_id=work.run_id,
            )
            journal.write([line])


def note_ok(work: Work, window: str) -> None:
    """Remember that this window answered as it should, for the pages that say when it last did."""
    with tenant_scope(work.tenant_id):
        rows = _MODELS[window].objects.for_tenant(work.tenant_id)
        measured = work.calls.sage_latency() if window == SAGE else {}
        rows.get(company_id=work.company_id).note_ok(work.clock(), **measured)
