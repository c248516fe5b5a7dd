"""How a deed asked for by a machine is answered: the same outcomes the pages tell, as statuses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from sync import jobs
from sync.api.errors import Conflict
from sync.services import turns
from sync.services.acts import Done, NotOpen, Overtaken
from sync.services.mapping_acts import Refused, Saved
from tenants.models import Company


class DoneSerializer(serializers.Serializer[Any]):
    """What was done, in a sentence."""

    sentence = serializers.CharField()


def settle(company: Company, outcome: Done | Saved | NotOpen | Overtaken | Refused) -> str:
    """The sentence of a deed that was done, and wake the company; otherwise the refusal.

    Raises ValidationError (400) with a sentence for each field, or Conflict (409).
    """
    if isinstance(outcome, Refused):
        raise ValidationError({name: [sentence] for name, sentence in outcome.errors.items()})
    if isinstance(outcome, NotOpen | Overtaken):
        raise Conflict(outcome.sentence)
    turns.ring(company_id=company.pk)
    jobs.ring_doorbell(tenant_id=company.tenant_id, company_id=company.pk, trigger="mended")
    return outcome.sentence


def asked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the body asks for, checked; unknown keys are refused by name."""
    data = request.data
    if not isinstance(data, dict):
        raise ValidationError({"non_field_errors": ["Send one JSON object."]})
    unknown = sorted(set(data) - set(serializer().fields))
    if unknown:
        raise ValidationError({unknown[0]: ["There is no such field here."]})
    read = serializer(data=data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)
