"""From what a person or a machine entered for a connection to a try of it.

Secrets left empty are the stored ones; the form has made sure that these go only where they always
went. The page and the API both end here, so that credentials meet the same refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from integrations.forms import BillForm, ConnectionForm, SageForm
from sync.services import trying
from sync.services.provisioning.company import BillEntry, SageEntry
from sync.services.trying import Side, Tried
from tenants.audit import Actor
from tenants.models import Company


def form_of(side: Side) -> type[ConnectionForm]:
    """The form that checks what is entered for a side."""
    return BillForm if side is Side.BILL else SageForm


def enter(
    company: Company, side: Side, said: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Tried:
    """Try what a form of this side has cleaned, and store it as `trying` says."""

    def secret(name: str) -> str:
        return str(said[name]) or trying.stored_secret(company, side, name)

    if side is Side.BILL:
        bill = BillEntry(
            environment=said["environment"],
            user_name=said["user_name"],
            password=secret("password"),
            organization_id=said["organization_id"],
            developer_key=secret("developer_key"),
        )
        return trying.connect_bill(company, bill, actor=actor, now=now)
    plain = {each.name: said[each.name] for each in fields(SageEntry) if each.name != "password"}
    sage = SageEntry(**plain, password=secret("password"))
    return trying.connect_sage(company, sage, actor=actor, now=now)
