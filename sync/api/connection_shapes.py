"""How connections and their ladders are written for machines; secrets are only ever read."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from integrations.models import BillConnection, Sage300Connection
from integrations.ping.ladder import Verdict
from sync.queries.set_up import Window
from sync.services.trying import Side


class CheckSerializer(serializers.Serializer[Any]):
    """One check: `verdict` is ok, warning, failed or not_tried; `what_to_do` mends it."""

    name = serializers.CharField()
    verdict = serializers.ChoiceField(choices=[one.value for one in Verdict])
    seconds = serializers.FloatField()
    answer = serializers.CharField(allow_blank=True)
    what_to_do = serializers.CharField(allow_blank=True)


class LadderSerializer(serializers.Serializer[Any]):
    """The checks of a system, in order. `is_of_stored` false: of credentials that were refused."""

    system = serializers.ChoiceField(choices=Side.choices)
    is_well = serializers.BooleanField()
    is_of_stored = serializers.BooleanField()
    tried_at = serializers.DateTimeField(allow_null=True)
    tried_by = serializers.CharField(allow_blank=True)
    steps = CheckSerializer(many=True)


class ConnectionSerializer(serializers.Serializer[Any]):
    """What both have. No answer ever holds a secret; `has_…` says whether one is stored."""

    is_connected = serializers.BooleanField()
    is_paused = serializers.BooleanField()
    paused_reason = serializers.CharField(allow_blank=True)
    user_name = serializers.CharField(allow_blank=True)
    has_password = serializers.BooleanField()
    credentials_set_at = serializers.DateTimeField(allow_null=True)
    last_ok_at = serializers.DateTimeField(allow_null=True)
    sentence = serializers.CharField(allow_blank=True, help_text="What came of a change.")
    ladder = LadderSerializer()


class BillConnectionSerializer(ConnectionSerializer):
    """The way into one BILL organization."""

    environment = serializers.CharField(allow_blank=True)
    organization_id = serializers.CharField(allow_blank=True)
    has_developer_key = serializers.BooleanField()
    is_token = serializers.BooleanField(help_text="A sync token, which cannot pay.")


class SageConnectionSerializer(ConnectionSerializer):
    """The way into one Sage 300 company database."""

    base_url = serializers.CharField(allow_blank=True)
    company_database = serializers.CharField(allow_blank=True)
    password_case = serializers.CharField(allow_blank=True)


class WantedBillSerializer(serializers.Serializer[Any]):
    """A secret left out keeps the stored one, unless it would go elsewhere than before."""

    environment = serializers.ChoiceField(choices=BillConnection.Environment.choices)
    organization_id = serializers.CharField()
    user_name = serializers.CharField(help_text="The name of the sync token.")
    password = serializers.CharField(
        write_only=True, required=False, allow_blank=True, default="", trim_whitespace=False
    )
    developer_key = serializers.CharField(
        write_only=True, required=False, allow_blank=True, default="", trim_whitespace=False
    )


class WantedSageSerializer(serializers.Serializer[Any]):
    """A password left out keeps the stored one, unless it would go elsewhere than before."""

    base_url = serializers.CharField()
    company_database = serializers.CharField()
    user_name = serializers.CharField()
    password = serializers.CharField(
        write_only=True, required=False, allow_blank=True, default="", trim_whitespace=False
    )
    password_case = serializers.ChoiceField(
        choices=Sage300Connection.PasswordCase.choices, required=False, default="upper"
    )
    ca_pem = serializers.CharField(required=False, allow_blank=True, default="")


def ladder(window: Window) -> dict[str, Any]:
    """The last try of a system."""
    is_well = bool(window.steps) and not window.failed_at
    return {
        "system": window.side.value,
        "is_well": is_well,
        "is_of_stored": window.is_of_stored,
        "tried_at": window.tried_at,
        "tried_by": window.tried_by,
        "steps": [
            {
                "name": step.name,
                "verdict": step.verdict.value,
                "seconds": round(step.seconds, 3),
                "answer": step.answer,
                "what_to_do": step.what_to_do,
            }
            for step in window.steps
        ],
    }
