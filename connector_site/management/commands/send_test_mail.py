"""Says whether mail works, by sending one."""

import smtplib
import sys
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandParser
from django.core.validators import validate_email

_TEXT = (
    "This is a test of the mail settings of ml-connector{at}. That you read it means they work.\n"
)


class Command(BaseCommand):
    help = (
        "Send one mail to ADDRESS and say what the mail server answered. Exit code 0: it took the"
        " mail; 1: it did not, or could not be asked; 2: mail is not set up, or this is no address."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", metavar="ADDRESS", help="Who is to get it.")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["address"]
        if not (settings.MAIL_IS_SET_UP or settings.MAIL_DIRECTORY):
            self._refuse("Mail is not set up. Set EMAIL_URL; `manage.py settings` says how.", 2)
        try:
            validate_email(address)
        except ValidationError:
            self._refuse(f"{address} is not an e-mail address.", 2)
        at = f" at {settings.PUBLIC_URL}" if settings.PUBLIC_URL else ""
        message = EmailMessage(
            subject="ml-connector: mail works", body=_TEXT.format(at=at), to=[address]
        )
        try:
            message.send()
        except smtplib.SMTPAuthenticationError as error:
            self._refuse(f"The mail server refuses the sign-in of EMAIL_URL: {error}", 1)
        except (OSError, smtplib.SMTPException) as error:
            self._refuse(f"The mail was not taken: {error}", 1)
        if settings.MAIL_DIRECTORY:
            self.stdout.write(f"The mail lies in {settings.MAIL_DIRECTORY}; nobody gets it.")
            return
        self.stdout.write(
            f"{settings.EMAIL_HOST} took the mail to {address} from {settings.DEFAULT_FROM_EMAIL}."
        )

    def _refuse(self, sentence: str, code: int) -> None:
        self.stderr.write(sentence)
        sys.exit(code)
