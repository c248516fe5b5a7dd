"""Connecting a company: new credentials are tried before they replace any that work.

What passes is stored at once and used. What fails replaces nothing that works; where nothing works
yet (a first connection, or a paused one) it is stored but stays paused, so that whoever waits for
their IT need not type it again. A refused password is tried exactly once. The calls are made with
no transaction open.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from integrations.bill.wiring import bill_address, bill_client
from integrations.errors import AddressRefused
from integrations.fixing import why_not_database, why_not_organization
from integrations.models import BillConnection, PingResult, Sage300Connection
from integrations.ping import keeping
from integrations.ping.bill import ping_bill
from integrations.ping.ladder import Step, Verdict, is_well
from integrations.ping.sage import ping_sage
from integrations.practice import address_policy, open_transport
from integrations.sage300.wiring import sage_address, sage_client
from integrations.secrets import SecretUnreadable
from sync.queries.stops import NOT_CONNECTED_YET
from sync.services import journal, setup
from sync.services.provisioning import connecting
from sync.services.provisioning.company import BillEntry, SageEntry
from sync.services.provisioning.shape import Reading
from tenants import audit
from tenants.audit import Actor
from tenants.models import Company
from tenants.scoping import tenant_scope

Side = PingResult.Side
NAMES = {Side.BILL: "BILL", Side.SAGE: "Sage 300"}
CANNOT_PAY = "Cannot pay"
STORED = "Stored credentials"

Row = BillConnection | Sage300Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a try: `errors` by field refuse it before any call; `is_stored` says whether
    the credentials tried are the company's own now."""

    steps: Sequence[Step] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    is_stored: bool = False

    @property
    def is_well(self) -> bool:
        """Whether every needed step passed."""
        return bool(self.steps) and is_well(self.steps)


def stored_secret(company: Company, side: Side, name: str) -> str:
    """A stored secret for a try of the same connection; "" where none opens. Opens the scope."""
    with tenant_scope(company.tenant_id):
        row = row_of(company, side)
        try:
            return str(getattr(row, name).reveal()) if row is not None else ""
        except SecretUnreadable:
            return ""


def connect_bill(company: Company, entry: BillEntry, *, actor: Actor, now: datetime) -> Tried:
    """Try these credentials and store them as the head of this module says."""
    with tenant_scope(company.tenant_id):
        stored = row_of(company, Side.BILL)
        why_not = (
            why_not_organization(stored, entry.organization_id)
            if isinstance(stored, BillConnection)
            else None
        )
    if why_not:
        return Tried(errors={"organization_id": why_not})
    candidate = BillConnection(
        tenant_id=company.tenant_id,
        credential_version=stored.credential_version + 1 if stored else 1,
        environment=entry.environment,
        user_name=entry.user_name,
        password=entry.password,
        organization_id=entry.organization_id,
        developer_key=entry.developer_key,
    )
    steps = _climb_bill(candidate)
    passed = {step.name for step in steps if step.verdict is Verdict.OK}
    settled = BillEntry(
        environment=entry.environment,
        user_name=entry.user_name,
        password=entry.password,
        organization_id=entry.organization_id,
        developer_key=entry.developer_key,
        is_token=CANNOT_PAY in passed,
    )

    def write(reading: Reading) -> None:
        connecting.write_bill(settled, company, "", reading, now)

    return _settle(company, Side.BILL, steps, write, actor=actor, now=now)


def connect_sage(company: Company, entry: SageEntry, *, actor: Actor, now: datetime) -> Tried:
    """Try these credentials and store them as the head of this module says."""
    with tenant_scope(company.tenant_id):
        stored = row_of(company, Side.SAGE)
        why_not = (
            why_not_database(
                stored,
                base_url=entry.base_url,
                company_database=entry.company_database,
                are_books_the_same=True,
            )
            if isinstance(stored, Sage300Connection)
            else None
        )
    if why_not:
        return Tried(errors={"company_database": why_not})
    candidate = Sage300Connection(
        tenant_id=company.tenant_id,
        base_url=entry.base_url,
        company_database=entry.company_database,
        user_name=entry.user_name,
        password=entry.password,
        password_case=entry.password_case,
        ca_pem=entry.ca_pem,
    )
    steps = _climb_sage(candidate)
    reading = _reading()
    proved = not is_well(steps) or connecting.is_proved(entry, company, "", reading)
    if reading.found:
        return Tried(steps=steps, errors=_by_field(reading))

    def write(reading: Reading) -> None:
        connecting.write_sage(entry, company, "", reading, is_proved=proved, now=now)

    return _settle(company, Side.SAGE, steps, write, actor=actor, now=now)


def try_again(
    company: Company, side: Side, *, is_from_failed: bool, actor: Actor, now: datetime
) -> Tried:
    """Try the stored credentials, from the step that failed where asked; resume when all is well.

    The try made after a mend: a paused connection goes on by itself when nothing fails any more.
    One in use stays so when a step fails: a server may be away for a moment, and a refused password
    is found, and paused, by the next run.
    """
    with tenant_scope(company.tenant_id):
        row = row_of(company, side)
        before = keeping.find(company, side)
        kept = keeping.steps_of(before) if before and before.is_of_stored else []
    if row is None:
        return Tried()
    from_step = keeping.first_failed(kept) if is_from_failed else ""
    again = (
        _climb_bill(row, from_step)
        if isinstance(row, BillConnection)
        else _climb_sage(row, from_step)
    )
    steps = keeping.gone_on(kept, again) if from_step else again
    with tenant_scope(company.tenant_id):
        _keep(company, side, steps, row.credential_version, is_stored=True, actor=actor, now=now)
        _take_word(company, side, row, steps, actor=actor, now=now)
        _record(company, side, "connection.tested", steps, actor=actor, now=now)
    return Tried(steps=steps, is_stored=True)


