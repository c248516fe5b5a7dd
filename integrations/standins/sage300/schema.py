"""The properties of every entity, read once from `properties.txt`.

Names, order, lengths, decimals and lists of words are data: a body is checked against them, a blank
record is made from them, and `$metadata` is printed from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any

Row = dict[str, Any]
_KIND = re.compile(r"^(\w+)(?:\((.*)\))?$")


@dataclass(frozen=True)
class Property:
    """One property. `kind`: text, upper, number, int, date, bool, enum, name or rows."""

    name: str
    kind: str
    size: int = 0  # letters of a text, decimals of a number
    words: tuple[str, ...] = ()
    word_of_code: tuple[tuple[str, str], ...] = ()
    entity: str = ""

    @property
    def blank(self) -> Any:
        """What a new record holds."""
        match self.kind:
            case "text" | "upper" | "name":
                return ""
            case "number" | "int":
                return 0
            case "bool":
                return False
            case "enum":
                return self.words[0]
            case "rows":
                return []
            case _:
                return None


@dataclass(frozen=True)
class Entity:
    """One kind of record, its properties in metadata order."""

    name: str
    properties: dict[str, Property]

    @cached_property
    def _blank(self) -> Row:
        return {name: prop.blank for name, prop in self.properties.items()}

    @cached_property
    def _lists(self) -> tuple[str, ...]:
        return tuple(name for name, prop in self.properties.items() if prop.kind == "rows")

    def new(self, **values: Any) -> Row:
        """A blank record with these values."""
        row = self._blank.copy()
        for name in self._lists:
            row[name] = []
        row.update(values)
        return row


def _property(line: str) -> Property:
    name, _, kind_text = line.partition(" ")
    match = _KIND.match(kind_text)
    if match is None:
        raise ValueError(f"{line!r} is not a property.")
    kind, inner = match.group(1), match.group(2) or ""
    match kind:
        case "enum":
            pairs = [word.rpartition("=")[::2] for word in inner.split("|")]
            codes = tuple((code, word) for code, word in pairs if code)
            return Property(name, kind, words=tuple(word for _, word in pairs), word_of_code=codes)
        case "rows":
            return Property(name, kind, entity=inner)
        case _:
            return Property(name, kind, size=int(inner or 0))


def _read() -> dict[str, Entity]:
    text = resources.files(__package__).joinpath("properties.txt").read_text("utf-8")
    entities: dict[str, Entity] = {}
    for line in text.splitlines():
        if line.startswith("["):
            entities[line[1:-1]] = entity = Entity(line[1:-1], {})
        elif line and not line.startswith("#"):
            prop = _property(line)
            entity.properties[prop.name] = prop
    return entities


ENTITIES = _read()
