"""BILL's bills as last read: the day book."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class Bill(TenantOwned):
    """One bill of BILL's. `snapshot` is the whole bill as read, `content_hash` what was mapped."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    bill_id = models.CharField(max_length=60)
    bill_vendor_id = models.CharField(max_length=60, blank=True)
    snapshot = models.JSONField()
    content_hash = models.CharField(max_length=64)
    approval_status = models.CharField(max_length=40, blank=True)
    is_archived = models.BooleanField(default=False)
    created_in_bill_at = models.DateTimeField(null=True)
    updated_in_bill_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    approval_seen_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "bill_id"], name="one_row_per_bill"),
        ]
        indexes = [
            models.Index(
                fields=["company", "checked_at"],
                condition=models.Q(is_archived=False)
                & ~models.Q(approval_status__in=["APPROVED", "DENIED"]),
                name="bills_waiting_for_approval",
            )
        ]

    def __str__(self) -> str:
        return self.bill_id
