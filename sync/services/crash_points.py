"""Named points at which a test may kill this process, as a power cut would.

`CONNECTOR_CRASH_AT=after_write:sent` ends the process there by `os._exit(137)`: no clean-up, no
`finally`. Without the variable a point costs one dictionary look-up. Refused outside practice.
"""

from __future__ import annotations

import os

from django.conf import settings

VARIABLE = "CONNECTOR_CRASH_AT"
EXIT_CODE = 137


def reach(name: str, *, stage: str = "") -> None:
    """End the process here when the environment asks for this point."""
    wanted = os.environ.get(VARIABLE)
    if wanted and settings.PRACTICE and wanted in {name, f"{name}:{stage}"}:
        os._exit(EXIT_CODE)
