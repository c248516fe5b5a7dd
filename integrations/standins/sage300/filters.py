"""The `$filter` language as far as Sage documents it.

`eq ne gt lt le and or`, parentheses, `startswith`, `endswith`, `length`, literals in v4 spelling;
`ge`, `contains` and `substringof` only where switched on. Anything else is `InvalidParameters`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from integrations.standins.sage300.errors import SageError
from integrations.standins.sage300.schema import Entity, Row
from integrations.standins.sage300.switches import Switches

Test = Callable[[Row], bool]
Keys = list[dict[str, Any]] | None

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<date>\d{4}-\d{2}-\d{2}(?:T[0-9:.]+Z?)?)"
    r"|(?P<number>-?\d+(?:\.\d+)?)m?|(?P<word>[A-Za-z_]\w*)|(?P<mark>[(),]))"
)
_TEXTS = frozenset({"text", "upper", "enum", "name"})
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "ge": lambda left, right: left >= right,
}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
    "substringof": lambda part, whole: part in whole,
}


@dataclass(frozen=True)
class Condition:
    """A compiled filter. `keys`: if it can only be met by these partial keys, which; else None."""

    test: Test
    keys: Keys = None


def _bad(text: str) -> SageError:
    return SageError("InvalidParameters", f"The $filter cannot be read: {text}.")


def parse_filter(text: str, entity: Entity, switches: Switches) -> Condition:
    """Compile a `$filter`; raises SageError `InvalidParameters`."""
    return _Parser(text, entity, switches).whole()


class _Parser:
    def __init__(self, text: str, entity: Entity, switches: Switches) -> None:
        self._entity = entity
        self._switches = switches
        self._tokens: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise _bad(f"unexpected {text[position : position + 10]!r}")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match.group(kind)))
            position = match.end()
        self._at = 0

    def whole(self) -> Condition:
        condition = self._either()
        if self._at < len(self._tokens):
            raise _bad(f"unexpected {self._tokens[self._at][1]!r}")
        return condition

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _next(self, expected: str = "") -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end" or (expected and token[1] != expected):
            raise _bad(f"{expected or 'more'} expected at {token[1]!r}")
        self._at += 1
        return token

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._peek() == ("word", "or"):
            self._next()
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        keys: Keys = []
        for part in parts:
            keys = None if keys is None or part.keys is None else keys + part.keys
        return Condition(lambda row: any(test(row) for test in tests), keys)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._peek() == ("word", "and"):
            self._next()
            parts.append(self._one())
        if len(parts) == 1:
            return parts[0]
        tests = [part.test for part in parts]
        known: dict[str, Any] = {}
        for part in parts:
            if part.keys is not None and len(part.keys) == 1:
                known.update(part.keys[0])
        return Condition(lambda row: all(test(row) for test in tests), [known] if known else None)

    def _one(self) -> Condition:
        kind, word = self._next()
        if word == "(" and kind == "mark":
            inside = self._either()
            self._next(")")
            return inside
        if kind != "word":
            raise _bad(f"unexpected {word!r}")
        if word in _TEXT_TESTS:
            return self._text_test(word)
        if word == "length":
            self._next("(")
            name = self._property()
            self._next(")")
            return self._comparison(lambda row: len(row[name]), None)
        return self._comparison(lambda row: row[word], self._known(word))

    def _known(self, name: str) -> str:
        prop = self._entity.properties.get(name)
        if prop is None or prop.kind == "rows":
            raise _bad(f"{self._entity.name} has no property {name} to filter by")
        return name

    def _property(self) -> str:
        kind, name = self._next()
        if kind != "word":
            raise _bad(f"a property expected at {name!r}")
        if self._entity.properties[self._known(name)].kind not in _TEXTS:
            raise _bad(f"{name} is not a text")
        return name

    def _text_test(self, function: str) -> Condition:
        if function in {"contains", "substringof"} and not self._switches.allow_contains:
            raise _bad(f"the function {function} is not supported")
        self._next("(")
        if function == "substringof":
            part = self._literal()
            self._next(",")
            name = self._property()
        else:
            name = self._property()
            self._next(",")
            part = self._literal()
        self._next(")")
        if not isinstance(part, str):
            raise _bad(f"{function} takes a text")
        test = _TEXT_TESTS[function]
        if function == "substringof":
            return Condition(lambda row: test(part, row[name]))
        return Condition(lambda row: test(row[name], part))

    def _comparison(self, value: Callable[[Row], Any], name: str | None) -> Condition:
        operator = self._next()[1]
        if operator not in _COMPARE or (operator == "ge" and not self._switches.allow_ge):
            raise _bad(f"the operator {operator} is not supported")
        literal = self._literal()
        compare = _COMPARE[operator]
        if operator not in {"eq", "ne"}:
            return Condition(lambda row: _ordered(compare, value(row), literal))
        prop = self._entity.properties[name] if name else None
        if prop is not None and prop.kind == "upper" and isinstance(literal, str):
            literal = literal.upper()
        keys: Keys = [{name: literal}] if operator == "eq" and name else None
        return Condition(lambda row: compare(value(row), literal), keys)

    def _literal(self) -> Any:
        kind, text = self._next()
        match kind:
            case "text":
                return text[1:-1].replace("''", "'")
            case "number":
                return Decimal(text)
            case "date":
                return f"{text[:10]}T00:00:00Z" if len(text) == 10 else text
            case "word" if text in {"true", "false", "null"}:
                return {"true": True, "false": False, "null": None}[text]
            case _:
                raise _bad(f"a value expected at {text!r}")


def _ordered(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if isinstance(left, str) is not isinstance(right, str):
        raise _bad("the two sides cannot be compared")
    return compare(left, right)
