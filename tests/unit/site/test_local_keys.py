"""A fresh clone makes its own keys, once, for its owner only."""

import stat
from pathlib import Path

import pytest

from connector_site.env import SettingRefused
from connector_site.local_keys import local_key


def test_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = local_key(tmp_path / "keys", "secret_key", size=48)

    assert local_key(tmp_path / "keys", "secret_key", size=48) == first
    assert len(first) >= 64


def test_key_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    local_key(tmp_path, "secret_key", size=32)

    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_damaged_key_is_refused_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")

    with pytest.raises(SettingRefused, match="secret_key"):
        local_key(tmp_path, "secret_key", size=32)
    assert (tmp_path / "secret_key").read_text() == "short"
