"""Which browser the journeys drive.

The one that ``CHROMIUM`` names, else the system's, else Playwright's own, which is fetched once when
the network allows it. ``python -m tests.chromium`` says what was found, and loudly what the suite
leaves out when nothing was.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FETCH_SECONDS = 300


@cache
def find_chromium() -> str | None:
    """Return the path of a browser that starts, or None."""
    return next((path for path in _candidates() if _starts(path)), None)


def fetch_chromium() -> None:
    """Let Playwright fetch its own browser; a machine without network is left as it is."""
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _candidates() -> Iterator[str]:
    given = os.environ.get("CHROMIUM")
    if given:
        yield given
        return
    yield from (path for name in _NAMES if (path := shutil.which(name)))
    yield from (str(path) for path in _playwright_browsers())


def _playwright_browsers() -> list[Path]:
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    homes = [Path(given)] if given else [Path.home() / ".cache/ms-playwright"]
    names = ("chrome", "headless_shell", "chrome-headless-shell", "Chromium")
    found = [path for home in homes for name in names for path in home.glob(f"chromium*/**/{name}")]
    return sorted((path for path in found if path.is_file()), reverse=True)


def _starts(path: str) -> bool:
    try:
        answer = subprocess.run([path, "--version"], check=False, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def main() -> None:
    """Say which browser the journeys will use."""
    browser = find_chromium()
    if browser is None and not os.environ.get("CHROMIUM"):
        print("No Chromium found; asking Playwright to fetch its own.", flush=True)
        fetch_chromium()
        find_chromium.cache_clear()
        browser = find_chromium()
    if browser is not None:
        print(f"Browser journeys use {browser}.")
        return
    print("!" * 79)
    print("!! LEFT OUT: every browser journey (tests/journeys). No Chromium that starts was found.")
    print("!! Install one (apt-get install chromium), or name one: CHROMIUM=/path make test")
    print("!" * 79)


if __name__ == "__main__":
    main()
