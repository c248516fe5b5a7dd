"""What a stand-in knows, kept on disk, so that it can be killed and started again like any server.

The whole world is written after every request that may have changed it and before the answer goes
out, so whoever got an answer finds its effect again. Worlds are small and made of plain values;
locks are made anew. The file is ours alone: it is read as Python's pickle.
"""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import threading
from pathlib import Path
from typing import Any

_TRIES = 5


_MADE_ANEW: dict[type, Any] = {
    type(threading.Lock()): lambda _: (threading.Lock, ()),
    type(threading.RLock()): lambda _: (threading.RLock, ()),
}


class Memory:
    """The file in which one world is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def recall(self) -> Any:
        """Return the world as it was last kept, or None."""
        if not self._path.exists():
            return None
        return pickle.loads(self._path.read_bytes())  # noqa: S301 (written by `keep` alone)

    def keep(self, world: object) -> None:
        """Write the world; a reader finds the one before or this one, never half of it."""
        with self._lock:
            draft = self._path.with_suffix(".draft")
            draft.write_bytes(_packed(world))
            os.replace(draft, self._path)


def _packed(world: object) -> bytes:
    for _ in range(_TRIES):
        sink = io.BytesIO()
        pickler = pickle.Pickler(sink)
        pickler.dispatch_table = copyreg.dispatch_table | _MADE_ANEW
        try:
            pickler.dump(world)
        except RuntimeError:
            continue  # Another request changed a dictionary while it was being read.
        return sink.getvalue()
    raise RuntimeError(f"{type(world).__name__} changed faster than it could be written")
