"""Builds what one pass over a company needs from its rows: policy, windows, the name of its books.

Secrets are read inside the scope and live no longer than the windows.
"""

from __future__ import annotations

import threading
import uuid
from zoneinfo import ZoneInfo

from integrations.bill.quota import quota_key
from integrations.bill.wiring import bill_address, bill_client
from integrations.fixing import sage_database_key
from integrations.models import BillConnection, Sage300Connection
from integrations.practice import open_transport
from integrations.sage300.wiring import sage_address, sage_client
from integrations.transport import Observe, Record
from sync.models import CompanyPolicy
from sync.services.work import Calls, Clock, Work
from tenants.models import Company
from tenants.scoping import tenant_scope


class NotReady(Exception):
    """A company that cannot work now; the text says why and who must act."""


def open_work(
    *,
    tenant_id: uuid.UUID,
    company_id: uuid.UUID,
    clock: Clock,
    worker: str,
    run_id: uuid.UUID | None = None,
) -> Work:
    """Everything for one pass; raises NotReady with a sentence."""
    with tenant_scope(tenant_id):
        company = Company.objects.for_tenant(tenant_id).select_related("tenant").get(pk=company_id)
        _refuse_if_resting(company)
        owned = CompanyPolicy.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
        bill = BillConnection.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
        sage = Sage300Connection.objects.for_tenant(tenant_id).filter(company_id=company_id).first()
        if owned is None or bill is None or sage is None:
            raise NotReady(
                f"{company.name} is not set up: an owner adds both connections and the policy."
            )
        bill_at, sage_at = bill_address(bill), sage_address(sage)
        _note_quota(bill, quota_key(bill_at))
        policy, version = owned.policy(), owned.version
    calls = Calls()
    transport = open_transport()
    return Work(
        tenant_id=tenant_id,
        company_id=company_id,
        company_name=company.name,
        zone=ZoneInfo(company.time_zone),
        policy=policy,
        policy_version=version,
        database_key=sage_database_key(sage_at.base_url, sage_at.company),
        bill=bill_client(bill_at, transport, observe=_counting(calls, "bill")),
        sage=sage_client(sage_at, transport, observe=_counting(calls, "sage")),
        clock=clock,
        worker=worker,
        run_id=run_id,
        calls=calls,
    )


def _note_quota(bill: BillConnection, key: str) -> None:
    """Keep which row counts this connection's calls, so that nobody opens a secret to find it."""
    if bill.quota_key != key:
        rows = BillConnection.objects.for_tenant(bill.tenant_id).filter(pk=bill.pk)
        rows.filter(credential_version=bill.credential_version).update(quota_key=key)


def _refuse_if_resting(company: Company) -> None:
    if company.tenant.is_suspended:
        raise NotReady(f"{company.tenant.name} is suspended; its operator can say why.")
    if company.is_paused:
        raise NotReady(company.paused_reason or f"{company.name} is paused.")


def _counting(calls: Calls, side: str) -> Observe:
    counting = threading.Lock()  # the reader and the writer of a pass are two threads

    def count(record: Record) -> None:
        kind = f"{side} {record.method} {record.path.partition('?')[0]}"
        with counting:
            setattr(calls, side, getattr(calls, side) + 1)
            calls.by_kind[kind] = calls.by_kind.get(kind, 0) + 1
            if side == "sage":
                calls.sage_seconds.append(record.seconds)

    return count


def paused_windows(work: Work) -> dict[str, str]:
    """The paused connections and their sentences; {} when both may be used."""
    with tenant_scope(work.tenant_id):
        rows = {
            "BILL": BillConnection.objects.for_tenant(work.tenant_id),
            "Sage 300": Sage300Connection.objects.for_tenant(work.tenant_id),
        }
        found = {
            name: query.filter(company_id=work.company_id).first() for name, query in rows.items()
        }
    return {name: row.paused_reason for name, row in found.items() if row and row.is_paused}
