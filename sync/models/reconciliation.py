"""What was compared between BILL and Sage, and every difference with its age."""

from __future__ import annotations

from django.db import models

from sync.domain.reconciliation import Mover, Part
from tenants.scoping import TenantOwned


class Reconciliation(TenantOwned):
    """One comparison, with steps people can follow as those of a run.

    `sums` are its additions by fiscal period; `parts` tells for each part what was compared and
    when: {part: {"at", "sentence"}}. A part that could not be read keeps what the comparison before
    it found.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    trigger = models.CharField(max_length=20)
    asked_by = models.CharField(max_length=160, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    sentence = models.CharField(max_length=1000, blank=True)
    steps = models.JSONField(default=list)
    sums = models.JSONField(default=list)
    parts = models.JSONField(default=dict)
    sage_calls = models.PositiveIntegerField(default=0)
    heard_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["company"],
                condition=models.Q(ended_at__isnull=True),
                name="one_comparison_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["company", "-started_at", "id"], name="comparisons")]

    def __str__(self) -> str:
        return f"comparison of {self.started_at:%Y-%m-%d %H:%M}"


class Discrepancy(TenantOwned):
    """One difference, from the first comparison that saw it to the one that no longer did.

    `key` names it from one comparison to the next. A difference that comes back begins anew.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, related_name="discrepancies"
    )
    key = models.CharField(max_length=200)
    part = models.CharField(max_length=10)
    kind = models.CharField(max_length=30)
    mover = models.CharField(max_length=10)
    title = models.CharField(max_length=300)
    detail = models.CharField(max_length=1000, blank=True)
    do = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=20, blank=True)
    target_id = models.CharField(max_length=60, blank=True)
    period = models.CharField(max_length=10, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    bills = models.PositiveIntegerField(default=0)
    amount = models.DecimalField(max_digits=19, decimal_places=3, null=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        verbose_name_plural = "discrepancies"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "key"], name="one_row_per_difference"),
            models.CheckConstraint(
                condition=models.Q(part__in=[part.value for part in Part])
                & models.Q(mover__in=[mover.value for mover in Mover]),
                name="known_difference",
            ),
        ]
        indexes = [
            models.Index(
                fields=["company", "first_seen_at"],
                condition=models.Q(settled_at__isnull=True),
                name="differences_open",
            ),
            models.Index(fields=["company", "settled_at"], name="differences_settled"),
        ]

    def __str__(self) -> str:
        return self.title


class BatchReading(TenantOwned):
    """One batch of ours as a comparison last read it in full, so that only changed ones are read.

    `fingerprint` is the look of its header then; `entries` are those of ours, `added` what somebody
    else put in.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveBigIntegerField()
    fingerprint = models.CharField(max_length=200)
    entries = models.JSONField(default=list)
    added = models.JSONField(default=list)
    read_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "number"], name="one_reading_per_batch"),
        ]

    def __str__(self) -> str:
        return f"batch {self.number}"
