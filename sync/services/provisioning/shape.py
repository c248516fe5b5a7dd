"""How a provision file may look: one declaration for reading, the JSON Schema and the example.

A part of the file is a frozen dataclass whose fields are declared with `entry`, `part` and so on.
Reading refuses unknown keys by name and tells every fault of the file at once, each with the JSON
pointer of the place, so that nobody mends a file fault by fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from dataclasses import field as dataclass_field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

Json = dict[str, object]
_KEY = "shape"


class Reading:
    """One reading of a file: where its secrets come from, and what is wrong with it.

    `found` holds (JSON pointer, sentence) in the order of finding; `folder` is what relative paths
    of secret files start from.
    """

    def __init__(self, *, environ: Mapping[str, str], folder: Path) -> None:
        self.environ, self.folder = environ, folder
        self.found: list[tuple[str, str]] = []

    def add(self, pointer: str, sentence: str) -> None:
        """Note one fault; the pointer of the whole file is ""."""
        if (pointer, sentence) not in self.found:
            self.found.append((pointer, sentence))

    def __bool__(self) -> bool:
        return bool(self.found)


class Kind:
    """How one value is read, and what the JSON Schema says of it; the root accepts anything."""

    def read(self, value: object, pointer: str, reading: Reading) -> Any:
        """The value as the dataclass keeps it; None after a fault was noted."""
        raise NotImplementedError

    def schema(self) -> Json:
        """The JSON Schema of the value."""
        raise NotImplementedError


def declare(kind: Kind, meaning: str, *, example: object, default: Any = MISSING) -> Any:
    """Declare a field of a part; without a default its key must be there."""
    metadata = {_KEY: kind, "meaning": meaning, "example": example}
    if callable(default):
        return dataclass_field(default_factory=default, metadata=metadata)
    return dataclass_field(default=default, metadata=metadata)


class Part(Kind):
    """An object with a dataclass of its own; `check` tells faults of the whole of it."""

    def __init__(
        self, shape: type[Any], check: Callable[[Any, str, Reading], None] | None = None
    ) -> None:
        self.shape, self.check = shape, check

    def read(self, value: object, pointer: str, reading: Reading) -> Any:
        """The dataclass, or None where it cannot be made."""
        if not isinstance(value, Mapping):
            reading.add(pointer, f"This is an object, not {shown(value)}.")
            return None
        known = {each.name: each for each in fields(self.shape)}
        before = len(reading.found)
        values = {}
        for key, inner in value.items():
            if key not in known:
                reading.add(below(pointer, key), _unknown(str(key), known))
                continue
            values[key] = _kind(known[key]).read(inner, below(pointer, key), reading)
        for name, each in known.items():
            if _is_required(each) and name not in value:
                reading.add(pointer, _missing(each))
        if len(reading.found) > before:
            return None
        made = self.shape(**values)
        if self.check:
            self.check(made, pointer, reading)
        return made

    def schema(self) -> Json:
        """An object that takes no other keys."""
        known = fields(self.shape)
        required = [each.name for each in known if _is_required(each)]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                each.name: {"description": each.metadata["meaning"], **_kind(each).schema()}
                for each in known
            },
            **({"required": required} if required else {}),
        }


class Parts(Kind):
    """A list of objects."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def read(self, value: object, pointer: str, reading: Reading) -> tuple[Any, ...]:
        """The dataclasses, those that cannot be made left out."""
        if not isinstance(value, list):
            reading.add(pointer, f"This is a list, not {shown(value)}.")
            return ()
        read = [
            self.part.read(one, below(pointer, place), reading) for place, one in enumerate(value)
        ]
        return tuple(one for one in read if one is not None)

    def schema(self) -> Json:
        """An array."""
        return {"type": "array", "items": self.part.schema()}


class Free(Kind):
    """An object whose keys another room knows (the policy); only its schema is told here."""

    def __init__(self, schema: Callable[[], Json]) -> None:
        self.make_schema = schema

    def read(self, value: object, pointer: str, reading: Reading) -> Json | None:
        """The object as it stands."""
        if not isinstance(value, Mapping):
            reading.add(pointer, f"This is an object, not {shown(value)}.")
            return None
        return dict(value)

    def schema(self) -> Json:
        """What that room says."""
        return self.make_schema()


def example_of(shape: type[Any]) -> Json:
    """A part with every key, from the examples of its fields; a nested part's own where None."""
    return {each.name: _example(each) for each in fields(shape)}


def below(pointer: str, key: object) -> str:
    """The JSON pointer (RFC 6901) of a key or place inside."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def shown(value: object) -> str:
    """A value that somebody wrote, short enough for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{value[:40]}”"
        case Mapping():
            return "an object"
        case list():
            return "a list"
    return str(value)[:40]


def _kind(each: Field[Any]) -> Kind:
    kind = each.metadata[_KEY]
    assert isinstance(kind, Kind)  # noqa: S101 (a property of the declaration)
    return kind


def _is_required(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _missing(each: Field[Any]) -> str:
    meaning = each.metadata["meaning"]
    return f"The key “{each.name}” is missing: {meaning[0].lower()}{meaning[1:]}"


def _example(each: Field[Any]) -> object:
    kind, given = _kind(each), each.metadata["example"]
    if given is not None:
        return given
    match kind:
        case Part(shape=shape):
            return example_of(shape)
        case Parts(part=part):
            return [example_of(part.shape)]
    return None


def _unknown(key: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"Did you mean “{near[0]}”?" if near else f"Known keys: {', '.join(known)}."
    return f"The key “{key}” is not known here. {hint}"
