"""The plain values of a provision file: texts, words, flags, and secrets kept elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sync.domain.words import listed
from sync.services.provisioning.shape import Json, Kind, Reading, below, shown


class Text(Kind):
    """A text; `check` answers "" or a sentence why this one cannot be."""

    def __init__(
        self,
        *,
        longest: int,
        pattern: str = "",
        why: str = "",
        may_be_empty: bool = False,
        check: Callable[[str], str] | None = None,
    ) -> None:
        self.longest, self.pattern, self.why = longest, pattern, why
        self.may_be_empty, self.check = may_be_empty, check

    def read(self, value: object, pointer: str, reading: Reading) -> str | None:
        """The text without spaces around it."""
        sentence = self._fault(value)
        if sentence:
            reading.add(pointer, sentence)
            return None
        return str(value).strip()

    def _fault(self, value: object) -> str:
        if not isinstance(value, str):
            return f"This is a text, not {shown(value)}."
        text = value.strip()
        if "\x00" in text:
            return "This holds a NUL character, which cannot be stored."
        if not text and not self.may_be_empty:
            return "This may not be empty."
        if len(text) > self.longest:
            return f"This has {len(text)} characters; {self.longest} is the most."
        if text and self.pattern and not re.fullmatch(self.pattern, text):
            return self.why
        return self.check(text) if text and self.check else ""

    def schema(self) -> Json:
        """A string with its bounds."""
        least: Json = {} if self.may_be_empty else {"minLength": 1}
        pattern: Json = {"pattern": f"^(?:{self.pattern})$"} if self.pattern else {}
        return {"type": "string", **least, "maxLength": self.longest, **pattern}


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def read(self, value: object, pointer: str, reading: Reading) -> str | None:
        """The word."""
        if not isinstance(value, str) or value not in self.words:
            reading.add(pointer, f"This is {listed(self.words, 'or')}, not {shown(value)}.")
            return None
        return value

    def schema(self) -> Json:
        """An enumeration."""
        return {"type": "string", "enum": list(self.words)}


class Flag(Kind):
    """true or false."""

    def read(self, value: object, pointer: str, reading: Reading) -> bool | None:
        """The flag."""
        if not isinstance(value, bool):
            reading.add(pointer, f"This is true or false, not {shown(value)}.")
            return None
        return value

    def schema(self) -> Json:
        """A boolean."""
        return {"type": "boolean"}


class Texts(Kind):
    """An object whose keys and values are texts."""

    def __init__(self, *, longest: int) -> None:
        self.longest = longest

    def read(self, value: object, pointer: str, reading: Reading) -> dict[str, str]:
        """The object, spaces around keys and values taken off."""
        if not isinstance(value, Mapping):
            reading.add(pointer, f"This is an object, not {shown(value)}.")
            return {}
        one = Text(longest=self.longest)
        read = {
            str(key).strip(): one.read(text, below(pointer, key), reading)
            for key, text in value.items()
        }
        return {key: text for key, text in read.items() if text is not None}

    def schema(self) -> Json:
        """An object of strings."""
        values = {"type": "string", "minLength": 1, "maxLength": self.longest}
        return {"type": "object", "additionalProperties": values}


class SecretText(Kind):
    """A secret: the text itself, or the environment variable or file that holds it."""

    def __init__(self, *, longest: int = 500) -> None:
        self.text = Text(longest=longest)

    def read(self, value: object, pointer: str, reading: Reading) -> str | None:
        """The secret's text, wherever it is; line ends at the end of a file are not part of it."""
        if isinstance(value, str):
            return self.text.read(value, pointer, reading)
        if not isinstance(value, Mapping) or len(value) != 1 or not {*value} <= {"env", "file"}:
            reading.add(
                pointer, 'This is a text, {"env": "NAME"} or {"file": "path"}, and nothing else.'
            )
            return None
        [(where, name)] = value.items()
        if not isinstance(name, str) or not name:
            reading.add(below(pointer, where), "This is the name of where the secret is.")
            return None
        found = _variable(name, reading) if where == "env" else _file(name, reading)
        if found.strip():
            return self.text.read(found, pointer, reading)
        what = "environment variable" if where == "env" else "file"
        reading.add(below(pointer, where), f"The {what} {name} is not there, or it is empty.")
        return None

    def schema(self) -> Json:
        """A text, or where it is."""
        name = {"type": "string", "minLength": 1}
        places: list[Json] = [
            {
                "type": "object",
                "additionalProperties": False,
                "required": [where],
                "properties": {where: name},
            }
            for where in ("env", "file")
        ]
        return {"oneOf": [self.text.schema(), *places]}


def _variable(name: str, reading: Reading) -> str:
    return reading.environ.get(name, "")


def _file(name: str, reading: Reading) -> str:
    try:
        return (reading.folder / name).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
