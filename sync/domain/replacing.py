"""`replace` as in `dataclasses`, quick for a value of many fields.

A batch's facts have some fifty fields and are replaced several times a step; going through
`__init__` for each was half of the protocol's time. A class that wants the quick way does without
slots and without `__post_init__`; any other goes the usual way.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

__all__ = ["replace"]

if TYPE_CHECKING:
    # The type checker knows the original, and checks the names and types of every change.
    from dataclasses import replace
else:

    def replace(value: Any, /, **changes: Any) -> Any:
        """The same value with these fields changed; raises TypeError for one it does not have."""
        fields = getattr(value, "__dict__", None)
        if fields is None:
            return dataclasses.replace(value, **changes)
        new = object.__new__(type(value))
        new.__dict__.update(fields)
        new.__dict__.update(changes)
        if len(new.__dict__) != len(fields):
            unknown = ", ".join(sorted(changes.keys() - fields.keys()))
            raise TypeError(f"{type(value).__name__} has no {unknown}")
        return new
