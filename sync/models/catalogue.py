"""Both systems' lists as last read: BILL's classifications, Sage's accounts, vendors, calendars.

One row per list. They are small (thousands of rows), always needed whole, and replaced whole.
"""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class CatalogueList(TenantOwned):
    """One list of one company; `rows` is its content, `read_at` when it was read in full."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    rows = models.JSONField()
    row_count = models.PositiveIntegerField(default=0)
    read_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "kind"], name="one_row_per_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.row_count})"
