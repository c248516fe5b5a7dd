"""When work is due, how far a run has come, and where the poll has read to."""

from __future__ import annotations

from django.db import models

from tenants.scoping import TenantOwned


class DueWork(models.Model):
    """One company's alarm clock; a directory row, so that the tick needs no tenant's scope.

    `next_run_at` is the cadence, `rung_at` a doorbell (webhook, replay, mapping mended), and
    `taken_until` says that the worker `taken_by` is on it. `compare_*` are the same for comparing
    both sides, which only reads and so may go on beside a pass; `compare_at` is empty until the
    first pass is made. `tell_at` is when it is next looked whether somebody must be told by mail,
    empty is now. Only ids, times and a process's name.
    """

    company_id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    next_run_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    taken_until = models.DateTimeField(null=True)
    taken_by = models.CharField(max_length=100, blank=True, db_default="")
    served_at = models.DateTimeField(null=True)
    compare_at = models.DateTimeField(null=True)
    compare_until = models.DateTimeField(null=True)
    compare_by = models.CharField(max_length=100, blank=True, db_default="")
    tell_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_run_at"], name="work_due"),
            models.Index(fields=["compare_at"], name="comparison_due"),
            models.Index(fields=["tenant_id"], name="work_of_a_tenant"),
        ]

    def __str__(self) -> str:
        return str(self.company_id)


class Run(TenantOwned):
    """One pass over a company, with steps people can follow.

    `steps` is a list of {name, done, total, started_at, ended_at, sentence}.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    trigger = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    sentence = models.CharField(max_length=1000, blank=True)
    steps = models.JSONField(default=list)
    bill_calls = models.PositiveIntegerField(default=0)
    sage_calls = models.PositiveIntegerField(default=0)
    heard_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        indexes = [
            models.Index(fields=["company", "-started_at"], name="runs_by_start"),
            # The watchdog asks for these every few seconds, and there are few however many have ended.
            models.Index(
                fields=["company", "heard_at"],
                condition=models.Q(ended_at__isnull=True),
                name="runs_under_way",
            ),
            models.Index(
                fields=["tenant", "started_at"],
                condition=models.Q(outcome__in=["failed", "broke"]),
                name="runs_gone_wrong",
            ),
        ]

    def __str__(self) -> str:
        return f"run of {self.started_at:%Y-%m-%d %H:%M}"


class Cursor(TenantOwned):
    """Where a stream has been read to; moves only in the transaction that stores its rows."""

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    stream = models.CharField(max_length=40)
    value = models.CharField(max_length=100, blank=True)
    moved_at = models.DateTimeField()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "stream"], name="one_cursor_per_stream"),
        ]

    def __str__(self) -> str:
        return f"{self.stream} {self.value}"


class Refusal(models.Model):
    """How many deliveries the letter box refused in one hour, by reason; a directory row.

    Nothing of a delivery is kept: whoever sends it is not known.
    """

    reason = models.CharField(max_length=20)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "reason"], name="one_refusal_row_per_hour")
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.reason}"


class Heartbeat(models.Model):
    """A sign of life of one kind of process; a directory row, times by the database's clock.

    `rung_at` is when the watchdog asked for a beat, `beaten_at` when a worker gave one.
    """

    name = models.CharField(max_length=40, primary_key=True)
    rung_at = models.DateTimeField(null=True)
    beaten_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
