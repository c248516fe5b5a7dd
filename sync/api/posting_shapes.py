"""How a posting is written for machines. Amounts are texts, so that nobody rounds them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sync.api.log import LogEntrySerializer
from sync.domain.deeds import offers
from sync.models import Answer, Attempt, Posting
from sync.queries.api_story import attempts_of, log_of
from sync.queries.posting_story import standing_for_deeds


class ProblemSerializer(serializers.Serializer[Any]):
    """One cause: `acts` says where it is mended (here, bill, sage, it)."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    acts = serializers.CharField()
    severity = serializers.CharField()
    subject = serializers.CharField(allow_blank=True)
    subject_name = serializers.CharField(allow_blank=True)


class OfferSerializer(serializers.Serializer[Any]):
    """A deed that is open now, what follows from it, and the note it needs ("" needs none)."""

    deed = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    consequence = serializers.CharField()
    note_label = serializers.CharField(allow_blank=True)


class LineSerializer(serializers.Serializer[Any]):
    """One distribution and why it goes to this account."""

    line_id = serializers.CharField()
    gl_account = serializers.CharField()
    formatted = serializers.CharField(default="")
    account_name = serializers.CharField(default="")
    amount = serializers.CharField()
    description = serializers.CharField(default="")
    source = serializers.CharField(default="")  # type: ignore[assignment]
    reason = serializers.CharField(default="")
    rule_id = serializers.CharField(default="")
    not_carried = serializers.ListField(child=serializers.CharField(), default=list)


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One write to Sage; `outcome` is ok, rejected, unknown, not_sent, or "" while it is open."""

    outcome = serializers.SerializerMethodField()
    http_status = serializers.SerializerMethodField()
    vendor_code = serializers.SerializerMethodField()
    text = serializers.SerializerMethodField()
    batch_number = serializers.SerializerMethodField()
    ended_at = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = [
            "id", "operation", "tag", "started_at", "outcome", "http_status", "vendor_code",
            "text", "batch_number", "ended_at",
        ]  # fmt: skip

    def get_outcome(self, attempt: Attempt) -> str:
        """How it ended."""
        answer = _answer(attempt)
        return answer.outcome if answer else ""

    def get_http_status(self, attempt: Attempt) -> int:
        """Sage's status; 0 where none came."""
        answer = _answer(attempt)
        return answer.http_status if answer else 0

    def get_vendor_code(self, attempt: Attempt) -> str:
        """Sage's own code of a refusal."""
        answer = _answer(attempt)
        return answer.vendor_code if answer else ""

    def get_text(self, attempt: Attempt) -> str:
        """Sage's own words."""
        answer = _answer(attempt)
        return answer.text if answer else ""

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_batch_number(self, attempt: Attempt) -> int | None:
        """The batch it made."""
        answer = _answer(attempt)
        return answer.batch_number if answer else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_ended_at(self, attempt: Attempt) -> object:
        """When the answer was known."""
        answer = _answer(attempt)
        field = serializers.DateTimeField()
        return field.to_representation(answer.ended_at) if answer else None


def _answer(attempt: Attempt) -> Answer | None:
    try:
        return attempt.answer
    except Answer.DoesNotExist:
        return None


class PostingSerializer(serializers.ModelSerializer[Posting]):
    """One bill's way into Sage: its state in words, and where it lies."""

    bill_id = serializers.CharField(source="source_id")
    problems = ProblemSerializer(many=True)

    class Meta:
        model = Posting
        fields = [
            "id", "bill_id", "invoice_number", "vendor_name", "bill_vendor_id", "amount",
            "currency", "invoice_date", "due_date", "state", "mode", "sentence", "problems",
            "since", "changed_at", "vendor_number", "document_number", "sage_batch_number",
            "sage_entry_number", "sage_status",
        ]  # fmt: skip


class PostingDetailSerializer(PostingSerializer):
    """A posting with its lines, writes and log."""

    warnings = ProblemSerializer(many=True)
    lines = LineSerializer(many=True)
    attempts = serializers.SerializerMethodField()
    log = serializers.SerializerMethodField()
    deeds = serializers.SerializerMethodField()

    class Meta(PostingSerializer.Meta):
        fields = [
            *PostingSerializer.Meta.fields, "words", "warnings", "lines", "posting_date",
            "fiscal_year", "fiscal_period", "order_number", "sage_document_number", "sage_amount",
            "posting_sequence", "read_back_at", "in_sage_at", "posted_at", "approval_seen_at",
            "changed_in_bill_at", "change_note", "deeds",
            "attempts", "log",
        ]  # fmt: skip

    @extend_schema_field(OfferSerializer(many=True))
    def get_deeds(self, posting: Posting) -> object:
        """What may be done with it now."""
        zone = ZoneInfo(posting.company.time_zone)
        return OfferSerializer(offers(standing_for_deeds(posting, zone=zone)), many=True).data

    @extend_schema_field(AttemptSerializer(many=True))
    def get_attempts(self, posting: Posting) -> object:
        """The writes that carried it, newest first."""
        return AttemptSerializer(attempts_of(posting), many=True).data

    @extend_schema_field(LogEntrySerializer(many=True))
    def get_log(self, posting: Posting) -> object:
        """Everything that happened, oldest first."""
        return LogEntrySerializer(log_of(posting), many=True).data
