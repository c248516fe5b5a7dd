"""All that BILL holds, as plain JSON for a test to compare: amounts as texts, nothing secret."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from integrations.standins.bill.answers import Json
from integrations.standins.bill.organization import CLASSIFICATION_KINDS, Organization, Subscription
from integrations.standins.bill.table import Table

_VOLATILE = frozenset({"createdTime", "updatedTime", "statusChangedTime"})


def read_ledger(organizations: list[Organization]) -> Json:
    """Every organization by id."""
    return {each.id: _organization(each) for each in organizations}


def _organization(organization: Organization) -> Json:
    return {
        "name": organization.name,
        "vendors": _rows(organization.vendors),
        "bills": _rows(organization.bills),
        "vendorCredits": _rows(organization.credits),
        "classifications": {
            kind: _rows(organization.classifications[kind]) for kind in CLASSIFICATION_KINDS
        },
        "subscriptions": [_subscription(each) for each in organization.subscriptions.values()],
        "events": dict(sorted(Counter(each.type for each in organization.notices).items())),
        "deadEvents": sum(each.is_dead for each in organization.notices),
    }


def _rows(table: Table) -> list[Json]:
    return [_plain(row.body) for row in sorted(table, key=lambda row: row.id)]


def _subscription(subscription: Subscription) -> Json:
    return {
        "id": subscription.id,
        "name": subscription.name,
        "enabled": subscription.enabled,
        "events": sorted(name for name, _ in subscription.events),
        "notificationUrl": subscription.url,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if name not in _VOLATILE}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
