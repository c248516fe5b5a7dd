"""A company's keys to its two systems, and what is shared about BILL's limits.

Connections and webhook keys belong to a tenant. The address of a letter box, sessions, quotas and
the key canary are directory tables: they are needed before a tenant is known, or across tenants,
and hold ids, hashes and times only.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F

from integrations.secrets import SecretField
from tenants.models import Company
from tenants.scoping import TenantOwned, TenantQuerySet


class ConnectionState(models.TextChoices):
    """Whether a connection is used."""

    OK = "ok", "Connected"
    PAUSED = "paused", "Paused"


class Connection(TenantOwned):
    """What both connections share.

    `credential_version` grows with every change of credentials, so that a refusal of old ones
    arriving late cannot pause the new ones.
    """

    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(
        max_length=10, choices=ConnectionState.choices, default=ConnectionState.OK
    )
    paused_reason = models.TextField(default="", blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    credential_version = models.PositiveIntegerField(default=1)
    credentials_set_at = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        abstract = True

    def pause(self, *, reason: str, now: datetime) -> bool:
        """Stop using these credentials; False when they were changed or paused meanwhile."""
        return self._update_if(
            ConnectionState.OK,
            state=ConnectionState.PAUSED,
            paused_reason=reason,
            paused_at=now,
        )

    def resume(self) -> bool:
        """Use the connection again; False when it was not paused."""
        return self._update_if(
            ConnectionState.PAUSED, state=ConnectionState.OK, paused_reason="", paused_at=None
        )

    def note_ok(self, now: datetime, **measured: float) -> None:
        """Remember when these credentials last worked, and what was measured."""
        self._update_if(self.state, last_ok_at=now, **measured)

    def renew(self, *, now: datetime) -> None:
        """Save changed credentials as a new version, in use."""
        self.credential_version += 1
        self.credentials_set_at = now
        self.state, self.paused_reason, self.paused_at = ConnectionState.OK, "", None
        self.save()

    def _update_if(self, expected: str, **values: Any) -> bool:
        everyone: TenantQuerySet[Connection] = TenantQuerySet(type(self))
        rows = everyone.for_tenant(self.tenant_id)
        version = {"credential_version": self.credential_version}
        has_won = bool(rows.filter(pk=self.pk, state=expected, **version).update(**values))
        if has_won:
            for name, value in values.items():
                setattr(self, name, value)
        return has_won

    @property
    def is_paused(self) -> bool:
        """Whether it is out of use until somebody acts."""
        return self.state == ConnectionState.PAUSED

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} of company {self.company_id}"


class BillConnectionQuerySet(TenantQuerySet["BillConnection"]):
    """Rows of BillConnection."""


BillConnectionManager = models.Manager.from_queryset(BillConnectionQuerySet)


class BillConnection(Connection):
    """Credentials of one BILL organization.

    `fixed_organization_id` is set by the first send and then binds the company to it. `quota_key`
    names the row of BILL's limits its developer key shares: a hash, written by the first pass.
    """

    class Environment(models.TextChoices):
        """Which BILL."""

        PRODUCTION = "production", "Production"
        SANDBOX = "sandbox", "Sandbox"
        PRACTICE = "practice", "Practice"

    environment = models.CharField(
        max_length=12, choices=Environment.choices, default=Environment.PRODUCTION
    )
    user_name = models.CharField(max_length=200)
    password = SecretField()
    organization_id = models.CharField(max_length=40)
    developer_key = SecretField()
    is_token = models.BooleanField(default=False)
    fixed_organization_id = models.CharField(max_length=40, default="", blank=True)
    quota_key = models.CharField(max_length=64, default="", blank=True)

    objects: ClassVar[BillConnectionManager[BillConnection]] = BillConnectionManager()

    class Meta(Connection.Meta):
        verbose_name = "BILL connection"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(state__in=ConnectionState.values),
                name="bill_connection_state",
            ),
            models.CheckConstraint(
                condition=models.Q(fixed_organization_id__in=["", F("organization_id")]),
                name="bill_connection_organization_is_fixed",
            ),
        ]


class Sage300ConnectionQuerySet(TenantQuerySet["Sage300Connection"]):
    """Rows of Sage300Connection."""


Sage300ConnectionManager = models.Manager.from_queryset(Sage300ConnectionQuerySet)


class Sage300Connection(Connection):
    """Credentials and address of one Sage 300 company database.

    `post_process` holds the names this server gives to posting, {} where it offers none.
    `fixed_database` and `fixed_host` are set by the first send. `median_seconds` and `slow_seconds`
    (the 95th of a hundred) are how long its calls took in the last pass.
    """

    class PasswordCase(models.TextChoices):
        """How the password is sent: Sage folds it unless complex passwords are switched on."""

        UPPER = "upper", "In capitals"
        AS_TYPED = "as_typed", "As typed"

    base_url = models.CharField(max_length=300)
    company_database = models.CharField(max_length=6)
    user_name = models.CharField(max_length=8)
    password = SecretField()
    password_case = models.CharField(
        max_length=10, choices=PasswordCase.choices, default=PasswordCase.UPPER
    )
    ca_pem = models.TextField(default="", blank=True)
    post_process = models.JSONField(default=dict, blank=True)
    fixed_database = models.CharField(max_length=6, default="", blank=True)
    fixed_host = models.CharField(max_length=260, default="", blank=True)
    median_seconds = models.FloatField(null=True, blank=True)
    slow_seconds = models.FloatField(null=True, blank=True)

    objects: ClassVar[Sage300ConnectionManager[Sage300Connection]] = Sage300ConnectionManager()

    class Meta(Connection.Meta):
        verbose_name = "Sage 300 connection"
        constraints = [
            *TenantOwned.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(state__in=ConnectionState.values),
                name="sage300_connection_state",
            ),
            models.CheckConstraint(
                condition=models.Q(fixed_database__in=["", F("company_database")]),
                name="sage300_connection_database_is_fixed",
            ),
        ]


class PingResultQuerySet(TenantQuerySet["PingResult"]):
    """Rows of PingResult."""


PingResultManager = models.Manager.from_queryset(PingResultQuerySet)


class PingResult(TenantOwned):
    """What the last try of a connection found, step by step, and by whom.

    `steps` is what `ping.keeping` reads and writes. `is_of_stored` is False when what was tried
    were new credentials that did not replace the stored ones.
    """

    class Side(models.TextChoices):
        """Which system was tried."""

        BILL = "bill", "BILL"
        SAGE = "sage300", "Sage 300"

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=8, choices=Side.choices)
    steps = models.JSONField(default=list)
    is_of_stored = models.BooleanField(default=True)
    credential_version = models.PositiveIntegerField(default=1)
    tried_at = models.DateTimeField()
    tried_by = models.CharField(max_length=160, blank=True)

    objects: ClassVar[PingResultManager[PingResult]] = PingResultManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "side"], name="one_ping_result_per_side"),
            models.CheckConstraint(
                condition=models.Q(side__in=["bill", "sage300"]), name="ping_result_side"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()} tried {self.tried_at:%Y-%m-%d %H:%M}"


class WebhookAddress(models.Model):
    """A letter box: the uuid in its URL, and whose it is. Read before any tenant is known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant_id = models.UUIDField(editable=False)
    company_id = models.UUIDField(editable=False, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"letter box {self.id}"


class WebhookSubscriptionQuerySet(TenantQuerySet["WebhookSubscription"]):
    """Rows of WebhookSubscription."""


WebhookSubscriptionManager = models.Manager.from_queryset(WebhookSubscriptionQuerySet)


class WebhookSubscription(TenantOwned):
    """What BILL was asked to send to a company's letter box; `bill_id` "" means not registered."""

    class Status(models.TextChoices):
        """Whether BILL sends."""

        REGISTERED = "registered", "BILL sends"
        SWITCHED_OFF = "switched_off", "BILL switched it off"
        POLLING_ONLY = "polling_only", "Polling only"

    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="+")
    address_id = models.UUIDField()
    bill_id = models.CharField(max_length=60, default="", blank=True)
    status = models.CharField(max_length=14, choices=Status.choices, default=Status.POLLING_ONLY)
    reason = models.TextField(default="", blank=True)
    idempotency_key = models.UUIDField(default=uuid.uuid4)
    registered_at = models.DateTimeField(null=True, blank=True)
    last_checked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[WebhookSubscriptionManager[WebhookSubscription]] = (
        WebhookSubscriptionManager()
    )

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(status__in=["registered", "switched_off", "polling_only"]),
                name="webhook_subscription_status",
            ),
        ]

    def __str__(self) -> str:
        return f"subscription {self.bill_id or 'not registered'}"


