"""What a password has to be, in the words of a person who helps."""

from __future__ import annotations

from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    UserAttributeSimilarityValidator,
)
from django.core.exceptions import ValidationError


class LongEnough(MinimumLengthValidator):
    """Asks for a number of characters, and says how many there were."""

    def validate(self, password: str, user: object = None) -> None:
        """Raise ValidationError for a shorter one."""
        length = len(password)
        if length < self.min_length:
            has = "1 character" if length == 1 else f"{length} characters"
            raise ValidationError(
                f"Longer, please: this has {has}, we ask for {self.min_length}.",
                code="password_too_short",
            )

    def get_help_text(self) -> str:
        """What stands under the field."""
        return f"At least {self.min_length} characters; a sentence is easiest to keep."


class NotWellKnown(CommonPasswordValidator):
    """Refuses what many people use."""

    def get_error_message(self) -> str:
        """What stands under the field when it is refused."""
        return "Many people use this one, so it is tried first. A sentence of your own is safer."

    def get_help_text(self) -> str:
        """What stands under the field."""
        return "Nothing that many people use."


class NotAboutYou(UserAttributeSimilarityValidator):
    """Refuses a person's own name or address."""

    def get_help_text(self) -> str:
        """What stands under the field."""
        return "Nothing close to your name or address."
