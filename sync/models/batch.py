"""A batch is the intent: which postings, exactly what, under which tag, written before the call."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class Batch(TenantOwned):
    """One frozen membership and the memory of its protocol (`domain/facts.py`).

    `invoices` maps posting id to the exact invoice; `facts` is written only where `version` and the
    lease's epoch still hold. `not_before` is when the next step may be taken.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    database_key = models.CharField(max_length=200)
    tag = models.CharField(max_length=40)
    description = models.CharField(max_length=60)
    invoices = models.JSONField()
    facts = models.JSONField()
    stage = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    lease_epoch = models.PositiveBigIntegerField()
    entry_count = models.PositiveIntegerField()
    total_amount = models.DecimalField(max_digits=19, decimal_places=3)
    currency = models.CharField(max_length=3, blank=True)
    fiscal_year = models.CharField(max_length=4, blank=True)
    fiscal_period = models.CharField(max_length=2, blank=True)
    sage_numbers = models.JSONField(default=list)
    why = models.CharField(max_length=600, blank=True)
    not_before = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "tag"], name="one_batch_per_tag"),
        ]
        indexes = [
            models.Index(
                fields=["company", "made_at"],
                condition=models.Q(settled_at__isnull=True),
                name="batches_to_settle",
            )
        ]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.tag


class Attempt(TenantOwned):
    """One try at a write, committed before its first byte leaves; its answer is another row.

    `request` is the exact body; `epoch` the lease it was made under; times are UTC.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(Batch, null=True, on_delete=models.PROTECT, related_name="attempts")
    vendor_link = models.ForeignKey(
        "sync.VendorLink", null=True, on_delete=models.PROTECT, related_name="attempts"
    )
    operation = models.CharField(max_length=30)
    tag = models.CharField(max_length=40, blank=True)
    request = models.TextField(blank=True)
    request_hash = models.CharField(max_length=64)
    epoch = models.PositiveBigIntegerField(default=0)
    worker = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["batch", "started_at"], name="attempts_by_batch")]

    def __str__(self) -> str:
        return f"{self.operation} {self.tag}"


class Answer(TenantOwned):
    """How one attempt ended: ok, rejected, unknown or not_sent, with what came back."""

    attempt = models.OneToOneField(Attempt, on_delete=models.PROTECT, related_name="answer")
    outcome = models.CharField(max_length=10)
    http_status = models.PositiveIntegerField(default=0)
    vendor_code = models.CharField(max_length=60, blank=True)
    text = models.CharField(max_length=600, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    batch_number = models.PositiveBigIntegerField(null=True)
    ended_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(
                fields=["tenant", "ended_at"],
                condition=models.Q(outcome__in=["rejected", "unknown"]),
                name="answers_gone_wrong",
            )
        ]

    def __str__(self) -> str:
        return self.outcome


class SageLease(models.Model):
    """Who may write to one Sage database now; a directory row, read across tenants.

    `epoch` grows with every new holder; times are the database's own clock.
    """

    database_key = models.CharField(max_length=200, primary_key=True)
    owner = models.CharField(max_length=100, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.database_key
