"""Ids, keys and tokens as BILL makes them: case-sensitive, a prefix that names the kind, and always
the same ones for the same seed, so that a failing run can be played again."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from itertools import count

ID_LENGTH = 20
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class IdMaker:
    """Hands out ids that never repeat within one world."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._made: Counter[str] = Counter()

    def record(self, prefix: str) -> str:
        """An id of 20 characters that starts with the prefix of its kind, such as `00n`."""
        return prefix + self._letters(prefix, ID_LENGTH - len(prefix))

    def token(self, purpose: str, length: int = 32) -> str:
        """A text that cannot be guessed from outside: a session id, a cursor, a security key."""
        return self._letters(purpose, length)

    def uuid4(self, purpose: str) -> str:
        """A version 4 UUID, as subscriptions and events carry."""
        return str(uuid.UUID(bytes=self._digest(purpose)[:16], version=4))

    def _digest(self, purpose: str) -> bytes:
        self._made[purpose] += 1
        return hashlib.sha256(f"{self._seed}/{purpose}/{self._made[purpose]}".encode()).digest()

    def _letters(self, purpose: str, length: int) -> str:
        start = self._digest(purpose)
        letters = ""
        for part in count():
            number = int.from_bytes(hashlib.sha256(start + bytes([part])).digest())
            while number and len(letters) < length:
                number, digit = divmod(number, len(_ALPHABET))
                letters += _ALPHABET[digit]
            if len(letters) == length:
                break
        return letters
