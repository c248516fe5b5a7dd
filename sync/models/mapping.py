"""Which Sage account a line goes to: the company's rules, and one person's choice for one line."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tenants.scoping import TenantOwned


class MappingRule(TenantOwned):
    """BILL account, department, location, class, item or vendor → Sage GL account.

    Empty conditions match everything; most conditions win (`domain/mapping_rules.py`).
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=100, blank=True)
    gl_account = models.CharField(max_length=45)
    account_id = models.CharField(max_length=60, blank=True)
    department_id = models.CharField(max_length=60, blank=True)
    location_id = models.CharField(max_length=60, blank=True)
    class_id = models.CharField(max_length=60, blank=True)
    item_id = models.CharField(max_length=60, blank=True)
    vendor_id = models.CharField(max_length=60, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=[
                    "company", "account_id", "department_id", "location_id", "class_id",
                    "item_id", "vendor_id",
                ],
                name="one_rule_per_condition",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name or 'rule'} → {self.gl_account}"


class LineOverride(TenantOwned):
    """A person's choice of account for one line of one bill."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    posting = models.ForeignKey("sync.Posting", on_delete=models.PROTECT, related_name="overrides")
    line_id = models.CharField(max_length=60)
    gl_account = models.CharField(max_length=45)
    reason = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["posting", "line_id"], name="one_override_per_line"),
        ]

    def __str__(self) -> str:
        return f"line {self.line_id} → {self.gl_account}"


class MappingRuleChange(TenantOwned):
    """Who made, changed or removed which rule, when, and what it led to before and after.

    `rule_id` outlives the rule. `conditions` holds the BILL names as they read then, by dimension.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    rule_id = models.UUIDField()
    at = models.DateTimeField()
    action = models.CharField(max_length=10)
    source = models.CharField(max_length=10)
    conditions = models.JSONField(default=dict)
    name = models.CharField(max_length=100, blank=True)
    before_account = models.CharField(max_length=45, blank=True)
    after_account = models.CharField(max_length=45, blank=True)
    waiting_bills = models.PositiveIntegerField(default=0)
    actor_name = models.CharField(max_length=160)
    actor_id = models.UUIDField(null=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["company", "-at", "-id"], name="rule_changes_by_time")]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.action} {self.name or self.rule_id}"
