"""Facts to and from JSON, exactly: amounts and times as text, nothing lost, nothing guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.domain.facts import Facts
from sync.domain.packing import pack, unpack


def to_json(facts: Facts) -> dict[str, Any]:
    """The facts as JSON-ready values; what stands at its default is left out."""
    plain: dict[str, Any] = pack(facts)
    return plain


def from_json(data: Mapping[str, Any]) -> Facts:
    """The facts again; raises TypeError for a key this version does not know."""
    return unpack(Facts, data)
