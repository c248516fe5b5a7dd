"""Named points at which a test may kill this process, as a power cut would.

`CONNECTOR_CRASH_AT=after_write:sent` ends the process there by `os._exit(137)`: no clean-up, no
`finally`; `after_save:release#3` the third time it comes by. Without the variable a point costs one
dictionary look-up. Refused outside practice.
"""

from __future__ import annotations

import os
from collections import Counter

from django.conf import settings

VARIABLE = "CONNECTOR_CRASH_AT"
EXIT_CODE = 137

_passed: Counter[str] = Counter()


def reach(name: str, *, stage: str = "") -> None:
    """End the process here when the environment asks for this point."""
    wanted = os.environ.get(VARIABLE)
    if not wanted or not settings.PRACTICE:
        return
    point, _, count = wanted.partition("#")
    if point not in {name, f"{name}:{stage}"}:
        return
    _passed[wanted] += 1
    if _passed[wanted] >= int(count or 1):
        os._exit(EXIT_CODE)