def pause(company: Company, side: Side, *, actor: Actor, now: datetime) -> bool:
    """Take a connection out of use because a person says so; needs the open scope."""
    row = row_of(company, side)
    if row is None or not row.pause(reason=f"Paused by {actor.name}.", now=now):
        return False
    _record(company, side, "connection.paused", [], actor=actor, now=now)
    _say(company, side, "connection.paused", f"paused by {actor.name}.", actor=actor, now=now)
    return True


def row_of(company: Company, side: Side) -> Row | None:
    """The stored connection, None before there is one; needs the open scope."""
    model = BillConnection if side is Side.BILL else Sage300Connection
    return model.objects.for_tenant(company.tenant_id).filter(company=company).first()


def _climb_bill(row: BillConnection, from_step: str = "") -> list[Step]:
    try:
        address = bill_address(row)
    except (AddressRefused, SecretUnreadable) as error:
        return [_unusable(error)]
    client = bill_client(address, open_transport())
    return list(
        ping_bill(
            client,
            address_policy(),
            api_url=address.api_url,
            organization_id=address.organization_id,
            from_step=from_step,
        )
    )


def _climb_sage(row: Sage300Connection, from_step: str = "") -> list[Step]:
    try:
        address = sage_address(row)
    except SecretUnreadable as error:
        return [_unusable(error)]
    client = sage_client(address, open_transport())
    return list(ping_sage(client, address_policy(), from_step=from_step))


def _unusable(error: AddressRefused | SecretUnreadable) -> Step:
    sentence = error.sentence if isinstance(error, AddressRefused) else str(error)
    return Step(name=STORED, verdict=Verdict.FAILED, answer="unusable", what_to_do=sentence)


def _settle(
    company: Company,
    side: Side,
    steps: Sequence[Step],
    write: Callable[[Reading], None],
    *,
    actor: Actor,
    now: datetime,
) -> Tried:
    """Store what passed, or what replaces nothing that works; keep the ladder either way."""
    reading = _reading()
    with tenant_scope(company.tenant_id):
        before = row_of(company, side)
        is_stored = is_well(steps) or before is None or before.is_paused
        if is_stored:
            write(reading)
        if reading.found:
            return Tried(steps=steps, errors=_by_field(reading))
        row = row_of(company, side)
        version = row.credential_version if row else 1
        _keep(company, side, steps, version, is_stored=is_stored, actor=actor, now=now)
        if is_stored and row is not None:
            _take_word(company, side, row, steps, actor=actor, now=now)
            if not is_well(steps):
                failed = next(step for step in steps if step.verdict is Verdict.FAILED)
                row.pause(reason=f"{NOT_CONNECTED_YET}: {failed.what_to_do}", now=now)
        action = "connection.changed" if is_stored else "connection.refused"
        _record(company, side, action, steps, actor=actor, now=now)
        if is_stored:
            done = "connected" if is_well(steps) else "entered, and not in use yet,"
            _say(company, side, action, f"{done} by {actor.name}.", actor=actor, now=now)
    return Tried(steps=steps, is_stored=is_stored)


def _take_word(
    company: Company, side: Side, row: Row, steps: Sequence[Step], *, actor: Actor, now: datetime
) -> None:
    """Where every needed step passed: resume, note the success, and start what can start."""
    if not is_well(steps):
        return
    if row.resume():
        _say(company, side, "connection.resumed", "works; it goes on.", actor=actor, now=now)
    row.note_ok(now)
    setup.start_if_ready(company)


def _keep(
    company: Company,
    side: Side,
    steps: Sequence[Step],
    version: int,
    *,
    is_stored: bool,
    actor: Actor,
    now: datetime,
) -> None:
    keeping.keep(
        company, side, steps, version=version, is_of_stored=is_stored, by=actor.name, now=now
    )


def _record(
    company: Company,
    side: Side,
    action: str,
    steps: Sequence[Step],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    details = {"stopped_at": keeping.first_failed(steps)} if steps else {}
    audit.record(
        tenant=company.tenant_id, actor=actor, action=action, now=now, details=details,
        subject=f"{NAMES[side]} of {company.name}", subject_id=company.pk,
    )  # fmt: skip


def _say(
    company: Company, side: Side, event: str, words: str, *, actor: Actor, now: datetime
) -> None:
    line = journal.company_line(
        tenant_id=company.tenant_id,
        company_id=company.pk,
        event=event,
        sentence=f"{NAMES[side]} {words}",
        now=now,
        actor=actor.name,
    )
    journal.write([line])


def _reading() -> Reading:
    return Reading(environ=os.environ, folder=Path())


def _by_field(reading: Reading) -> dict[str, str]:
    """The sentences by form field; a pointer is "/base_url"."""
    return {pointer.rpartition("/")[2]: sentence for pointer, sentence in reading.found}
