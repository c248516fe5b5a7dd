"""Keeps mails as files instead of sending them: for the demo, and for trying out without a server.

Each is one ``.eml`` file, which mail programs open as the mail it is.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.text import slugify


class EmailBackend(BaseEmailBackend):
    """Django's door to it; the directory is `settings.MAIL_DIRECTORY`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each mail down; raises OSError where the directory takes none."""
        directory = Path(settings.MAIL_DIRECTORY)
        directory.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            name = f"{slugify(message.subject)[:60]}-{slugify(message.to[0])}-{uuid4().hex[:6]}.eml"
            (directory / name).write_bytes(message.message().as_bytes())
        return len(email_messages)
