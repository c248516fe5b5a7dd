"""One bill's way into Sage: the row an accountant trusts, never deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from sync.domain.posting_state import BEING_SENT, AttentionMode, PostingState, may_advance
from sync.models.many_rows import write_rows
from tenants.scoping import TenantOwned, TenantQuerySet

STATES = [(state.value, state.value) for state in PostingState]
MODES = [(mode.value, mode.value) for mode in AttentionMode]
#: Approved and not in Sage: what an operator calls the backlog.
BACKLOG = ("ATTENTION", "BLOCKED", "IN_FLIGHT", "READY", "REVIEW", "UNCERTAIN")

Move = tuple["Posting", PostingState, Mapping[str, Any]]


class WayNotAllowed(ValueError):
    """A state was asked for that the transition table does not lead to."""


class PostingQuerySet(TenantQuerySet["Posting"]):
    """Questions about postings."""

    def of_company(self, company_id: object) -> Self:
        """The postings of one company."""
        return self.filter(company_id=company_id)

    def in_state(self, *states: PostingState) -> Self:
        """The postings standing in one of these states."""
        return self.filter(state__in=states)

    def moving(self) -> Self:
        """The postings of settled batches whose entry can still change in Sage."""
        lies = models.Q(state=PostingState.IN_SAGE) | models.Q(
            state=PostingState.ATTENTION, sage_batch_number__isnull=False
        )
        return self.filter(lies, batch__settled_at__isnull=False, posted_at__isnull=True)


PostingManager = models.Manager.from_queryset(PostingQuerySet)


class Posting(TenantOwned):
    """Our record of one bill's way into Sage.

    Identity (`vendor_number`, `document_number`, `order_number`) is allotted by the first intent
    and frozen; `is_identity_clean` is False once a byte with it has left without Sage's word that
    nothing stayed. Where it lies in Sage (`sage_*`) is read back, never assumed.
    """

    company = models.ForeignKey("tenants.Company", on_delete=models.PROTECT, related_name="+")
    bill = models.OneToOneField("sync.Bill", on_delete=models.PROTECT, related_name="posting")
    source_id = models.CharField(max_length=60)

    invoice_number = models.CharField(max_length=100, blank=True)
    vendor_name = models.CharField(max_length=200, blank=True)
    bill_vendor_id = models.CharField(max_length=60, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=3, null=True)
    currency = models.CharField(max_length=3, blank=True)
    invoice_date = models.DateField(null=True)
    due_date = models.DateField(null=True)

    state = models.CharField(max_length=10, choices=STATES, default=PostingState.WAITING)
    mode = models.CharField(max_length=10, choices=MODES, blank=True)
    sentence = models.CharField(max_length=1000, blank=True)
    words = models.CharField(max_length=600, blank=True)
    problems = models.JSONField(default=list)
    warnings = models.JSONField(default=list)
    since = models.DateTimeField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    is_dirty = models.BooleanField(default=True)

    lines = models.JSONField(default=list)
    invoice = models.JSONField(null=True)
    posting_date = models.DateField(null=True)
    fiscal_year = models.CharField(max_length=4, blank=True)
    fiscal_period = models.CharField(max_length=2, blank=True)
    mapped_hash = models.CharField(max_length=64, blank=True)
    policy_version = models.PositiveIntegerField(default=0)

    database_key = models.CharField(max_length=200, blank=True)
    vendor_number = models.CharField(max_length=12, blank=True)
    document_number = models.CharField(max_length=22, blank=True)
    order_number = models.CharField(max_length=22, blank=True)
    identity_frozen_at = models.DateTimeField(null=True)
    is_identity_clean = models.BooleanField(default=True)

    batch = models.ForeignKey(
        "sync.Batch", null=True, on_delete=models.PROTECT, related_name="postings"
    )
    sage_batch_number = models.PositiveBigIntegerField(null=True)
    sage_entry_number = models.PositiveIntegerField(null=True)
    sage_document_number = models.CharField(max_length=22, blank=True)
    sage_status = models.CharField(max_length=20, blank=True)
    posting_sequence = models.PositiveBigIntegerField(null=True)
    sage_amount = models.DecimalField(max_digits=19, decimal_places=3, null=True)
    read_back_at = models.DateTimeField(null=True)
    in_sage_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)

    approval_seen_at = models.DateTimeField(null=True)
    changed_in_bill_at = models.DateTimeField(null=True)
    change_note = models.CharField(max_length=300, blank=True)
    cleared_in_sage_at = models.DateTimeField(null=True)
    is_allowed_before_cutover = models.BooleanField(default=False)
    is_duplicate_accepted = models.BooleanField(default=False)
    is_review_accepted = models.BooleanField(default=False)
    is_skipped_by_person = models.BooleanField(default=False)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    decision_note = models.CharField(max_length=300, blank=True)

    objects: ClassVar[PostingManager[Posting]] = PostingManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(fields=["company", "source_id"], name="one_posting_per_bill"),
            models.UniqueConstraint(
                fields=["database_key", "vendor_number", "document_number"],
                condition=~models.Q(document_number=""),
                name="one_posting_per_vendor_and_number",
            ),
            models.UniqueConstraint(
                fields=["database_key", "order_number"],
                condition=~models.Q(order_number=""),
                name="one_posting_per_order_number",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in PostingState]),
                name="known_posting_state",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=PostingState.IN_SAGE)
                | models.Q(sage_batch_number__isnull=False),
                name="in_sage_has_a_batch",
            ),
            # By it alone an entry is known again when the answer is lost. The other two numbers may be
            # missing of a bill that gave them back and whose entry turned up in Sage all the same.
            models.CheckConstraint(
                condition=~models.Q(state__in=[state.value for state in sorted(BEING_SENT)])
                | ~models.Q(order_number=""),
                name="being_sent_has_an_order_number",
            ),
        ]
        indexes = [
            models.Index(
                fields=["company", "state", "-changed_at", "id"], name="postings_by_state"
            ),
            models.Index(fields=["company", "-changed_at", "id"], name="postings_by_change"),
            models.Index(fields=["company", "invoice_number"], name="postings_by_invoice"),
            models.Index(
                fields=["company"], condition=models.Q(is_dirty=True), name="postings_to_decide"
            ),
            models.Index(
                fields=["company", "posting_date", "id"],
                condition=models.Q(state="READY"),
                name="postings_to_send",
            ),
            models.Index(
                fields=["company", "sage_batch_number"],
                condition=models.Q(state="IN_SAGE", posted_at__isnull=True),
                name="postings_to_follow",
            ),
            models.Index(
                fields=["tenant", "state"],
                condition=models.Q(state__in=BACKLOG),
                name="postings_behind",
            ),
        ]

    def advance(
        self,
        new: PostingState,
        *,
        now: datetime,
        by_person: bool = False,
        **values: Any,
    ) -> bool:
        """Move to `new` if this row still stands where we read it; tell whether this call won.

        With `advance_all` the only writer of `state`. `values` are other columns to write with it. Raises
        WayNotAllowed where the transition table has no such way.
        """
        old = PostingState(self.state)
        values = self._way(new, now=now, by_person=by_person, values=values)
        rows = type(self).objects.for_tenant(self.tenant_id).filter(pk=self.pk, state=old)
        is_won = rows.update(**values) == 1
        if is_won:
            for name, value in values.items():
                setattr(self, name, value)
        return is_won

    @classmethod
    def advance_all(cls, moves: Sequence[Move], *, now: datetime) -> set[Any]:
        """Advance many postings of one tenant in one statement, each as `advance` would.

        The caller holds the rows locked. Returns the keys of those that stood as they were read.
        """
        changes = [
            (posting, posting._way(state, now=now, by_person=False, values=values))
            for posting, state, values in moves
        ]
        won = write_rows(changes, guard="state")
        for posting, values in changes:
            if posting.pk in won:
                for name, value in values.items():
                    setattr(posting, name, value)
        return won

    def _way(
        self, new: PostingState, *, now: datetime, by_person: bool, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All columns of one step; raises WayNotAllowed where the table has no such way."""
        old = PostingState(self.state)
        if not may_advance(old, new, by_person=by_person):
            raise WayNotAllowed(f"{old} does not lead to {new}")
        defaults: dict[str, Any] = {"state": new, "changed_at": now}
        if new == old:
            changed = any(
                getattr(self, name) != value for name, value in values.items() if name != "is_dirty"
            )
            return {**values, **(defaults if changed else {"state": new})}
        return {"since": now, "mode": AttentionMode.NONE, "words": "", **values, **defaults}

    @property
    def seen(self) -> str:
        """What a page shows of it, for a deed to be refused once that is no longer so."""
        changed = self.changed_in_bill_at
        return f"{self.state}@{changed.isoformat()}" if changed else self.state

    def __str__(self) -> str:
        return f"{self.vendor_name} {self.invoice_number}"
