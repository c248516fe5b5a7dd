"""Asks Sage for everything a comparison needs, one thing after the other, and says what failed.

After a failure that concerns Sage as a whole nothing more is asked; a list this user may not read
costs only its own part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings

from integrations.errors import AddressRefused, AuthRefused, Disposition, IntegrationError
from integrations.sage300.errors import RightMissing
from integrations.sage300.types import FiscalPeriod, GLAccount, SageVendor
from sync.domain.words import count_of
from sync.queries.lists import Lists
from sync.queries.reconciling import find_linked, first_day
from sync.services import circuit, connections
from sync.services.clients import paused_windows
from sync.services.reconcile_reading import BatchesRead, read_batches
from sync.services.recording import Recorder
from sync.services.work import Work
from tenants.scoping import tenant_scope


@dataclass(slots=True, kw_only=True)
class SageRead:
    """What could be read from Sage, None where it could not, and the sentences why not.

    `has_more` where time ran out before our last batch was read.
    """

    batches: BatchesRead | None = None
    vendors: Mapping[str, SageVendor] | None = None
    accounts: Sequence[GLAccount] | None = None
    periods: Sequence[FiscalPeriod] | None = None
    failures: list[str] = field(default_factory=list)
    is_paused: bool = False
    has_more: bool = False


def read_sage(work: Work, recorder: Recorder) -> SageRead:
    """Read what the parts need, as far as it can be read."""
    read = SageRead()
    paused = paused_windows(work).get(connections.SAGE)
    resting = "" if paused else circuit.why_resting(work)
    if paused or resting:
        read.is_paused = True
        read.failures.append(f"Sage 300 is paused: {paused}" if paused else resting)
        return read
    for step in (_calendar, _batches, _vendors, _accounts):
        if not _attempt(work, read, recorder, step) or read.has_more:
            break
    return read


def _attempt(
    work: Work,
    read: SageRead,
    recorder: Recorder,
    step: Callable[[Work, SageRead, Recorder], None],
) -> bool:
    """Do one step; its failure is said. Tells whether Sage may be asked for more."""
    try:
        step(work, read, recorder)
    except IntegrationError as error:
        read.failures.append(f"Sage 300: {error.sentence}")
        recorder.fail(error.sentence)
        if isinstance(error, RightMissing):
            return True
        if isinstance(error, AuthRefused | AddressRefused):
            connections.pause(work, connections.SAGE, error)
            read.is_paused = True
        return error.disposition is Disposition.FIX_DATA
    return True


def _calendar(work: Work, read: SageRead, _recorder: Recorder) -> None:
    # A user who may not read the calendar has the one stored, as far as there is one.
    with suppress(RightMissing):
        read.periods = tuple(work.sage.iter_fiscal_periods())


def _batches(work: Work, read: SageRead, recorder: Recorder) -> None:
    recorder.begin("Read our batches in Sage")
    seconds = settings.CONNECTOR.reconcile_seconds
    found = read_batches(
        work, floor=floor_of(work, read), seconds=seconds, progress=recorder.progress
    )
    read.has_more = not found.is_complete
    read.batches = found if found.is_complete else None
    recorder.end(f"{len(found.headers)} of {found.wanted} listed by Sage.")


def _vendors(work: Work, read: SageRead, recorder: Recorder) -> None:
    recorder.begin("Read linked vendors from Sage")
    with tenant_scope(work.tenant_id):
        links = find_linked(tenant_id=work.tenant_id, company_id=work.company_id)
    found = work.sage.find_vendors([link.sage_number for link in links])
    read.vendors = {vendor.number: vendor for vendor in found}
    recorder.end(f"{len(read.vendors)} of {len(links)} found.")


def _accounts(work: Work, read: SageRead, recorder: Recorder) -> None:
    recorder.begin("Read GL accounts from Sage")
    read.accounts = tuple(work.sage.iter_accounts())
    recorder.end(f"{count_of(len(read.accounts), 'account')}.")


def floor_of(work: Work, read: SageRead) -> date:
    """The first day of the oldest fiscal period that is compared whole."""
    today = work.clock().astimezone(work.zone).date()
    return first_day(periods_of(work, read), today=today, days=settings.CONNECTOR.reconcile_days)


def periods_of(work: Work, read: SageRead) -> Sequence[FiscalPeriod]:
    """Sage's calendar as read now, or else as it was read last."""
    if read.periods is None:
        with tenant_scope(work.tenant_id):
            read.periods = Lists(work.tenant_id, work.company_id).periods()
    return read.periods
