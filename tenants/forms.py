"""What people type about themselves, their firm, their companies and their colleagues."""

from __future__ import annotations

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from tenants.enrolment import found_firm
from tenants.models import Role, User
from tenants.zones import zone_choices

ROLE_WORDS = (
    (Role.OWNER.value, "Owner: everything, people and credentials too"),
    (Role.ACCOUNTANT.value, "Accountant: approves, maps, decides the policy"),
    (Role.VIEWER.value, "Viewer: sees everything, changes nothing"),
)
TOKEN_ROLE_WORDS = (
    (Role.VIEWER.value, "Read: postings, log, runs"),
    (Role.ACCOUNTANT.value, "Read, map, approve, run, replay"),
    (Role.OWNER.value, "Everything an owner may do, connections too"),
)


def _zone_field(help_text: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        initial="America/Chicago",
        help_text=help_text,
    )


class NewTenantForm(forms.Form):
    """The one question asked before a tenant exists."""

    name = forms.CharField(
        label="Name of your firm",
        max_length=120,
        help_text="As people in your firm say it. You can add companies below it.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "organization"}),
    )


class SignUpDetails(forms.Form):
    """What sign-up asks beside e-mail and password; the firm is made with the account."""

    field_order = ["email", "password1", "name", "firm", "time_zone"]

    name = forms.CharField(
        label="Your name",
        max_length=120,
        help_text="What you do is recorded under it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    firm = forms.CharField(
        label="Your firm",
        max_length=120,
        help_text="The name your colleagues will see. Sage companies come later.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    time_zone = _zone_field("For dates on pages and in the daily mail.")

    def signup(self, request: HttpRequest, user: User) -> None:
        """Make the new person's firm, with them as its owner; called once the account exists."""
        user.name, user.time_zone = self.cleaned_data["name"], self.cleaned_data["time_zone"]
        user.save(update_fields=["name", "time_zone"])
        now = timezone.now()  # noqa: TID251 (a door: allauth calls this from its view)
        found_firm(name=self.cleaned_data["firm"], owner=user, request=request, now=now)


class YouForm(forms.Form):
    """What a person says of themselves."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        help_text="What you do from now on is recorded under it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    time_zone = _zone_field("Times on your pages. Dates of bills follow each company's own zone.")
    theme = forms.ChoiceField(
        label="Light or dark",
        choices=[("", "As this computer is set"), ("light", "Light"), ("dark", "Dark")],
        required=False,
    )


class NewCompanyForm(forms.Form):
    """One BILL organization feeding one Sage 300 company database, before either is known."""

    name = forms.CharField(
        label="Name of the company",
        max_length=120,
        help_text="As it stands over your Sage 300 books. A test database is a company of its own:"
        " say so in its name.",
    )
    time_zone = _zone_field("Decides which day it is for bills and posting dates.")
    currency = forms.CharField(
        label="Currency",
        max_length=3,
        min_length=3,
        initial="USD",
        help_text="The functional currency of its Sage books, as three letters.",
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "size": 3}),
    )

    def clean_currency(self) -> str:
        """Fold to capitals; only letters."""
        text = str(self.cleaned_data["currency"]).upper()
        if not (text.isascii() and text.isalpha()):
            raise ValidationError("A currency is three letters such as USD.")
        return text


class InviteForm(forms.Form):
    """Whom to ask in, and what they may do."""

    email = forms.EmailField(
        label="Work e-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label="As", choices=ROLE_WORDS, initial=Role.ACCOUNTANT.value)

    def clean_email(self) -> str:
        """Fold: an e-mail is the same in any capitals."""
        return str(self.cleaned_data["email"]).lower()


class RoleForm(forms.Form):
    """What a person may do from now on."""

    role = forms.ChoiceField(choices=ROLE_WORDS)


class TokenForm(forms.Form):
    """A new API token: what for, and what it may do."""

    label = forms.CharField(
        label="What is it for?",
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ChoiceField(label="It may", choices=TOKEN_ROLE_WORDS, initial=Role.VIEWER.value)


class JoinForm(forms.Form):
    """An invited person who has no account yet."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        help_text="At least 12 characters; a sentence is easiest to keep.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: object, email: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._email = email

    def clean(self) -> None:
        """Weigh the password beside name and e-mail."""
        given = self.cleaned_data.get("password")
        if given:
            someone = User(email=self._email, name=self.cleaned_data.get("name", ""))
            try:
                validate_password(given, someone)
            except ValidationError as weak:
                self.add_error("password", weak)
