"""What people type about themselves and their firm."""

from django import forms


class NewTenantForm(forms.Form):
    """The one question asked before a tenant exists."""

    name = forms.CharField(
        label="Name of your firm",
        max_length=120,
        help_text="As people in your firm say it. You can add companies below it.",
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "organization"}),
    )
