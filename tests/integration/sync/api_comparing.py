"""Whether an answer of the API is what its example shows: the same shape, and the same stable values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

#: What is the same whenever the examples are run.
STABLE = frozenset(
    [
        "acts",
        "action",
        "code",
        "currency",
        "deed",
        "deeds",
        "environment",
        "gl_account",
        "invoice_number",
        "is_connected",
        "is_paused",
        "is_well",
        "kind",
        "label",
        "name",
        "outcome",
        "release",
        "state",
        "status",
        "system",
        "trouble",
        "vendor_name",
        "verdict",
    ]
)


def differences(example: Any, told: Any, name: str, at: str = "answer") -> Iterator[str]:
    """Where an answer has other keys or types than the example, or another stable value."""
    match example, told:
        case dict(), dict():
            if not _is_by_key(example, told) and example.keys() != told.keys():
                yield f"{at} has {sorted(told)}, the example {sorted(example)}"
            for key in example.keys() & told.keys():
                yield from differences(example[key], told[key], name, f"{at}.{key}")
        case list(), list():
            for one in example:
                if not any(not list(differences(one, other, name)) for other in told):
                    close = list(differences(one, told[0], name, f"{at}[]")) if told else []
                    yield f"{at} has nothing like {str(one)[:200]} {close[:2]}"
        case None, _:
            return
        case _, None:
            return
        case _:
            if (type(example) is not type(told) and not _are_numbers(example, told)) or (
                name and at.rpartition(".")[2] in STABLE and example != told
            ):
                yield f"{at} is {told!r}, the example {example!r}"


def _is_by_key(example: dict[str, Any], told: dict[str, Any]) -> bool:
    """Whether the keys are data: ids, states, numbers and not the names of a shape."""
    keys = {*example, *told}
    return any(not re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in keys)


def _are_numbers(*values: Any) -> bool:
    return all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)
