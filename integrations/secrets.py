"""Passwords and keys of customers, sealed at rest.

The encrypted field of django-fernet-encrypted-fields fails open: under a wrong key it hands out the
stored text as if it were the password (we would send it to BILL until the account locks), one
failed form validation makes every later read in the process return stored text, and a value
copied to another row or column still opens. Hence this strict subclass: keys of its own
(`CREDENTIAL_KEYS`, never SECRET_KEY), every value sealed for one place and opened only there, and
no way to show a secret but `Secret.reveal()`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from encrypted_fields.fields import EncryptedTextField

PREFIX = "k2"
SHOWN = "***"


class SecretUnreadable(Exception):
    """A stored secret does not open here: another key, another place, or never sealed."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"The stored secret of {where} cannot be opened with CREDENTIAL_KEYS. Give the program "
            "the keys it was stored under, or enter the secret again."
        )


class Condition(StrEnum):
    """What an audit finds in one cell."""

    CLEAN = "clean"
    LEGACY = "legacy"
    PLAINTEXT = "plaintext"
    UNREADABLE = "unreadable"
    EMPTY = "empty"


def seal(text: str, purpose: str) -> str:
    """Seal a text so that it opens only for the same purpose."""
    key_id, fernet = next(iter(_keys(tuple(settings.CREDENTIAL_KEYS)).items()))
    inside = json.dumps({"p": purpose, "v": text}).encode()
    return f"{PREFIX}:{key_id}:{fernet.encrypt(inside).decode('ascii')}"


def unseal(sealed: str, purpose: str) -> str:
    """Open what `seal` made for this purpose; raises SecretUnreadable otherwise."""
    prefix, _, rest = sealed.partition(":")
    key_id, _, token = rest.partition(":")
    fernet = _keys(tuple(settings.CREDENTIAL_KEYS)).get(key_id)
    if prefix != PREFIX or fernet is None:
        raise SecretUnreadable(purpose)
    try:
        inside = json.loads(fernet.decrypt(token.encode()))
    except (InvalidToken, ValueError):
        raise SecretUnreadable(purpose) from None
    if not hmac.compare_digest(str(inside["p"]).encode(), purpose.encode()):
        raise SecretUnreadable(purpose)
    return str(inside["v"])


def condition(sealed: str | None, purpose: str) -> Condition:
    """Classify a stored cell without showing it."""
    if not sealed:
        return Condition.EMPTY
    if not sealed.startswith(f"{PREFIX}:"):
        return Condition.PLAINTEXT
    try:
        unseal(sealed, purpose)
    except SecretUnreadable:
        return Condition.UNREADABLE
    newest = next(iter(_keys(tuple(settings.CREDENTIAL_KEYS))))
    return Condition.CLEAN if sealed.split(":")[1] == newest else Condition.LEGACY


@lru_cache(maxsize=8)
def _keys(given: tuple[str, ...]) -> dict[str, Fernet]:
    """Key id → key, the encrypting one first."""
    keys: dict[str, Fernet] = {}
    for text in given:
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise ImproperlyConfigured(
                "CREDENTIAL_KEYS holds something that is not URL-safe base64 of 32 bytes. Make one "
                "with: python -c 'import base64,os;"
                "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
            )
        keys[hashlib.sha256(raw).hexdigest()[:8]] = Fernet(base64.urlsafe_b64encode(raw))
    if not keys:
        raise ImproperlyConfigured("CREDENTIAL_KEYS is empty; no secret can be stored or read.")
    return keys


class Secret:
    """A secret that shows itself nowhere; `reveal()` is the only way to its text.

    False when nothing is stored. Cannot be pickled.
    """

    __slots__ = ("_open", "sealed")

    def __init__(self, opener: Callable[[], str], *, sealed: str = "") -> None:
        self._open = opener
        self.sealed = sealed

    @classmethod
    def of(cls, text: str) -> Self:
        """A secret not stored yet."""
        return cls(lambda: text)

    def reveal(self) -> str:
        """The text itself, "" when nothing is stored; raises SecretUnreadable."""
        return self._open()

    def __bool__(self) -> bool:
        return bool(self.sealed) or bool(self._open())

    def __repr__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not pickled.")


class _Stored:
    """A cell as it lies in the database, not opened."""

    __slots__ = ("sealed",)

    def __init__(self, sealed: str) -> None:
        self.sealed = sealed

    def __repr__(self) -> str:
        return SHOWN


class _SecretAttribute(DeferredAttribute):
    """Gives a Secret bound to the row it is read from; takes plain text or a Secret."""

    def __init__(self, field: Any) -> None:
        super().__init__(field)
        self.column: Any = field

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if not isinstance(value, _Stored):
            return value if isinstance(value, Secret) else Secret.of(value or "")
        purpose = self.column.purpose(instance)
        return Secret(lambda: unseal(value.sealed, purpose), sealed=value.sealed)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = (
            Secret.of(value) if isinstance(value, str) else value
        )


class SecretField(EncryptedTextField):  # type: ignore[misc]
    """A sealed column. Set it on the row and save; it cannot be filtered, updated or exported."""

    descriptor_class = _SecretAttribute

    if TYPE_CHECKING:

        def __get__(self, instance: models.Model, owner: object) -> Secret: ...
        def __set__(self, instance: models.Model, value: str | Secret) -> None: ...

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "null": True, "blank": True, "editable": False})

    def purpose(self, instance: models.Model) -> str:
        """The one place a value of this row and column opens in."""
        tenant = getattr(instance, "tenant_id", None) or "-"
        return f"{tenant}/{instance._meta.label_lower}.{self.name}/{instance.pk}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Secret:
        """Seal what was set since the row was read; what was read is written back as it lay."""
        value: Secret = getattr(model_instance, self.attname)
        if not value.sealed and (text := value.reveal()):
            stored = _Stored(seal(text, self.purpose(model_instance)))
            model_instance.__dict__[self.attname] = stored
            value = getattr(model_instance, self.attname)
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """Only a sealed value goes to the database."""
        if value is None:
            return None
        if not isinstance(value, Secret | _Stored):
            raise TypeError(f"{self.name} is secret: set it on the row and save the row.")
        return value.sealed or None

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Any:
        """Keep the cell shut; the attribute opens it for its own row only."""
        return None if value is None else _Stored(value)

    def to_python(self, value: Any) -> Any:
        """Never decrypts, so nothing a form does can change what is read."""
        return value

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        """Nothing to validate, and no flag left behind on the shared field."""
        return value

    def value_to_string(self, obj: models.Model) -> NoReturn:
        """Secrets are not exported."""
        raise TypeError(f"{self.name} is secret and is not exported.")
