"""Keys for an installation that was given none.

A fresh clone must come up with one command, so when ``SECRET_KEY`` or ``CREDENTIAL_KEYS`` is unset
a random key is made once and kept beside the embedded database, readable by its owner only.
``check --deploy`` insists on keys from the environment: keys that lie beside the data protect
nothing when the disk is copied.
"""

import base64
import os
import secrets
from pathlib import Path

from connector_site.env import SettingRefused


def local_key(directory: Path, name: str, *, size: int) -> str:
    """Return the key kept under this name, making it (file mode 0600) when it is not there.

    `size` is its number of random bytes; the text is their URL-safe base64.
    """
    path = directory / name
    if not path.exists():
        _write_once(path, base64.urlsafe_b64encode(secrets.token_bytes(size)).decode())
    value = path.read_text(encoding="ascii").strip()
    if len(value) < size:
        raise SettingRefused(f"{path} does not hold a key. Restore it, or set the key yourself.")
    return value


def _write_once(path: Path, value: str) -> None:
    """Write the file whole and for its owner only; two processes may try, the first one wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
