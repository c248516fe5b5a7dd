"""What people fill in on pages of the work, where a form of Django's fits."""

from __future__ import annotations

from django import forms

from sync.domain.telling import DAY_WORDS, KIND_WORDS, Choice, Days, Kind, hour_words
from tenants.zones import zone_choices


class MailChoiceForm(forms.Form):
    """What a person wants to be told, and when."""

    kinds = forms.MultipleChoiceField(
        choices=[(kind.value, words) for kind, (words, _) in KIND_WORDS.items()], required=False
    )
    days = forms.ChoiceField(choices=[(day.value, words) for day, words in DAY_WORDS.items()])
    hour = forms.TypedChoiceField(
        label="At",
        choices=[(hour, hour_words(hour)) for hour in range(24)],
        coerce=int,
    )
    zone = forms.ChoiceField(label="Time zone", choices=zone_choices)

    def choice(self) -> Choice:
        """The choice as the domain's value; only after the form was found good."""
        return Choice(
            kinds=frozenset(Kind(value) for value in self.cleaned_data["kinds"]),
            days=Days(self.cleaned_data["days"]),
            hour=self.cleaned_data["hour"],
        )