class WebhookKeyQuerySet(TenantQuerySet["WebhookKey"]):
    """Rows of WebhookKey."""


WebhookKeyManager = models.Manager.from_queryset(WebhookKeyQuerySet)


class WebhookKey(TenantOwned):
    """A key BILL signs with; a replaced one stays valid for a while for late redeliveries."""

    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="keys"
    )
    key = SecretField()
    created_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[WebhookKeyManager[WebhookKey]] = WebhookKeyManager()

    class Meta(TenantOwned.Meta):
        pass

    def __str__(self) -> str:
        return f"webhook key of {self.created_at:%Y-%m-%d}"


class BillSessionRow(models.Model):
    """The session shared by all processes for one developer key, organization and user.

    `key` is a hash of the three, `session` is sealed. `logging_in_until` and `holder` are the
    lease of whoever signs in now; the `refused_*` fields stop others from trying a refused password.
    """

    key = models.CharField(max_length=64, primary_key=True)
    session = models.TextField(default="", blank=True)
    user_id = models.CharField(max_length=60, default="", blank=True)
    made_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=0)
    logging_in_until = models.DateTimeField(null=True, blank=True)
    holder = models.CharField(max_length=32, default="", blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_code = models.CharField(max_length=20, default="", blank=True)
    refused_sentence = models.TextField(default="", blank=True)

    def __str__(self) -> str:
        return f"BILL session {self.key[:8]}"


class BillQuotaRow(models.Model):
    """What one developer key has used of BILL's hourly limits; `logins` are epoch seconds."""

    key = models.CharField(max_length=64, primary_key=True)
    hour_started_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    closed_until = models.DateTimeField(null=True, blank=True)
    logins = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"BILL quota {self.key[:8]}"


class BillSlot(models.Model):
    """One of the few calls BILL allows at a time for a key and organization."""

    key = models.CharField(max_length=64)
    slot = models.PositiveSmallIntegerField()
    held_until = models.DateTimeField(null=True, blank=True)
    holder = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "slot"], name="bill_slot_once"),
        ]

    def __str__(self) -> str:
        return f"BILL slot {self.slot} of {self.key[:8]}"


class KeyCanary(models.Model):
    """One sealed row that only the right CREDENTIAL_KEYS open."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    sealed = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="key_canary_is_one"),
        ]

    def __str__(self) -> str:
        return "key canary"
