"""Proves that the encryption key is the right one before a password is used.

With another key every stored password is unreadable. That must be one sentence at start-up and not
a thousand failed connections, so one known text lies sealed in the database.
"""

from __future__ import annotations

from integrations.models import KeyCanary
from integrations.secrets import SecretUnreadable, seal, unseal

PURPOSE = "canary"
SONG = "the key is right"


class WrongKey(Exception):
    """CREDENTIAL_KEYS are not the ones this database was written with."""


def verify() -> None:
    """Open the canary, or lay it down in a database that has none; raises WrongKey."""
    canary, _ = KeyCanary.objects.get_or_create(pk=1, defaults={"sealed": seal(SONG, PURPOSE)})
    try:
        unseal(canary.sealed, PURPOSE)
    except SecretUnreadable:
        raise WrongKey(
            "CREDENTIAL_KEYS is not the key this database was written with, so no stored password "
            "can be read. Start with the earlier key (it may stand second in the list)."
        ) from None
