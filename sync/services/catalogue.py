"""Keeps both systems' lists fresh: read whole on a schedule, and at once when an id is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings

from integrations.bill.types import ListKind
from integrations.errors import AuthRefused, IntegrationError
from integrations.sage300.errors import RightMissing
from integrations.sage300.types import SageVendor
from sync.domain.packing import pack
from sync.models import CatalogueList
from sync.queries.lists import ACCOUNTS, GROUPS, PERIODS, PROFILE, VENDORS, Lists, bill_kind
from sync.services.work import Work
from tenants.scoping import tenant_scope

__all__ = [
    "ACCOUNTS",
    "PERIODS",
    "VENDORS",
    "Lists",
    "bill_kind",
    "refresh",
    "refresh_due",
    "store_vendor",
]


def _readers(work: Work) -> dict[str, Callable[[], Iterable[Any]]]:
    def bill_list(kind: ListKind) -> Callable[[], Iterable[Any]]:
        return lambda: (item for page in work.bill.iter_list(kind) for item in page)

    return {
        **{bill_kind(kind): bill_list(kind) for kind in ListKind},
        ACCOUNTS: work.sage.iter_accounts,
        VENDORS: work.sage.iter_vendors,
        GROUPS: work.sage.iter_vendor_groups,
        PERIODS: work.sage.iter_fiscal_periods,
        PROFILE: lambda: [work.sage.company_profile()],
    }


# What the rules read. Other rows of the table are memories of other rooms.
KINDS = frozenset({*map(bill_kind, ListKind), ACCOUNTS, VENDORS, GROUPS, PERIODS, PROFILE})
# Without these nothing can be mapped; the others only make it better.
_NEEDED = frozenset({ACCOUNTS, VENDORS, bill_kind(ListKind.ACCOUNT)})


def refresh_due(work: Work) -> list[str]:
    """Read every list that is missing or older than the knob; return the names of those read.

    A list this user may not see (BILL permits per operation, Sage per module) counts as empty,
    unless nothing can be mapped without it.
    """
    limit = work.clock() - timedelta(seconds=settings.CONNECTOR.catalogue_seconds)
    with tenant_scope(work.tenant_id):
        fresh = set(
            CatalogueList.objects.for_tenant(work.tenant_id)
            .filter(company_id=work.company_id, read_at__gte=limit)
            .values_list("kind", flat=True)
        )
    due = [kind for kind in _readers(work) if kind not in fresh]
    for kind in due:
        refresh(work, kind)
    return due


def refresh(work: Work, kind: str) -> None:
    """Read one list whole and store it."""
    try:
        rows = [pack(row) for row in _readers(work)[kind]()]
    except IntegrationError as error:
        if kind in _NEEDED or not isinstance(error, RightMissing | AuthRefused):
            raise
        rows = []
    with tenant_scope(work.tenant_id):
        CatalogueList.objects.for_tenant(work.tenant_id).update_or_create(
            company_id=work.company_id,
            kind=kind,
            defaults={
                "tenant_id": work.tenant_id,
                "rows": rows,
                "row_count": len(rows),
                "read_at": work.clock(),
            },
        )


def store_vendor(work: Work, vendor: SageVendor) -> None:
    """Put one vendor just read or created into the stored list; inside the caller's scope."""
    row = (
        CatalogueList.objects.for_tenant(work.tenant_id)
        .select_for_update()
        .filter(company_id=work.company_id, kind=VENDORS)
        .first()
    )
    if row is None:
        return
    rows = [item for item in row.rows if item["number"] != vendor.number]
    row.rows = [*rows, pack(vendor)]
    row.row_count = len(row.rows)
    row.save(update_fields=["rows", "row_count"])
