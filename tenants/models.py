"""Who: the customers, their companies, the people, and who may do what.

Tenant, User, Membership, Invitation and ApiToken are *directory* tables: they hold names, ids,
hashes and times, no business data, and are read before it is known whose request this is. Company
and AuditEvent belong to a tenant and stand behind row-level security.
"""

import hashlib
import secrets
import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from tenants.scoping import TenantOwned, TenantQuerySet
from tenants.zones import zone_words

SLUG_RULE = RegexValidator(
    r"^[a-z0-9]+(?:-[a-z0-9]+)*\Z",
    "Use lower-case letters, digits and single hyphens.",
)

#: First words of addresses that are ours, so no tenant may have them.
RESERVED_SLUGS = frozenset(
    {
        "accounts", "admin", "api", "favicon", "health", "invitation", "mail", "media", "start",
        "static", "webhooks",
    }
)  # fmt: skip

#: Second words of addresses that are the tenant's own, so no company may have them.
RESERVED_COMPANY_SLUGS = frozenset({"new-company", "people", "tokens"})


def refuse_reserved_slug(value: str) -> None:
    """Raise ValidationError for a short name that is an address of our own."""
    if value in RESERVED_SLUGS:
        raise ValidationError(f"The short name {value} is an address of our own. Choose another.")


class Role(models.TextChoices):
    """What a person or a token may do in a tenant."""

    OWNER = "owner", "Owner"
    ACCOUNTANT = "accountant", "Accountant"
    VIEWER = "viewer", "Viewer"


class TenantStatus(models.TextChoices):
    """Whether we work for a tenant."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"


class UserManager(BaseUserManager["User"]):
    """Makes people and finds them by e-mail, whatever its capitals."""

    def create_user(self, email: str, password: str | None = None, *, name: str = "") -> "User":
        """Make a person; without a password they can only sign in by a link."""
        user = self.model(email=self.normalize_email(email).lower(), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, *, name: str = ""
    ) -> "User":
        """Make an operator, who sees every tenant in the admin."""
        user = self.create_user(email, password, name=name)
        user.is_staff = user.is_superuser = True
        user.save(using=self._db, update_fields=["is_staff", "is_superuser"])
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person with this e-mail."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail signs in; staff are operators."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(
        max_length=5, blank=True, choices=[("light", "Light"), ("dark", "Dark")]
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["email"], name="tenants_user_email"),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="tenants_user_email_lower"
            ),
        ]

    def get_full_name(self) -> str:
        """Return the name, or the e-mail of a person who gave none."""
        return self.name or self.email

    def get_short_name(self) -> str:
        """Return the first name."""
        return self.get_full_name().split()[0]

    @property
    def initials(self) -> str:
        """Two letters for the round badge beside the name."""
        words = self.get_full_name().replace(".", " ").replace("@", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    def clean(self) -> None:
        """Fold the e-mail."""
        super().clean()
        self.email = self.email.lower()

    def __str__(self) -> str:
        return self.get_full_name()


class CustomerQuerySet(models.QuerySet["Tenant"]):
    """Tenants."""

    def of(self, user: User) -> Self:
        """Return the tenants this person belongs to."""
        return self.filter(memberships__user=user)

    def active(self) -> Self:
        """Return those we work for."""
        return self.filter(status=TenantStatus.ACTIVE)


class Tenant(models.Model):
    """One customer using the connector.

    `suspended_by` and `suspended_reason` are told to its people; empty while it is active.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, validators=[SLUG_RULE, refuse_reserved_slug])
    name = models.CharField(max_length=120)
    status = models.CharField(
        max_length=9, choices=TenantStatus.choices, default=TenantStatus.ACTIVE
    )
    created_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_by = models.CharField(max_length=160, blank=True)
    suspended_reason = models.CharField(max_length=300, blank=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="tenants_tenant_slug"),
            models.CheckConstraint(
                condition=models.Q(status__in=TenantStatus.values), name="tenants_tenant_status"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_suspended(self) -> bool:
        """Whether an operator has suspended this tenant."""
        return self.status == TenantStatus.SUSPENDED


class CompanyQuerySet(TenantQuerySet["Company"]):
    """Companies."""

    def running(self) -> Self:
        """Return those nobody has paused."""
        return self.filter(is_paused=False)


CompanyManager = models.Manager.from_queryset(CompanyQuerySet)


class Company(TenantOwned):
    """One BILL organization feeding one Sage 300 company database."""

    slug = models.SlugField(max_length=50, validators=[SLUG_RULE])
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    is_paused = models.BooleanField(default=False)
    paused_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    objects: ClassVar[CompanyManager["Company"]] = CompanyManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "slug"], name="tenants_company_slug"),
        ]
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a slug that is an address of the tenant's own pages."""
        super().clean()
        if self.slug in RESERVED_COMPANY_SLUGS:
            raise ValidationError(
                f"The short name {self.slug} is an address of our own. Choose another."
            )

    @property
    def zone_words(self) -> str:
        """Its time zone as people say it."""
        return zone_words(self.time_zone)

    def get_absolute_url(self) -> str:
        """Return the address of the company's first page."""
        return f"/{self.tenant.slug}/{self.slug}/"


class Membership(models.Model):
    """A person's part in a tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="tenants_membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="tenants_membership_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role}"


class Invitation(models.Model):
    """A person asked to join a tenant by mail; only a hash of the secret is kept.

    `time_zone` is for the account made through it, "" where nobody said one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    time_zone = models.CharField(max_length=64, blank=True)
    secret_hash = models.CharField(max_length=64)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["secret_hash"], name="tenants_invitation_secret"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="tenants_invitation_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.tenant}"


class ApiToken(models.Model):
    """A machine's key to one tenant. Its text is shown once; only a hash is kept."""

    PREFIX = "mlc_"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_tokens")
    label = models.CharField(max_length=80)
    role = models.CharField(max_length=10, choices=Role.choices)
    token_hash = models.CharField(max_length=64)
    last_four = models.CharField(max_length=4)
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash"], name="tenants_apitoken_hash"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="tenants_apitoken_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}, ends in {self.last_four}"

    @classmethod
    def issue(
        cls, *, tenant: Tenant, role: str, label: str, created_by: User | None, now: datetime
    ) -> tuple["ApiToken", str]:
        """Make a token; the text in the second place can never be read again."""
        text = cls.PREFIX + secrets.token_urlsafe(32)
        row = cls.objects.create(
            tenant=tenant,
            label=label,
            role=role,
            token_hash=cls.hash_of(text),
            last_four=text[-4:],
            created_by=created_by,
            created_at=now,
        )
        return row, text

    @staticmethod
    def hash_of(text: str) -> str:
        """Return what is stored for a token; 32 random bytes need no slow hash."""
        return hashlib.sha256(text.encode()).hexdigest()

    def revoke(self, *, now: datetime) -> None:
        """Refuse this token from now on."""
        self.revoked_at = now
        self.save(update_fields=["revoked_at"])


class AuditEvent(TenantOwned):
    """One deed of a person or a token: who, what, when, from where. Never changed or removed."""

    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True, blank=True)
    actor_name = models.CharField(max_length=160)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["tenant", "-at", "-id"], name="tenants_auditevent_newest")]

    def __str__(self) -> str:
        return f"{self.actor_name}: {self.action}"
