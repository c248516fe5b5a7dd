"""What an owner types to connect the two systems. Secrets go in and never come out again.

These are plain forms: a stored secret is never a field's value. A secret left empty keeps the
stored one, but only where it would still go to the same system and user: a stored password is
never sent to an address somebody has just typed.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from integrations.models import BillConnection, Sage300Connection
from integrations.sage300.door import full_base_url

_TYPE_AGAIN = (
    "Type it again: {what} changed, and what is stored is never sent to another place or for "
    "another user."
)
_NEEDED = "This is needed to sign in."


def _secret(label: str, help_text: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, help_text=help_text, widget=widget, required=False, strip=False
    )


def _plain(label: str, help_text: str, longest: int, **attrs: str) -> forms.CharField:
    given = {"autocomplete": "off", "spellcheck": "false", **attrs}
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=longest,
        widget=forms.TextInput(attrs=given),
    )


class ConnectionForm(forms.Form):
    """What both forms share: which stored secrets may stay."""

    #: Fields that say where a secret goes and for whom.
    bound_to: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def __init__(self, *args: Any, stored: BillConnection | Sage300Connection | None) -> None:
        super().__init__(*args)
        self._stored = stored
        for name in (*self.bound_to, "password_case", "ca_pem"):
            if stored is not None and name in self.fields:
                self.fields[name].initial = getattr(stored, name)
        for name in self.secrets:
            if stored is not None and getattr(stored, name):
                self.fields[name].help_text = "Saved. Leave it empty to keep what is saved."

    def clean(self) -> None:
        """Refuse an empty secret unless the stored one would go where it always went."""
        moved = [name for name in self.bound_to if name in self.fields and self._has_moved(name)]
        for name in self.secrets:
            if self.cleaned_data.get(name):
                continue
            if self._stored is None or not getattr(self._stored, name):
                self.add_error(name, _NEEDED)
            elif moved:
                what = str(self.fields[moved[0]].label).lower()
                self.add_error(name, _TYPE_AGAIN.format(what=what))

    def _has_moved(self, name: str) -> bool:
        return bool(self.cleaned_data.get(name) != getattr(self._stored, name, None))


class BillForm(ConnectionForm):
    """The way into one BILL organization."""

    bound_to = ("environment", "organization_id", "user_name")
    secrets = ("password", "developer_key")

    environment = forms.ChoiceField(label="Which BILL")
    organization_id = _plain(
        "Organization id", "The organization the token was made in. It begins with 008.", 40
    )
    user_name = _plain(
        "Name of the sync token",
        "A token of type AP & AR sync cannot pay anyone. A person's e-mail works too, but may pay.",
        200,
    )
    password = _secret("Sync token", "BILL shows it once, when the token is made.")
    developer_key = _secret(
        "Developer key", "From BILL's developer portal, for the same environment."
    )

    def __init__(self, *args: Any, stored: BillConnection | None) -> None:
        super().__init__(*args, stored=stored)
        kinds = BillConnection.Environment
        offered = [kinds.PRODUCTION, kinds.SANDBOX]
        if settings.PRACTICE and settings.PRACTICE_BILL_URL:
            offered.append(kinds.PRACTICE)
        field = self.fields["environment"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (declared above)
        field.choices = [(kind.value, kind.label) for kind in offered]


class SageForm(ConnectionForm):
    """The way into one Sage 300 company database."""

    bound_to = ("base_url", "company_database", "user_name")
    secrets = ("password",)

    base_url = _plain(
        "Web API address",
        "For example https://sage.yourfirm.com/Sage300WebApi",
        300,
        inputmode="url",
    )
    company_database = _plain("Company database", "Six characters at most, such as SAMINC.", 6)
    user_name = _plain("Sage user", "A user of its own, not ADMIN.", 8)
    password = _secret("Password", "The Sage 300 password of that user.")
    password_case = forms.ChoiceField(
        label="How the password is sent",
        choices=Sage300Connection.PasswordCase.choices,
        initial=Sage300Connection.PasswordCase.UPPER.value,
        help_text="Sage folds passwords to capitals unless complex passwords are switched on.",
    )
    ca_pem = forms.CharField(
        label="Certificate authority of your own",
        required=False,
        max_length=20_000,
        help_text="Only where the server's certificate comes from your own authority: paste its"
        " certificate, beginning with -----BEGIN CERTIFICATE-----.",
        widget=forms.Textarea(attrs={"class": "input", "rows": 3, "spellcheck": "false"}),
    )

    def clean_base_url(self) -> str:
        """Bring the address into the one spelling it is stored in."""
        return full_base_url(str(self.cleaned_data["base_url"])).rstrip("/")

    def clean_company_database(self) -> str:
        """Sage's databases are in capitals."""
        return str(self.cleaned_data["company_database"]).upper()

    def clean_user_name(self) -> str:
        """Refuse the administrator: it may do everything, and Sage's Web API turns it away."""
        user = str(self.cleaned_data["user_name"]).upper()
        if user == "ADMIN":
            raise forms.ValidationError(
                "ADMIN may do everything in Sage, and its Web API turns it away. Have your IT make"
                " a user of its own, with rights in AP, GL and Common Services."
            )
        return user
