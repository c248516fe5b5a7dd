"""A company's policy, stored as the document `domain/policy_document.py` reads and writes."""

from __future__ import annotations

from django.db import models

from sync.domain.policy import Policy
from sync.domain.policy_document import policy_from_dict
from tenants.scoping import TenantOwned


class CompanyPolicy(TenantOwned):
    """What one company decided; `version` counts its changes and is stamped on postings.

    `vendor_accounts` is the GL default by BILL vendor id, `group_accounts` by Sage group code.
    """

    company = models.OneToOneField("tenants.Company", on_delete=models.PROTECT, related_name="+")
    values = models.JSONField(default=dict)
    vendor_accounts = models.JSONField(default=dict)
    group_accounts = models.JSONField(default=dict)
    skip_rules = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    def policy(self) -> Policy:
        """The policy as the domain's frozen value."""
        return policy_from_dict(self.values)

    def __str__(self) -> str:
        return f"policy version {self.version}"
