"""Whether Sage can store a text, and what becomes of it if not.

Sage 300 databases are usually on a single-byte code page; what is outside comes back as `?`
(Sage 300 reference, wire format). We do the replacing ourselves, so that what is sent is what is
read back and a person is told which character was lost. Windows-1252 is taken as the code page.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

CODE_PAGE = "cp1252"
SUBSTITUTE = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A text as it goes to Sage; `lost` are the characters replaced, each once, in order."""

    text: str
    is_cut: bool
    lost: tuple[str, ...] = ()


def is_storable(character: str) -> bool:
    """Whether Sage keeps this character: printable, and in its code page."""
    if unicodedata.category(character).startswith("C"):
        return False
    try:
        character.encode(CODE_PAGE)
    except UnicodeEncodeError:
        return False
    return True


def folded(text: str) -> str:
    """One line, composed characters, single blanks, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fit(text: str, length: int) -> Fitted:
    """Fold, replace what Sage cannot store, cut at `length`."""
    line = folded(text)
    lost = tuple(dict.fromkeys(c for c in line if not is_storable(c) and not _is_mark(c)))
    kept = "".join(c if is_storable(c) else _stand_in(c) for c in line)
    kept = " ".join(kept.split())
    return Fitted(text=kept[:length].rstrip(), is_cut=len(kept) > length, lost=lost)


def named(character: str) -> str:
    """How a sentence names a character: itself where it can be seen, else its Unicode name."""
    if unicodedata.category(character).startswith("C"):
        return unicodedata.name(character, f"U+{ord(character):04X}").lower()
    return f"“{character}”"


def _is_mark(character: str) -> bool:
    """Joiners, direction marks and variation selectors: nothing a reader would miss."""
    return unicodedata.category(character) in {"Cf", "Mn"}


def _stand_in(character: str) -> str:
    """The base letter where there is one (ř becomes r), nothing for a mark, else `?`."""
    if _is_mark(character):
        return ""
    base = unicodedata.normalize("NFKD", character)[0]
    return base if is_storable(base) and base.isalnum() else SUBSTITUTE
