"""The practice systems, for people who have no BILL or Sage 300 at hand.

Where this installation offers them, the forms can be filled in with what lets one in there. None of
it opens anything else: the practice systems hold an invented bakery.
"""

from __future__ import annotations

from django import forms
from django.conf import settings

from sync.services.trying import Row, Side

BILL = {
    "environment": "practice",
    "organization_id": "008CalderBakery00001",
    "user_name": "ML-CONNECTOR",
    "password": "practice-token-for-bill",
    "developer_key": "01PRACTICEKEY000000000000000",
}
SAGE = {
    "company_database": "CALBAK",
    "user_name": "MLCONN",
    "password": "practice-sage",
}


def offered() -> bool:
    """Whether both practice systems are there."""
    return bool(settings.PRACTICE and settings.PRACTICE_BILL_URL and settings.PRACTICE_SAGE_URL)


def may_fill_in(stored: Row | None) -> bool:
    """Whether the form may begin so: not where a connection has worked already."""
    return offered() and (stored is None or stored.last_ok_at is None)


def fill_in(form: forms.Form, side: Side) -> None:
    """Begin the form with what lets one into the practice system."""
    if not offered():
        return
    values = BILL if side is Side.BILL else {**SAGE, "base_url": settings.PRACTICE_SAGE_URL}
    for name, value in values.items():
        form.fields[name].initial = value
        widget = form.fields[name].widget
        if isinstance(widget, forms.PasswordInput):
            widget.render_value = True
