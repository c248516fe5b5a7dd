"""Who is at work in Sage, on which day, and what the business layer has warned of so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from integrations.standins.sage300.errors import SageError, field_invalid
from integrations.standins.sage300.switches import Switches
from integrations.standins.sage300.values import date_text

Level = str  # None, Warning or Error, as the company profile says it


@dataclass
class Session:
    """One session of one user in one company."""

    user: str
    switches: Switches
    today: date
    warnings: list[str] = field(default_factory=list)

    @property
    def date(self) -> str:
        """The session date as Sage writes it."""
        return date_text(self.today)

    def complain(self, level: Level, text: str) -> None:
        """Refuse, warn or pass over, as the company has chosen."""
        if level == "Error":
            raise field_invalid(text)
        if level == "Warning":
            self.warnings.append(text)

    def with_warnings(self, error: SageError) -> SageError:
        """The refusal with the warnings run together in one text, as Sage sends them."""
        if not self.warnings:
            return error
        return SageError(error.code, "\n".join([error.text, *self.warnings]))
