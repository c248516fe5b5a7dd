"""Which Sage vendor a BILL vendor is: the link table of ids, never of names."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class LinkState(models.TextChoices):
    """How far a BILL vendor's way into Sage has come."""

    NEW = "new", "New"
    ASK = "ask", "Waits for a person"
    AMBIGUOUS = "ambiguous", "Several Sage vendors fit"
    CREATING = "creating", "Being created in Sage"
    LINKED = "linked", "Linked"
    REFUSED = "refused", "Sage refused it"
    IGNORED = "ignored", "Ignored by a person"


class VendorLink(TenantOwned):
    """One BILL vendor and the Sage vendor it is.

    `sage_number` is allotted and committed before the create is sent, so that a lost answer is
    looked up under the same number. `snapshot` is BILL's vendor as read. `group_code` is the Sage
    group a person chose for a new vendor. `default_account` is a GL default a person asked to have
    written into Sage ("" asks nothing), for `default_reason`.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    bill_vendor_id = models.CharField(max_length=60)
    name = models.CharField(max_length=200, blank=True)
    snapshot = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    is_archived = models.BooleanField(default=False)
    read_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=LinkState.choices, default=LinkState.NEW)
    sage_number = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    problem = models.JSONField(null=True)
    suggestions = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    sent_hash = models.CharField(max_length=64, blank=True)
    is_created_by_us = models.BooleanField(default=False)
    linked_at = models.DateTimeField(null=True)
    group_code = models.CharField(max_length=6, blank=True)
    default_account = models.CharField(max_length=45, blank=True)
    default_reason = models.CharField(max_length=300, blank=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["company", "bill_vendor_id"], name="one_link_per_bill_vendor"
            ),
            models.UniqueConstraint(
                fields=["company", "sage_number"],
                condition=~models.Q(sage_number=""),
                name="one_bill_vendor_per_sage_vendor",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=LinkState.values), name="known_link_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.sage_number or self.state}"
