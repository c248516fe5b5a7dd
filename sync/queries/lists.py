"""Both systems' lists as stored: BILL's classifications, Sage's accounts, vendors, groups, calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from integrations.bill.types import ListItem, ListKind
from integrations.sage300.types import (
    CompanyProfile,
    FiscalPeriod,
    GLAccount,
    SageVendor,
    VendorGroup,
)
from sync.domain.packing import unpack
from sync.models import CatalogueList

ACCOUNTS = "sage.accounts"
VENDORS = "sage.vendors"
GROUPS = "sage.groups"
PERIODS = "sage.periods"
PROFILE = "sage.profile"

Row = TypeVar("Row")


def bill_kind(kind: ListKind) -> str:
    """The catalogue's name of a BILL list."""
    return f"bill.{kind.value}"


class Lists:
    """A company's lists as stored, each read from the database when first asked for.

    Used inside a scope.
    """

    def __init__(self, tenant_id: Any, company_id: Any) -> None:
        self._rows = {
            row.kind: row
            for row in CatalogueList.objects.for_tenant(tenant_id).filter(company_id=company_id)
        }

    def of(self, kind: str, row_type: type[Row]) -> list[Row]:
        """The rows of one list; [] where it was never read."""
        stored = self._rows.get(kind)
        return [unpack(row_type, row) for row in stored.rows] if stored else []

    def read_at(self, kind: str) -> datetime | None:
        """When this list was last read in full; None where it never was."""
        stored = self._rows.get(kind)
        return stored.read_at if stored else None

    @property
    def stamp(self) -> str:
        """Changes whenever any list was read anew."""
        return "|".join(f"{kind}:{row.read_at}" for kind, row in sorted(self._rows.items()))

    def bill_items(self) -> dict[str, ListItem]:
        """Every BILL classification by its id."""
        return {item.id: item for kind in ListKind for item in self.of(bill_kind(kind), ListItem)}

    def accounts(self) -> list[GLAccount]:
        """Sage's GL accounts."""
        return self.of(ACCOUNTS, GLAccount)

    def vendors(self) -> list[SageVendor]:
        """Sage's vendors."""
        return self.of(VENDORS, SageVendor)

    def groups(self) -> list[VendorGroup]:
        """Sage's vendor groups."""
        return self.of(GROUPS, VendorGroup)

    def periods(self) -> list[FiscalPeriod]:
        """Sage's fiscal periods."""
        return self.of(PERIODS, FiscalPeriod)

    def profile(self) -> CompanyProfile:
        """Sage's company profile, blank where it was not read."""
        return next(iter(self.of(PROFILE, CompanyProfile)), CompanyProfile())
