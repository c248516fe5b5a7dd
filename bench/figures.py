"""How a bench speaks: a small table, and PASS or FAIL for each figure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """The figures of one bench, each with the bar it must meet."""

    failed: list[str] = field(default_factory=list)

    def check(self, name: str, value: float, *, at_most: float, unit: str = "") -> None:
        """Print one figure beside its bar."""
        self._say(name, value, value <= at_most, f"at most {at_most:g}{unit}", unit)

    def _say(self, name: str, value: float, passes: bool, bar: str, unit: str) -> None:
        word = "PASS" if passes else "FAIL"
        print(f"{word}  {name}: {value:,.4g}{unit} ({bar})", flush=True)
        if not passes:
            self.failed.append(name)

    def end(self) -> None:
        """Exit with 1 where a figure failed."""
        if self.failed:
            sys.exit(1)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under heads, texts to the left and numbers to the right."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max(len(line[n]) for line in [list(heads), *cells]) for n in range(len(heads))]
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)).rstrip())
    for row, line in zip(rows, cells, strict=True):
        parts = [
            cell.rjust(width) if isinstance(value, int | float) else cell.ljust(width)
            for value, cell, width in zip(row, line, widths, strict=True)
        ]
        print("  ".join(parts).rstrip(), flush=True)
    print(flush=True)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
