"""The log: one line for every operation, only ever added to."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class LogEntry(TenantOwned):
    """What happened, to which invoice, with which result, in words.

    The wire is not repeated here: `attempt` leads to it. `event` is a dotted name.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    event = models.CharField(max_length=40)
    posting = models.ForeignKey(
        "sync.Posting", null=True, on_delete=models.PROTECT, related_name="log"
    )
    vendor_link = models.ForeignKey(
        "sync.VendorLink", null=True, on_delete=models.PROTECT, related_name="log"
    )
    attempt = models.ForeignKey(
        "sync.Attempt", null=True, on_delete=models.PROTECT, related_name="log"
    )
    run = models.ForeignKey("sync.Run", null=True, on_delete=models.PROTECT, related_name="log")
    actor = models.CharField(max_length=254, blank=True)
    invoice_number = models.CharField(max_length=100, blank=True)
    vendor_name = models.CharField(max_length=200, blank=True)
    gl_accounts = models.CharField(max_length=500, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=3, null=True)
    status = models.CharField(max_length=20, blank=True)
    batch_number = models.PositiveBigIntegerField(null=True)
    entry_number = models.PositiveIntegerField(null=True)
    sentence = models.CharField(max_length=1000)

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["company", "-at", "-id"], name="log_by_time"),
            models.Index(fields=["posting", "at"], name="log_by_posting"),
        ]
        verbose_name = "log line"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.event}"
