"""The one reader of the process environment.

Settings are given by environment variables and by nothing else. Every variable is read once,
through this room, so that a value that makes no sense is refused at start-up with the variable's
name in the sentence, and so that ``manage.py settings`` can list what there is to set without a
second list to keep true. A secret may be given as ``NAME`` or as a file named by ``NAME_FILE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_TRUE = frozenset({"1", "on", "true", "yes"})
_FALSE = frozenset({"0", "off", "false", "no", ""})


class SettingRefused(Exception):
    """A variable holds something that cannot be meant; the sentence names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable, as ``manage.py settings`` shows it."""

    name: str
    default: str
    current: str
    meaning: str
    is_secret: bool = False


@dataclass(slots=True)
class Environment:
    """Reads variables and remembers which were asked for."""

    values: Mapping[str, str]
    variables: dict[str, Variable] = field(default_factory=dict)

    def text(self, name: str, default: str = "", *, meaning: str) -> str:
        """Return the variable, or the default when it is unset or empty."""
        value = self.values.get(name, "").strip() or default
        self._remember(name, default=default, current=value, meaning=meaning)
        return value

    def flag(self, name: str, *, default: bool, meaning: str) -> bool:
        """Return on or off; anything that is neither is refused."""
        shown = "on" if default else "off"
        raw = self.text(name, shown, meaning=meaning).lower()
        if raw in _TRUE:
            return True
        if raw in _FALSE:
            return False
        raise SettingRefused(f"{name} is {raw!r}. Write on or off.")

    def whole_number(self, name: str, default: int, *, meaning: str) -> int:
        """Return a whole number that is zero or more."""
        raw = self.text(name, str(default), meaning=meaning)
        try:
            number = int(raw)
        except ValueError as error:
            raise SettingRefused(f"{name} is {raw!r}. Write a whole number.") from error
        if number < 0:
            raise SettingRefused(f"{name} is {number}. It must be 0 or more.")
        return number

    def number(self, name: str, default: float, *, meaning: str) -> float:
        """Return a number that is zero or more; parts of one are allowed."""
        raw = self.text(name, f"{default:g}", meaning=meaning)
        try:
            number = float(raw)
        except ValueError as error:
            raise SettingRefused(f"{name} is {raw!r}. Write a number.") from error
        if not 0 <= number < float("inf"):
            raise SettingRefused(f"{name} is {raw}. It must be 0 or more, and not infinite.")
        return number

    def words(self, name: str, default: tuple[str, ...] = (), *, meaning: str) -> list[str]:
        """Return a list written with commas between its parts."""
        raw = self.text(name, ",".join(default), meaning=meaning)
        return [word.strip() for word in raw.split(",") if word.strip()]

    def choice(self, name: str, choices: tuple[str, ...], default: str, *, meaning: str) -> str:
        """Return one of the given words."""
        value = self.text(name, default, meaning=meaning).lower()
        if value not in choices:
            raise SettingRefused(f"{name} is {value!r}. Write one of: {', '.join(choices)}.")
        return value

    def origin(self, name: str, *, meaning: str) -> str:
        """Return a web address without its last slash, or nothing."""
        value = self.text(name, meaning=meaning).rstrip("/")
        if value and not value.startswith(("http://", "https://")):
            raise SettingRefused(f"{name} is {value!r}. It must begin with https:// or http://.")
        return value

    def secret(self, name: str, *, meaning: str) -> str:
        """Return a secret from NAME, or from the file that NAME_FILE names; nothing when unset."""
        value = self.values.get(name, "").strip()
        file_name = self.values.get(f"{name}_FILE", "").strip()
        if value and file_name:
            raise SettingRefused(f"{name} and {name}_FILE are both set. Keep one.")
        if file_name:
            value = _read_secret_file(f"{name}_FILE", Path(file_name))
        self._remember(
            name,
            default="",
            current="(set)" if value else "",
            meaning=f"{meaning} Or {name}_FILE, the path of a file that holds it.",
            is_secret=True,
        )
        return value

    def _remember(
        self, name: str, *, default: str, current: str, meaning: str, is_secret: bool = False
    ) -> None:
        self.variables[name] = Variable(
            name=name, default=default, current=current, meaning=meaning, is_secret=is_secret
        )


def _read_secret_file(name: str, path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingRefused(f"{name} names {path}, which cannot be read: {error}.") from error
    if not value:
        raise SettingRefused(f"{name} names {path}, which is empty.")
    return value
