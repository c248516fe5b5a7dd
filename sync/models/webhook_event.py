"""What BILL's letter box took in: one row per event, kept longer than BILL remembers (180 days)."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class WebhookEvent(TenantOwned):
    """One notification of BILL's. Only a hint: what it names is read again from BILL."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=100)
    event_type = models.CharField(max_length=60)
    entity = models.CharField(max_length=40, blank=True)
    entity_id = models.CharField(max_length=60, blank=True)
    body = models.BinaryField()
    received_at = models.DateTimeField()
    taken_in_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "event_id"], name="one_row_per_event"),
        ]
        indexes = [
            models.Index(
                fields=["company", "received_at"],
                condition=models.Q(taken_in_at__isnull=True),
                name="events_to_take_in",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.entity_id}"
