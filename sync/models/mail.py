"""What each person wants to be told of a company, and what they were told."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sync.domain.telling import Choice, Days, Kind
from tenants.scoping import TenantOwned

#: The kind of a daily mail, beside those of `domain.telling.Kind`.
DIGEST = "digest"


class MailState(models.TextChoices):
    """How far a mail has come."""

    DUE = "due", "On its way"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"
    DROPPED = "dropped", "Not needed any more"
    NOTHING = "nothing", "Nothing to say"


class MailChoice(TenantOwned):
    """What one person chose for one company; without a row their role's default counts."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kinds = models.JSONField(default=list)
    digest_days = models.CharField(max_length=8)
    digest_hour = models.PositiveSmallIntegerField()
    changed_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "user"], name="one_mail_choice_a_person"),
            models.CheckConstraint(
                condition=models.Q(digest_days__in=[day.value for day in Days]),
                name="known_digest_days",
            ),
            models.CheckConstraint(
                condition=models.Q(digest_hour__lt=24), name="digest_hour_of_a_day"
            ),
        ]

    def choice(self) -> Choice:
        """The choice as the domain's frozen value; a kind of an older version is left out."""
        return Choice(
            kinds=frozenset(kind for kind in Kind if kind.value in self.kinds),
            days=Days(self.digest_days),
            hour=self.digest_hour,
        )

    def __str__(self) -> str:
        return f"mail choice of {self.user_id}"


class Mail(TenantOwned):
    """One mail to one person, from its decision to its outcome.

    `cause` with `also` names what it tells of; while `ended_at` is empty no second one about the
    same cause can exist. `text` and `html` are kept only until it has gone. `claimed_until` is the
    hold of the worker that hands it to the mail server just now; times are UTC.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12)
    cause = models.CharField(max_length=200)
    also = models.JSONField(default=list)
    address = models.EmailField()
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    state = models.CharField(max_length=8, choices=MailState.choices, default=MailState.DUE)
    why = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    not_before = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                fields=["company", "user", "kind", "cause"],
                condition=models.Q(ended_at__isnull=True),
                name="one_mail_about_a_cause",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=MailState.values), name="known_mail_state"
            ),
        ]
        indexes = [
            models.Index(fields=["company", "user", "-made_at"], name="mails_by_person"),
            models.Index(
                fields=["company", "not_before"],
                condition=models.Q(state="due"),
                name="mails_to_send",
            ),
        ]

    @property
    def keys(self) -> set[str]:
        """Every cause this mail tells of."""
        return {self.cause, *self.also}

    def __str__(self) -> str:
        return self.subject
